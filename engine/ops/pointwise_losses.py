"""Losses that look at one number and its target at a time: L = (1 / (F n)) Σ l(ŷ, y), and dL/dŷ.

As PyTorch's `L1Loss`, `HuberLoss` and `BCEWithLogitsLoss` take them: the mean over all entries. The hinge is
max(0, 1 - y ŷ) with targets -1 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, cast

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
    fill,
    live,
    normal,
    register,
    value,
)
from engine.values import Op, Role, Value

L = Callable[[Array, Array, Attrs], Array]


@dataclass(frozen=True)
class EntryLoss:
    """l(ŷ, y) of one entry, its derivative by ŷ, and how both are written."""

    l: L  # noqa: E741 - its name in the formula
    slope: L
    formula: str
    slope_formula: str
    attrs: Mapping[str, float] = field(default_factory=dict)
    """As the contract tests try them."""
    signed: bool = False
    """Whether targets are -1 and 1 instead of 0 and 1."""


def _delta(x: Array, attrs: Attrs) -> Array:
    return np.asarray(x.dtype.type(cast(float, attrs["delta"])))


def _huber(y: Array, t: Array, at: Attrs) -> Array:
    e, d = np.abs(y - t), _delta(y, at)
    return np.asarray(np.where(e <= d, e * e / 2, d * (e - d / 2)))


def _sigmoid(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e))


ENTRY_LOSSES: dict[str, EntryLoss] = {
    "mae": EntryLoss(
        lambda y, t, _: np.abs(y - t), lambda y, t, _: np.sign(y - t),
        r"|y - \hat{y}|", r"\mathrm{sign}(\hat{y} - y)",
    ),
    "huber": EntryLoss(
        _huber, lambda y, t, at: np.clip(y - t, -_delta(y, at), _delta(y, at)),
        r"(\frac{e^2}{2} \text{ if } |e| \leq \delta \text{ else } \delta (|e| - \frac{\delta}{2})),"
        r" \ e = \hat{y} - y",
        r"\min(\delta, \max(-\delta, \hat{y} - y))", {"delta": 0.8},
    ),
    "bce_logits": EntryLoss(
        lambda z, t, _: np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z))),
        lambda z, t, _: _sigmoid(z) - t,
        r"(-y \ln \sigma(z) - (1 - y) \ln(1 - \sigma(z)))", r"(\sigma(z) - y)",
    ),
    "hinge": EntryLoss(
        lambda y, t, _: np.maximum(0, 1 - t * y), lambda y, t, _: np.where(t * y < 1, -t, 0),
        r"\max(0, 1 - y \hat{y})", r"(-y \text{ if } y \hat{y} < 1 \text{ else } 0)", signed=True,
    ),
}  # fmt: skip
"""By kind of the op."""


def _targets(kind: str, rows: int, n: int) -> Array:
    """As they occur: 0 and 1 for probabilities, -1 and 1 for the hinge, any number for the others."""
    t = normal(2, rows, n)
    if kind == "bce_logits":
        return (t > 0).astype(t.dtype)
    return np.where(t > 0, 1.0, -1.0) if ENTRY_LOSSES[kind].signed else t


SIZES = ((3, 33, 33), (2, 16, 7))


class Loss(OpRule):
    """ins ŷ, y (F, N) -> loss (): the mean of l over the live entries."""

    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("loss", (), (), role=Role.SCALAR),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        y, t = (x[:, : ctx.n] for x in ins)
        return (np.asarray(ENTRY_LOSSES[self.kind].l(y, t, attrs).mean(), y.dtype),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        y, t = (read(v)[:, : ctx.n].astype(np.float64) for v in op.ins)
        each = ENTRY_LOSSES[self.kind].l(y, t, op.attrs) / y.size
        terms = tuple(
            Term(((op.ins[0].id, at, float(y[at])), (op.ins[1].id, at, float(t[at]))), float(each[at]))
            for at in np.ndindex(*y.shape)
        )
        formula = rf"L = \frac{{1}}{{N}} \sum {ENTRY_LOSSES[self.kind].formula}"
        return Terms.sum_of(terms, float(read(op.out)[()]), formula)

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in SIZES:
            y = fill(normal(1, rows, n, scale=2), alive, 1e18)
            t = fill(_targets(self.kind, rows, n), alive, 1.0)
            yield Case(
                (value("y", "F N", (rows, n)), value("t", "F N", (rows, n), Role.SAVED)),
                (y, t),
                dict(ENTRY_LOSSES[self.kind].attrs),
                Context(alive),
                f"{rows}x{n}, {alive} live",
            )


class LossGrad(OpRule):
    """ins ŷ, y (F, N) -> dŷ = l'(ŷ, y) / (F n)."""

    loss: ClassVar[str]

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dy", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        factor = ins[0].dtype.type(1.0 / (ins[0].shape[0] * ctx.n))
        return (live(ENTRY_LOSSES[self.loss].slope(ins[0], ins[1], attrs) * factor, ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        y, t = float(read(op.ins[0])[cell]), float(read(op.ins[1])[cell])
        rule = ENTRY_LOSSES[self.loss]
        v = float(rule.slope(np.array([y]), np.array([t]), op.attrs)[0]) / (op.ins[0].shape[0] * ctx.n)
        formula = rf"\partial L/\partial \hat{{y}} = \frac{{1}}{{N}} \cdot {rule.slope_formula}"
        term = Term(((op.ins[0].id, cell, y), (op.ins[1].id, cell, t)), v)
        return Terms("function", (term,), v, float(read(op.out)[cell]), formula)

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in SIZES:
            yield Case(
                (value("y", "F N", (rows, n)), value("t", "F N", (rows, n), Role.SAVED)),
                (normal(1, rows, n, scale=2), _targets(self.loss, rows, n)),
                dict(ENTRY_LOSSES[self.loss].attrs),
                Context(alive),
                f"{rows}x{n}, {alive} live",
            )


for _kind in ENTRY_LOSSES:
    _name = _kind.title().replace("_", "")
    register(type(_name, (Loss,), {"kind": _kind}))
    register(type(_name + "Grad", (LossGrad,), {"kind": f"{_kind}_grad", "loss": _kind}))
