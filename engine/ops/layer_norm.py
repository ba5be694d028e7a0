"""layernorm: mean 0 and variance 1 over the features of each position, and the way back.

Source: Ba, Kiros & Hinton 2016; the variance is the biased one, as in PyTorch.
"""

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
from engine.ops.linear import column_at
from engine.ops.normalization import column
from engine.values import Op, Role, Value

SHAPES: tuple[tuple[tuple[int, ...], str, int], ...] = (((5, 3, 7), "F T N", 6),)
EPSILON = 1e-5


@register
class LayerNorm(OpRule):
    """ins X (F, ..., N), weight, bias (F) -> y, mean, invstd (..., N). Attribute epsilon."""

    kind = "layernorm"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        x = ins[0]
        return (
            Out("y", x.axes, x.shape),
            Out("mean", x.axes[1:], x.shape[1:], role=Role.SAVED),
            Out("invstd", x.axes[1:], x.shape[1:], role=Role.SAVED),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        x, w, b = ins
        mean = x.mean(0)
        var = ((x - mean) ** 2).mean(0)
        invstd = 1 / np.sqrt(var + x.dtype.type(cast(float, attrs["epsilon"])))
        return (x - mean) * invstd * column(w, x) + column(b, x), mean, invstd

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        x, w, _ = op.ins
        (dy, *_), (_, mean, invstd) = grads_out, op.outs
        assert dy is not None
        names = [rec.grad_name(v) for v in op.ins]
        dx = rec.emit1("layernorm_dx", (dy, x, w, mean, invstd), names[0]) if wanted[0] else None
        dw = rec.emit1("layernorm_dw", (dy, x, mean, invstd), names[1]) if wanted[1] else None
        return dx, dw, rec.emit1("sum_samples", (dy,), names[2]) if wanted[2] else None

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        place = cell[1:] if out == 0 else cell
        x = column_at(read(op.ins[0]), place).astype(np.float64)
        engine, mean = float(read(op.outs[out])[cell]), float(x.mean())
        if out == 1:
            terms = tuple(
                Term(((op.ins[0].id, (f, *place), float(v)),), float(v) / x.size) for f, v in enumerate(x)
            )
            return Terms("mean", terms, mean, engine, r"\mu = \frac{1}{F} \sum_f x_f")
        invstd = 1 / float(np.sqrt(x.var() + cast(float, op.attrs["epsilon"])))
        if out == 2:
            return Terms("function", (Term((), invstd),), invstd, engine, r"1 / \sqrt{\sigma^2 + \epsilon}")
        f = cell[0]
        w, b = float(read(op.ins[1])[f]), float(read(op.ins[2])[f])
        scaled = (float(x[f]) - mean) * invstd * w
        terms = (
            Term(((op.ins[0].id, cell, float(x[f])), (op.ins[1].id, (f,), w)), scaled, "normalized"),
            Term(((op.ins[2].id, (f,), b),), b, "bias"),
        )  # fmt: skip
        return Terms.sum_of(terms, engine, r"y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta")

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in SHAPES:
            width = (shape[0],)
            yield Case(
                (value("x", axes, shape), value("w", "out", width, Role.PARAM),
                 value("b", "out", width, Role.PARAM)),
                (normal(1, *shape, scale=2) + 1, normal(2, shape[0]), normal(3, shape[0])),
                {"epsilon": EPSILON}, Context(n), str(shape),
            )  # fmt: skip


def saved(shape: Sequence[int]) -> tuple[Array, Array, Array]:
    """X of a case, with its mean and 1 / standard deviation."""
    x = normal(1, *shape)
    one = np.ones(shape[0])
    _, mean, invstd = LayerNorm().reference((x, one, one), {"epsilon": EPSILON}, Context(shape[-1]))
    return x, mean, invstd


@register
class LayerNormDx(OpRule):
    """ins dy, X (F, ..., N), weight (F), mean, invstd (..., N) -> dX."""

    kind = "layernorm_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dx", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, x, w, mean, invstd = ins
        hat = (x - mean) * invstd
        g = dy * column(w, x)
        return (live(invstd * (g - g.mean(0) - hat * (g * hat).mean(0)), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        f = cell[0]
        dy, x, w, mean, invstd = (read(v).astype(np.float64) for v in op.ins)
        at, engine = cell[1:], float(read(op.out)[cell])
        g, k = column_at(dy, at) * w, float(invstd[at])
        hat = (column_at(x, at) - mean[at]) * k
        d, scale = float(dy[cell]), float(w[f])
        terms = (
            Term(((op.ins[0].id, cell, d), (op.ins[2].id, (f,), scale)), k * d * scale, "own"),
            Term((), -k * float(g.mean()), "mean gradient"),
            Term((), -k * float(hat[f]) * float((g * hat).mean()), "through the variance"),
        )
        note = (
            r"1 / \sigma \, (\gamma \delta - \overline{\gamma \delta}"
            r" - \hat{x} \, \overline{\gamma \delta \hat{x}})"
        )
        return Terms.sum_of(terms, engine, note)

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in SHAPES:
            x, mean, invstd = saved(shape)
            rest = " ".join(axes.split()[1:])
            yield Case(
                (value("dy", axes, shape, Role.GRAD), value("x", axes, shape),
                 value("w", "out", (shape[0],), Role.PARAM), value("mean", rest, shape[1:], Role.SAVED),
                 value("invstd", rest, shape[1:], Role.SAVED)),
                (live(normal(4, *shape), n), x, normal(2, shape[0]), mean, invstd),
                {}, Context(n), str(shape),
            )  # fmt: skip


@register
class LayerNormDw(OpRule):
    """ins dy, X (F, ..., N), mean, invstd (..., N) -> dweight (F), over positions and live lanes."""

    kind = "layernorm_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dw", ("out",), (ins[0].shape[0],), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, x, mean, invstd = (v[..., : ctx.n] for v in ins)
        return ((dy * ((x - mean) * invstd)).reshape(len(x), -1).sum(1),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        (f,) = cell
        dy, x, mean, invstd = (read(v)[..., : ctx.n].astype(np.float64) for v in op.ins)
        hat = (x[f] - mean) * invstd
        terms = tuple(
            Term(((op.ins[0].id, (f, *at), float(d)),), float(d * hat[at])) for at, d in np.ndenumerate(dy[f])
        )
        note = r"\partial L/\partial \gamma_f = \sum \delta_f \hat{x}_f"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in SHAPES:
            x, mean, invstd = saved(shape)
            rest = " ".join(axes.split()[1:])
            yield Case(
                (value("dy", axes, shape, Role.GRAD), value("x", axes, shape),
                 value("mean", rest, shape[1:], Role.SAVED), value("invstd", rest, shape[1:], Role.SAVED)),
                (live(normal(4, *shape), n), x, mean, invstd), {}, Context(n), str(shape),
            )  # fmt: skip
