"""upsample: pictures made larger by a whole factor, and the way back.

Pixels have a width, as with PyTorch's align_corners=False: pixel r of the result lies at (r + 1/2) / f - 1/2
of the input. Nearest takes the pixel r // f; bilinear reads between four, of which the outermost go on
beyond the edge. Rows and columns each have weights of their own, so every result is a sum of at most four
pixels.
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

Tap = tuple[int, float]
"""A row or column of the input and its weight."""


def taps(at: int, size: int, factor: int, bilinear: bool) -> tuple[Tap, ...]:
    """What row (or column) `at` of the result reads of `size` rows; weights add up to 1, none is 0."""
    if not bilinear:
        return ((at // factor, 1.0),)
    place = max(2 * at + 1 - factor, 0)  # in 2 f-th parts of a row
    first, part = place // (2 * factor), place % (2 * factor) / (2 * factor)
    second = min(first + 1, size - 1)
    if part == 0 or second == first:
        return ((first, 1.0),)
    return (first, 1 - part), (second, part)


def weights(size: int, factor: int, bilinear: bool) -> Array:
    """Rows of the result x rows of the input, float64."""
    made = np.zeros((size * factor, size))
    for at in range(size * factor):
        for row, weight in taps(at, size, factor, bilinear):
            made[at, row] += weight
    return made


def readers(row: int, size: int, factor: int, bilinear: bool) -> list[Tap]:
    """The way back: rows of the result that read `row`, in order, with its weight there."""
    found = []
    for at in range(max(0, (row - 1) * factor), min(size * factor, (row + 2) * factor)):
        found += [(at, weight) for read, weight in taps(at, size, factor, bilinear) if read == row]
    return found


def geometry(attrs: Attrs) -> tuple[tuple[int, int], bool]:
    """Factor (rows, columns), and whether it is bilinear."""
    return cast("tuple[int, int]", attrs["factor"]), attrs["mode"] == "bilinear"


@register
class Upsample(OpRule):
    """ins X (C, H, W, N) -> Y (C, f H, g W, N). Attributes factor (f, g), mode "nearest" or "bilinear"."""

    kind = "upsample"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        c, h, w, n = ins[0].shape
        (down, across), _ = geometry(attrs)
        return (Out("y", ins[0].axes, (c, h * down, w * across, n)),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (x,) = ins
        factor, bilinear = geometry(attrs)
        rows, columns = (weights(x.shape[1 + a], factor[a], bilinear).astype(x.dtype) for a in (0, 1))
        return (np.einsum("rh,qw,chwn->crqn", rows, columns, x, optimize=True),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        name = rec.grad_name(op.ins[0])
        return (rec.emit1("upsample_dx", (grads_out[0],), name, attrs=dict(op.attrs)),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c, r, q, s = cell
        x, (factor, bilinear) = read(op.ins[0]), geometry(op.attrs)
        rows, columns = (taps(at, x.shape[1 + a], factor[a], bilinear) for a, at in enumerate((r, q)))
        return _sum(op, cell, read, [(c, y, z, s, a * b) for y, a in rows for z, b in columns],
                    r"y = \sum_{i,j} w_i w_j \, x_{i j}")  # fmt: skip

    def cases(self) -> Iterable[Case]:
        for c, h, w, factor, mode, n in CASES:
            yield Case(
                (value("x", "C H W N", (c, h, w, n)),), (normal(1, c, h, w, n),),
                {"factor": factor, "mode": mode}, Context(n), f"{c}x{h}x{w}x{n} {factor} {mode}",
            )  # fmt: skip


CASES = (
    # channels, rows, columns, factor, mode, examples
    (2, 3, 5, (2, 3), "nearest", 7),
    (2, 1, 4, (2, 3), "bilinear", 33),
)


def _sum(
    op: Op, cell: tuple[int, ...], read: Read, parts: Sequence[tuple[int, int, int, int, float]], note: str
) -> Terms:
    """Cells of the input times their weights."""
    given, terms = read(op.ins[0]), []
    for *place, weight in parts:
        at = cast("tuple[int, ...]", tuple(place))
        v = float(given[at])
        terms.append(Term(((op.ins[0].id, at, v),), weight * v, f"{weight:.4g}" if len(parts) <= 64 else ""))
    return Terms.sum_of(terms, float(read(op.out)[cell]), note)


@register
class UpsampleDx(OpRule):
    """ins dY (C, f H, g W, N) -> dX (C, H, W, N): every gradient goes back to the pixels that were read."""

    kind = "upsample_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        c, h, w, n = ins[0].shape
        (down, across), _ = geometry(attrs)
        return (Out("dx", ins[0].axes, (c, h // down, w // across, n), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (dy,) = ins
        factor, bilinear = geometry(attrs)
        rows, columns = (
            weights(dy.shape[1 + a] // factor[a], factor[a], bilinear).astype(dy.dtype) for a in (0, 1)
        )
        return (live(np.einsum("rh,qw,crqn->chwn", rows, columns, dy, optimize=True), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c, y, z, s = cell
        (factor, bilinear), shape = geometry(op.attrs), op.out.shape
        rows, columns = (readers(at, shape[1 + a], factor[a], bilinear) for a, at in enumerate((y, z)))
        return _sum(op, cell, read, [(c, r, q, s, a * b) for r, a in rows for q, b in columns],
                    r"\partial L/\partial x = \sum w \, \partial L/\partial y")  # fmt: skip

    def cases(self) -> Iterable[Case]:
        for c, h, w, factor, mode, n in CASES:
            alive, shape = max(1, n - 2), (c, h * factor[0], w * factor[1], n)
            yield Case(
                (value("dy", "C H W N", shape, Role.GRAD),), (live(normal(2, *shape), alive),),
                {"factor": factor, "mode": mode}, Context(alive), f"{c}x{h}x{w}x{n} {factor} {mode}",
            )  # fmt: skip
