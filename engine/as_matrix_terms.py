"""How a cell came about in an operation written as a matrix: of M, of its columns, or of the product."""

from __future__ import annotations

import numpy as np

from engine.as_matrix import Cell, Form, Part, Read
from engine.ops.base import Term, Terms


def explain(form: Form, part: Part, cell: Cell, read: Read) -> Terms:
    """The terms of one cell of a part."""
    if part == "matrix":
        return _entry(form, cell[0], cell[1], read)
    number = float(form.column(part, read)[cell[0]])
    if part in ("in", "bias"):
        rows = (part == "bias") != form.back
        at = form.cell_of_row(cell[0]) if rows else form.cell_of_column(cell[0])
        of, source = (form.op.ins[2].id, at[:1]) if part == "bias" else (form.given.id, at)
        letter = "r" if rows else "j"
        note = rf"\delta_{letter}" if form.gradient else rf"x_{letter} = x_{{c'}}(y, x)"
        note = note.replace("c'", "f").replace("y, x", "t") if form.along is not None else note
        note = rf"b_{letter} = b_o" if part == "bias" else note
        return Terms.sum_of((Term(((of, source, number),), number),), number, note)
    return _product(form, cell[0], number, read)


def _entry(form: Form, row: int, column: int, read: Read) -> Terms:
    _, _, slots = form.line(row, column)
    if not len(slots):
        return Terms.sum_of((), 0.0, r"m_{rj} = 0")
    if form.kind == "conv2d":
        at = form.kernel_cell(int(slots[0]))
        weight = float(read(form.op.ins[0].id)[at])
        factor = (form.op.ins[0].id, at, weight)
        name = "o f j" if form.along is not None else "o c' i j"
        return Terms.sum_of((Term((factor,), weight),), weight, rf"m_{{rj}} = k_{{{name}}}")
    size = form.kernel[0] * form.kernel[1]
    if form.choices is None:
        share = float(np.float32(1) / np.float32(size))
        return Terms.sum_of((Term(((f"1/{size}", (), share),), share),), share, rf"m_{{rj}} = 1/{size}")
    place = int(read(form.choices.id)[_live(form, form.cell_of_row(row), read)])
    one = float(place == int(slots[0]) % size)
    note = r"m_{rj} = 1 \; (x_j = \max_{\mathrm{window}})" if one else r"m_{rj} = 0"
    return Terms.sum_of((Term(((f"{one:g}", (), one),), one),), one, note)


def _live(form: Form, cell: Cell, read: Read) -> Cell:
    return (*cell[:3], min(cell[3], read(form.given.id).shape[-1] - 1))


def _product(form: Form, at: int, number: float, read: Read) -> Terms:
    made = form.matrix(read)
    taken = np.flatnonzero((made.columns if form.back else made.rows) == at)
    given = form.column("in", read)
    terms = []
    for k in taken:
        r, j, m = int(made.rows[k]), int(made.columns[k]), float(made.values[k])
        source = r if form.back else j
        x = float(given[source])
        terms.append(Term(((form.name("matrix"), (r, j), m), (form.name("in"), (source, 0), x)), m * x))
    if form.biased:
        b = float(form.column("bias", read)[at])
        terms.append(Term(((form.name("bias"), (at, 0), b),), b, "bias"))
    to, of = ("j", "r") if form.back else ("r", "j")
    left = r"\partial L/\partial x" if form.gradient else "z" if form.kind == "conv2d" else "y"
    note = rf"{left}_{to} = \sum_{of} m_{{rj}} " + (r"\delta" if form.gradient else "x") + f"_{of}"
    note += f" + b_{to}" if form.biased else ""
    return Terms.sum_of(terms, number, note)
