"""Cross-entropy with label smoothing and class weights, as PyTorch defines it.

With smoothing ε over F classes of weights w, an example of class y has the targets
q_c = (1 - ε) w_y [c = y] + ε w_c / F, and its loss is -Σ_c q_c ln p_c. The mean of a batch divides by the sum
of its examples' weights w_y, not by their number.
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
    Term,
    Terms,
    fill,
    live,
    normal,
    register,
    value,
)
from engine.ops.losses import labels
from engine.values import Op, Role, Value


def class_weights(attrs: Attrs) -> Array:
    return np.array(cast("tuple[float, ...]", attrs["weights"]), np.float64)


def smoothing(attrs: Attrs) -> float:
    return cast(float, attrs["smoothing"])


def targets(attrs: Attrs, y: Array, kind: np.dtype[np.floating]) -> Array:
    """q (F, N) for the labels of a batch."""
    w, eps = class_weights(attrs).astype(kind), smoothing(attrs)
    hit = np.arange(len(w))[:, None] == y[None, :]
    even = w * kind.type(eps / len(w))
    return np.asarray(np.where(hit, (w * kind.type(1 - eps) + even)[:, None], even[:, None]), kind)


@register
class ClassWeights(OpRule):
    """ins labels (N) -> w (N), mass (): each live example's weight, and their sum. Attribute weights."""

    kind = "class_weights"
    reduces_samples = True
    differentiable = False

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("w", ("N",), ins[0].shape, role=Role.SAVED), Out("mass", (), (), role=Role.SCALAR))

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        w = live(class_weights(attrs)[ins[0]].astype(np.float32), ctx.n)
        return w, np.asarray(w[: ctx.n].sum(), np.float32).reshape(())

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        y, w = read(op.ins[0]), class_weights(op.attrs)
        if out == 0:
            number = float(w[int(y[cell])])
            term = Term(((op.ins[0].id, cell, float(y[cell])),), number)
            return Terms("function", (term,), number, float(read(op.outs[0])[cell]), r"w = w_{y}")
        held = read(op.outs[0])
        terms = [Term(((op.outs[0].id, (s,), float(held[s])),), float(held[s])) for s in range(ctx.n)]
        return Terms.sum_of(terms, read(op.outs[1]).item(), r"m = \sum_s w_{y_s}")

    def cases(self) -> Iterable[Case]:
        for classes, n, alive in ((3, 33, 33), (7, 16, 5)):
            yield Case(
                (value("y", "N", (n,), Role.INPUT, "i32"),),
                (labels(2, classes, n),),
                {"weights": tuple(0.5 + 0.3 * c for c in range(classes))},
                Context(alive),
                f"{classes} classes, {alive} live",
                smooth=False,
            )


def _attrs(rows: int) -> Attrs:
    return {"smoothing": 0.1, "weights": tuple(0.5 + 0.3 * c for c in range(rows))}


SIZES = ((1, 1, 1), (10, 33, 33), (7, 16, 5))


@register
class WeightedXent(OpRule):
    """ins Z (F, N), labels (N), w (N), mass () -> p (F, N), loss (). Attributes smoothing, weights."""

    kind = "weighted_xent"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("p", ins[0].axes, ins[0].shape, role=Role.SAVED), Out("loss", (), (), role=Role.SCALAR))

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        z, y, _, mass = ins
        z = z - z.max(0, keepdims=True)
        e = np.exp(z)
        total = e.sum(0)
        losses = (targets(attrs, y, z.dtype) * (np.log(total) - z))[:, : ctx.n].sum()
        return e / total, np.asarray(losses / mass, z.dtype).reshape(())

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        z, y = read(op.ins[0]).astype(np.float64), read(op.ins[1])
        if out == 0:
            i, s = cell
            e = np.exp(z[:, s] - z[:, s].max())
            terms = tuple(
                Term(((op.ins[0].id, (j, s), float(z[j, s])),), float(e[j]), "numerator" if j == i else "")
                for j in range(len(z))
            )
            note = r"p_i = e^{z_i} / \sum_j e^{z_j}"
            return Terms("share", terms, float(e[i] / e.sum()), float(read(op.outs[0])[cell]), note)
        q, mass = targets(op.attrs, y, np.dtype(np.float64)), read(op.ins[3]).item()
        parts = []
        for s in range(ctx.n):
            column = z[:, s] - z[:, s].max()
            loss = float((q[:, s] * (np.log(np.exp(column).sum()) - column)).sum())
            parts.append(Term(((op.ins[0].id, (int(y[s]), s), float(z[y[s], s])),), loss / mass))
        note = r"L = -\frac{1}{m} \sum_s \sum_c q_{cs} \ln p_{cs}"
        return Terms.sum_of(parts, read(op.outs[1]).item(), note)

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in SIZES:
            y = labels(2, rows, n)
            w = class_weights(_attrs(rows))[y] * (np.arange(n) < alive)
            yield Case(
                (
                    value("z", "F N", (rows, n)),
                    value("y", "N", (n,), Role.INPUT, "i32"),
                    value("w", "N", (n,), Role.SAVED),
                    value("m", "", (), Role.SCALAR),
                ),
                (fill(normal(1, rows, n, scale=3), alive, 1e30), y, w, np.asarray(w.sum())),
                _attrs(rows),
                Context(alive),
                f"{rows}x{n}, {alive} live",
            )


@register
class WeightedXentGrad(OpRule):
    """ins p (F, N), labels (N), w (N), mass () -> dZ = (p Σ q - q) / mass. Attributes as above."""

    kind = "weighted_xent_grad"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dz", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        p, y, _, mass = ins
        q = targets(attrs, y, p.dtype)
        return (live((p * q.sum(0) - q) / mass.astype(p.dtype), ctx.n).astype(p.dtype),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        p, y, mass = float(read(op.ins[0])[cell]), read(op.ins[1]), read(op.ins[3]).item()
        q = targets(op.attrs, y[cell[1] : cell[1] + 1], np.dtype(np.float64))[:, 0]
        v = float((p * q.sum() - q[cell[0]]) / mass)
        label = (op.ins[1].id, (cell[1],), float(y[cell[1]]))
        factors = ((op.ins[0].id, cell, p), label, (op.ins[3].id, (), mass))
        return Terms(
            "function",
            (Term(factors, v),),
            v,
            float(read(op.out)[cell]),
            r"\partial L/\partial z = \frac{1}{m} (p \sum_c q_c - q)",
        )

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in SIZES:
            p = np.random.default_rng(1).dirichlet(np.ones(rows), n).T
            y = labels(2, rows, n)
            w = class_weights(_attrs(rows))[y] * (np.arange(n) < alive)
            yield Case(
                (
                    value("p", "F N", (rows, n), Role.SAVED),
                    value("y", "N", (n,), Role.INPUT, "i32"),
                    value("w", "N", (n,), Role.SAVED),
                    value("m", "", (), Role.SCALAR),
                ),
                (p, y, w, np.asarray(w.sum())),
                _attrs(rows),
                Context(alive),
                f"{rows}x{n}, {alive} live",
            )
