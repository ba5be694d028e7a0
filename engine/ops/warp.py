"""The affine warp: every output pixel reads its source between the pixels, through the inverse map."""

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
    normal,
    register,
    value,
)
from engine.ops.data import RandomAffine
from engine.values import Op, Role, Value

BORDERS = ("zero", "edge", "reflect")
METHODS = ("nearest", "bilinear", "bicubic")
CUBIC = -0.75
"""The slope of the cubic kernel at 1, as in OpenCV and PyTorch (others take -0.5)."""
TILTED = (0.9, -0.35, 0.8, 0.3, 1.1, -0.7)
FAR = 1e6
"""Sources farther away than this count as lying there: every tap is border."""


@register
class AffineWarp(OpRule):
    """ins X (C, H, W, N), M (6, N) -> y: each output pixel p is read at M⁻¹ p.

    Attribute border: "zero", "edge" (the border pixel goes on) or "reflect" (mirrored, edge not repeated).
    Attribute interpolation: "nearest" (half-way to the right and down), "bilinear" (the default) or
    "bicubic" (4 x 4 pixels). A singular M gives the border's value at the origin of the picture. Only the
    bilinear warp has a gradient.
    """

    kind = "affine_warp"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("y", ins[0].axes, ins[0].shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        x, m = ins
        _, h, w, n = x.shape
        border, method = cast(str, attrs["border"]), method_of(attrs)
        out = np.zeros_like(x)
        for s in range(n):
            px, py = source_points(m[:, s].astype(np.float64), h, w)
            (x0, across), (y0, down) = spread(px, method, x.dtype), spread(py, method, x.dtype)
            for dy, wy in enumerate(down):
                for dx, wx in enumerate(across):
                    out[:, :, :, s] += wy * wx * taps(x[:, :, :, s], y0 + dy, x0 + dx, border)
        return (out,)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None and method_of(op.attrs) == "bilinear"
        x, m = op.ins
        border = {"border": op.attrs["border"]}
        dx = dm = None
        if wanted[0]:
            dx = rec.emit1("affine_warp_dx", (grads_out[0], m), rec.grad_name(x), attrs=border)
        if wanted[1]:
            dm = rec.emit1("affine_warp_dw", (grads_out[0], x, m), rec.grad_name(m), attrs=border)
        return dx, dm

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c, row, col, s = cell
        x, m = read(op.ins[0]), read(op.ins[1])[:, s].astype(np.float64)
        terms = []
        for yy, xx, weight in weighted_taps(m, row, col, method_of(op.attrs)):
            at = np.array([[yy]]), np.array([[xx]])
            v = float(taps(x[:, :, :, s], *at, cast(str, op.attrs["border"]))[c, 0, 0])
            terms.append(Term(((op.ins[0].id, (c, yy, xx, s), v),), weight * v, f"{weight:.4f}"))
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"y(p) = x(M^{-1} p)")

    def cases(self) -> Iterable[Case]:
        sizes = [(1, 28, 28, 33), (1, 1, 1, 1)]
        kinds: list[tuple[tuple[int, int, int, int], str | None]] = [(size, None) for size in sizes]
        kinds += [((3, 7, 9, 7), "nearest"), ((1, 1, 1, 1), "nearest")]
        # one pixel under the flat end of the cubic kernel is nothing but rounding
        kinds += [((3, 7, 9, 7), "bicubic"), ((2, 11, 13, 1), "bicubic")]
        for (c, h, w, n), method in kinds:
            (m,) = RandomAffine().reference(
                (),
                {"height": h, "width": w, "capacity": n},
                Context(n, {"rotation": 20.0, "scale": 15.0, "shift": 2.5}, seed=1, step=2, stream=3),
            )
            for border in BORDERS:
                yield Case(
                    (value("x", "C H W N", (c, h, w, n)), value("m", "M N", (6, n), Role.SAVED)),
                    (normal(1, c, h, w, n), m),
                    {"border": border} if method is None else {"border": border, "interpolation": method},
                    Context(n),
                    f"{c}x{h}x{w}x{n} {border} {method or ''}".rstrip(),
                    smooth=False,
                )
        for border in BORDERS:  # few pixels, so that none is read right at another one's center
            yield Case(
                (value("x", "C H W N", (2, 4, 5, 7)), value("m", "M N", (6, 7))),
                (normal(1, 2, 4, 5, 7), np.array(TILTED)[:, None] + 0.02 * normal(2, 6, 7)),
                {"border": border},
                Context(7),
                f"tilted {border}",
            )


