"""A convolution or a pooling of one example written as one matrix: z = M·x + b, and back dX = Mᵀ·δ.

A transposed convolution is the Mᵀ of the convolution with its kernels: z = Mᵀ·x, and back dX = M·δ.

x is what goes in, laid out as a column: channel by channel, row by row. Every row of M is one window: the
kernel's weights (doubly blocked Toeplitz), 1/k of an average pooling, or one 1 where a maximum was found.
Which cells are not empty follows from the op's geometry, the numbers in them are the engine's own.

The parts of a form are named like values, "<out>~<part>:<channel>:<example>", so that views, explanations and
copies ask for them as for any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np

from engine.errors import N_, GraphError
from engine.ops.base import Array
from engine.ops.conv1d import as_picture, without_row
from engine.ops.convolution import dilation_of, extent, geometry, groups_of
from engine.sparse import Sparse, places
from engine.values import Op, Program, Role, Value

Part = Literal["matrix", "in", "bias", "out", "off"]
"""M; the column that goes in; b repeated; M times the column; what that differs from the engine's own by."""
Read = Callable[[str], Array]
Cell = tuple[int, ...]

KINDS = ("conv2d", "conv_transpose2d", "conv1d", "avgpool2d", "maxpool2d")
MOST = 1_000_000
"""Cells of M that are not empty, at most."""
MOST_CELLS = 16_000_000
"""All cells of a matrix that is handed over whole."""
_NAME = re.compile(r"(.+)~(matrix|in|bias|out|off):(\d+|\*):(\d+)")


