"""The matrix of a warp from six numbers about the picture's center, and the way back to those numbers.

The numbers are a, b, tx, c, d, ty of (x', y') = A (x, y) + t with the origin in the middle of the picture;
the warp wants them in pixels from the upper left. Both ways are linear.
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

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def center(attrs: Attrs) -> tuple[float, float]:
    """Column and row of the picture's center; the first pixel's own center is (0, 0)."""
    return (cast(int, attrs["width"]) - 1) / 2, (cast(int, attrs["height"]) - 1) / 2


def linear(attrs: Attrs) -> tuple[Array, Array]:
    """M = L θ + c: L (6, 6) and c (6). `unit` is what 1 of a shift means, in pixels."""
    cx, cy = center(attrs)
    ux, uy = cast("tuple[float, float]", attrs["unit"])
    row_x = [[1, 0, 0], [0, 1, 0], [-cx, -cy, ux]]
    row_y = [[1, 0, 0], [0, 1, 0], [-cx, -cy, uy]]
    none = np.zeros((3, 3))
    matrix = np.block([[np.array(row_x), none], [none, np.array(row_y)]])
    start = np.array([0, 0, cx, 0, 0, cy])
    return matrix, start + matrix @ np.array(IDENTITY) if attrs["identity"] else start


def attributes(height: int, width: int, capacity: int, **more: object) -> dict[str, object]:
    """Attributes of the op: shifts in pixels and no identity unless said otherwise."""
    given = {"height": height, "width": width, "capacity": capacity, "unit": (1.0, 1.0), "identity": False}
    return {**given, **more}


@register
class AffineMatrix(OpRule):
    """ins θ: a parameter (2, 3), or (6, N), or nothing and attribute theta -> matrix (6, N) for a warp.

    With attribute identity the numbers are the difference from the identity.
    """

    kind = "affine_matrix"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("matrix", ("M", "N"), (6, cast(int, attrs["capacity"]))),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        matrix, start = linear(attrs)
        theta = ins[0] if ins else np.array(cast("tuple[float, ...]", attrs["theta"]), np.float32)
        t = theta.dtype
        m = matrix.astype(t) @ theta.reshape(6, -1) + start.astype(t)[:, None]
        return (np.ascontiguousarray(np.broadcast_to(m, (6, cast(int, attrs["capacity"])))),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        if not op.ins or not wanted[0]:
            return tuple(None for _ in wanted)
        assert grads_out[0] is not None
        theta = op.ins[0]
        attrs = {k: op.attrs[k] for k in ("height", "width", "unit", "identity")}
        kind = "affine_matrix_dx" if theta.batched else "affine_matrix_dw"
        return (rec.emit1(kind, (grads_out[0],), rec.grad_name(theta), attrs=attrs),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        k, s = cell
        matrix, start = linear(op.attrs)
        theta: Sequence[float]
        if op.ins:
            given = read(op.ins[0])
            batched = op.ins[0].batched
            theta = [float(v) for v in (given[:, s] if batched else given.reshape(6))]
            places = [(j, s) if batched else (j // 3, j % 3) for j in range(6)]
        else:
            theta, places = cast("tuple[float, ...]", op.attrs["theta"]), []
        terms = [
            Term(
                ((op.ins[0].id, places[j], theta[j]),) if op.ins else (),
                float(matrix[k, j]) * theta[j],
                f"{matrix[k, j]:g}",
            )
            for j in range(6)
            if matrix[k, j]
        ]
        terms.append(Term((), float(start[k]), "center"))
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"M = C \cdot \theta \cdot C^{-1}")

    def cases(self) -> Iterable[Case]:
        start = (0.9, -0.3, 1.5, 0.2, 1.1, -2.0)
        yield Case(
            (value("theta", "out in", (2, 3), Role.PARAM),),
            (normal(1, 2, 3),),
            attributes(7, 9, 33),
            Context(20),
            "parameter",
        )
        yield Case(
            (value("theta", "F N", (6, 7)),),
            (normal(2, 6, 7),),
            attributes(5, 8, 7, unit=(4.0, 2.5), identity=True),
            Context(7),
            "per example",
        )
        yield Case((), (), attributes(6, 5, 3, theta=start), Context(3), "fixed", smooth=False)


class Back(OpRule):
    """The gradient of the numbers from that of the matrix: Lᵀ dM."""

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        matrix, _ = linear(op.attrs)
        d = read(op.ins[0])
        shared = len(op.out.axes) == 2 and not op.out.batched
        j = 3 * cell[0] + cell[1] if shared else cell[0]
        lanes = range(ctx.n) if shared else (cell[1],)
        terms = [
            Term(((op.ins[0].id, (k, s), float(d[k, s])),), float(matrix[k, j]) * float(d[k, s]))
            for s in lanes
            for k in range(6)
            if matrix[k, j]
        ]
        note = r"\partial L/\partial \theta = \sum_k L^T \, \partial L/\partial M^{(k)}"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        attrs = attributes(7, 9, 0, unit=(4.5, 3.5))
        yield Case(
            (value("dm", "M N", (6, 33), Role.GRAD),),
            (live(normal(3, 6, 33), 20),),
            {k: attrs[k] for k in ("height", "width", "unit", "identity")},
            Context(20),
            "20 of 33",
        )


@register
class AffineMatrixDx(Back):
    """ins dM (6, N) -> dθ (6, N)."""

    kind = "affine_matrix_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dx", ("F", "N"), ins[0].shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (live(linear(attrs)[0].astype(ins[0].dtype).T @ ins[0], ctx.n),)


@register
class AffineMatrixDw(Back):
    """ins dM (6, N) -> dθ (2, 3), added up over the live lanes."""

    kind = "affine_matrix_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("dw", ("out", "in"), (2, 3), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        total = ins[0][:, : ctx.n].sum(1)
        return ((linear(attrs)[0].astype(ins[0].dtype).T @ total).reshape(2, 3),)
