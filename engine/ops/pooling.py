"""maxpool2d and avgpool2d on C,H,W,N pictures, with their gradients.

Attributes: kernel, stride (rows, columns), padding (top, left, bottom, right). Maximum: padding never
wins, ties take the first cell, NaN wins. Mean: padding counts as zeros (PyTorch's count_include_pad).
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
from engine.ops.convolution import covering, cropped, geometry, grown, offsets, pad, window, window_count
from engine.values import Op, Role, Value

POOL_CASES = (
    # channels, rows, columns, kernel, stride, padding, examples
    (1, 2, 2, (2, 2), (2, 2), (0, 0, 0, 0), 1),
    (3, 7, 7, (2, 2), (2, 2), (0, 0, 0, 0), 33),
    (2, 6, 8, (3, 3), (2, 2), (1, 1, 1, 1), 7),
    (2, 5, 7, (3, 2), (1, 2), (0, 1, 1, 0), 16),
    (2, 12, 12, (9, 9), (3, 3), (0, 0, 0, 0), 5),
)


def pooled(value: Value, attrs: Attrs) -> tuple[int, int]:
    """Rows and columns that come out."""
    kh, kw = cast("tuple[int, int]", attrs["kernel"])
    (sh, sw), (t, left, b, r) = geometry(attrs)
    return window_count(value.shape[1], kh, sh, t, b), window_count(value.shape[2], kw, sw, left, r)


def _cell(r: int, c: int, i: int, j: int, attrs: Attrs) -> tuple[int, int]:
    """Row and column in the picture of cell (i, j) of the window at (r, c)."""
    (sh, sw), padding = geometry(attrs)
    return r * sh + i - padding[0], c * sw + j - padding[1]


@register
class MaxPool2D(OpRule):
    """ins X (C, H, W, N) -> y (C, H', W', N), argmax: the winner's place in its window, row by row."""

    kind = "maxpool2d"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        shape = (ins[0].shape[0], *pooled(ins[0], attrs), ins[0].shape[3])
        axes = ("C", "H", "W", "N")
        return (Out("y", axes, shape), Out("argmax", axes, shape, "i32", Role.SAVED))

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (stride, padding), kernel = geometry(attrs), cast("tuple[int, int]", attrs["kernel"])
        x = pad(ins[0], padding, -np.inf)
        rows, columns = ((x.shape[1 + a] - kernel[a]) // stride[a] + 1 for a in (0, 1))
        best = np.full((x.shape[0], rows, columns, x.shape[3]), -np.inf, x.dtype)
        where = np.zeros(best.shape, np.int32)
        for place, (i, j) in enumerate(offsets(kernel)):
            cell = window(x, i, j, rows, columns, stride)
            wins = (cell > best) | (np.isnan(cell) & ~np.isnan(best))
            best, where = np.where(wins, cell, best), np.where(wins, np.int32(place), where)
        return best, where

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        dy, x = grads_out[0], op.ins[0]
        assert dy is not None
        return (
            rec.emit1(
                "maxpool2d_dx",
                (dy, op.outs[1]),
                rec.grad_name(x),
                attrs={**op.attrs, "height": x.shape[1], "width": x.shape[2]},
            ),
        )

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        ch, r, c, s = cell
        x = read(op.ins[0])
        terms, places = [], []
        for place, (i, j) in enumerate(offsets(cast("tuple[int, int]", op.attrs["kernel"]))):
            y, z = _cell(r, c, i, j, op.attrs)
            if 0 <= y < x.shape[1] and 0 <= z < x.shape[2]:
                v = float(x[ch, y, z, s])
                terms.append(Term(((op.ins[0].id, (ch, y, z, s), v),), v))
                places.append(place)
        if out == 1:
            # the first of the largest
            first = max(range(len(terms)), key=lambda t: (terms[t].value, -t))
            won = float(places[first])
            return Terms(
                "function",
                (Term(terms[first].factors, won, "place"),),
                won,
                float(read(op.outs[1])[cell]),
                r"\arg\max_{i,j} x(r+i, c+j)",
            )
        return Terms(
            "max",
            tuple(terms),
            max(t.value for t in terms),
            float(read(op.outs[0])[cell]),
            r"y(r,c) = \max_{i,j} x(r+i, c+j)",
        )

    def cases(self) -> Iterable[Case]:
        for c, h, w, kernel, stride, padding, n in POOL_CASES:
            attrs = {"kernel": kernel, "stride": stride, "padding": padding}
            yield Case(
                (value("x", "C H W N", (c, h, w, n)),),
                (normal(1, c, h, w, n),),
                attrs,
                Context(n),
                f"{c}x{h}x{w}x{n} {kernel}",
            )
        tied = np.ones((1, 4, 4, 7))
        yield Case(
            (value("x", "C H W N", tied.shape),),
            (tied,),
            {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)},
            Context(7),
            "ties",
            smooth=False,
        )


