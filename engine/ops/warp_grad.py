"""The way back through a bilinear affine warp: to the picture, and to the matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from engine.ops.data import RandomAffine
from engine.ops.warp import folded, source_points, spread, taps
from engine.values import Op, Role, Value


def reading(m: Array, height: int, width: int, dtype: object = np.float64) -> Iterator[tuple[Array, ...]]:
    """(rows, columns, weights) of each of the four pixels that every output pixel reads."""
    px, py = source_points(m.astype(np.float64), height, width)
    (x0, across), (y0, down) = spread(px, "bilinear", dtype), spread(py, "bilinear", dtype)
    for i, wy in enumerate(down):
        for j, wx in enumerate(across):
            yield y0 + i, x0 + j, wy * wx


def slopes(x: Array, m: Array, border: str) -> tuple[Array, Array, Array, Array]:
    """How every output pixel changes with the column and row it reads at, (C, H, W), and these places."""
    px, py = source_points(m.astype(np.float64), *x.shape[1:])
    (x0, (_, fx)), (y0, (_, fy)) = spread(px, "bilinear", x.dtype), spread(py, "bilinear", x.dtype)
    corner = [[taps(x, y0 + i, x0 + j, border) for j in (0, 1)] for i in (0, 1)]
    along = (1 - fy) * (corner[0][1] - corner[0][0]) + fy * (corner[1][1] - corner[1][0])
    down = (1 - fx) * (corner[1][0] - corner[0][0]) + fx * (corner[1][1] - corner[0][1])
    return along, down, px, py


def from_source(m: Array, sums: Array) -> Array:
    """dM (6) from the sums of g · (px, py, 1) for both directions g, (2, 3): p = A⁻¹ (x - t)."""
    a, b, _, c, d, _ = m.astype(np.float64)
    det = a * d - b * c
    if det == 0:
        return np.zeros(6)
    back = np.array([[d, -c], [-b, a]]) / det
    return np.asarray(-(back @ sums).reshape(6))


@register
class AffineWarpDx(OpRule):
    """ins dy (C, H, W, N), M (6, N) -> dx: every output pixel gives its gradient to the four it read."""

    kind = "affine_warp_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dx", ins[0].axes, ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, m = ins
        _, h, w, _ = dy.shape
        dx = np.zeros_like(dy)
        for s in range(ctx.n):
            for row, column, weight in reading(m[:, s], h, w, dy.dtype):
                inside, r, q = folded(row, column, (h, w), cast(str, attrs["border"]))
                for c, part in enumerate(weight * inside * dy[..., s]):
                    np.add.at(dx[c, :, :, s], (r, q), part)
        return (dx,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c, row, column, s = cell
        dy, m = read(op.ins[0])[c, :, :, s], read(op.ins[1])[:, s]
        terms = []
        for rows, columns, weights in reading(m, *dy.shape):
            inside, r, q = folded(rows, columns, dy.shape, cast(str, op.attrs["border"]))
            for y, x in np.argwhere(inside & (r == row) & (q == column)):
                v, weight = float(dy[y, x]), float(weights[y, x])
                terms.append(
                    Term(((op.ins[0].id, (c, int(y), int(x), s), v),), weight * v, f"{weight:.4f}")
                )
        note = r"\partial L/\partial x(q) = \sum_p w_{pq} \, \partial L/\partial y(p)"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        for (c, h, w, n), alive, border in WAYS:
            yield Case(
                (value("dy", "C H W N", (c, h, w, n), Role.GRAD), value("m", "M N", (6, n))),
                (live(normal(4, c, h, w, n), alive), fill(matrices(h, w, n), alive, 1e15)),
                {"border": border},
                Context(alive),
                f"{c}x{h}x{w}x{n} {border}",
            )


@register
class AffineWarpDw(OpRule):
    """ins dy, X (C, H, W, N), M (6, N) -> dM (6, N): through the places p = M⁻¹ that were read."""

    kind = "affine_warp_dw"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dw", ins[2].axes, ins[2].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, x, m = ins
        out = np.zeros_like(m)
        for s in range(ctx.n):
            along, down, px, py = slopes(x[..., s], m[:, s], cast(str, attrs["border"]))
            g = [(dy[..., s] * slope).sum(0) for slope in (along, down)]
            sums = np.array([[(part * p).sum() for p in (px, py, np.ones_like(px))] for part in g])
            out[:, s] = from_source(m[:, s], sums)
        return (out,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        k, s = cell
        dy, x, m = read(op.ins[0])[..., s], read(op.ins[1])[..., s], read(op.ins[2])[:, s]
        along, down, px, py = slopes(x.astype(np.float64), m, cast(str, op.attrs["border"]))
        place = (px, py, np.ones_like(px))[k % 3]
        terms = []
        for at in np.ndindex(*dy.shape):
            sums = np.zeros((2, 3))
            sums[:, k % 3] = np.array([along[at], down[at]]) * place[at[1:]]
            share = float(from_source(m, sums)[k])
            v = float(dy[at])
            terms.append(Term(((op.ins[0].id, (*at, s), v),), v * share, f"{share:.4f}"))
        note = r"\partial L/\partial M = -\sum_p \delta(p) \, A^{-T} \nabla x(q) \, (q, 1)^T, \; q = M^{-1} p"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        for (c, h, w, n), alive, border in WAYS[:1]:
            yield Case(
                (
                    value("dy", "C H W N", (c, h, w, n), Role.GRAD),
                    value("x", "C H W N", (c, h, w, n)),
                    value("m", "M N", (6, n)),
                ),
                (live(normal(4, c, h, w, n), alive), normal(5, c, h, w, n), matrices(h, w, n)),
                {"border": border},
                Context(alive),
                f"{c}x{h}x{w}x{n} {border}",
            )


WAYS = (((3, 7, 9, 7), 5, "zero"), ((2, 4, 6, 3), 3, "reflect"))
"""Shape, live examples, border."""


def matrices(height: int, width: int, n: int) -> Array:
    """Maps that turn, scale and shift a little."""
    controls = {"rotation": 20.0, "scale": 15.0, "shift": 1.5}
    attrs = {"height": height, "width": width, "capacity": n}
    (m,) = RandomAffine().reference((), attrs, Context(n, controls, seed=6, step=2, stream=3))
    return m
