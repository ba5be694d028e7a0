"""Places of an operation written as a matrix: which cells are empty, which belong together, what they are."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engine.as_matrix import Cell, Form, Part
from engine.explain import Explanation
from gui.i18n import tr
from gui.labs.sheet import Array, Sheet
from gui.views import matrix_part


def part_of(form: Form, value: str) -> Part | None:
    """Which part of the form a value is."""
    parts: tuple[Part, ...] = ("matrix", "in", "bias", "out")
    return next((part for part in parts if form.name(part) == value), None)


def empty_cells(form: Form, sheet: Sheet, array: Array, part: matrix_part.Part | None) -> Array | None:
    """Bools for the array shown: the cells of M that no window reaches. None where all hold something."""
    if sheet.factor.value != form.name("matrix"):
        return None
    part = part or matrix_part.Part(sheet.shape)
    seen = [(first, min(first + count * each, most)) for first, count, each, most in
            zip((part.row, part.column), array.shape, part.step, part.shape, strict=True)]  # fmt: skip
    if sheet.turned:
        return np.ascontiguousarray(_empty(form, seen[1], seen[0], part.step[::-1]).T)
    return _empty(form, seen[0], seen[1], part.step)


@lru_cache(maxsize=8)
def _empty(form: Form, rows: tuple[int, int], columns: tuple[int, int], step: tuple[int, int]) -> Array:
    """The same numbers come many times a second, always with the same empty cells."""
    return form.empty(rows, columns, step)


def guides(form: Form, sheet: Sheet) -> tuple[tuple[int, int], tuple[int, int]]:
    """After how many rows and columns of a part a row of the picture ends, and after how many a channel."""
    part = part_of(form, sheet.factor.value)
    of_rows, of_columns = ((v.shape[2], v.shape[1] * v.shape[2]) for v in (form.maps, form.picture))
    if part == "matrix":
        return (of_columns, of_rows) if sheet.turned else (of_rows, of_columns)
    return (of_rows if (part == "in") is form.back else of_columns), (0, 0)


def row_and_column(form: Form, value: str, cell: Cell) -> tuple[int | None, int | None]:
    """The row and the column of M that a cell belongs to, be it of a part or of picture, maps or kernels."""
    part = part_of(form, value)
    if part == "matrix":
        return cell[0], cell[1]
    if part is not None:
        of_rows = (part == "in") is form.back
        return (cell[0], None) if of_rows else (None, cell[0])
    if value == form.maps.id:
        return form.row_of(cell), None
    if value == form.picture.id:
        return None, form.column_of(cell)
    return None, None


def source_of(form: Form, value: str, cell: Cell) -> tuple[str, Cell]:
    """What a cell of a part was made of, as it lies in the engine; the cell itself where it was several."""
    part = part_of(form, value)
    row, column = row_and_column(form, value, cell)
    if part == "matrix" and form.kind == "conv2d":
        slots = form.line(row, column)[2]
        return (form.op.ins[0].id, form.kernel_cell(int(slots[0]))) if len(slots) else (value, cell)
    if row is not None and column is None and part in ("in", "out", "bias"):
        at = form.cell_of_row(row)
        return (form.op.ins[2].id, at[:1]) if part == "bias" else (form.maps.id, at)
    if column is not None and row is None and part is not None:
        at = form.cell_of_column(column)
        return (form.op.ins[2].id, at[:1]) if part == "bias" else (form.picture.id, at)
    return value, cell


def add_partners(form: Form, explanation: Explanation, cells: dict[str, set[Cell]]) -> None:
    """To the cells that made a number those that are the same number elsewhere, on both sides of the form."""
    row, column = row_and_column(form, explanation.value, explanation.cell)
    part = part_of(form, explanation.value)
    entries = set(cells.get(form.name("matrix"), set()))
    if form.kind == "conv2d":
        rows, columns = {r for r, _ in entries}, {j for _, j in entries}
        lines = [form.line(row=r) for r in rows] if len(rows) <= len(columns) else [
            form.line(column=j) for j in columns]
        cells.setdefault(form.op.ins[0].id, set()).update(
            form.kernel_cell(int(slot)) for line in lines for r, j, slot in zip(*line, strict=True)
            if (int(r), int(j)) in entries
        )
    sides: tuple[Part, ...] = ("in", "out")
    for name in sides:
        for cell in list(cells.get(form.name(name), ())):
            value, at = source_of(form, form.name(name), cell)
            cells.setdefault(value, set()).add(at)
    if part in ("out", None):  # a whole row, or where M is transposed a whole column
        if row is not None and not form.back:
            cells.setdefault(form.name("matrix"), set()).update((row, j) for j in range(form.shape[1]))
            cells.setdefault(form.name("out"), set()).add((row, 0))
        if column is not None and form.back:
            cells.setdefault(form.name("matrix"), set()).update((i, column) for i in range(form.shape[0]))
            cells.setdefault(form.name("out"), set()).add((column, 0))
    if part is None and (row if not form.back else column) is not None:
        given = {row_and_column(form, form.given.id, cell) for cell in cells.get(form.given.id, set())}
        met = {r if form.back else c for r, c in given}
        cells.setdefault(form.name("in"), set()).update((at, 0) for at in met if at is not None)


def words_for(form: Form, explanation: Explanation, node: str) -> str:
    """Where a cell of a part lies and what it is, in one line; "" for cells that are none."""
    part, cell = part_of(form, explanation.value), explanation.cell
    if part is None:
        return ""
    row, column = row_and_column(form, explanation.value, cell)
    window = form.cell_of_row(row) if row is not None else (0, 0, 0, 0)
    pixel = form.cell_of_column(column) if column is not None else (0, 0, 0, 0)
    text = (_transposed_words() if form.transposed else _sequence_words() if form.along is not None else {
        ("out", False): tr("{node}: row {row} of M times the column x; the window at {window} of map {map}"),
        ("out", True): tr("{node}: column {column} of M times δ; every window sends its part back to pixel "
                          "{pixel} of channel {channel}"),
        ("in", False): tr("{node}: x is the picture row by row; here pixel {pixel} of channel {channel}"),
        ("in", True): tr("{node}: δ of the window at {window} of map {map}"),
        ("bias", False): tr("{node}: the bias of map {map}, the same for each of its windows"),
    }).get((part, form.gradient)) or _entry_words(form, explanation)  # fmt: skip
    return text.format(
        node=node, row=_from_1(row), column=_from_1(column), map=window[0] + 1, channel=pixel[0] + 1,
        window=_within(window), pixel=_within(pixel),
    )


def _within(cell: Cell) -> str:
    """Row and column in a map, the position in a sequence."""
    return ", ".join(str(n + 1) for n in cell[1:-1])


def _sequence_words() -> dict[tuple[Part, bool], str]:
    """What the columns of a convolution along a sequence are, by part and whether it is the way back."""
    return {
        ("out", False): tr("{node}: row {row} of M times the column x; filter {map} at position {window}"),
        ("out", True): tr("{node}: column {column} of M times δ; every stretch sends its part back to "
                          "feature {channel} at position {pixel}"),
        ("in", False): tr("{node}: x is the sequence feature by feature; here {channel} at position {pixel}"),
        ("in", True): tr("{node}: δ of filter {map} at position {window}"),
        ("bias", False): tr("{node}: the bias of filter {map}, the same at each position"),
    }  # fmt: skip


def _transposed_words() -> dict[tuple[Part, bool], str]:
    """What the columns of a transposed convolution are, by part and whether it is the way back."""
    return {
        ("out", False): tr("{node}: column {column} of M times x; the kernels laid down wherever they reach "
                           "pixel {pixel} of map {channel}"),
        ("out", True): tr("{node}: row {row} of M times δ; what the kernel laid down at {window} reached"),
        ("in", False): tr("{node}: x is the picture row by row; here pixel {window} of channel {map}"),
        ("in", True): tr("{node}: δ at pixel {pixel} of map {channel}"),
        ("bias", False): tr("{node}: the bias of map {channel}, the same for each of its pixels"),
    }  # fmt: skip


def _entry_words(form: Form, explanation: Explanation) -> str:
    row, column = explanation.cell
    if form.along is not None:
        if not len(form.line(row, column)[0]):
            return tr("{node}: empty, filter {map} at position {window} does not see feature {channel} at "
                      "position {pixel}")
        return tr("{node}: the weight that meets feature {channel} of position {pixel} where filter {map} "
                  "makes position {window}")
    if form.transposed:
        if not len(form.line(row, column)[0]):
            return tr("{node}: empty, the kernel laid down at {window} does not reach pixel {pixel} of map "
                      "{channel}")
        return tr("{node}: the weight with which {window} of channel {map} reaches pixel {pixel} of map "
                  "{channel}")
    if not len(form.line(row, column)[0]):
        return tr("{node}: empty, pixel {pixel} of channel {channel} is not in the window at {window}")
    if form.kind == "conv2d":
        return tr("{node}: the weight that meets pixel {pixel} of channel {channel} in the window at "
                  "{window} of map {map}")
    if form.choices is None:
        return tr("{node}: every pixel of the window at {window} counts alike")
    if explanation.number:
        return tr("{node}: pixel {pixel} is the largest in the window at {window}")
    return tr("{node}: pixel {pixel} lies in the window at {window}, but another one is larger")


def _from_1(index: int | None) -> int:
    return (index or 0) + 1
