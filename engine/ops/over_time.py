"""A sequence taken apart into its positions and put together again, and the state before the first of them.

A recurrent layer is recorded position by position: `split_time`, then a product and a cell for each t (ops
with the attributes `t`, from 0, and `length`), then `stack_time`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np

from engine.ops.base import (
    Array,
    Attrs,
    Case,
    Context,
    OpRule,
    Out,
    Read,
    Recording,
    Term,
    Terms,
    normal,
    register,
    value,
)
from engine.values import Op, Phase, Program, Role, Value


def time_of(op: Op) -> tuple[int, int] | None:
    """(t from 0, length) of an op that belongs to one position of a recurrence, else None."""
    if "t" not in op.attrs:
        return None
    return cast(int, op.attrs["t"]), cast(int, op.attrs["length"])


def longest(ops: Iterable[Op]) -> int:
    """Positions of the recurrence these ops belong to; 0 where there is none."""
    return max((found[1] for op in ops if (found := time_of(op)) is not None), default=0)


def states_of(program: Program, node: str) -> Value | None:
    """All states of a recurrent layer (F, T, N), whatever of them leaves it; None for any other layer."""
    return next((op.out for op in program.ops
                 if op.kind == "stack_time" and op.node == node and op.phase is Phase.FORWARD), None)


def copied(
    op: Op, source: Value, at: tuple[int, ...], cell: tuple[int, ...], read: Read, out: int = 0
) -> Terms:
    """The story of a cell that is one cell of `source`, unchanged."""
    v = float(read(source)[at])
    engine = float(read(op.outs[out])[cell])
    return Terms("function", (Term(((source.id, at, v),), v),), v, engine, "y = x")


@register
class SplitTime(OpRule):
    """ins X (F, T, N) -> x_1 ... x_T, each (F, N). The gradients are stacked again."""

    kind = "split_time"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        rows, length, n = ins[0].shape
        role = Role.GRAD if ins[0].role is Role.GRAD else Role.ACT
        return tuple(Out(f"x{t + 1}", ("F", "N"), (rows, n), role=role) for t in range(length))

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return tuple(np.ascontiguousarray(ins[0][:, t]) for t in range(ins[0].shape[1]))

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        parts = [g for g in grads_out if g is not None]
        assert len(parts) == len(op.outs), "every position of a recurrence leads to its states"
        return (rec.emit1("stack_time", parts, rec.grad_name(op.ins[0])),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        return copied(op, op.ins[0], (cell[0], out, cell[1]), cell, read, out)

    def cases(self) -> Iterable[Case]:
        for rows, length, n in [(5, 3, 7), (2, 18, 16), (3, 1, 1)]:
            ins = (value("x", "F T N", (rows, length, n)),)
            yield Case(ins, (normal(1, rows, length, n),), {}, Context(n), f"{rows}x{length}x{n}")


@register
class StackTime(OpRule):
    """ins x_1 ... x_T, each (F, N) -> Y (F, T, N)."""

    kind = "stack_time"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        rows, n = ins[0].shape
        role = Role.GRAD if ins[0].role is Role.GRAD else Role.ACT
        return (Out("y", ("F", "T", "N"), (rows, len(ins), n), role=role),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (np.stack(ins, 1),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        return rec.emit("split_time", (grads_out[0],), [rec.grad_name(v) for v in op.ins])

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        f, t, s = cell
        return copied(op, op.ins[t], (f, s), cell, read)

    def cases(self) -> Iterable[Case]:
        for rows, length, n in [(5, 3, 7), (2, 18, 16)]:
            yield Case(
                tuple(value(f"x{t}", "F N", (rows, n)) for t in range(length)),
                tuple(normal(t, rows, n) for t in range(length)), {}, Context(n), f"{rows}x{length}x{n}",
            )  # fmt: skip


@register
class ZeroState(OpRule):
    """ins any batched value -> zeros (units, N): what a recurrence knows before the first position."""

    kind = "zero_state"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("h0", ("F", "N"), (cast(int, attrs["units"]), ins[0].shape[-1])),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (np.zeros((cast(int, attrs["units"]), ins[0].shape[-1]), ins[0].dtype),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        return (None,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        return Terms("function", (Term((), 0.0, "start"),), 0.0, float(read(op.out)[cell]), "h_0 = 0")

    def cases(self) -> Iterable[Case]:
        ins = (value("x", "F N", (3, 7)),)
        yield Case(ins, (normal(1, 3, 7),), {"units": 5}, Context(7), "5x7", smooth=False)
