"""Gradients kept small before the update: each cell within limits, or all of them as one vector.

By value: g within -c and c. By norm, as PyTorch's `clip_grad_norm_`: the norm is that of all gradients
together, and where it is larger than c every gradient is multiplied by c / (norm + 1e-6).
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
    Term,
    Terms,
    largest,
    normal,
    register,
    value,
)
from engine.values import Op, Role, Value

SMALLEST = 1e-6
"""Added to the norm, as PyTorch does."""
SHAPES = {(1,): "out", (33, 7): "out in", (8, 3, 5, 5): "out in kH kW"}


def shrinking(limit: float, norm: Array) -> Array:
    """What gradients of this norm are multiplied by: 1 or less."""
    ratio = norm.dtype.type(limit) / (norm + norm.dtype.type(SMALLEST))
    return np.asarray(np.where(ratio < 1, ratio, 1), norm.dtype)


@register
class ClipValue(OpRule):
    """ins g -> g where it lies within -c and c, else the limit. Control clip."""

    kind = "clip_value"
    elementwise = True
    differentiable = False
    controls = ("clip",)
    note = r"g \leftarrow \min(\max(g, -c), c)"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("clipped", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        limit = ins[0].dtype.type(ctx.controls["clip"])
        return (np.clip(ins[0], -limit, limit),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        g, limit = float(read(op.ins[0])[cell]), ctx.controls["clip"]
        v = min(max(g, -limit), limit)
        term = Term(((op.ins[0].id, cell, g),), v)
        return Terms("function", (term,), v, float(read(op.out)[cell]), self.note)

    def cases(self) -> Iterable[Case]:
        for shape, axes in SHAPES.items():
            arrays = (normal(1, *shape),)
            ctx = Context(1, {"clip": 0.5})
            yield Case((value("g", axes, shape, Role.GRAD),), arrays, {}, ctx, str(shape), smooth=False)


@register
class SquareSum(OpRule):
    """ins g -> (): the sum of the squares of all cells."""

    kind = "square_sum"
    differentiable = False
    note = r"s = \sum g^2"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("squares", (), (), role=Role.SCALAR),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (np.asarray((ins[0] * ins[0]).sum(), ins[0].dtype),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        g = read(op.ins[0]).astype(np.float64)
        squares = (g * g).ravel()
        kept = sorted(largest(squares))
        places = [tuple(int(i) for i in np.unravel_index(at, g.shape)) for at in kept]
        terms = [
            Term(((op.ins[0].id, place, float(g[place])),) * 2, float(squares[at]))
            for at, place in zip(kept, places, strict=True)
        ]
        total, engine = float(squares.sum()), read(op.out).item()
        rest = (len(squares) - len(kept), total - sum(t.value for t in terms))
        return Terms("sum", tuple(terms), total, engine, self.note, rest if rest[0] else (0, 0.0))

    def cases(self) -> Iterable[Case]:
        for shape in [*SHAPES, (50, 101)]:
            axes = SHAPES.get(shape, "out in")
            given = (value("g", axes, shape, Role.GRAD),)
            yield Case(given, (normal(1, *shape),), {}, Context(1), str(shape), smooth=False)


@register
class GradNorm(OpRule):
    """ins sums of squares, one for each gradient -> (): the root of their sum."""

    kind = "grad_norm"
    elementwise = True
    differentiable = False
    note = r"\|g\| = \sqrt{\sum s}"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("grad_norm", (), (), role=Role.SCALAR),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        total = ins[0]
        for each in ins[1:]:
            total = total + each
        return (np.sqrt(np.asarray(total)),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        sums = [(v.id, read(v).item()) for v in op.ins]
        norm = float(np.sqrt(sum(s for _, s in sums)))
        factors = tuple((id, (), s) for id, s in sums)
        return Terms("function", (Term(factors, norm),), norm, read(op.out).item(), self.note)

    def cases(self) -> Iterable[Case]:
        for count in (1, 3):
            given = tuple(value(f"s{i}", "", (), Role.SCALAR) for i in range(count))
            arrays = tuple(np.asarray(normal(i, 1)[0] ** 2) for i in range(count))
            yield Case(given, arrays, {}, Context(1), f"{count} gradients", smooth=False)


@register
class ClipNorm(OpRule):
    """ins g, norm () -> g min(1, c / (norm + 1e-6)). Control clip."""

    kind = "clip_norm"
    elementwise = True
    differentiable = False
    controls = ("clip",)
    note = r"g \leftarrow g \cdot \min(1, c / (\|g\| + 10^{-6}))"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("clipped", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0] * shrinking(ctx.controls["clip"], ins[1]),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        g, norm = float(read(op.ins[0])[cell]), read(op.ins[1]).item()
        v = g * float(shrinking(ctx.controls["clip"], np.asarray(norm, np.float64)))
        factors = ((op.ins[0].id, cell, g), (op.ins[1].id, (), norm))
        return Terms("function", (Term(factors, v),), v, float(read(op.out)[cell]), self.note)

    def cases(self) -> Iterable[Case]:
        for shape, axes in SHAPES.items():
            for norm in (0.5, 20.0):
                given = (value("g", axes, shape, Role.GRAD), value("norm", "", (), Role.SCALAR))
                arrays = (normal(1, *shape), np.asarray(norm))
                yield Case(given, arrays, {}, Context(1, {"clip": 1.5}), f"{shape}, {norm}", smooth=False)
