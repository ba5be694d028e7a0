"""Elementwise activation functions, each beside its derivative written in a = f(z)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, cast

import numpy as np

from engine.ops.base import (
    REGISTRY,
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

F = Callable[[Array, Attrs], Array]


def _slope(a: Array, attrs: Attrs) -> Array:
    return np.asarray(a.dtype.type(cast(float, attrs["slope"])))


FUNCTIONS: dict[str, tuple[F, F, str, str]] = {
    # kind: f(z), f'(z) as a function of a, LaTeX of both
    "relu": (
        lambda z, _: np.maximum(z, 0),
        lambda a, _: (a > 0).astype(a.dtype),
        r"\max(0, z)",
        r"1 \text{ if } z > 0 \text{ else } 0",
    ),
    "leaky_relu": (
        lambda z, at: np.where(z > 0, z, z * _slope(z, at)),
        lambda a, at: np.where(a > 0, a.dtype.type(1), _slope(a, at)),
        r"z \text{ if } z > 0 \text{ else } s z",
        r"1 \text{ if } z > 0 \text{ else } s",
    ),
    "sigmoid": (lambda z, _: _sigmoid(z), lambda a, _: a * (1 - a), r"\frac{1}{1 + e^{-z}}", r"a (1 - a)"),
    "tanh": (lambda z, _: np.tanh(z), lambda a, _: 1 - a * a, r"\tanh z", r"1 - a^2"),
}


def _sigmoid(z: Array) -> Array:
    """Without overflow: e^-|z| is at most 1."""
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e))


class Activation(OpRule):
    """ins Z -> a = f(Z), cell by cell."""

    elementwise = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("a", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (FUNCTIONS[self.kind][0](ins[0], attrs),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        return (
            rec.emit1(
                f"{self.kind}_grad", (grads_out[0], op.out), rec.grad_name(op.ins[0]), attrs=dict(op.attrs)
            ),
        )

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        z = float(read(op.ins[0])[cell])
        a = float(FUNCTIONS[self.kind][0](np.array([z]), op.attrs)[0])
        return Terms(
            "function",
            (Term(((op.ins[0].id, cell, z),), a),),
            a,
            float(read(op.out)[cell]),
            "a = " + FUNCTIONS[self.kind][2],
        )

    def cases(self) -> Iterable[Case]:
        attrs = {"slope": 0.01} if self.kind == "leaky_relu" else {}
        for rows, n in [(1, 1), (7, 33), (10, 16)]:
            yield Case(
                (value("z", "F N", (rows, n)),),
                (normal(1, rows, n, scale=3),),
                attrs,
                Context(n),
                f"{rows}x{n}",
            )
        yield Case(
            (value("z", "C H W N", (2, 3, 3, 7)),), (normal(2, 2, 3, 3, 7),), attrs, Context(5), "maps"
        )
        kinks = np.array([[0.0, -0.0, 100.0, -100.0, 1e-30, -1e-30, 30.0]])
        yield Case(
            (value("z", "F N", (1, 7)),), (kinks,), attrs, Context(7), "kinks and far ends", smooth=False
        )


class ActivationGrad(OpRule):
    """ins dA, A -> dZ = dA ⊙ f'(Z), with f' written in A."""

    elementwise = True
    forward: ClassVar[str]

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dz", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0] * FUNCTIONS[self.forward][1](ins[1], attrs),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        da, a = float(read(op.ins[0])[cell]), float(read(op.ins[1])[cell])
        slope = float(FUNCTIONS[self.forward][1](np.array([a]), op.attrs)[0])
        term = Term(((op.ins[0].id, cell, da), (op.ins[1].id, cell, a)), da * slope, "derivative")
        return Terms(
            "function",
            (term,),
            da * slope,
            float(read(op.out)[cell]),
            r"\delta = \frac{\partial L}{\partial a} \cdot f'(z), \quad f' = " + FUNCTIONS[self.forward][3],
        )

    def cases(self) -> Iterable[Case]:
        for case in FORWARD[self.forward].cases():
            (a,) = FORWARD[self.forward].reference(case.arrays, case.attrs, case.ctx)
            v = case.ins[0]
            yield Case(
                (Value("da", v.axes, v.shape, role=Role.GRAD), Value("a", v.axes, v.shape)),
                (live(normal(5, *v.shape), case.ctx.n), a),
                case.attrs,
                case.ctx,
                case.label,
                smooth=False,
            )


FORWARD: dict[str, Activation] = {}
for _kind in FUNCTIONS:
    _name = _kind.title().replace("_", "")
    register(type(_name, (Activation,), {"kind": _kind}))
    FORWARD[_kind] = cast(Activation, REGISTRY[_kind])
    register(type(_name + "Grad", (ActivationGrad,), {"kind": f"{_kind}_grad", "forward": _kind}))


@register
class Softmax(OpRule):
    """ins Z (F, N) -> p (F, N): exp(z - max) over their sum, for each example."""

    kind = "softmax"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("a", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        e = np.exp(ins[0] - ins[0].max(0, keepdims=True))
        return (e / e.sum(0, keepdims=True),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        return (rec.emit1("softmax_grad", (grads_out[0], op.out), rec.grad_name(op.ins[0])),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        i, s = cell
        z = read(op.ins[0])[:, s].astype(np.float64)
        e = np.exp(z - z.max())
        terms = tuple(
            Term(((op.ins[0].id, (j, s), float(z[j])),), float(e[j]), "numerator" if j == i else "")
            for j in range(len(z))
        )
        return Terms(
            "share",
            terms,
            float(e[i] / e.sum()),
            float(read(op.out)[cell]),
            r"p_i = e^{z_i} / \sum_j e^{z_j}",
        )

    def cases(self) -> Iterable[Case]:
        for rows, n in [(1, 1), (10, 33), (7, 16), (33, 7)]:
            yield Case(
                (value("z", "F N", (rows, n)),), (normal(1, rows, n, scale=4),), {}, Context(n), f"{rows}x{n}"
            )
        yield Case(
            (value("z", "F N", (3, 2)),),
            (np.array([[90.0, -90], [0, 0], [-90, 90]]),),
            {},
            Context(2),
            "far apart",
            smooth=False,
        )


@register
class SoftmaxGrad(OpRule):
    """ins dp, p (F, N) -> dZ = p ⊙ (dp - sum_j dp_j p_j)."""

    kind = "softmax_grad"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dz", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dp, p = ins
        return (live(p * (dp - (dp * p).sum(0, keepdims=True)), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        i, s = cell
        dp, p = read(op.ins[0]).astype(np.float64), read(op.ins[1]).astype(np.float64)
        terms = tuple(
            Term(
                ((op.ins[0].id, (j, s), dp[j, s]), (op.ins[1].id, (j, s), p[j, s])),
                float(dp[j, s] * p[i, s] * (float(i == j) - p[j, s])),
            )
            for j in range(len(dp))
        )
        return Terms.sum_of(
            terms,
            float(read(op.out)[cell]),
            r"\partial L/\partial z_i = \sum_j \partial L/\partial p_j \, p_i (1_{ij} - p_j)",
        )

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in [(1, 1, 1), (10, 33, 33), (7, 16, 5)]:
            (p,) = Softmax().reference((normal(1, rows, n),), {}, Context(n))
            yield Case(
                (value("dp", "F N", (rows, n), Role.GRAD), value("p", "F N", (rows, n))),
                (live(normal(2, rows, n), alive), p),
                {},
                Context(alive),
                f"{rows}x{n}",
            )
