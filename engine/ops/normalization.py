"""batchnorm (training), its gradient, and batchnorm_eval (running statistics).

Statistics go over everything but the first axis, live lanes only. Source: Ioffe & Szegedy 2015; running
statistics as in PyTorch (unbiased variance, new = (1 - momentum) old + momentum batch).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

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
    fill,
    live,
    normal,
    register,
    value,
)
from engine.values import Op, Role, Value


def column(v: Array, like: Array) -> Array:
    """(C,) shaped to stand beside (C, ..., N)."""
    return v.reshape(-1, *([1] * (like.ndim - 1)))


def _sum(x: Array) -> Array:
    return np.asarray(x.reshape(x.shape[0], -1).sum(1))


@register
class BatchNorm(OpRule):
    """ins X (C, ..., N), weight, bias, running mean, running var (C) ->
    y, mean, invstd, new running mean, new running var. Attributes epsilon, momentum."""

    kind = "batchnorm"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        c = (ins[0].shape[0],)
        return (
            Out("y", ins[0].axes, ins[0].shape),
            Out("mean", ("C",), c, role=Role.SAVED),
            Out("invstd", ("C",), c, role=Role.SAVED),
            Out(f"{ins[3].owner}.running_mean@new", ("C",), c, role=Role.STATE),
            Out(f"{ins[4].owner}.running_var@new", ("C",), c, role=Role.STATE),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        x, w, b, rm, rv = ins
        t = x.dtype.type
        a = x[..., : ctx.n]
        count = a[0].size
        mean = _sum(a) / t(count)
        var = _sum((a - column(mean, x)) ** 2) / t(count)
        invstd = 1 / np.sqrt(var + t(cast(float, attrs["epsilon"])))
        m = t(cast(float, attrs["momentum"]))
        unbiased = var * t(count / max(count - 1, 1))
        y = (x - column(mean, x)) * column(invstd * w, x) + column(b, x)
        return y, mean, invstd, (1 - m) * rm + m * mean, (1 - m) * rv + m * unbiased

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        x, w, b = op.ins[:3]
        assert grads_out[0] is not None
        names = [rec.grad_name(v) for v in (x, w, b)]
        grads = rec.emit("batchnorm_grad", (grads_out[0], x, w, op.outs[1], op.outs[2]), names)
        return (*grads, None, None)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c = cell[0]
        x = read(op.ins[0])[c, ..., : ctx.n].astype(np.float64)
        engine = float(read(op.outs[out])[cell])
        mean, var = float(x.mean()), float(x.var())
        if out == 1:
            terms = tuple(
                Term(((op.ins[0].id, (c, *at), float(v)),), float(v) / x.size) for at, v in np.ndenumerate(x)
            )
            return Terms("mean", terms, mean, engine, r"\mu = \frac{1}{k} \sum x")
        eps = cast(float, op.attrs["epsilon"])
        if out == 2:
            v = 1 / np.sqrt(var + eps)
            return Terms("function", (Term((), v),), v, engine, r"1 / \sqrt{\sigma^2 + \epsilon}")
        if out > 2:
            m, old = cast(float, op.attrs["momentum"]), float(read(op.ins[out])[c])
            new = mean if out == 3 else var * x.size / max(x.size - 1, 1)
            terms = (Term(((op.ins[out].id, cell, old),), (1 - m) * old), Term((), m * new, "batch"))
            return Terms.sum_of(terms, engine, r"(1 - m) \, \text{old} + m \, \text{batch}")
        v = float(read(op.ins[0])[cell])
        w, b = float(read(op.ins[1])[c]), float(read(op.ins[2])[c])
        scaled = (v - mean) / np.sqrt(var + eps) * w
        terms = (
            Term(((op.ins[0].id, cell, v), (op.ins[1].id, (c,), w)), scaled, "normalized"),
            Term(((op.ins[2].id, (c,), b),), b, "bias"),
        )
        return Terms(
            "sum", terms, scaled + b, engine, r"y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta"
        )

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in BN_CASES:
            yield Case(
                bn_values(shape, axes),
                (fill(normal(1, *shape, scale=2) + 1, n, 1e15), *bn_arrays(shape[0])),
                {"epsilon": 1e-5, "momentum": 0.1},
                Context(n),
                f"{shape}, {n} live",
            )


BN_CASES: tuple[tuple[tuple[int, ...], str, int], ...] = (
    ((7, 33), "F N", 33),
    ((3, 16), "F N", 7),
    ((2, 4, 3, 7), "C H W N", 7),
    ((4, 5, 16), "F T N", 9),
    ((2, 2, 2, 1), "C H W N", 1),
)


def bn_values(shape: tuple[int, ...], axes: str) -> tuple[Value, ...]:
    c = (shape[0],)
    return (
        value("x", axes, shape),
        value("w", "C", c, Role.PARAM),
        value("b", "C", c, Role.PARAM),
        value("rm", "C", c, Role.STATE),
        value("rv", "C", c, Role.STATE),
    )


def bn_arrays(c: int) -> tuple[Any, ...]:
    return normal(2, c), normal(3, c), normal(4, c), np.abs(normal(5, c)) + 0.5


@register
class BatchNormGrad(OpRule):
    """ins dy, X (C, ..., N), weight, mean, invstd (C) -> dX, dweight, dbias."""

    kind = "batchnorm_grad"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        c = (ins[0].shape[0],)
        return (
            Out("dx", ins[0].axes, ins[0].shape, role=Role.GRAD),
            Out("dw", ("C",), c, role=Role.GRAD),
            Out("db", ("C",), c, role=Role.GRAD),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, x, w, mean, invstd = ins
        t = x.dtype.type
        g, a = dy[..., : ctx.n], x[..., : ctx.n]
        count = t(a[0].size)
        hat = (a - column(mean, x)) * column(invstd, x)
        db, dw = _sum(g), _sum(g * hat)
        dx = np.zeros_like(x)
        dx[..., : ctx.n] = column(w * invstd, x) * (g - column(db / count, x) - hat * column(dw / count, x))
        return dx, dw, db

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c = cell[0]
        dy, x = (read(v)[c, ..., : ctx.n].astype(np.float64) for v in op.ins[:2])
        w, mean, invstd = (float(read(v)[c]) for v in op.ins[2:])
        hat = (x - mean) * invstd
        engine = float(read(op.outs[out])[cell])
        if out:
            parts = dy * hat if out == 1 else dy
            terms = tuple(
                Term(((op.ins[0].id, (c, *at), float(dy[at])),), float(v)) for at, v in np.ndenumerate(parts)
            )
            return Terms(
                "sum",
                terms,
                float(parts.sum()),
                engine,
                r"\partial L/\partial \gamma = \sum \delta \hat{x}"
                if out == 1
                else r"\partial L/\partial \beta = \sum \delta",
            )
        if cell[-1] >= ctx.n:
            return Terms("sum", (), 0.0, engine)
        at = cell[1:]
        k = w * invstd
        terms = (
            Term(((op.ins[0].id, cell, float(dy[at])),), k * float(dy[at]), "own"),
            Term((), -k * float(dy.mean()), "mean gradient"),
            Term((), -k * float(hat[at]) * float((dy * hat).mean()), "through the variance"),
        )
        return Terms.sum_of(
            terms,
            engine,
            r"\gamma / \sigma \, (\delta - \bar{\delta} - \hat{x} \, \overline{\delta \hat{x}})",
        )

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in BN_CASES:
            x = normal(1, *shape)
            _, mean, invstd, _, _ = BatchNorm().reference(
                (x, *bn_arrays(shape[0])), {"epsilon": 1e-5, "momentum": 0.1}, Context(n)
            )
            c = (shape[0],)
            yield Case(
                (
                    value("dy", axes, shape, Role.GRAD),
                    value("x", axes, shape),
                    value("w", "C", c, Role.PARAM),
                    value("mean", "C", c, Role.SAVED),
                    value("invstd", "C", c, Role.SAVED),
                ),
                (live(normal(6, *shape), n), fill(x, n, 1e15), normal(2, shape[0]), mean, invstd),
                {},
                Context(n),
                f"{shape}, {n} live",
            )


@register
class BatchNormEval(OpRule):
    """ins X, weight, bias, running mean, running var -> y, from the running statistics."""

    kind = "batchnorm_eval"
    differentiable = False

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("y", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        x, w, b, rm, rv = ins
        invstd = 1 / np.sqrt(rv + x.dtype.type(cast(float, attrs["epsilon"])))
        return ((x - column(rm, x)) * column(invstd * w, x) + column(b, x),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c = cell[0]
        x = float(read(op.ins[0])[cell])
        w, b, rm, rv = (float(read(v)[c]) for v in op.ins[1:])
        scaled = (x - rm) / np.sqrt(rv + cast(float, op.attrs["epsilon"])) * w
        terms = (
            Term(((op.ins[0].id, cell, x), (op.ins[1].id, (c,), w)), float(scaled), "normalized"),
            Term(((op.ins[2].id, (c,), b),), b, "bias"),
        )
        return Terms(
            "sum",
            terms,
            float(scaled) + b,
            float(read(op.out)[cell]),
            r"y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta",
        )

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in BN_CASES:
            yield Case(
                bn_values(shape, axes),
                (normal(1, *shape), *bn_arrays(shape[0])),
                {"epsilon": 1e-5},
                Context(n),
                str(shape),
            )
