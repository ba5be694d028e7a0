"""Which rows and columns of a value a lab shows, and which cell of the value stands at a place.

A matrix is shown whole or as one column, turned or not; of feature maps one channel of one example, of
kernels one kernel, of sequences one example. Pure geometry, no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from engine.session.views import Matrix, MatrixData
from engine.values import Value

Array = np.ndarray[Any, Any]
Cell = tuple[int, ...]
Kind = Literal["matrix", "vector", "lanes", "scalar", "map", "kernel"]


@dataclass(frozen=True)
class Lens:
    """`rows` x `columns` of `value` as they lie there; `turned` swaps them on the screen.

    `fixed` are (channel, example) of a map, (filter, channel) of a kernel, (filter,) of one along a sequence,
    (example,) of one column. A sequence is a map of one channel, 0, which its cells do not name (`flat`).
    """

    value: str
    kind: Kind
    rows: int
    columns: int
    turned: bool = False
    fixed: tuple[int, ...] = ()
    batched: bool = False
    flat: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns on the screen."""
        return (self.columns, self.rows) if self.turned else (self.rows, self.columns)

    def turn(self) -> Lens:
        """The same transposed."""
        return replace(self, turned=not self.turned)

    def with_lanes(self, n: int) -> Lens:
        """With so many live examples."""
        whole = self.batched and self.kind in ("matrix", "lanes") and not self.fixed
        return replace(self, columns=n) if whole and n != self.columns else self

    # ---- asking ---------------------------------------------------------------------------------------

    def request(self, most: tuple[int, int] = (256, 256),
                seen: tuple[tuple[int, int] | None, tuple[int, int] | None] = (None, None)) -> Matrix:
        """What the engine is asked for; `seen` are the rows and columns in sight on the screen."""
        down, across = seen[::-1] if self.turned else seen
        if self.turned:
            most = (most[1], most[0])
        if self.kind == "map":
            channel, example = self.fixed
            first = channel * self.rows
            start, stop = down or (0, self.rows)
            return Matrix(self.value, example, *most, (first + start, first + stop), across)
        if self.kind == "kernel":
            which, channel = (*self.fixed, 0)[:2]
            size = self.rows * self.columns
            return Matrix(self.value, None, 1, max(size, 1), (which, which + 1),
                          (channel * size, (channel + 1) * size))
        if self.fixed:
            return Matrix(self.value, None, *most, down, (self.fixed[0], self.fixed[0] + 1))
        return Matrix(self.value, None, *most, down, across)

    def array(self, data: MatrixData) -> Array:
        """The numbers as they stand on the screen."""
        values = data.values
        if self.kind == "kernel":
            values = values.reshape(self.rows, self.columns)
        return np.ascontiguousarray(values.T) if self.turned else values

    def of(self, whole: Array) -> Array:
        """The same of a whole value (live examples), exact."""
        if self.kind == "map":
            maps = whole[None] if self.flat else whole
            found = maps[self.fixed[0], :, :, min(self.fixed[1], maps.shape[3] - 1)]
        elif self.kind == "kernel":
            found = whole[self.fixed]
        elif self.fixed:
            at = min(self.fixed[0], whole.shape[-1] - 1)
            found = whole[..., at : at + 1].reshape(-1, 1)
        elif self.kind == "lanes":
            found = whole[None, :]
        elif self.kind == "vector":
            found = whole.reshape(-1, 1)
        else:
            found = whole.reshape(self.rows, -1) if whole.ndim else whole.reshape(1, 1)
        return found.T if self.turned else found

    # ---- places ---------------------------------------------------------------------------------------

    def cell(self, row: int, column: int) -> Cell:
        """The cell of the value at a place on the screen."""
        if self.turned:
            row, column = column, row
        if self.kind == "map":
            return (*(() if self.flat else self.fixed[:1]), row, column, self.fixed[1])
        if self.kind == "kernel":
            return (*self.fixed, row, column)
        if self.kind == "scalar":
            return ()
        if self.kind == "vector":
            return (row,)
        if self.fixed:
            column = self.fixed[0]
        return (column,) if self.kind == "lanes" else (row, column)

    def place(self, cell: Cell) -> tuple[int, int] | None:
        """Where a cell of the value stands; None where it is not in sight."""
        found: tuple[int, int] | None
        if self.flat:
            found = (cell[0], cell[1]) if cell[2] == self.fixed[1] else None
        elif self.kind == "map":
            found = (cell[1], cell[2]) if (cell[0], cell[3]) == self.fixed else None
        elif self.kind == "kernel":
            found = (cell[-2], cell[-1]) if cell[:-2] == self.fixed else None
        elif self.kind == "scalar":
            found = (0, 0)
        elif self.kind == "vector":
            found = (cell[0], 0)
        else:
            row, column = (0, cell[0]) if self.kind == "lanes" else (cell[0], cell[1])
            if self.fixed:
                found = (row, 0) if column == self.fixed[0] else None
            else:
                found = (row, column)
        return found[::-1] if found is not None and self.turned else found


def lens_for(value: Value, lanes: int, *, example: int | None = None, shown: int = 0, channel: int = 0,
             channel_in: int = 0) -> Lens:
    """The lens for a value. `lanes` live examples, `example` the only one shown (None: the whole batch).

    Maps show `channel` of an example; kernels show filter `channel`, input channel `channel_in`.
    `shown` is the example of maps.
    """
    shape = value.shape
    if not shape:
        return Lens(value.id, "scalar", 1, 1)
    if len(shape) == 4 and value.batched:
        return Lens(value.id, "map", shape[1], shape[2],
                    fixed=(min(channel, shape[0] - 1), min(shown, lanes - 1)), batched=True)
    if len(shape) == 3 and value.batched:
        return Lens(value.id, "map", shape[0], shape[1], fixed=(0, min(shown, lanes - 1)), batched=True,
                    flat=True)
    if len(shape) == 4:
        fixed = (min(channel, shape[0] - 1), min(channel_in, shape[1] - 1))
        return Lens(value.id, "kernel", shape[2], shape[3], fixed=fixed)
    if len(shape) == 3:  # along a sequence: all features of one filter
        return Lens(value.id, "kernel", shape[1], shape[2], fixed=(min(channel, shape[0] - 1),))
    if len(shape) == 1 and value.batched:
        if example is not None:
            return Lens(value.id, "lanes", 1, 1, fixed=(min(example, lanes - 1),), batched=True)
        return Lens(value.id, "lanes", 1, lanes, batched=True)
    if len(shape) == 1:
        return Lens(value.id, "vector", shape[0], 1)
    if value.batched:
        if example is not None:
            return Lens(value.id, "matrix", shape[0], 1, fixed=(min(example, lanes - 1),), batched=True)
        return Lens(value.id, "matrix", shape[0], lanes, batched=True)
    rows = shape[0]
    size = value.size // max(1, rows)
    return Lens(value.id, "matrix", rows, size)