@dataclass(frozen=True)
class Form:
    """One op for one example as a matrix. `channel` of what comes out; None: all of them at once.

    A convolution along a sequence is that of a picture of one row (`op`), but cells are the sequence's.
    A pooling treats every channel by itself and alike, so one of them is all there is to show.
    """

    op: Op
    channel: int | None
    example: int
    along: Op | None = None
    """The op itself, where it goes along a sequence."""

    @property
    def kind(self) -> str:
        """The op whose matrix M is, on its way forward; that of a convolution for its transpose, too."""
        return self.op.kind.removesuffix("_dx").replace("conv_transpose2d", "conv2d")

    @property
    def gradient(self) -> bool:
        """Whether it is the way back."""
        return self.op.kind.endswith("_dx")

    @property
    def back(self) -> bool:
        """Whether M is used transposed: on the way back, and forward by a transposed convolution."""
        return self.gradient != self.transposed

    @property
    def transposed(self) -> bool:
        """Whether it belongs to a transposed convolution."""
        return self.op.kind.startswith("conv_transpose2d")

    @property
    def given(self) -> Value:
        """What goes in: X, or what comes back."""
        return self.op.ins[1 if self.kind == "conv2d" else 0]

    @property
    def picture(self) -> Value:
        """Where the windows lie: a column of M belongs to each of its cells."""
        return self.op.out if self.back else self.given

    @property
    def maps(self) -> Value:
        """Where the windows lead to: a row of M belongs to each of its cells."""
        return self.given if self.back else self.op.out

    @property
    def kernel(self) -> tuple[int, int]:
        """Rows and columns of the window."""
        if self.kind == "conv2d":
            return cast("tuple[int, int]", tuple(self.op.ins[0].shape[2:]))
        return cast("tuple[int, int]", self.op.attrs["kernel"])

    @property
    def choices(self) -> Value | None:
        """Where a maximum was found, in its window."""
        if self.kind != "maxpool2d":
            return None
        return self.op.ins[1] if self.back else self.op.outs[1]

    @property
    def row_channels(self) -> tuple[int, int]:
        """Channels of the maps that have rows."""
        return self._channels(self.maps, not self.back)

    @property
    def column_channels(self) -> tuple[int, int]:
        """Channels of the picture that have columns."""
        return self._channels(self.picture, self.back)

    def _channels(self, value: Value, leaves: bool) -> tuple[int, int]:
        if self.channel is None:
            return 0, value.shape[0]
        if self.kind == "conv2d" and not leaves:  # all that the channel has to do with: those of its group
            size, own = (v.shape[0] // self.groups for v in (value, self.op.out))
            first = self.channel // own * size
            return first, first + size
        return self.channel, self.channel + 1

    @property
    def dilation(self) -> tuple[int, int]:
        """Rows and columns of the picture from a kernel cell to the next."""
        return dilation_of(self.op.attrs)

    @property
    def groups(self) -> int:
        """Into how many parts channels and filters fall."""
        return groups_of(self.op.attrs)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of M."""
        (a, b), (c, d) = self.row_channels, self.column_channels
        return (b - a) * self.maps.rows // self.maps.shape[0], (d - c) * self.picture.rows // (
            self.picture.shape[0]
        )

    @property
    def work(self) -> int:
        """Cells that are not empty, at most."""
        (c, d), (kh, kw) = self.column_channels, self.kernel
        return self.shape[0] * min(d - c, self.picture.shape[0] // self.groups) * kh * kw

    @property
    def biased(self) -> bool:
        """Whether a bias is added."""
        return self.kind == "conv2d" and len(self.op.ins) > 2

    def places(self) -> tuple[Array, Array, Array]:
        """See `engine.sparse.places`."""
        stride, padding = geometry(self.op.attrs)
        picture, maps = (cast("tuple[int, int, int]", v.shape[:3]) for v in (self.picture, self.maps))
        return places(picture, maps, self.kernel, stride, padding[:2], self.row_channels,
                      self.column_channels, self.dilation, self.groups)

    # ---- names ----------------------------------------------------------------------------------------

    def name(self, part: Part) -> str:
        """What a part is called among the values."""
        channel = "*" if self.channel is None else self.channel
        return f"{self.op.out.id}~{part}:{channel}:{self.example}"

    def value(self, part: Part) -> Value:
        """A part as a value; all of them are matrices, columns have the width 1."""
        rows, columns = self.shape
        leaves, enters = (columns, rows) if self.back else (rows, columns)
        shape = {"matrix": (rows, columns), "in": (enters, 1)}.get(part, (leaves, 1))
        role = Role.PARAM if part in ("matrix", "bias") else self.op.out.role
        return Value(self.name(part), ("out", "in"), shape, role=role, owner=self.op.node)

    def extended(self, program: Program) -> Program:
        """The program with the product as one more op behind its own."""
        parts: tuple[Part, ...] = ("matrix", "in", "bias") if self.biased else ("matrix", "in")
        ins, out = tuple(self.value(p) for p in parts), self.value("out")
        op = Op("as_matrix", ins, (out,), {}, self.op.node, self.op.phase)
        return replace(program, ops=(*program.ops, op))

    # ---- numbers --------------------------------------------------------------------------------------

    def matrix(self, read: Read) -> Sparse:
        """M with the engine's numbers."""
        row, column, slot = self.places()
        if self.kind == "conv2d":
            return Sparse(self.shape, row, column, read(self.op.ins[0].id).reshape(-1)[slot])
        kh, kw = self.kernel
        if self.choices is None:
            share = np.float32(1) / np.float32(kh * kw)
            return Sparse(self.shape, row, column, np.full(len(row), share, np.float32))
        chosen = self._of(read(self.choices.id), self.row_channels)[row] == slot % (kh * kw)
        row, column = row[chosen], column[chosen]
        return Sparse(self.shape, row, column, np.ones(len(row), np.float32))

    def whole(self, part: Part, read: Read) -> Array:
        """A part complete. Raises GraphError for a matrix of too many cells."""
        if part != "matrix":
            return self.array(part, read)
        if self.shape[0] * self.shape[1] > MOST_CELLS:
            raise GraphError(N_("M has {rows} × {columns} cells, too many for a copy; choose one filter."),
                             rows=self.shape[0], columns=self.shape[1])
        return self.matrix(read).dense()

    def array(self, part: Part, read: Read) -> Array:
        """A part that is a column, (n, 1)."""
        return self.column(part, read)[:, None]

    def column(self, part: Part, read: Read) -> Array:
        """The same, (n)."""
        if part == "in":
            return self._of(read(self.given.id), self.row_channels if self.back else self.column_channels)
        if part == "bias":
            a, b = self.column_channels if self.back else self.row_channels
            return np.repeat(read(self.op.ins[2].id)[a:b], self.shape[self.back] // (b - a))
        own = self._of(read(self.op.out.id), self.column_channels if self.back else self.row_channels)
        with np.errstate(all="ignore"):
            made = self.matrix(read).times(self.column("in", read), self.back)
            if self.biased:
                made = made + self.column("bias", read)
            if part == "out":
                return made
            off = np.where((made == own) | (np.isnan(made) & np.isnan(own)), np.float32(0), made - own)
            return np.where(np.isfinite(off), off, np.finfo(np.float32).max)

    def _of(self, array: Array, channels: tuple[int, int]) -> Array:
        """Some channels of the example as a column."""
        return array[channels[0] : channels[1], ..., min(self.example, array.shape[-1] - 1)].reshape(-1)

    # ---- places ---------------------------------------------------------------------------------------

    def cell_of_row(self, row: int) -> Cell:
        """The cell of the maps that a row belongs to."""
        return self._cell(row, self.maps, self.row_channels)

    def cell_of_column(self, column: int) -> Cell:
        """The cell of the picture that a column belongs to."""
        return self._cell(column, self.picture, self.column_channels)

    def _cell(self, at: int, value: Value, channels: tuple[int, int]) -> Cell:
        c, y, x = (int(i) for i in np.unravel_index(at, (channels[1] - channels[0], *value.shape[1:3])))
        return self._named(value, (c + channels[0], y, x, self.example))

    def _named(self, value: Value, cell: Cell) -> Cell:
        """The cell as it is called where the value lies."""
        if self.along is None:
            return cell
        own = next((v for v in (*self.along.ins, *self.along.outs) if v.id == value.id), value)
        return without_row(own, cell)

    def row_of(self, cell: Cell) -> int | None:
        """The row of a cell of the maps; None where it has none here."""
        return self._at(cell, self.maps, self.row_channels)

    def column_of(self, cell: Cell) -> int | None:
        """The column of a cell of the picture."""
        return self._at(cell, self.picture, self.column_channels)

    def _at(self, cell: Cell, value: Value, channels: tuple[int, int]) -> int | None:
        if not channels[0] <= cell[0] < channels[1] or cell[-1] != self.example:
            return None
        row = cell[1] if len(cell) == 4 else 0
        return ((cell[0] - channels[0]) * value.shape[1] + row) * value.shape[2] + cell[-2]

    def line(self, row: int | None = None, column: int | None = None) -> tuple[Array, Array, Array]:
        """`places` of one row, one column, or of one cell."""
        rows, columns, slots = self.places()
        taken = np.ones(len(rows), np.bool_)
        if row is not None:
            taken &= rows == row
        if column is not None:
            taken &= columns == column
        return rows[taken], columns[taken], slots[taken]

    def kernel_cell(self, slot: int) -> Cell:
        """The weight at a place in the kernels."""
        cell = tuple(int(i) for i in np.unravel_index(slot, self.op.ins[0].shape))
        return self._named(self.op.ins[0], cell)

    def window(self, row: int) -> tuple[int, int, int, int]:
        """The window of a row: first row, first column, rows and columns of the picture, cut at its edge.

        With dilation it has gaps."""
        y, x = divmod(row % (self.maps.shape[1] * self.maps.shape[2]), self.maps.shape[2])
        stride, padding = geometry(self.op.attrs)
        top, left = y * stride[0] - padding[0], x * stride[1] - padding[1]
        rows, columns = extent(self.kernel, self.dilation)
        bottom = min(top + rows, self.picture.shape[1])
        right = min(left + columns, self.picture.shape[2])
        return max(top, 0), max(left, 0), bottom - max(top, 0), right - max(left, 0)

    def empty(self, rows: tuple[int, int], columns: tuple[int, int], step: tuple[int, int] = (1, 1)) -> Array:
        """Bools for blocks of step[0] x step[1] cells of a part of M: those that no window reaches."""
        row, column, _ = self.places()
        first, last = np.searchsorted(row, rows)
        row, column = row[first:last], column[first:last]
        inside = (column >= columns[0]) & (column < columns[1])
        height, width = (-(-(b - a) // s) for (a, b), s in zip((rows, columns), step, strict=True))
        made = np.ones((height, width), np.bool_)
        made[(row[inside] - rows[0]) // step[0], (column[inside] - columns[0]) // step[1]] = False
        return made


def form_of(program: Program, out: str, channel: int | None, example: int) -> Form | None:
    """The form of the op that makes `out`; None where there is none, or it is not to be had."""
    at = program.producers.get(out)
    if at is None:
        return None
    op = program.ops[at]
    if op.kind.removesuffix("_dx") not in KINDS or op.out.id != out:
        return None
    if channel is None and not op.kind.startswith("conv"):
        channel = 0
    if channel is not None:
        channel = min(channel, op.out.shape[0] - 1)
    if op.kind.startswith("conv1d"):
        return Form(as_picture(op), channel, example, op)
    return Form(op, channel, example)


def named(program: Program, name: str) -> tuple[Form, Part] | None:
    """Whose part a name means; None for ordinary values."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    channel = None if found[3] == "*" else int(found[3])
    form = form_of(program, found[1], channel, int(found[4]))
    if form is None or form.work > MOST:
        return None
    return form, cast(Part, found[2])


def is_named(name: str) -> bool:
    """Whether a name means a part of a form."""
    return _NAME.fullmatch(name) is not None
