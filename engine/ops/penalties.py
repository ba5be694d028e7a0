"""Penalties of weights, as parts of the loss, and the largest norm of a unit's weights.

L1: λ Σ|w|, gradient λ sign(w) with sign(0) = 0. L2: λ/2 Σ w², gradient λ w.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np

from engine.ops.accumulating import APPLY
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
)
from engine.values import Op, Role, Value

SHAPES = {(1, 1): "out in", (33, 7): "out in", (8, 3, 5, 5): "out in kH kW"}


def _weight(shape: tuple[int, ...], name: str = "w@old") -> Value:
    axes = tuple(SHAPES[shape].split())
    return Value(name, axes, shape, role=Role.PARAM, owner="layer", param="weight")


class Penalty(OpRule):
    """ins w -> (): what the weights add to the loss. Control lambda."""

    differentiable = False
    own_controls = ("lambda",)
    note: ClassVar[str]

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("penalty", (), (), role=Role.SCALAR),)

    def each(self, w: Array) -> Array:
        """What every weight adds, before λ."""
        raise NotImplementedError

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        t = ins[0].dtype.type
        return (np.asarray(t(ctx.controls["lambda"]) * self.each(ins[0]).sum(), ins[0].dtype),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        w = read(op.ins[0]).astype(np.float64)
        parts = (ctx.controls["lambda"] * self.each(w)).ravel()
        terms = []
        for at in sorted(largest(parts)):
            place = tuple(int(i) for i in np.unravel_index(at, w.shape))
            terms.append(Term(((op.ins[0].id, place, float(w[place])),), float(parts[at])))
        total = float(parts.sum())
        left = len(parts) - len(terms)
        rest = (left, total - sum(t.value for t in terms)) if left else (0, 0.0)
        return Terms("sum", tuple(terms), total, read(op.out).item(), self.note, rest)

    def cases(self) -> Iterable[Case]:
        for shape in SHAPES:
            ctx = Context(1, {"lambda": 0.3})
            yield Case((_weight(shape),), (normal(1, *shape),), {}, ctx, str(shape), smooth=False)


@register
class L1(Penalty):
    """λ Σ|w|."""

    kind = "l1"
    note = r"\lambda \sum |w|"

    def each(self, w: Array) -> Array:
        return np.abs(w)


@register
class L2(Penalty):
    """λ/2 Σ w²."""

    kind = "l2"
    note = r"\frac{\lambda}{2} \sum w^2"

    def each(self, w: Array) -> Array:
        return np.asarray(w * w / 2, w.dtype)


class PenaltySlope(OpRule):
    """ins w -> what a penalty adds to dL/dw. Control lambda."""

    elementwise = True
    differentiable = False
    own_controls = ("lambda",)
    note: ClassVar[str]

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("penalty_grad", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def slope(self, w: Array) -> Array:
        """Before λ."""
        raise NotImplementedError

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0].dtype.type(ctx.controls["lambda"]) * self.slope(ins[0]),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        w = np.asarray(read(op.ins[0])[cell], np.float64)
        v = float(ctx.controls["lambda"] * self.slope(w))
        term = Term(((op.ins[0].id, cell, float(w)),), v)
        return Terms("function", (term,), v, float(read(op.out)[cell]), self.note)

    def cases(self) -> Iterable[Case]:
        for shape in SHAPES:
            ctx = Context(1, {"lambda": 0.3})
            yield Case((_weight(shape),), (normal(1, *shape),), {}, ctx, str(shape), smooth=False)


@register
class L1Slope(PenaltySlope):
    """λ sign(w)."""

    kind = "l1_slope"
    note = r"\lambda \, \mathrm{sign}(w)"

    def slope(self, w: Array) -> Array:
        return np.asarray(np.sign(w))


@register
class L2Slope(PenaltySlope):
    """λ w."""

    kind = "l2_slope"
    note = r"\lambda w"

    def slope(self, w: Array) -> Array:
        return w


def shortening(squares: Array, locked: Array, limit: float) -> Array:
    """What free weights of a unit are multiplied by, from the sums of squares: theirs, and the `locked`."""
    most = squares.dtype.type(limit) * squares.dtype.type(limit)
    with np.errstate(all="ignore"):
        factor = np.sqrt(np.maximum(most - locked, 0) / squares)
    return np.asarray(np.where(squares + locked > most, factor, 1), squares.dtype)


@register
class MaxNorm(OpRule):
    """ins w, perhaps a mask of locked cells -> w, its rows made shorter where their norm is above the limit.

    A row is everything that leads to one unit: all axes but the first. Locked cells stay; the others make
    room for them. Control limit; perhaps apply, as of an update.
    """

    kind = "max_norm"
    differentiable = False
    own_controls = ("limit",)
    note = r"w \leftarrow w \cdot \min(1, c / \|w_{\mathrm{row}}\|)"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out(f"{ins[0].id.split('@')[0]}@new", ins[0].axes, ins[0].shape, role=Role.PARAM),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        if not ctx.controls.get(APPLY, 1.0):
            return (ins[0],)
        w, rest = ins[0], tuple(range(1, ins[0].ndim))
        free = ins[1] == 0 if len(ins) > 1 else np.ones(w.shape, np.bool_)
        squares = np.where(free, w * w, 0).sum(rest, keepdims=True)
        locked = np.where(free, 0, w * w).sum(rest, keepdims=True)
        factor = shortening(squares, locked, ctx.controls["limit"])
        return (np.where(free, w * factor, w),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        row = slice(cell[0], cell[0] + 1)
        arrays = [np.asarray(read(v)[row], np.float64) for v in op.ins]
        v = float(self.reference(arrays, op.attrs, ctx)[0][(0, *cell[1:])])
        w = float(arrays[0][(0, *cell[1:])])
        note = self.note
        if len(arrays) > 1 and arrays[1][(0, *cell[1:])]:
            note = r"w \leftarrow w"
        term = Term(((op.ins[0].id, cell, w),), v)
        return Terms("function", (term,), v, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        for shape in SHAPES:
            lock = Value("lock@old", tuple(SHAPES[shape].split()), shape, role=Role.STATE)
            ctx = Context(1, {"limit": 2.0})
            w = normal(1, *shape) * np.linspace(0.1, 2, shape[0]).reshape(-1, *(1,) * (len(shape) - 1))
            yield Case((_weight(shape, "w"),), (w,), {}, ctx, str(shape), smooth=False)
            if len(shape) == 2:
                mask = (normal(9, *shape) > 0.5).astype(np.float32)
                yield Case((_weight(shape, "w"), lock), (w, mask), {}, ctx, f"{shape}, locked", smooth=False)
