"""Matrices that are mostly empty: the cells that are not, and which those are for a moving window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.ops.base import Array


@dataclass(frozen=True, eq=False)
class Sparse:
    """A matrix by the cells that are not empty, in the order of its rows."""

    shape: tuple[int, int]
    rows: Array
    columns: Array
    values: Array

    def dense(self) -> Array:
        """All of it."""
        made = np.zeros(self.shape, np.float32)
        made[self.rows, self.columns] = self.values
        return made

    def times(self, column: Array, turned: bool) -> Array:
        """M·column, or Mᵀ·column; empty cells take no part."""
        to, of = (self.columns, self.rows) if turned else (self.rows, self.columns)
        products = self.values.astype(np.float64) * column[of]
        return np.bincount(to, products, self.shape[1 if turned else 0]).astype(np.float32)

    def means(self, rows: tuple[int, int], columns: tuple[int, int], step: tuple[int, int]) -> Array:
        """A part as means of step[0] x step[1] cells."""
        height, width = (-(-(b - a) // s) for (a, b), s in zip((rows, columns), step, strict=True))
        first, last = np.searchsorted(self.rows, rows)
        r, c, v = self.rows[first:last], self.columns[first:last], self.values[first:last]
        inside = (c >= columns[0]) & (c < columns[1])
        block = (r[inside] - rows[0]) // step[0] * width + (c[inside] - columns[0]) // step[1]
        sums = np.bincount(block, v[inside].astype(np.float64), height * width).reshape(height, width)
        down = np.minimum(step[0], rows[1] - rows[0] - step[0] * np.arange(height))
        across = np.minimum(step[1], columns[1] - columns[0] - step[1] * np.arange(width))
        return np.asarray(sums / (down[:, None] * across), np.float32)


@lru_cache(maxsize=4)
def places(
    picture: tuple[int, int, int], maps: tuple[int, int, int], kernel: tuple[int, int],
    stride: tuple[int, int], corner: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int],
    dilation: tuple[int, int] = (1, 1), groups: int = 1,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """(row, column, place in the kernels (O, C/groups, kH, kW)) of every cell of M that is not empty.

    `corner`: rows and columns of padding above and left; `rows`, `columns`: the channels taken part in.
    """
    (_, height, width), (_, down, across) = picture, maps
    y = np.arange(down)[:, None] * stride[0] + np.arange(kernel[0]) * dilation[0] - corner[0]
    x = np.arange(across)[:, None] * stride[1] + np.arange(kernel[1]) * dilation[1] - corner[1]
    inside = ((y >= 0) & (y < height))[:, None, :, None] & ((x >= 0) & (x < width))[:, None, :]
    filters, channels = rows[1] - rows[0], columns[1] - columns[0]
    # every array has the axes filter, row, column of the maps, channel, row, column of the kernel
    o, r, q, c, i, j = np.ogrid[:filters, :down, :across, :channels, : kernel[0], : kernel[1]]
    row = (o * down + r) * across + q
    column = (c * height + y[:, None, None, :, None]) * width + x[:, None, None, :]
    seen = picture[0] // groups  # channels that a filter sees
    slot = (((o + rows[0]) * seen + (c + columns[0]) % seen) * kernel[0] + i) * kernel[1] + j
    shape = (filters, down, across, channels, *kernel)
    same = (o + rows[0]) // (maps[0] // groups) == (c + columns[0]) // seen
    taken = np.broadcast_to(inside[:, :, None] & same, shape)
    row, column, slot = (np.broadcast_to(a.astype(np.int32), shape)[taken] for a in (row, column, slot))
    return row, column, slot
