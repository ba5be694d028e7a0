"""subtract, scale, maximum: more ways to make one value of several, cell by cell."""

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
    live,
    normal,
    register,
    value,
)
from engine.values import Op, Role, Value

SHAPES = (((5, 33), "F N", 33), ((2, 3, 2, 7), "C H W N", 7))


def _like(ins: Sequence[Value], name: str) -> tuple[Out, ...]:
    grad = any(v.role is Role.GRAD for v in ins)
    return (Out(name, ins[0].axes, ins[0].shape, role=Role.GRAD if grad else Role.ACT),)


@register
class Subtract(OpRule):
    """ins a, b of one shape -> a - b."""

    kind = "subtract"
    elementwise = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return _like(ins, "y")

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0] - ins[1],)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        (dy,) = grads_out
        assert dy is not None
        name = rec.grad_name(op.ins[1])
        return dy, rec.emit1("scale", (dy,), name, attrs={"factor": -1.0}) if wanted[1] else None

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        a, b = (float(read(v)[cell]) for v in op.ins)
        terms = (Term(((op.ins[0].id, cell, a),), a), Term(((op.ins[1].id, cell, b),), -b))
        return Terms.sum_of(terms, float(read(op.out)[cell]), "y = a - b")

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in SHAPES:
            ins = (value("a", axes, shape), value("b", axes, shape))
            yield Case(ins, (normal(1, *shape), normal(2, *shape)), {}, Context(n), str(shape))


@register
class Scale(OpRule):
    """ins x -> factor · x. Attribute factor."""

    kind = "scale"
    elementwise = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return _like(ins, "y")

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0] * ins[0].dtype.type(cast(float, attrs["factor"])),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        return (rec.emit1("scale", (grads_out[0],), rec.grad_name(op.ins[0]), attrs=dict(op.attrs)),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        x, factor = float(read(op.ins[0])[cell]), float(cast(float, op.attrs["factor"]))
        term = Term(((op.ins[0].id, cell, x),), factor * x)
        return Terms("function", (term,), term.value, float(read(op.out)[cell]), rf"y = {factor:.6g} \cdot x")

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in SHAPES:
            ins, factor = (value("x", axes, shape),), {"factor": 1 / 3}
            yield Case(ins, (normal(1, *shape),), factor, Context(n), str(shape))


@register
class Maximum(OpRule):
    """ins of one shape -> the largest, cell by cell. Of equals the first counts on the way back."""

    kind = "maximum"
    elementwise = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return _like(ins, "y")

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (np.maximum.reduce(list(ins)),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        (dy,) = grads_out
        assert dy is not None
        return [
            rec.emit1("maximum_grad", (dy, *op.ins), rec.grad_name(v), attrs={"input": i}) if w else None
            for i, (v, w) in enumerate(zip(op.ins, wanted, strict=True))
        ]

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        numbers = [float(read(v)[cell]) for v in op.ins]
        terms = tuple(Term(((v.id, cell, x),), x) for v, x in zip(op.ins, numbers, strict=True))
        return Terms("max", terms, max(numbers), float(read(op.out)[cell]), r"y = \max_i x_i")

    def cases(self) -> Iterable[Case]:
        for count, (shape, axes, n) in zip((2, 3), SHAPES, strict=True):
            ins = tuple(value(f"x{i}", axes, shape) for i in range(count))
            arrays = tuple(normal(i, *shape) for i in range(count))
            yield Case(ins, arrays, {}, Context(n), f"{count} of {shape}")


@register
class MaximumGrad(OpRule):
    """ins dY, X_0, X_1, ... -> dX of input number `input`: dY where it is the first of the largest."""

    kind = "maximum_grad"
    elementwise = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return _like(ins, "dx")

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, *xs = ins
        return (np.where(np.argmax(np.stack(xs), 0) == attrs["input"], dy, dy.dtype.type(0)),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        dy, *xs = (float(read(v)[cell]) for v in op.ins)
        v = dy if xs.index(max(xs)) == op.attrs["input"] else 0.0
        term = Term(tuple((x.id, cell, float(read(x)[cell])) for x in op.ins), v, "derivative")
        note = r"\partial L/\partial x_i = \partial L/\partial y \text{ if } x_i = \max_j x_j \text{ else } 0"
        return Terms("function", (term,), v, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        for i, (shape, axes, n) in enumerate(SHAPES):
            count = 2 + i
            ins = (value("dy", axes, shape, Role.GRAD), *(value(f"x{k}", axes, shape) for k in range(count)))
            arrays = (live(normal(9, *shape), n), *(normal(k, *shape).round(1) for k in range(count)))
            yield Case(ins, arrays, {"input": i}, Context(n), f"{i} of {count}", smooth=False)
