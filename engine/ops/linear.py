"""dense: Z = W·X + b, and its gradients dW = δ·Xᵀ, db = row sums of δ, dX = Wᵀ·δ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from engine.ops.base import (
    SIZES,
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


def product_terms(
    a: Value,
    row: Array,
    cells_a: Sequence[tuple[int, ...]],
    b: Value,
    column: Array,
    cells_b: Sequence[tuple[int, ...]],
) -> tuple[Term, ...]:
    """The products of two vectors as terms."""
    return tuple(
        Term(((a.id, ca, float(u)), (b.id, cb, float(v))), float(u) * float(v))
        for u, ca, v, cb in zip(row, cells_a, column, cells_b, strict=True)
    )


def column_at(x: Array, at: Sequence[int]) -> Array:
    """The features of one position of one example."""
    return np.asarray(x.reshape(len(x), -1)[:, np.ravel_multi_index(tuple(at), x.shape[1:])])


@register
class Dense(OpRule):
    """ins W (m, n), X (n, N)[, b (m)] -> z (m, N); of a sequence X (n, T, N) every position: z (m, T, N).

    With attributes t and length it is one position of a recurrence, which multiplies with the same W again
    and again: then dW and db are one product over all positions, and the state before the first needs no δ.
    """

    kind = "dense"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("z", ("F", *ins[1].axes[1:]), (ins[0].shape[0], *ins[1].shape[1:])),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        z = np.tensordot(ins[0], ins[1], 1)
        return (z + ins[2].reshape(-1, *[1] * (z.ndim - 1)) if len(ins) > 2 else z,)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        w, x = op.ins[0], op.ins[1]
        (dz,) = grads_out
        assert dz is not None
        if "t" in op.attrs:
            rec.use(op, dz)
            back = wanted[1] and op.attrs["t"] != 0
            dh = rec.emit1("dense_dx", (w, dz), rec.grad_name(x), attrs=dict(op.attrs)) if back else None
            return None, dh, *([None] if len(op.ins) > 2 else [])
        dx = rec.emit1("dense_dx", (w, dz), rec.grad_name(x)) if wanted[1] else None
        dw = rec.emit1("dense_dw", (dz, x), rec.grad_name(w)) if wanted[0] else None
        if len(op.ins) < 3:
            return dw, dx
        return dw, dx, rec.emit1("sum_samples", (dz,), rec.grad_name(op.ins[2])) if wanted[2] else None

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        i, *at = cell
        w, x = read(op.ins[0]), read(op.ins[1])
        n = w.shape[1]
        cells = [(j, *at) for j in range(n)]
        terms = product_terms(
            op.ins[0], w[i], [(i, j) for j in range(n)], op.ins[1], column_at(x, at), cells
        )
        if len(op.ins) > 2:
            b = float(read(op.ins[2])[i])
            terms += (Term(((op.ins[2].id, (i,), b),), b, "bias"),)
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"z_{ik} = \sum_j w_{ij} x_{jk} + b_i")

    def cases(self) -> Iterable[Case]:
        for n_in, n_out, k in [(a, b, c) for a in SIZES for b in (1, 10) for c in (1, 7, 33)]:
            arrays = (normal(1, n_out, n_in), normal(2, n_in, k), normal(3, n_out))
            yield Case(
                (
                    value("w", "out in", (n_out, n_in), Role.PARAM),
                    value("x", "F N", (n_in, k)),
                    value("b", "out", (n_out,), Role.PARAM),
                ),
                arrays,
                {},
                Context(k),
                f"{n_out}x{n_in}x{k}",
            )
        yield Case(
            (value("w", "out in", (4, 3), Role.PARAM), value("x", "F N", (3, 16))),
            (normal(1, 4, 3), normal(2, 3, 16)),
            {},
            Context(16),
            "no bias",
        )
        yield Case(
            (
                value("w", "out in", (6, 5), Role.PARAM),
                value("x", "F T N", (5, 3, 7)),
                value("b", "out", (6,), Role.PARAM),
            ),
            (normal(1, 6, 5), normal(2, 5, 3, 7), normal(3, 6)),
            {},
            Context(7),
            "sequence",
        )


@register
class DenseDx(OpRule):
    """ins W (m, n), δ (m, N) -> dX (n, N) = Wᵀ·δ; of a sequence every position."""

    kind = "dense_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        shape = (ins[0].shape[1], *ins[1].shape[1:])
        return (Out("dx", ("F", *ins[1].axes[1:]), shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (live(np.tensordot(ins[0].T, ins[1], 1), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        j, *at = cell
        w, d = read(op.ins[0]), read(op.ins[1])
        terms = product_terms(
            op.ins[0],
            w[:, j],
            [(i, j) for i in range(len(w))],
            op.ins[1],
            column_at(d, at),
            [(i, *at) for i in range(len(w))],
        )
        return Terms.sum_of(
            terms, float(read(op.out)[cell]), r"\partial L/\partial x_{jk} = \sum_i w_{ij} \delta_{ik}"
        )

    def cases(self) -> Iterable[Case]:
        for n_in, n_out, k, n in [(1, 1, 1, 1), (7, 33, 16, 16), (33, 7, 33, 20), (5, 3, 7, 7)]:
            yield Case(
                (value("w", "out in", (n_out, n_in), Role.PARAM), value("d", "F N", (n_out, k), Role.GRAD)),
                (normal(1, n_out, n_in), live(normal(2, n_out, k), n)),
                {},
                Context(n),
                f"{n_out}x{n_in}x{k}",
            )
        yield Case(
            (value("w", "out in", (6, 5), Role.PARAM), value("d", "F T N", (6, 3, 7), Role.GRAD)),
            (normal(1, 6, 5), live(normal(2, 6, 3, 7), 5)),
            {},
            Context(5),
            "sequence",
        )


@register
class DenseDw(OpRule):
    """ins δ (m, N), X (n, N) -> dW (m, n) = δ·Xᵀ over the live lanes and the positions of a sequence."""

    kind = "dense_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dw", ("out", "in"), (ins[0].shape[0], ins[1].shape[0]), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        d, x = (a[..., : ctx.n].reshape(len(a), -1) for a in ins)
        return (d @ x.T,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        i, j = cell
        d, x = read(op.ins[0])[i, ..., : ctx.n], read(op.ins[1])[j, ..., : ctx.n]
        places = list(np.ndindex(*d.shape))
        cells = [(i, *at) for at in places], [(j, *at) for at in places]
        terms = product_terms(op.ins[0], d.ravel(), cells[0], op.ins[1], x.ravel(), cells[1])
        return Terms.sum_of(
            terms, float(read(op.out)[cell]), r"\partial L/\partial w_{ij} = \sum_k \delta_{ik} x_{jk}"
        )

    def cases(self) -> Iterable[Case]:
        for m, n_in, k, n, poison in [
            (1, 1, 1, 1, 0.0),
            (33, 7, 33, 33, 0.0),
            (7, 33, 32, 20, 1e30),
            (10, 5, 16, 7, 1e30),
            (3, 65, 7, 7, 0.0),
        ]:
            yield Case(
                (value("d", "F N", (m, k), Role.GRAD), value("x", "F N", (n_in, k))),
                (live(normal(1, m, k), n), fill(normal(2, n_in, k), n, poison)),
                {},
                Context(n),
                f"{m}x{n_in}x{k}, {n} live",
            )
        yield Case(
            (value("d", "F T N", (6, 3, 7), Role.GRAD), value("x", "F T N", (5, 3, 7))),
            (live(normal(1, 6, 3, 7), 5), fill(normal(2, 5, 3, 7), 5, 1e30)),
            {},
            Context(5),
            "sequence, 5 live",
        )


@register
class SumSamples(OpRule):
    """ins δ (C, ..., N) -> (C,): sum over everything but the first axis, live lanes only."""

    kind = "sum_samples"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("db", ("out",), (ins[0].shape[0],), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        d = ins[0][..., : ctx.n]
        return (d.reshape(d.shape[0], -1).sum(1),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        d = read(op.ins[0])[..., : ctx.n][cell[0]]
        terms = tuple(
            Term(((op.ins[0].id, (cell[0], *at), float(v)),), float(v)) for at, v in np.ndenumerate(d)
        )
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"\partial L/\partial b_i = \sum_k \delta_{ik}")

    def cases(self) -> Iterable[Case]:
        yield Case(
            (value("d", "F N", (7, 33), Role.GRAD),), (live(normal(1, 7, 33), 33),), {}, Context(33), "vector"
        )
        yield Case((value("d", "F N", (1, 1), Role.GRAD),), (normal(1, 1, 1),), {}, Context(1), "one cell")
        yield Case(
            (value("d", "C H W N", (3, 5, 4, 16), Role.GRAD),),
            (live(normal(2, 3, 5, 4, 16), 7),),
            {},
            Context(7),
            "maps, 7 live",
        )