def method_of(attrs: Attrs) -> str:
    """How an op reads between pixels."""
    return cast(str, attrs.get("interpolation", "bilinear"))


def source_of(m: Array, x: Array | float, y: Array | float) -> tuple[Array, Array]:
    """Column and row of the source of output pixels: M⁻¹ (x, y), for M as (a, b, tx, c, d, ty)."""
    a, b, tx, c, d, ty = m
    det = a * d - b * c
    inverse = np.divide(1.0, det, out=np.zeros_like(det), where=det != 0)
    u, v = x - tx, y - ty
    px, py = (d * u - b * v) * inverse, (a * v - c * u) * inverse
    return np.clip(px, -FAR, FAR), np.clip(py, -FAR, FAR)


def source_points(m: Array, height: int, width: int) -> tuple[Array, Array]:
    """Columns and rows of the source of every output pixel."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return source_of(m, x, y)


def spread(p: Array, method: str, dtype: Any) -> tuple[Array, tuple[Any, ...]]:
    """The first of the pixels around `p` in one direction, and their weights in order."""
    if method == "nearest":
        return np.floor(p + 0.5).astype(np.int64), (np.ones((), dtype),)
    first = np.floor(p)
    f = (p - first).astype(dtype)
    if method == "bilinear":
        return first.astype(np.int64), (1 - f, f)
    a = np.dtype(dtype).type(CUBIC)
    g, h = f + 1, 1 - f
    outer = ((a * g - 5 * a) * g + 8 * a) * g - 4 * a
    near = ((a + 2) * f - (a + 3)) * f * f + 1
    far = ((a + 2) * h - (a + 3)) * h * h + 1
    return first.astype(np.int64) - 1, (outer, near, far, 1 - outer - near - far)


def weighted_taps(m: Array, row: int, column: int, method: str) -> list[tuple[int, int, float]]:
    """The source pixels of one output pixel, as (row, column, weight), rows from the top."""
    px, py = source_of(m, float(column), float(row))
    (x0, across), (y0, down) = spread(px, method, np.float64), spread(py, method, np.float64)
    return [
        (int(y0) + i, int(x0) + j, float(wy * wx)) for i, wy in enumerate(down) for j, wx in enumerate(across)
    ]


def taps(x: Array, row: Array, column: Array, border: str) -> Array:
    """Pixels of one picture (C, H, W) at whole coordinates, the border mode applied: (C, ...)."""
    inside, row, column = folded(row, column, x.shape[1:], border)
    read = x[:, row, column]
    return np.asarray(read if border != "zero" else np.where(inside, read, x.dtype.type(0)))


def folded(row: Array, column: Array, size: Sequence[int], border: str) -> tuple[Array, Array, Array]:
    """Whether whole coordinates count at all, and the pixel of the (H, W) picture that they mean."""
    height, width = size
    if border == "reflect":
        row, column = mirrored(row, height), mirrored(column, width)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    if border != "zero":
        inside = np.ones_like(inside)
    return inside, row.clip(0, height - 1), column.clip(0, width - 1)


def mirrored(i: Array, size: int) -> Array:
    """...2 1 0 1 2 ... size-1 size-2 ...: reflected without repeating the edge."""
    if size == 1:
        return np.zeros_like(i)
    period = 2 * (size - 1)
    i = np.abs(i) % period
    return np.asarray(np.where(i < size, i, period - i))
