"""How one number came about: (trainer, value, cell) -> its terms, from the engine's own numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import as_matrix, as_matrix_terms
from engine.errors import N_, GraphError
from engine.ops.base import REGISTRY, Terms, context_for
from engine.training import Trainer
from engine.values import Op, Program, Role, Value


@dataclass(frozen=True)
class Explanation:
    """One cell opened. `cell` counts from 0 in the logical shape of the value asked for.

    `terms` is None for values that come from outside (data, parameters at the start of the step).
    """

    value: str
    cell: tuple[int, ...]
    number: float
    step: int
    node: str
    kind: str
    """Op kind that made it, or "input" / "parameter"."""
    ins: tuple[str, ...] = ()
    """Values the op read, in order."""
    terms: Terms | None = None


def explain(trainer: Trainer, value_id: str, cell: tuple[int, ...]) -> Explanation:
    """Open a cell of the last traced step. Raises GraphError when value or cell do not exist."""
    program = trainer.program
    form = as_matrix.named(program, value_id)
    if form is not None:
        return _explain_part(trainer, value_id, *form, cell)
    if value_id not in program.values:
        raise GraphError(N_("There is no value “{value}” in this network."), value=value_id)
    value = program.values[value_id]
    _check_cell(value_id, cell, trainer.read(value_id).shape)
    number = float(trainer.read(value_id)[cell])
    base, base_cell = resolve_view(program, value, cell)
    index = program.producers.get(base.id)
    step = trainer.step - 1 if trainer.op_index is None else trainer.step
    if index is None:
        kind = "parameter" if base.role in (Role.PARAM, Role.STATE) else "input"
        return Explanation(value_id, cell, number, step, value.owner, kind)
    op = program.ops[index]
    out = [v.id for v in op.outs].index(base.id)
    terms = explain_op(trainer, op, out, base_cell, step)
    return Explanation(value_id, cell, number, step, op.node, op.kind, tuple(v.id for v in op.ins), terms)


def _check_cell(value_id: str, cell: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if len(cell) != len(shape) or any(not 0 <= c < n for c, n in zip(cell, shape, strict=True)):
        raise GraphError(
            N_("{value} has no cell {cell}; its shape is {shape}."), value=value_id, cell=cell, shape=shape
        )


def _explain_part(
    trainer: Trainer, value_id: str, form: as_matrix.Form, part: as_matrix.Part, cell: tuple[int, ...]
) -> Explanation:
    """A cell of an operation written as a matrix."""
    _check_cell(value_id, cell, form.value(part).shape)
    terms = as_matrix_terms.explain(form, part, cell, trainer.read)
    step = trainer.step - 1 if trainer.op_index is None else trainer.step
    ins = (form.name("matrix"), form.name("in"), form.name("bias"), *(v.id for v in form.op.ins))
    return Explanation(value_id, cell, terms.engine, step, form.op.node, f"as_matrix_{part}", ins, terms)


def explain_op(trainer: Trainer, op: Op, out: int, cell: tuple[int, ...], step: int) -> Terms:
    """Terms of one output cell of an op in the last traced step."""
    controls = {**trainer.program.controls, **trainer.controls(), **trainer.step_values()}
    ctx = context_for(op, controls, trainer.live_n, trainer.seed, step)
    return REGISTRY[op.kind].explain(op, out, cell, lambda v: trainer.read(v.id), ctx)


def resolve_view(program: Program, value: Value, cell: tuple[int, ...]) -> tuple[Value, tuple[int, ...]]:
    """The value that owns the memory of a cell, and the cell in it."""
    if value.view is None:
        return value, cell
    base = program.values[value.view.base]
    if not value.batched:
        flat = int(np.ravel_multi_index(cell, value.shape)) + value.view.offset
        return base, tuple(int(i) for i in np.unravel_index(flat, base.shape))
    row = int(np.ravel_multi_index(cell[:-1], value.shape[:-1])) + value.view.offset
    return base, (*(int(i) for i in np.unravel_index(row, base.shape[:-1])), cell[-1])
