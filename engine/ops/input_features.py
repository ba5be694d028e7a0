"""input_features: of a point (x, y) the chosen of x, y, x², y², xy, sin x, sin y; and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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

F = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Feature:
    """One number of a point: f, its slopes in x and y, and how it is written."""

    f: F
    along: F
    down: F
    formula: str
    """LaTeX."""
    factors: tuple[int, ...]
    """The coordinates (0: x, 1: y) it is the product of, or the function of the one."""


FEATURES: dict[str, Feature] = {
    "x": Feature(lambda x, y: x, lambda x, y: x * 0 + 1, lambda x, y: x * 0, "x", (0,)),
    "y": Feature(lambda x, y: y, lambda x, y: x * 0, lambda x, y: x * 0 + 1, "y", (1,)),
    "x2": Feature(lambda x, y: x * x, lambda x, y: 2 * x, lambda x, y: x * 0, "x^2", (0, 0)),
    "y2": Feature(lambda x, y: y * y, lambda x, y: x * 0, lambda x, y: 2 * y, "y^2", (1, 1)),
    "xy": Feature(lambda x, y: x * y, lambda x, y: y, lambda x, y: x, "x y", (0, 1)),
    "sin_x": Feature(lambda x, y: np.sin(x), lambda x, y: np.cos(x), lambda x, y: x * 0, r"\sin x", (0,)),
    "sin_y": Feature(lambda x, y: np.sin(y), lambda x, y: x * 0, lambda x, y: np.cos(y), r"\sin y", (1,)),
}
"""In the order in which they leave the layer."""


def chosen(attrs: Attrs) -> tuple[str, ...]:
    return cast("tuple[str, ...]", attrs["features"])


@register
class InputFeatures(OpRule):
    """ins X (2, N) -> Y (features, N). Attribute features: names out of FEATURES."""

    kind = "input_features"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("y", ins[0].axes, (len(chosen(attrs)), ins[0].shape[-1])),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (np.stack([FEATURES[name].f(*ins[0]) for name in chosen(attrs)]),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        ins, name = (grads_out[0], op.ins[0]), rec.grad_name(op.ins[0])
        return (rec.emit1("input_features_dx", ins, name, attrs=dict(op.attrs)),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        feature, s = FEATURES[chosen(op.attrs)[cell[0]]], cell[1]
        point = read(op.ins[0])[:, s].astype(np.float64)
        v = float(feature.f(*point))
        factors = tuple((op.ins[0].id, (k, s), float(point[k])) for k in feature.factors)
        rule = "sum" if len(factors) > 1 else "function"
        return Terms(rule, (Term(factors, v),), v, float(read(op.out)[cell]), f"y = {feature.formula}")

    def cases(self) -> Iterable[Case]:
        ins, arrays = (value("x", "F N", (2, 7)),), (normal(1, 2, 7, scale=2),)
        yield Case(ins, arrays, {"features": tuple(FEATURES)}, Context(7), "all")


@register
class InputFeaturesDx(OpRule):
    """ins dY (features, N), X (2, N) -> dX (2, N): every feature sends back its gradient times its slope."""

    kind = "input_features_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dx", ins[1].axes, ins[1].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, point = ins
        dx = np.zeros_like(point)
        for d, name in zip(dy, chosen(attrs), strict=True):
            feature = FEATURES[name]
            dx[0] += d * feature.along(*point)
            dx[1] += d * feature.down(*point)
        return (live(dx, ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        s, terms = cell[1], []
        dy, point = read(op.ins[0])[:, s], read(op.ins[1])[:, s].astype(np.float64)
        for k, name in enumerate(chosen(op.attrs)):
            feature = FEATURES[name]
            if cell[0] in feature.factors:
                slope, v = float((feature.along, feature.down)[cell[0]](*point)), float(dy[k])
                terms.append(Term(((op.ins[0].id, (k, s), v),), v * slope, f"{slope:.4g}"))
        note = r"\partial L/\partial x = \sum_k \partial L/\partial y_k \cdot \partial y_k/\partial x"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        for names in (tuple(FEATURES), ("y",)):
            yield Case(
                (value("dy", "F N", (len(names), 7), Role.GRAD), value("x", "F N", (2, 7))),
                (live(normal(2, len(names), 7), 5), normal(1, 2, 7, scale=2)),
                {"features": names}, Context(5), str(len(names)),
            )  # fmt: skip
