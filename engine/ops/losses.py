"""Losses and what they need: targets from labels, mean squared error, cross-entropy from logits, hits.

MSE is the mean over all F·n entries; cross-entropy uses the natural logarithm, mean over the n examples.
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
from engine.values import Op, Role, Value


def labels(seed: int, classes: int, n: int) -> Array:
    """Repeatable class labels for cases, int32."""
    return np.random.default_rng(seed).integers(0, classes, n).astype(np.int32)


@register
class EncodeLabels(OpRule):
    """ins labels (N) -> target (units, N): attribute "on" in the label's row, "off" elsewhere.

    With one unit: on for label 1, off for label 0. Attributes units, off, on.
    """

    kind = "encode_labels"
    differentiable = False

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("target", ("F", "N"), (cast(int, attrs["units"]), ins[0].shape[-1]), role=Role.SAVED),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        units = cast(int, attrs["units"])
        first = 1 if units == 1 else 0
        hit = np.arange(first, first + units)[:, None] == ins[0][None, :]
        out = np.where(hit, np.float32(cast(float, attrs["on"])), np.float32(cast(float, attrs["off"])))
        out[:, ctx.n :] = 0
        return (out.astype(np.float32),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        label = int(read(op.ins[0])[cell[1]])
        hit = label == (1 if op.attrs["units"] == 1 else cell[0])
        v = float(cast(float, op.attrs["on" if hit else "off"]))
        return Terms(
            "function", (Term(((op.ins[0].id, (cell[1],), float(label)),), v),), v, float(read(op.out)[cell])
        )

    def cases(self) -> Iterable[Case]:
        yield Case(
            (value("y", "N", (7,), Role.INPUT, "i32"),),
            (labels(1, 10, 7),),
            {"units": 10, "off": 0.0, "on": 1.0},
            Context(5),
            "one-hot",
            smooth=False,
        )
        yield Case(
            (value("y", "N", (33,), Role.INPUT, "i32"),),
            (labels(2, 2, 33),),
            {"units": 1, "off": -1.0, "on": 1.0},
            Context(33),
            "signed",
            smooth=False,
        )


@register
class MSE(OpRule):
    """ins ŷ, y (F, N) -> loss (): (1 / (F n)) sum (ŷ - y)²."""

    kind = "mse"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("loss", (), (), role=Role.SCALAR),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        e = ins[0][:, : ctx.n] - ins[1][:, : ctx.n]
        return (np.asarray((e * e).mean(), ins[0].dtype),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        y, t = (read(v)[:, : ctx.n].astype(np.float64) for v in op.ins)
        terms = tuple(
            Term(
                ((op.ins[0].id, at, float(y[at])), (op.ins[1].id, at, float(t[at]))),
                float((y[at] - t[at]) ** 2 / y.size),
            )
            for at in np.ndindex(*y.shape)
        )
        return Terms.sum_of(terms, float(read(op.out)[()]), r"L = \frac{1}{N} \sum (y - \hat{y})^2")

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in [(1, 1, 1), (3, 33, 33), (2, 16, 7)]:
            yield Case(
                (value("y", "F N", (rows, n)), value("t", "F N", (rows, n), Role.SAVED)),
                (fill(normal(1, rows, n), alive, 1e30), fill(normal(2, rows, n), alive, 1e30)),
                {},
                Context(alive),
                f"{rows}x{n}, {alive} live",
            )


@register
class MSEGrad(OpRule):
    """ins ŷ, y (F, N) -> dŷ = 2 (ŷ - y) / (F n)."""

    kind = "mse_grad"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dy", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        factor = ins[0].dtype.type(2.0 / (ins[0].shape[0] * ctx.n))
        return (live((ins[0] - ins[1]) * factor, ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        y, t = float(read(op.ins[0])[cell]), float(read(op.ins[1])[cell])
        v = 2 * (y - t) / (op.ins[0].shape[0] * ctx.n)
        return Terms(
            "function",
            (Term(((op.ins[0].id, cell, y), (op.ins[1].id, cell, t)), v),),
            v,
            float(read(op.out)[cell]),
            r"\partial L/\partial \hat{y} = -\frac{2}{N} (y - \hat{y})",
        )

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in [(1, 1, 1), (3, 33, 33), (2, 16, 7)]:
            yield Case(
                (value("y", "F N", (rows, n)), value("t", "F N", (rows, n), Role.SAVED)),
                (normal(1, rows, n), normal(2, rows, n)),
                {},
                Context(alive),
                f"{rows}x{n}, {alive} live",
            )


@register
class SoftmaxCrossEntropy(OpRule):
    """ins Z (F, N), labels (N) -> p (F, N), loss (): mean of -ln p[label] over the live examples."""

    kind = "softmax_xent"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("p", ins[0].axes, ins[0].shape, role=Role.SAVED), Out("loss", (), (), role=Role.SCALAR))

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        z, y = ins
        z = z - z.max(0, keepdims=True)
        e = np.exp(z)
        total = e.sum(0)
        lanes = np.arange(ctx.n)
        losses = np.log(total[: ctx.n]) - z[y[: ctx.n], lanes]
        return e / total, np.asarray(losses.mean(), z.dtype)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        z, y = read(op.ins[0]).astype(np.float64), read(op.ins[1])
        if out == 0:
            i, s = cell
            e = np.exp(z[:, s] - z[:, s].max())
            terms = tuple(
                Term(((op.ins[0].id, (j, s), float(z[j, s])),), float(e[j]), "numerator" if j == i else "")
                for j in range(len(z))
            )
            return Terms(
                "share",
                terms,
                float(e[i] / e.sum()),
                float(read(op.outs[0])[cell]),
                r"p_i = e^{z_i} / \sum_j e^{z_j}",
            )
        parts = []
        for s in range(ctx.n):
            column = z[:, s] - z[:, s].max()
            loss = float(np.log(np.exp(column).sum()) - column[y[s]])
            parts.append(Term(((op.ins[0].id, (int(y[s]), s), float(z[y[s], s])),), loss / ctx.n))
        return Terms.sum_of(parts, float(read(op.outs[1])[()]), r"L = -\frac{1}{k} \sum_s \ln p_{y_s s}")

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in [(1, 1, 1), (10, 33, 33), (7, 16, 5)]:
            yield Case(
                (value("z", "F N", (rows, n)), value("y", "N", (n,), Role.INPUT, "i32")),
                (fill(normal(1, rows, n, scale=3), alive, 1e30), labels(2, rows, n)),
                {},
                Context(alive),
                f"{rows}x{n}, {alive} live",
            )


@register
class SoftmaxCrossEntropyGrad(OpRule):
    """ins p (F, N), labels (N) -> dZ = (p - onehot) / n."""

    kind = "softmax_xent_grad"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dz", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        p, y = ins
        hit = np.arange(p.shape[0])[:, None] == y[None, :]
        return (live((p - hit.astype(p.dtype)) * p.dtype.type(1.0 / ctx.n), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        p, y = float(read(op.ins[0])[cell]), int(read(op.ins[1])[cell[1]])
        v = (p - float(y == cell[0])) / ctx.n
        return Terms(
            "function",
            (Term(((op.ins[0].id, cell, p), (op.ins[1].id, (cell[1],), float(y))), v),),
            v,
            float(read(op.out)[cell]),
            r"\partial L/\partial z = \frac{1}{k} (p - y)",
        )

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in [(1, 1, 1), (10, 33, 33), (7, 16, 5)]:
            p = np.random.default_rng(1).dirichlet(np.ones(rows), n).T
            yield Case(
                (value("p", "F N", (rows, n), Role.SAVED), value("y", "N", (n,), Role.INPUT, "i32")),
                (p, labels(2, rows, n)),
                {},
                Context(alive),
                f"{rows}x{n}, {alive} live",
            )


@register
class CountCorrect(OpRule):
    """ins ŷ (F, N), labels (N) -> hits (): live examples whose largest value is in the label's row.

    With one unit: ŷ above the attribute threshold means label 1. Ties take the first row.
    """

    kind = "count_correct"
    reduces_samples = True
    differentiable = False

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("hits", (), (), role=Role.SCALAR),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        y, t = ins[0][:, : ctx.n], ins[1][: ctx.n]
        guess = (y[0] > cast(float, attrs["threshold"])).astype(np.int32) if len(y) == 1 else y.argmax(0)
        return (np.asarray((guess == t).sum(), ins[0].dtype),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        y, t = read(op.ins[0]), read(op.ins[1])
        terms = []
        for s in range(ctx.n):
            guess = (
                int(y[0, s] > cast(float, op.attrs["threshold"])) if len(y) == 1 else int(y[:, s].argmax())
            )
            terms.append(Term(((op.ins[1].id, (s,), float(t[s])),), float(guess == t[s])))
        return Terms("sum", tuple(terms), sum(t.value for t in terms), float(read(op.out)[()]))

    def cases(self) -> Iterable[Case]:
        for rows, n, alive in [(1, 7, 7), (10, 33, 33), (3, 16, 5)]:
            yield Case(
                (value("y", "F N", (rows, n)), value("t", "N", (n,), Role.INPUT, "i32")),
                (fill(normal(1, rows, n), alive, 1e30), labels(2, max(rows, 2), n)),
                {"threshold": 0.0},
                Context(alive),
                f"{rows}x{n}, {alive} live",
                smooth=False,
            )
