"""What is ringed with the place pointed at, on both sides of an operation written as a matrix."""

from __future__ import annotations

import numpy as np

from engine.as_matrix import Cell, Form
from gui.labs.form_cells import part_of, row_and_column
from gui.labs.sheet import Sheet

MOST = 400
"""More cells are not ringed one by one."""
Block = tuple[int, int, int, int]
"""Row, column, rows and columns on the screen."""


class Lit:
    """A row of M is a window of the picture, a column is a pixel, a weight of the kernel many cells."""

    def __init__(self, form: Form, value: str, cell: Cell) -> None:
        self._form, self._source = form, value
        self._row, self._column = row_and_column(form, value, cell)
        self._kernel: Cell | None = None
        self._entries: list[Cell] = []
        rows = {self._row} if self._row is not None else set()
        columns = {self._column} if self._column is not None else set()
        if form.kind == "conv2d" and value == form.op.ins[0].id:
            r, c, slot = form.line()
            same = np.flatnonzero(slot == np.ravel_multi_index(cell, form.op.ins[0].shape))
            self._entries = [(int(r[k]), int(c[k])) for k in same]
        elif rows and columns:
            slots = form.line(self._row, self._column)[2]
            if len(slots) and form.kind == "conv2d":
                self._kernel = form.kernel_cell(int(slots[0]))
        elif rows:
            columns = {int(c) for c in form.line(row=self._row)[1]}
        elif columns:
            rows = {int(r) for r in form.line(column=self._column)[0]}
        self._rows, self._columns = rows, columns

    def blocks(self, sheet: Sheet) -> tuple[Block, ...]:
        """What to ring in one matrix."""
        form, value = self._form, sheet.factor.value
        if value == self._source:
            return ()  # it rings its own cell
        part = part_of(form, value)
        if part == "matrix":
            return self._in_matrix(sheet)
        if value == form.picture.id:
            gaps = form.dilation != (1, 1) or form.along is not None
            if self._row is not None and self._column is None and not sheet.turned and not gaps:
                return (form.window(self._row),)
            return self._cells(sheet, [form.cell_of_column(c) for c in self._columns])
        if value == form.maps.id:
            return self._cells(sheet, [form.cell_of_row(r) for r in self._rows])
        if part is not None:
            of_rows = (part == "in") is form.back
            return self._cells(sheet, [(at, 0) for at in (self._rows if of_rows else self._columns)])
        return self._cells(sheet, [self._kernel] if self._kernel is not None else [])

    def _in_matrix(self, sheet: Sheet) -> tuple[Block, ...]:
        rows, columns = self._form.shape
        if self._entries:
            return self._cells(sheet, self._entries)
        if (self._row is None) == (self._column is None):
            return ()
        top, left = self._row or 0, self._column or 0
        height, width = (1, columns) if self._row is not None else (rows, 1)
        return ((left, top, width, height),) if sheet.turned else ((top, left, height, width),)

    def _cells(self, sheet: Sheet, cells: list[Cell]) -> tuple[Block, ...]:
        if len(cells) > MOST:
            return ()
        places = (sheet.place(sheet.factor.value, cell) for cell in cells)
        return tuple((*place, 1, 1) for place in places if place is not None)