@register
class MaxPool2DDx(OpRule):
    """ins dy, argmax -> dX (C, H, W, N): each gradient goes to the cell that won."""

    kind = "maxpool2d_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        h, w = cast(int, attrs["height"]), cast(int, attrs["width"])
        return (Out("dx", ("C", "H", "W", "N"), (ins[0].shape[0], h, w, ins[0].shape[3]), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dy, where = ins
        (stride, padding), kernel = geometry(attrs), cast("tuple[int, int]", attrs["kernel"])
        shape = (dy.shape[0], cast(int, attrs["height"]), cast(int, attrs["width"]), dy.shape[3])
        dx = grown(np.zeros(shape, dy.dtype), padding)
        for place, (i, j) in enumerate(offsets(kernel)):
            window(dx, i, j, dy.shape[1], dy.shape[2], stride)[...] += np.where(where == place, dy, 0)
        return (live(cropped(dx, shape, padding), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        ch, y, x, s = cell
        dy, where = read(op.ins[0]), read(op.ins[1])
        kernel = cast("tuple[int, int]", op.attrs["kernel"])
        terms = []
        for i, j, r, q in covering(y, x, kernel, op.attrs, dy.shape[1:3]):
            if where[ch, r, q, s] == i * kernel[1] + j:
                v = float(dy[ch, r, q, s])
                terms.append(Term(((op.ins[0].id, (ch, r, q, s), v),), v, "won"))
        return Terms.sum_of(
            terms,
            float(read(op.out)[cell]),
            r"\partial L/\partial x = \sum_{\text{windows won}} \partial L/\partial y",
        )

    def cases(self) -> Iterable[Case]:
        for c, h, w, kernel, stride, padding, n in POOL_CASES:
            attrs = {"kernel": kernel, "stride": stride, "padding": padding}
            x = normal(1, c, h, w, n)
            _, where = MaxPool2D().reference((x,), attrs, Context(n))
            alive = max(1, n - 2)
            axes = "C H W N"
            yield Case(
                (
                    value("dy", axes, where.shape, Role.GRAD),
                    value("argmax", axes, where.shape, Role.SAVED, "i32"),
                ),
                (live(normal(2, *where.shape), alive), where),
                {**attrs, "height": h, "width": w},
                Context(alive),
                f"{c}x{h}x{w}x{n} {kernel}",
            )


@register
class AvgPool2D(OpRule):
    """ins X (C, H, W, N) -> y (C, H', W', N): mean of each window."""

    kind = "avgpool2d"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("y", ("C", "H", "W", "N"), (ins[0].shape[0], *pooled(ins[0], attrs), ins[0].shape[3])),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (stride, padding), kernel = geometry(attrs), cast("tuple[int, int]", attrs["kernel"])
        x = pad(ins[0], padding)
        rows, columns = ((x.shape[1 + a] - kernel[a]) // stride[a] + 1 for a in (0, 1))
        total = np.zeros((x.shape[0], rows, columns, x.shape[3]), x.dtype)
        for i, j in offsets(kernel):
            total += window(x, i, j, rows, columns, stride)
        return (total / x.dtype.type(kernel[0] * kernel[1]),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        dy, x = grads_out[0], op.ins[0]
        assert dy is not None
        return (
            rec.emit1(
                "avgpool2d_dx",
                (dy,),
                rec.grad_name(x),
                attrs={**op.attrs, "height": x.shape[1], "width": x.shape[2]},
            ),
        )

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        ch, r, c, s = cell
        x, kernel = read(op.ins[0]), cast("tuple[int, int]", op.attrs["kernel"])
        share = 1.0 / (kernel[0] * kernel[1])
        terms = []
        for i, j in offsets(kernel):
            y, z = _cell(r, c, i, j, op.attrs)
            v = float(x[ch, y, z, s]) if 0 <= y < x.shape[1] and 0 <= z < x.shape[2] else 0.0
            terms.append(Term(((op.ins[0].id, (ch, y, z, s), v),), v * share))
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"y(r,c) = \frac{1}{k} \sum_{i,j} x(r+i, c+j)")

    def cases(self) -> Iterable[Case]:
        for c, h, w, kernel, stride, padding, n in POOL_CASES:
            yield Case(
                (value("x", "C H W N", (c, h, w, n)),),
                (normal(1, c, h, w, n),),
                {"kernel": kernel, "stride": stride, "padding": padding},
                Context(n),
                f"{c}x{h}x{w}x{n} {kernel}",
            )


@register
class AvgPool2DDx(OpRule):
    """ins dy -> dX (C, H, W, N): each gradient is shared out equally over its window."""

    kind = "avgpool2d_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        h, w = cast(int, attrs["height"]), cast(int, attrs["width"])
        return (Out("dx", ("C", "H", "W", "N"), (ins[0].shape[0], h, w, ins[0].shape[3]), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (dy,) = ins
        (stride, padding), kernel = geometry(attrs), cast("tuple[int, int]", attrs["kernel"])
        shape = (dy.shape[0], cast(int, attrs["height"]), cast(int, attrs["width"]), dy.shape[3])
        dx = grown(np.zeros(shape, dy.dtype), padding)
        share = dy / dy.dtype.type(kernel[0] * kernel[1])
        for i, j in offsets(kernel):
            window(dx, i, j, dy.shape[1], dy.shape[2], stride)[...] += share
        return (live(cropped(dx, shape, padding), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        ch, y, x, s = cell
        dy, kernel = read(op.ins[0]), cast("tuple[int, int]", op.attrs["kernel"])
        terms = []
        for _, _, r, q in covering(y, x, kernel, op.attrs, dy.shape[1:3]):
            v = float(dy[ch, r, q, s])
            terms.append(Term(((op.ins[0].id, (ch, r, q, s), v),), v / (kernel[0] * kernel[1])))
        return Terms.sum_of(
            terms,
            float(read(op.out)[cell]),
            r"\partial L/\partial x = \frac{1}{k} \sum \partial L/\partial y",
        )

    def cases(self) -> Iterable[Case]:
        for c, h, w, kernel, stride, padding, n in POOL_CASES:
            attrs = {"kernel": kernel, "stride": stride, "padding": padding}
            rows, columns = pooled(value("x", "C H W N", (c, h, w, n)), attrs)
            alive = max(1, n - 2)
            yield Case(
                (value("dy", "C H W N", (c, rows, columns, n), Role.GRAD),),
                (live(normal(2, c, rows, columns, n), alive),),
                {**attrs, "height": h, "width": w},
                Context(alive),
                f"{c}x{h}x{w}x{n} {kernel}",
            )
