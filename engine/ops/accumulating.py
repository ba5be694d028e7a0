"""Gradients of several batches averaged before the weights move once."""

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
    Term,
    Terms,
    normal,
    register,
    value,
)
from engine.values import Op, Role, Value

GATHERED = "gathered"
"""State beside a parameter: the gradients of the batches so far, each by the number of batches."""
APPLY = "apply"
"""Control of a step: 1 where the weights move, 0 where they wait for more batches."""


@register
class Accumulate(OpRule):
    """ins g, gathered -> their mean so far: gathered + g / count; and what is gathered for the next step.

    That is 0 where the weights move. Attribute count.
    """

    kind = "accumulate"
    elementwise = True
    differentiable = False
    controls = (APPLY,)
    note = r"\bar{g} \leftarrow \bar{g} + g / k"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        axes, shape = ins[0].axes, ins[0].shape
        return (
            Out("mean", axes, shape, role=Role.GRAD),
            Out(f"{ins[1].id.split('@')[0]}@new", axes, shape, role=Role.STATE),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        mean = ins[1] + ins[0] * ins[0].dtype.type(1 / cast(int, attrs["count"]))
        return mean, np.zeros_like(mean) if ctx.controls[APPLY] else mean

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        g, before = (float(read(v)[cell]) for v in op.ins)
        engine = float(read(op.outs[out])[cell])
        if out == 1 and ctx.controls[APPLY]:
            return Terms("sum", (), 0.0, engine, r"\bar{g} \leftarrow 0")
        count = cast(int, op.attrs["count"])
        terms = (
            Term(((op.ins[1].id, cell, before),), before, "before"),
            Term(((op.ins[0].id, cell, g),), g / count, f"/ {count}"),
        )
        return Terms.sum_of(terms, engine, self.note)

    def cases(self) -> Iterable[Case]:
        for shape, axes in {(1,): "out", (33, 7): "out in"}.items():
            for apply in (0.0, 1.0):
                given = (
                    value("g", axes, shape, Role.GRAD),
                    Value("gathered@old", tuple(axes.split()), shape, role=Role.STATE),
                )
                arrays = (normal(1, *shape), normal(2, *shape))
                ctx = Context(1, {APPLY: apply})
                yield Case(given, arrays, {"count": 3}, ctx, f"{shape}, {apply}", smooth=False)
