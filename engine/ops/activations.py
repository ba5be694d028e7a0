"""Activation functions as ops: cell by cell (`functions.py` has the functions), and softmax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from engine.ops.functions import FUNCTIONS
from engine.values import Op, Role, Value


class Activation(OpRule):
    """ins Z -> a = f(Z), cell by cell."""

    elementwise = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("a", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (FUNCTIONS[self.kind].f(ins[0], attrs),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        return (
            rec.emit1(
                f"{self.kind}_grad",
                (grads_out[0], op.out if FUNCTIONS[self.kind].of == "a" else op.ins[0]),
                rec.grad_name(op.ins[0]),
                attrs=dict(op.attrs),
            ),
        )

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        z = float(read(op.ins[0])[cell])
        a = float(FUNCTIONS[self.kind].f(np.array([z]), op.attrs)[0])
        return Terms(
            "function",
            (Term(((op.ins[0].id, cell, z),), a),),
            a,
            float(read(op.out)[cell]),
            "a = " + FUNCTIONS[self.kind].formula,
        )

    def cases(self) -> Iterable[Case]:
        attrs, smooth = dict(FUNCTIONS[self.kind].attrs), not FUNCTIONS[self.kind].stand_in
        # what the shape has to do with it, one function tries for all
        sizes = [(1, 1), (7, 33), (10, 16)] if self.kind == "tanh" else [(7, 33)]
        for rows, n in sizes:
            yield Case(
                (value("z", "F N", (rows, n)),),
                (normal(1, rows, n, scale=3),),
                attrs,
                Context(n),
                f"{rows}x{n}",
                smooth,
            )
        if self.kind in ("tanh", "relu"):
            maps = value("z", "C H W N", (2, 3, 3, 7))
            yield Case((maps,), (normal(2, 2, 3, 3, 7),), attrs, Context(5), "maps", smooth)
        kinks = np.array([[0.0, -0.0, 100.0, -100.0, 1e-30, -1e-30, 30.0]])
        yield Case(
            (value("z", "F N", (1, 7)),), (kinks,), attrs, Context(7), "kinks and far ends", smooth=False
        )


class ActivationGrad(OpRule):
    """ins dA, A -> dZ = dA ⊙ f'(Z), with f' written in A; ins dA, Z where it is written in Z."""

    elementwise = True
    forward: ClassVar[str]

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dz", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0] * FUNCTIONS[self.forward].slope(ins[1], attrs),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        da, x = float(read(op.ins[0])[cell]), float(read(op.ins[1])[cell])
        function = FUNCTIONS[self.forward]
        slope = float(function.slope(np.array([x]), op.attrs)[0])
        term = Term(((op.ins[0].id, cell, da), (op.ins[1].id, cell, x)), da * slope, "derivative")
        return Terms(
            "function",
            (term,),
            da * slope,
            float(read(op.out)[cell]),
            r"\delta = \frac{\partial L}{\partial a} \cdot f'(z), \quad f' = " + function.slope_formula,
        )

    def cases(self) -> Iterable[Case]:
        for case in FORWARD[self.forward].cases():
            of = FUNCTIONS[self.forward].of
            (a,) = FORWARD[self.forward].reference(case.arrays, case.attrs, case.ctx)
            v = case.ins[0]
            yield Case(
                (Value("da", v.axes, v.shape, role=Role.GRAD), Value(of, v.axes, v.shape)),
                (live(normal(5, *v.shape), case.ctx.n), a if of == "a" else case.arrays[0]),
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


@register
class LogSoftmax(OpRule):
    """ins Z (F, N) -> z - ln sum_j e^z_j, for each example, with the largest z taken out first."""

    kind = "log_softmax"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("a", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        z = ins[0] - ins[0].max(0, keepdims=True)
        return (z - np.log(np.exp(z).sum(0, keepdims=True)),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        return (rec.emit1("log_softmax_grad", (grads_out[0], op.out), rec.grad_name(op.ins[0])),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        i, s = cell
        z = read(op.ins[0])[:, s].astype(np.float64)
        log = float(np.log(np.exp(z - z.max()).sum()) + z.max())
        factors = tuple((op.ins[0].id, (j, s), float(v)) for j, v in enumerate(z))
        terms = (Term((factors[i],), float(z[i])), Term(factors, -log, "logarithm of the sum"))
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"a_i = z_i - \ln \sum_j e^{z_j}")

    def cases(self) -> Iterable[Case]:
        return SOFTMAX.cases()


@register
class LogSoftmaxGrad(OpRule):
    """ins dA, A (F, N) -> dZ = dA - e^A ⊙ sum_j dA_j, for each example."""

    kind = "log_softmax_grad"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dz", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        da, a = ins
        return (live(da - np.exp(a) * da.sum(0, keepdims=True), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        i, s = cell
        da, p = read(op.ins[0])[:, s].astype(np.float64), np.exp(float(read(op.ins[1])[cell]))
        terms = tuple(
            Term(
                ((op.ins[0].id, (j, s), float(d)), (op.ins[1].id, cell, float(read(op.ins[1])[cell]))),
                float(d * ((j == i) - p)),
            )
            for j, d in enumerate(da)
        )
        formula = r"\delta_i = \sum_j \frac{\partial L}{\partial a_j} ([i = j] - e^{a_i})"
        return Terms.sum_of(terms, float(read(op.out)[cell]), formula)

    def cases(self) -> Iterable[Case]:
        for rows, n in [(10, 33), (7, 16)]:
            (a,) = REGISTRY["log_softmax"].reference((normal(1, rows, n, scale=4),), {}, Context(n))
            ins = (value("da", "F N", (rows, n), Role.GRAD), value("a", "F N", (rows, n)))
            yield Case(ins, (live(normal(5, rows, n), n), a), {}, Context(n), f"{rows}x{n}")


SOFTMAX = REGISTRY["softmax"]
