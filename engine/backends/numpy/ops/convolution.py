"""conv2d with the sample innermost: pictures are laid out in columns along x only.

The columns (rows of the padded picture, kernel columns x channels, output columns x samples) hold, from
row y on, all that output row y needs in one contiguous block. So each output row is one matrix product
and kernel rows cost no copies. dX is the same product on the spread-out gradient with flipped kernels.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.convolution import geometry
from engine.values import Op


class Columns:
    """Columns of one picture value. `fill` copies them; `blocks` are the matrices, one per output row."""

    def __init__(
        self, env: Env, x: Array, out: tuple[int, int], kernel: tuple[int, int], step: tuple[int, int]
    ) -> None:
        """`out`: rows and columns that come out; `step`: how far windows are apart."""
        self.rows = (out[0] - 1) * step[0] + kernel[0]
        shape = (self.rows, kernel[1], x.shape[0], out[1], x.shape[3])
        kept = env.work.keep(shape)
        self.kept = kept is not None
        self.array = kept if kept is not None else env.work.shared(0, shape)
        run = out[1] * x.shape[3]
        row = kernel[1] * x.shape[0] * run * 4
        self.blocks = as_strided(
            self.array, (out[0], kernel[0] * kernel[1] * x.shape[0], run), (step[0] * row, run * 4, 4)
        )
        self._pairs: list[tuple[Array, Array]] = []

    def copy(self, to: Array, source: Array) -> None:
        """Add one copy to what `fill` does; `source` is (C, rows, columns, N)."""
        self._pairs.append((to, source.transpose(1, 0, 2, 3)))

    def fill(self) -> None:
        if not self.kept:
            self.array.fill(0)
        for to, source in self._pairs:
            np.copyto(to, source)


def picture_columns(env: Env, x: Array, out: tuple[int, int], kernel: tuple[int, int], op: Op) -> Columns:
    """Columns of a picture for a convolution with these attributes; padding stays zero."""
    (sh, sw), (top, left, _, _) = geometry(op.attrs)
    columns = Columns(env, x, out, kernel, (sh, sw))
    height = min(x.shape[1], columns.rows - top)
    if height > 0:
        for j in range(kernel[1]):
            first = max(0, -(-(left - j) // sw))
            last = min(out[1] - 1, (x.shape[2] - 1 + left - j) // sw)
            if last >= first:
                start = first * sw + j - left
                columns.copy(
                    columns.array[top : top + height, j, :, first : last + 1],
                    x[:, :height, start : start + (last - first) * sw + 1 : sw],
                )
    return columns


def gradient_columns(env: Env, d: Array, size: tuple[int, int], kernel: tuple[int, int], op: Op) -> Columns:
    """Columns of the gradient, spread out by the stride, for the product that gives dX."""
    (sh, sw), (top, left, _, _) = geometry(op.attrs)
    columns = Columns(env, d, size, kernel, (1, 1))
    down, across = kernel[0] - 1 - top, kernel[1] - 1 - left
    r0, r1 = max(0, -(down // sh)), min(d.shape[1] - 1, (columns.rows - 1 - down) // sh)
    for j in range(kernel[1]):
        shift = across - j
        q0, q1 = max(0, -(shift // sw)), min(d.shape[2] - 1, (size[1] - 1 - shift) // sw)
        if r1 >= r0 and q1 >= q0:
            y, x = r0 * sh + down, q0 * sw + shift
            columns.copy(
                columns.array[y : y + (r1 - r0) * sh + 1 : sh, j, :, x : x + (q1 - q0) * sw + 1 : sw],
                d[:, r0 : r1 + 1, q0 : q1 + 1],
            )
    return columns


def rows_first(a: Array) -> Array:
    """(C, H, W, N) as H matrices (C, W·N), without a copy."""
    return a.reshape(a.shape[0], a.shape[1], -1).transpose(1, 0, 2)


@build("conv2d")
def conv2d(op: Op, env: Env) -> Call:
    k, x, z = env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out)
    o, c, kh, kw = k.shape
    columns = picture_columns(env, x, (z.shape[1], z.shape[2]), (kh, kw), op)
    env.columns[_key(op.ins[1].id, (kh, kw), op)] = columns
    kernel, turned = env.work.own((o, kh, kw, c)), k.transpose(0, 2, 3, 1)
    matrix, blocks, rows = kernel.reshape(o, -1), columns.blocks, rows_first(z)
    bias = env.array(op.ins[2])[:, None] if len(op.ins) > 2 else None
    flat = z.reshape(o, -1)

    def call() -> None:
        columns.fill()
        np.copyto(kernel, turned)
        np.matmul(matrix, blocks, out=rows)
        if bias is not None:
            np.add(flat, bias, out=flat)

    return call


@build("conv2d_dx")
def conv2d_dx(op: Op, env: Env) -> Call:
    k, d, dx = env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out)
    o, c, kh, kw = k.shape
    columns = gradient_columns(env, d, (dx.shape[1], dx.shape[2]), (kh, kw), op)
    kernel, turned = env.work.own((c, kh, kw, o)), k[:, :, ::-1, ::-1].transpose(1, 2, 3, 0)
    matrix, blocks, rows = kernel.reshape(c, -1), columns.blocks, rows_first(dx)

    def call() -> None:
        columns.fill()
        np.copyto(kernel, turned)
        np.matmul(matrix, blocks, out=rows)

    return call


@build("conv2d_dw")
def conv2d_dw(op: Op, env: Env) -> Call:
    d, x, dk = env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out)
    o, c, kh, kw = dk.shape
    kept = env.columns.get(_key(op.ins[1].id, (kh, kw), op))
    ready = isinstance(kept, Columns) and kept.kept
    columns = (
        cast(Columns, kept) if ready else picture_columns(env, x, (d.shape[1], d.shape[2]), (kh, kw), op)
    )
    parts = env.work.shared(1, (d.shape[1], kh * kw * c, o))
    total = env.work.own((kh, kw, c, o))
    flat, turned = total.reshape(-1, o), total.transpose(3, 2, 0, 1)
    rows, blocks = rows_first(d).transpose(0, 2, 1), columns.blocks

    def call() -> None:
        if not ready:
            columns.fill()
        # this way round the long side of the product is its rows: twice as fast
        np.matmul(blocks, rows, out=parts)
        np.add.reduce(parts, 0, out=flat)
        np.copyto(dk, turned)

    return call


def _key(value_id: str, kernel: tuple[int, int], op: Op) -> tuple[object, ...]:
    return value_id, kernel, geometry(op.attrs)
