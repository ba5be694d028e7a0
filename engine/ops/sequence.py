"""Sequences F x T x N: tokens become vectors, places are added, one value is cut into parts."""

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


def rows_of(tokens: Array, count: int) -> Array:
    """The row of the table each token stands for: rounded, brought into 0 ... count - 1, NaN is 0."""
    with np.errstate(invalid="ignore"):
        whole = np.rint(np.fmax(tokens.astype(np.float64), 0))
    return np.fmin(whole, count - 1).astype(np.int64)


def some_tokens(seed: int, count: int, *shape: int) -> Array:
    """Repeatable tokens, as numbers."""
    return np.random.default_rng(seed).integers(0, count, shape).astype(np.float64)


@register
class Embedding(OpRule):
    """ins table (V, F), tokens (T, N) -> y (F, T, N): the table's row of each token, as a column."""

    kind = "embedding"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("y", ("F", "T", "N"), (ins[0].shape[1], *ins[1].shape)),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        table, tokens = ins
        return (np.ascontiguousarray(np.moveaxis(table[rows_of(tokens, len(table))], -1, 0)),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        table, tokens = op.ins
        attrs = {"count": table.shape[0]}
        dw = rec.emit1("embedding_dw", (tokens, grads_out[0]), rec.grad_name(table), attrs=attrs)
        return dw if wanted[0] else None, None

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        f, t, s = cell
        table = read(op.ins[0])
        row = int(rows_of(read(op.ins[1])[t, s], len(table)))
        v = float(table[row, f])
        term = Term(((op.ins[0].id, (row, f), v),), v)
        return Terms("function", (term,), v, float(read(op.out)[cell]), r"y_{f t} = E_{x_t f}")

    def cases(self) -> Iterable[Case]:
        yield Case(
            (value("table", "out in", (11, 5), Role.PARAM), value("tokens", "F N", (3, 7), Role.INPUT)),
            (normal(1, 11, 5), some_tokens(2, 11, 3, 7)), {}, Context(7), "11x5, 3x7",
        )  # fmt: skip


@register
class EmbeddingDw(OpRule):
    """ins tokens (T, N), δ (F, T, N) -> dE (V, F): each token's δ go to its row. Attribute count = V.

    Summed in the order of time, then of examples: no two add to one number at once.
    """

    kind = "embedding_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dw", ("out", "in"), (cast(int, attrs["count"]), ins[1].shape[0]), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        tokens, d = ins[0][..., : ctx.n], ins[1][..., : ctx.n]
        dw = np.zeros((cast(int, attrs["count"]), len(d)), d.dtype)
        np.add.at(dw, rows_of(tokens, len(dw)).ravel(), d.reshape(len(d), -1).T)
        return (dw,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        row, f = cell
        rows = rows_of(read(op.ins[0])[:, : ctx.n], cast(int, op.attrs["count"]))
        d = read(op.ins[1])
        terms = tuple(
            Term(((op.ins[1].id, (f, int(t), int(s)), float(d[f, t, s])),), float(d[f, t, s]))
            for t, s in np.argwhere(rows == row)
        )
        note = r"\partial L/\partial E_{v f} = \sum_{t, k:\, x_{t k} = v} \delta_{f t k}"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        yield Case(
            (value("tokens", "F N", (4, 33), Role.INPUT), value("d", "F T N", (35, 4, 33), Role.GRAD)),
            (some_tokens(3, 5, 4, 33), live(normal(4, 35, 4, 33), 20)), {"count": 6}, Context(20),
            "6x35, 4x33",
        )  # fmt: skip


@register
class Positions(OpRule):
    """ins X (F, T, N), table (F, T) -> y: the same table is added to every example."""

    kind = "positions"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("y", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0] + ins[1][..., None],)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        (dy,) = grads_out
        assert dy is not None
        dw = rec.emit1("positions_dw", (dy,), rec.grad_name(op.ins[1])) if wanted[1] else None
        return dy if wanted[0] else None, dw

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        x, p = float(read(op.ins[0])[cell]), float(read(op.ins[1])[cell[:2]])
        terms = (Term(((op.ins[0].id, cell, x),), x), Term(((op.ins[1].id, cell[:2], p),), p, "position"))
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"y_{f t} = x_{f t} + p_{f t}")

    def cases(self) -> Iterable[Case]:
        yield Case(
            (value("x", "F T N", (5, 3, 33)), value("table", "out in", (5, 3), Role.PARAM)),
            (normal(1, 5, 3, 33), normal(2, 5, 3)), {}, Context(20), "5x3x33",
        )  # fmt: skip


@register
class PositionsDw(OpRule):
    """ins δ (F, T, N) -> (F, T): added up over the live lanes."""

    kind = "positions_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dw", ("out", "in"), ins[0].shape[:2], role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0][..., : ctx.n].sum(-1),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        d = read(op.ins[0])[cell]
        terms = tuple(Term(((op.ins[0].id, (*cell, s), float(d[s])),), float(d[s])) for s in range(ctx.n))
        note = r"\partial L/\partial p_{f t} = \sum_k \delta_{f t k}"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        yield Case(
            (value("d", "F T N", (3, 7, 33), Role.GRAD),), (live(normal(1, 3, 7, 33), 20),), {}, Context(20),
            "3x7x33",
        )  # fmt: skip


@register
class Split(OpRule):
    """ins X (C, ..., N) -> as many outputs as attribute parts says, each (C / parts, ..., N)."""

    kind = "split"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        parts = cast(int, attrs["parts"])
        shape = (ins[0].shape[0] // parts, *ins[0].shape[1:])
        return tuple(Out(f"part{i + 1}", ins[0].axes, shape) for i in range(parts))

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return tuple(part.copy() for part in np.split(ins[0], cast(int, attrs["parts"])))

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        parts = [g for g in grads_out if g is not None]
        assert len(parts) == len(op.outs), "every part is used"
        return (rec.emit1("concatenate", parts, rec.grad_name(op.ins[0]), role=Role.GRAD),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        at = (cell[0] + out * op.outs[0].shape[0], *cell[1:])
        v = float(read(op.ins[0])[at])
        term = Term(((op.ins[0].id, at, v),), v)
        return Terms("function", (term,), v, float(read(op.outs[out])[cell]), "y = x")

    def cases(self) -> Iterable[Case]:
        yield Case(
            (value("x", "F T N", (6, 3, 7)),), (normal(1, 6, 3, 7),), {"parts": 3}, Context(7), "6x3x7",
        )  # fmt: skip
