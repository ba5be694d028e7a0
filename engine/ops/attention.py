"""Attention: the products of every position with every other, head by head, and shares over them.

Rows F = heads · d of a sequence belong to the heads in turn. Source: Vaswani et al. 2017.
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
    fill,
    live,
    normal,
    register,
    value,
)
from engine.ops.linear import product_terms
from engine.values import Op, Role, Value

MAPS = ("C", "H", "W", "N")
"""One T x T matrix per head: rows ask, columns are asked."""


def by_heads(x: Array, heads: int) -> Array:
    """(F, T, N) as (heads, d, T, N)."""
    return x.reshape(heads, -1, *x.shape[1:])


def _role(ins: Sequence[Value]) -> Role:
    """What is made from a gradient is one."""
    return Role.GRAD if any(v.role is Role.GRAD for v in ins) else Role.ACT


@register
class HeadsScores(OpRule):
    """ins A (F, I, N), B (F, J, N) -> S (heads, I, J, N): scale · sum over d of a_{h d i} b_{h d j}.

    Attributes heads, scale.
    """

    kind = "heads_scores"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        a, b = ins
        return (Out("scores", MAPS, (cast(int, attrs["heads"]), a.shape[1], *b.shape[1:]), role=_role(ins)),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        a, b = (by_heads(x, cast(int, attrs["heads"])) for x in ins)
        return (np.einsum("hdin,hdjn->hijn", a, b) * a.dtype.type(cast(float, attrs["scale"])),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        (ds,), (a, b) = grads_out, op.ins
        assert ds is not None
        attrs = dict(op.attrs)
        da = rec.emit1("heads_mix", (ds, b), rec.grad_name(a), attrs={**attrs, "turned": False})
        db = rec.emit1("heads_mix", (ds, a), rec.grad_name(b), attrs={**attrs, "turned": True})
        return da if wanted[0] else None, db if wanted[1] else None

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        h, i, j, s = cell
        a, b = (read(v) for v in op.ins)
        size = len(a) // cast(int, op.attrs["heads"])
        rows = range(h * size, (h + 1) * size)
        plain = product_terms(
            op.ins[0], a[rows.start : rows.stop, i, s], [(r, i, s) for r in rows],
            op.ins[1], b[rows.start : rows.stop, j, s], [(r, j, s) for r in rows],
        )  # fmt: skip
        terms = _scaled(plain, cast(float, op.attrs["scale"]))
        note = r"s_{i j} = \frac{1}{\sqrt{d}} \sum_d q_{d i} k_{d j}"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        yield Case(
            (value("a", "F T N", (6, 3, 7)), value("b", "F T N", (6, 4, 7))),
            (normal(1, 6, 3, 7), normal(2, 6, 4, 7)), {"heads": 2, "scale": 0.5}, Context(7), "6x3x4x7",
        )  # fmt: skip


@register
class HeadsMix(OpRule):
    """ins P (heads, I, J, N), V (F, J, N) -> y (F, I, N): scale · sum over j of p_{h i j} v_{h d j}.

    With attribute turned P stands transposed: V is (F, I, N), y (F, J, N). Attributes heads, scale, turned.
    """

    kind = "heads_mix"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        p, v = ins
        length = p.shape[2 if attrs["turned"] else 1]
        return (Out("mix", v.axes, (v.shape[0], length, v.shape[2]), role=_role(ins)),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        p, v = ins[0], by_heads(ins[1], cast(int, attrs["heads"]))
        how = "hijn,hdin->hdjn" if attrs["turned"] else "hijn,hdjn->hdin"
        y = np.einsum(how, p, v) * p.dtype.type(cast(float, attrs["scale"]))
        return (y.reshape(ins[1].shape[0], *y.shape[2:]),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        (dy,), (p, v) = grads_out, op.ins
        assert dy is not None
        heads = {"heads": op.attrs["heads"], "scale": op.attrs["scale"]}
        pair = (v, dy) if op.attrs["turned"] else (dy, v)
        dp = rec.emit1("heads_scores", pair, rec.grad_name(p), attrs=heads)
        back = {**heads, "turned": not op.attrs["turned"]}
        dv = rec.emit1("heads_mix", (p, dy), rec.grad_name(v), attrs=back)
        return dp if wanted[0] else None, dv if wanted[1] else None

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        r, at, s = cell
        p, v = (read(x) for x in op.ins)
        h = r // (len(v) // cast(int, op.attrs["heads"]))
        column = p[h, :, at, s] if op.attrs["turned"] else p[h, at, :, s]
        places = [(h, j, at, s) if op.attrs["turned"] else (h, at, j, s) for j in range(len(column))]
        plain = product_terms(
            op.ins[0], column, places, op.ins[1], v[r, :, s], [(r, j, s) for j in range(len(column))]
        )
        terms = _scaled(plain, cast(float, op.attrs["scale"]))
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"y_{d i} = \sum_j p_{i j} v_{d j}")

    def cases(self) -> Iterable[Case]:
        for (width, i, j, n), heads, turned in [((6, 3, 4, 7), 2, False), ((5, 4, 3, 16), 1, True)]:
            yield Case(
                (value("p", "C H W N", (heads, i, j, n)),
                 value("v", "F T N", (width, i if turned else j, n))),
                (normal(1, heads, i, j, n), normal(2, width, i if turned else j, n)),
                {"heads": heads, "scale": 0.7, "turned": turned}, Context(n), f"{width}x{i}x{j}x{n} {turned}",
            )  # fmt: skip


def _scaled(terms: Sequence[Term], scale: float) -> tuple[Term, ...]:
    return tuple(Term(t.factors, scale * t.value, "" if scale == 1 else "scaled") for t in terms)


@register
class SoftmaxRows(OpRule):
    """ins S (heads, I, J, N) -> P: shares over j that add up to 1. With causal only j up to i count."""

    kind = "softmax_rows"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("weights", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (s,) = ins
        seen = np.tri(s.shape[1], s.shape[2], dtype=bool)[None, :, :, None] if attrs["causal"] else True
        most = np.max(s, 2, keepdims=True, where=seen, initial=-np.inf)
        e = np.where(seen, np.exp(np.where(seen, s - most, 0)), 0)
        return ((e / e.sum(2, keepdims=True)).astype(s.dtype),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        return (rec.emit1("softmax_rows_grad", (grads_out[0], op.out), rec.grad_name(op.ins[0])),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        h, i, j, s = cell
        engine = float(read(op.out)[cell])
        count = i + 1 if op.attrs["causal"] else op.out.shape[2]
        if j >= count:
            return Terms("function", (Term((), 0.0, "later"),), 0.0, engine, r"p_{i j} = 0, \; j > i")
        z = read(op.ins[0])[h, i, :count, s].astype(np.float64)
        e = np.exp(z - z.max())
        terms = tuple(
            Term(((op.ins[0].id, (h, i, k, s), float(z[k])),), float(e[k]), "numerator" if k == j else "")
            for k in range(count)
        )
        note = r"p_{i j} = e^{s_{i j}} / \sum_k e^{s_{i k}}"
        return Terms("share", terms, float(e[j] / e.sum()), engine, note)

    def cases(self) -> Iterable[Case]:
        for shape, causal in [((2, 4, 4, 7), True), ((1, 3, 5, 33), False)]:
            yield Case(
                (value("s", "C H W N", shape),), (normal(1, *shape, scale=3),), {"causal": causal},
                Context(shape[-1]), f"{shape} {'causal' if causal else 'all'}",
            )  # fmt: skip


@register
class SoftmaxRowsGrad(OpRule):
    """ins dP, P (heads, I, J, N) -> dS = P ⊙ (dP - sum over j of dP P)."""

    kind = "softmax_rows_grad"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dscores", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dp, p = ins
        return (live(p * (dp - (dp * p).sum(2, keepdims=True)), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        h, i, j, s = cell
        dp, p = (read(v)[h, i, :, s].astype(np.float64) for v in op.ins)
        terms = tuple(
            Term(
                ((op.ins[0].id, (h, i, k, s), dp[k]), (op.ins[1].id, (h, i, k, s), p[k])),
                float(dp[k] * p[j] * (float(j == k) - p[k])),
            )
            for k in range(len(dp))
        )
        note = r"\partial L/\partial s_{i j} = \sum_k \delta_{i k} \, p_{i j} (1_{j k} - p_{i k})"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        shape, n = (2, 4, 4, 7), 5
        (p,) = SoftmaxRows().reference((normal(1, *shape),), {"causal": False}, Context(n))
        yield Case(
            (value("dp", "C H W N", shape, Role.GRAD), value("p", "C H W N", shape)),
            (live(normal(2, *shape), n), fill(p, n, 1e15)), {}, Context(n), str(shape),
        )  # fmt: skip
