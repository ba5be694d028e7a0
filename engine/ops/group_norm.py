"""groupnorm: mean 0 and variance 1 over the channels of a group and all their pixels, and the way back.

Source: Wu & He 2018; the variance is the biased one, as in PyTorch. Every example stands alone.
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
from engine.values import Op, Role, Value

CASES: tuple[tuple[tuple[int, ...], str, int, int, bool], ...] = (
    # shape, axes, groups, live examples, with scale and shift
    ((6, 2, 3, 7), "C H W N", 3, 6, True),
    ((4, 5, 16), "F T N", 2, 9, False),
)
EPSILON = 1e-5


def grouped(x: Array, groups: int) -> Array:
    """(C, ..., N) as a view (C / G, cells, G, N): what belongs together lies along the first two axes."""
    return x.reshape(groups, x.shape[0] // groups, -1, x.shape[-1]).transpose(1, 2, 0, 3)


def grouped_parameter(v: Array, groups: int) -> Array:
    """(C) shaped to stand beside it."""
    return v.reshape(groups, -1).T[:, None, :, None]


def ungrouped(x: Array, shape: Sequence[int]) -> Array:
    """Back to (C, ..., N)."""
    return x.transpose(2, 0, 1, 3).reshape(shape)


def groups_of(attrs: Attrs) -> int:
    return cast(int, attrs["groups"])


def group_at(array: Array, groups: int, group: int, sample: int) -> Array:
    """The numbers of one group of one example, in float64."""
    return array.reshape(groups, -1, array.shape[-1])[group, :, sample].astype(np.float64)


@register
class GroupNorm(OpRule):
    """ins X (C, ..., N), and perhaps weight, bias (C) -> y, mean, invstd (G, N).

    Attributes epsilon, groups.
    """

    kind = "groupnorm"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        x, saved = ins[0], (groups_of(attrs), ins[0].shape[-1])
        return (
            Out("y", x.axes, x.shape),
            Out("mean", ("F", "N"), saved, role=Role.SAVED),
            Out("invstd", ("F", "N"), saved, role=Role.SAVED),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        groups = groups_of(attrs)
        x = grouped(ins[0], groups)
        mean = x.mean((0, 1))
        var = ((x - mean) ** 2).mean((0, 1))
        invstd = 1 / np.sqrt(var + x.dtype.type(cast(float, attrs["epsilon"])))
        y = (x - mean) * invstd
        if len(ins) > 1:
            y = y * grouped_parameter(ins[1], groups) + grouped_parameter(ins[2], groups)
        return ungrouped(y, ins[0].shape), mean, invstd

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        x, *own = op.ins
        (dy, *_), (_, mean, invstd) = grads_out, op.outs
        assert dy is not None
        names, attrs = [rec.grad_name(v) for v in op.ins], {"groups": op.attrs["groups"]}
        out: list[Value | None] = [None] * len(op.ins)
        if wanted[0]:
            out[0] = rec.emit1("groupnorm_dx", (dy, x, *own[:1], mean, invstd), names[0], attrs=attrs)
        if own and wanted[1]:
            out[1] = rec.emit1("groupnorm_dw", (dy, x, mean, invstd), names[1], attrs=attrs)
        if own and wanted[2]:
            out[2] = rec.emit1("sum_samples", (dy,), names[2])
        return out

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        x, groups = op.ins[0], groups_of(op.attrs)
        each, s = x.shape[0] // groups, cell[-1]
        group = cell[0] if out else cell[0] // each
        numbers = group_at(read(x), groups, group, s)
        engine, mean = float(read(op.outs[out])[cell]), float(numbers.mean())
        if out == 1:
            first = np.ravel_multi_index((group * each, *[0] * (len(x.shape) - 2)), x.shape[:-1])
            terms = []
            for i, v in enumerate(numbers):
                place = tuple(int(k) for k in np.unravel_index(int(first) + i, x.shape[:-1]))
                terms.append(Term(((x.id, (*place, s), float(v)),), float(v) / numbers.size))
            return Terms("mean", tuple(terms), mean, engine, r"\mu = \frac{1}{k} \sum x")
        invstd = 1 / float(np.sqrt(numbers.var() + cast(float, op.attrs["epsilon"])))
        if out == 2:
            return Terms("function", (Term((), invstd),), invstd, engine, r"1 / \sqrt{\sigma^2 + \epsilon}")
        v, c = float(read(x)[cell]), cell[0]
        hat = (v - mean) * invstd
        note = r"y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta"
        if len(op.ins) == 1:
            term = Term(((x.id, cell, v),), hat, "normalized")
            return Terms.sum_of((term,), engine, r"y = (x - \mu) / \sqrt{\sigma^2 + \epsilon}")
        w, b = (float(read(p)[c]) for p in op.ins[1:])
        terms = [Term(((x.id, cell, v), (op.ins[1].id, (c,), w)), hat * w, "normalized"),
                 Term(((op.ins[2].id, (c,), b),), b, "bias")]  # fmt: skip
        return Terms.sum_of(terms, engine, note)

    def cases(self) -> Iterable[Case]:
        for shape, axes, groups, n, affine in CASES:
            width = (shape[0],)
            own = (value("w", "out", width, Role.PARAM), value("b", "out", width, Role.PARAM))
            numbers = (normal(2, shape[0]), normal(3, shape[0]))
            yield Case(
                (value("x", axes, shape), *(own if affine else ())),
                (normal(1, *shape, scale=2) + 1, *(numbers if affine else ())),
                {"epsilon": EPSILON, "groups": groups}, Context(n), str(shape),
            )  # fmt: skip


def saved(shape: Sequence[int], groups: int) -> tuple[Array, Array, Array]:
    """X of a case, with its mean and 1 / standard deviation."""
    x = normal(1, *shape)
    attrs = {"epsilon": EPSILON, "groups": groups}
    _, mean, invstd = GroupNorm().reference((x,), attrs, Context(shape[-1]))
    return x, mean, invstd


@register
class GroupNormDx(OpRule):
    """ins dy, X (C, ..., N), weight (C) or none, mean, invstd (G, N) -> dX. Attribute groups."""

    kind = "groupnorm_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dx", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        groups = groups_of(attrs)
        dy, x = (grouped(a, groups) for a in ins[:2])
        mean, invstd = ins[-2:]
        hat = (x - mean) * invstd
        g = dy * grouped_parameter(ins[2], groups) if len(ins) == 5 else dy
        dx = invstd * (g - g.mean((0, 1)) - hat * (g * hat).mean((0, 1)))
        return (live(ungrouped(dx, ins[0].shape), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        groups, (c, s) = groups_of(op.attrs), (cell[0], cell[-1])
        group = c // (op.ins[0].shape[0] // groups)
        dy, x = (group_at(read(v), groups, group, s) for v in op.ins[:2])
        mean, k = (float(read(v)[group, s]) for v in op.ins[-2:])
        engine, d = float(read(op.out)[cell]), float(read(op.ins[0])[cell])
        scale = 1.0
        factors: tuple[tuple[str, tuple[int, ...], float], ...] = ((op.ins[0].id, cell, d),)
        g = dy
        if len(op.ins) == 5:
            w = read(op.ins[2]).astype(np.float64)
            scale = float(w[c])
            factors = (*factors, (op.ins[2].id, (c,), scale))
            g = dy * np.repeat(w.reshape(groups, -1)[group], dy.size // (len(w) // groups))
        hat = (x - mean) * k
        own = (float(read(op.ins[1])[cell]) - mean) * k
        terms = (
            Term(factors, k * d * scale, "own"),
            Term((), -k * float(g.mean()), "mean gradient"),
            Term((), -k * own * float((g * hat).mean()), "through the variance"),
        )
        note = (
            r"1 / \sigma \, (\gamma \delta - \overline{\gamma \delta}"
            r" - \hat{x} \, \overline{\gamma \delta \hat{x}})"
        )
        return Terms.sum_of(terms, engine, note)

    def cases(self) -> Iterable[Case]:
        for shape, axes, groups, n, affine in CASES:
            x, mean, invstd = saved(shape, groups)
            stats = [value(name, "F N", mean.shape, Role.SAVED) for name in ("mean", "invstd")]
            own = (value("w", "out", (shape[0],), Role.PARAM),) if affine else ()
            yield Case(
                (value("dy", axes, shape, Role.GRAD), value("x", axes, shape), *own, *stats),
                (live(normal(4, *shape), n), x, *((normal(2, shape[0]),) if affine else ()), mean, invstd),
                {"groups": groups}, Context(n), str(shape),
            )  # fmt: skip


@register
class GroupNormDw(OpRule):
    """ins dy, X (C, ..., N), mean, invstd (G, N) -> dweight (C), over cells and live lanes."""

    kind = "groupnorm_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dw", ("out",), ins[0].shape[:1], role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, x = (a.reshape(len(a), -1, a.shape[-1])[..., : ctx.n] for a in ins[:2])
        mean, invstd = (np.repeat(a[:, None, : ctx.n], len(x) // len(a), 0) for a in ins[2:])
        return ((dy * (x - mean) * invstd).sum((1, 2)),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c = cell[0]
        group = c // (op.ins[0].shape[0] // groups_of(op.attrs))
        dy, x = (read(v)[c][..., : ctx.n].astype(np.float64) for v in op.ins[:2])
        mean, invstd = (read(v)[group, : ctx.n].astype(np.float64) for v in op.ins[2:])
        parts = dy * (x - mean) * invstd
        terms = [
            Term(((op.ins[0].id, (c, *at), float(dy[at])),), float(v)) for at, v in np.ndenumerate(parts)
        ]
        note = r"\partial L/\partial \gamma = \sum \delta \hat{x}"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        for shape, axes, groups, n, _ in CASES:
            x, mean, invstd = saved(shape, groups)
            stats = [value(name, "F N", mean.shape, Role.SAVED) for name in ("mean", "invstd")]
            yield Case(
                (value("dy", axes, shape, Role.GRAD), value("x", axes, shape), *stats),
                (live(normal(4, *shape), n), x, mean, invstd), {"groups": groups}, Context(n), str(shape),
            )  # fmt: skip
