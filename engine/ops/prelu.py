"""PReLU: negative values times a slope per channel that is learnt, and its way back.

He and others 2015, Delving Deep into Rectifiers. dL/ds is the sum of dA ⊙ min(0, Z) over all that shares the
slope: `prelu_below` gives the products, `sum_samples` adds them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    live,
    normal,
    register,
    value,
)
from engine.ops.normalization import column
from engine.values import Op, Role, Value

SHAPES = (((5, 33), "F N", 33), ((3, 4, 2, 16), "C H W N", 7))


def _slopes(shape: tuple[int, ...]) -> tuple[Value, Array]:
    return value("s", "C", (shape[0],), Role.PARAM), 0.25 + 0.1 * normal(9, shape[0])


@register
class Prelu(OpRule):
    """ins Z (C, ..., N), s (C,) -> a = z if z > 0 else s z."""

    kind = "prelu"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("a", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        z, s = ins
        return (np.where(z > 0, z, z * column(s, z)),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        (da,), (z, s) = grads_out, op.ins
        assert da is not None
        dz = rec.emit1("prelu_dz", (da, z, s), rec.grad_name(z)) if wanted[0] else None
        if not wanted[1]:
            return dz, None
        below = rec.emit1("prelu_below", (da, z), "below")
        return dz, rec.emit1("sum_samples", (below,), rec.grad_name(s))

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        z, s = float(read(op.ins[0])[cell]), float(read(op.ins[1])[cell[0]])
        a = z if z > 0 else s * z
        term = Term(((op.ins[0].id, cell, z), (op.ins[1].id, cell[:1], s)), a)
        formula = r"a = z \text{ if } z > 0 \text{ else } s z"
        return Terms("function", (term,), a, float(read(op.out)[cell]), formula)

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in SHAPES:
            slopes, numbers = _slopes(shape)
            ins = (value("z", axes, shape), slopes)
            yield Case(ins, (normal(1, *shape), numbers), {}, Context(n), str(shape))


@register
class PreluDz(OpRule):
    """ins dA, Z (C, ..., N), s (C,) -> dZ = dA if z > 0 else s dA."""

    kind = "prelu_dz"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dz", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        da, z, s = ins
        return (np.where(z > 0, da, da * column(s, z)),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        da, z, s = (float(read(v)[cell if v.batched else cell[:1]]) for v in op.ins)
        term = Term(
            ((op.ins[0].id, cell, da), (op.ins[1].id, cell, z), (op.ins[2].id, cell[:1], s)),
            da if z > 0 else s * da, "derivative",
        )  # fmt: skip
        formula = r"\delta = \frac{\partial L}{\partial a} \cdot (1 \text{ if } z > 0 \text{ else } s)"
        return Terms("function", (term,), term.value, float(read(op.out)[cell]), formula)

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in SHAPES:
            slopes, numbers = _slopes(shape)
            ins = (value("da", axes, shape, Role.GRAD), value("z", axes, shape), slopes)
            arrays = (live(normal(5, *shape), n), normal(1, *shape), numbers)
            yield Case(ins, arrays, {}, Context(n), str(shape))


@register
class PreluBelow(OpRule):
    """ins dA, Z -> dA ⊙ min(0, Z): what each cell adds to the gradient of its slope."""

    kind = "prelu_below"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("below", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0] * np.minimum(ins[1], 0),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        da, z = (float(read(v)[cell]) for v in op.ins)
        term = Term(((op.ins[0].id, cell, da), (op.ins[1].id, cell, z)), da * min(0.0, z))
        formula = r"\frac{\partial L}{\partial a} \cdot \min(0, z)"
        return Terms("function", (term,), term.value, float(read(op.out)[cell]), formula)

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in SHAPES:
            ins = (value("da", axes, shape, Role.GRAD), value("z", axes, shape))
            yield Case(ins, (live(normal(5, *shape), n), normal(1, *shape)), {}, Context(n), str(shape))
