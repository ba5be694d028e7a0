"""conv2d: cross-correlation of C,H,W,N pictures with (O, C, kH, kW) kernels, and its two gradients.

Attributes: stride (rows, columns) and padding (top, left, bottom, right) of zeros.
"""

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
    Recording,
    Term,
    Terms,
    fill,
    largest,
    live,
    normal,
    register,
    value,
)
from engine.values import Op, Role, Value

Pads = tuple[int, int, int, int]


def geometry(attrs: Attrs) -> tuple[tuple[int, int], Pads]:
    """Stride and padding of a window op."""
    return cast("tuple[int, int]", attrs["stride"]), cast(Pads, attrs["padding"])


def window_count(size: int, kernel: int, stride: int, before: int, after: int) -> int:
    """floor((size + before + after - kernel) / stride) + 1."""
    return (size + before + after - kernel) // stride + 1


def pad(x: Array, padding: Pads, fill_value: float = 0.0) -> Array:
    """C,H,W,N with a border of `fill_value`."""
    t, left, b, r = padding
    return np.pad(x, ((0, 0), (t, b), (left, r), (0, 0)), constant_values=fill_value)


def window(x: Array, i: int, j: int, rows: int, columns: int, stride: tuple[int, int]) -> Array:
    """The (i, j)th cell of every window of a padded picture: C,rows,columns,N."""
    return x[
        :, i : i + stride[0] * (rows - 1) + 1 : stride[0], j : j + stride[1] * (columns - 1) + 1 : stride[1]
    ]


def offsets(kernel: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Cells of a kernel, row by row."""
    return ((i, j) for i in range(kernel[0]) for j in range(kernel[1]))


def covering(
    y: int, x: int, kernel: Sequence[int], attrs: Attrs, windows: Sequence[int]
) -> Iterator[tuple[int, int, int, int]]:
    """(row, column) in the window, then (row, column) of each window that holds cell (y, x) of the picture.

    In the order of the cell's place in them; `windows` says how many there are (rows, columns).
    """
    stride, padding = geometry(attrs)
    for i, j in offsets(kernel):
        r, q = y + padding[0] - i, x + padding[1] - j
        if r % stride[0] == 0 and q % stride[1] == 0:
            r, q = r // stride[0], q // stride[1]
            if 0 <= r < windows[0] and 0 <= q < windows[1]:
                yield i, j, r, q


def grown(x: Array, padding: Pads) -> Array:
    """Zeros of the padded picture's shape."""
    t, left, b, r = padding
    return np.zeros((x.shape[0], x.shape[1] + t + b, x.shape[2] + left + r, x.shape[3]), x.dtype)


def cropped(x: Array, shape: Sequence[int], padding: Pads) -> Array:
    """The picture inside a padded one."""
    return np.ascontiguousarray(x[:, padding[0] : padding[0] + shape[1], padding[1] : padding[1] + shape[2]])


@register
class Conv2D(OpRule):
    """ins K (O, C, kH, kW), X (C, H, W, N)[, b (O)] -> z (O, H', W', N)."""

    kind = "conv2d"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        (sh, sw), (t, left, b, r) = geometry(attrs)
        o, _, kh, kw = ins[0].shape
        _, h, w, n = ins[1].shape
        return (
            Out(
                "z",
                ("C", "H", "W", "N"),
                (o, window_count(h, kh, sh, t, b), window_count(w, kw, sw, left, r), n),
            ),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        k, x = ins[0], pad(ins[1], geometry(attrs)[1])
        stride, (t, left, b, r) = geometry(attrs)
        rows = window_count(ins[1].shape[1], k.shape[2], stride[0], t, b)
        columns = window_count(ins[1].shape[2], k.shape[3], stride[1], left, r)
        z = np.zeros((k.shape[0], rows, columns, x.shape[3]), x.dtype)
        for i, j in offsets(k.shape[2:]):
            z += np.tensordot(k[:, :, i, j], window(x, i, j, rows, columns, stride), 1)
        return (z + ins[2][:, None, None, None] if len(ins) > 2 else z,)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        k, x = op.ins[0], op.ins[1]
        (dz,) = grads_out
        assert dz is not None
        attrs = dict(op.attrs)
        dx = (
            rec.emit1(
                "conv2d_dx",
                (k, dz),
                rec.grad_name(x),
                attrs={**attrs, "height": x.shape[1], "width": x.shape[2]},
            )
            if wanted[1]
            else None
        )
        dk = (
            rec.emit1("conv2d_dw", (dz, x), rec.grad_name(k), attrs={**attrs, "kernel": k.shape[2:]})
            if wanted[0]
            else None
        )
        if len(op.ins) < 3:
            return dk, dx
        return dk, dx, rec.emit1("sum_samples", (dz,), rec.grad_name(op.ins[2])) if wanted[2] else None

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        o, r, c, s = cell
        stride, padding = geometry(op.attrs)
        k, x = read(op.ins[0]), read(op.ins[1])
        terms = []
        for ch in range(k.shape[1]):
            for i, j in offsets(k.shape[2:]):
                y, z = r * stride[0] + i - padding[0], c * stride[1] + j - padding[1]
                inside = 0 <= y < x.shape[1] and 0 <= z < x.shape[2]
                u, v = float(k[o, ch, i, j]), float(x[ch, y, z, s]) if inside else 0.0
                terms.append(
                    Term(
                        ((op.ins[0].id, (o, ch, i, j), u), (op.ins[1].id, (ch, y, z, s), v)),
                        u * v,
                        "" if inside else "padding",
                    )
                )
        if len(op.ins) > 2:
            bias = float(read(op.ins[2])[o])
            terms.append(Term(((op.ins[2].id, (o,), bias),), bias, "bias"))
        return Terms.sum_of(
            terms, float(read(op.out)[cell]), r"z_o(r,c) = \sum_{c',i,j} k_{o c' i j} x_{c'}(r+i, c+j) + b_o"
        )

    def cases(self) -> Iterable[Case]:
        for c, o, h, w, kh, kw, stride, padding, n in CONV_CASES:
            yield Case(
                (
                    value("k", "out in kH kW", (o, c, kh, kw), Role.PARAM),
                    value("x", "C H W N", (c, h, w, n)),
                    value("b", "out", (o,), Role.PARAM),
                ),
                (normal(1, o, c, kh, kw), normal(2, c, h, w, n), normal(3, o)),
                {"stride": stride, "padding": padding},
                Context(n),
                f"{c}->{o} {kh}x{kw} {h}x{w}x{n} {stride}",
            )
        yield Case(
            (value("k", "out in kH kW", (2, 1, 3, 3), Role.PARAM), value("x", "C H W N", (1, 5, 5, 3))),
            (normal(1, 2, 1, 3, 3), normal(2, 1, 5, 5, 3)),
            {"stride": (1, 1), "padding": (0, 0, 0, 0)},
            Context(3),
            "no bias",
        )


CONV_CASES: tuple[tuple[int, int, int, int, int, int, tuple[int, int], Pads, int], ...] = (
    (1, 1, 1, 1, 1, 1, (1, 1), (0, 0, 0, 0), 1),
    (1, 8, 9, 7, 5, 5, (1, 1), (2, 2, 2, 2), 7),
    (3, 5, 8, 8, 3, 3, (1, 1), (1, 1, 1, 1), 33),
    (8, 16, 7, 7, 5, 5, (1, 1), (2, 2, 2, 2), 16),
    (2, 3, 7, 9, 3, 2, (2, 1), (1, 0, 2, 1), 7),
    (4, 4, 6, 6, 4, 4, (3, 2), (0, 3, 1, 0), 20),
    (2, 3, 3, 40, 2, 30, (1, 1), (1, 7, 0, 5), 7),
    (1, 2, 2, 64, 2, 27, (1, 5), (0, 3, 0, 0), 5),
)
"""channels, filters, rows, columns, kernel, stride, padding, examples."""


@register
class Conv2DDx(OpRule):
    """ins K (O, C, kH, kW), δ (O, H', W', N) -> dX (C, H, W, N). Attributes add height and width of X."""

    kind = "conv2d_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        h, w = cast(int, attrs["height"]), cast(int, attrs["width"])
        return (Out("dx", ("C", "H", "W", "N"), (ins[0].shape[1], h, w, ins[1].shape[-1]), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        k, d = ins
        stride, padding = geometry(attrs)
        shape = (k.shape[1], cast(int, attrs["height"]), cast(int, attrs["width"]), d.shape[3])
        dx = grown(np.zeros(shape, d.dtype), padding)
        for i, j in offsets(k.shape[2:]):
            window(dx, i, j, d.shape[1], d.shape[2], stride)[...] += np.tensordot(k[:, :, i, j].T, d, 1)
        return (live(cropped(dx, shape, padding), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c, y, x, s = cell
        k, d = read(op.ins[0]), read(op.ins[1])
        terms = []
        for o in range(k.shape[0]):
            for i, j, r, q in covering(y, x, k.shape[2:], op.attrs, d.shape[1:3]):
                u, v = float(k[o, c, i, j]), float(d[o, r, q, s])
                terms.append(Term(((op.ins[0].id, (o, c, i, j), u), (op.ins[1].id, (o, r, q, s), v)), u * v))
        return Terms.sum_of(
            terms,
            float(read(op.out)[cell]),
            r"\partial L/\partial x_{c'}(y,x) = \sum_{o,i,j} k_{o c' i j} \delta_o(y-i, x-j)",
        )

    def cases(self) -> Iterable[Case]:
        for c, o, h, w, kh, kw, stride, padding, n in CONV_CASES:
            rows = window_count(h, kh, stride[0], padding[0], padding[2])
            columns = window_count(w, kw, stride[1], padding[1], padding[3])
            yield Case(
                (
                    value("k", "out in kH kW", (o, c, kh, kw), Role.PARAM),
                    value("d", "C H W N", (o, rows, columns, n), Role.GRAD),
                ),
                (normal(1, o, c, kh, kw), live(normal(2, o, rows, columns, n), max(1, n - 3))),
                {"stride": stride, "padding": padding, "height": h, "width": w},
                Context(max(1, n - 3)),
                f"{c}->{o} {kh}x{kw} {h}x{w}x{n} {stride}",
            )


@register
class Conv2DDw(OpRule):
    """ins δ (O, H', W', N), X (C, H, W, N) -> dK (O, C, kH, kW) over the live lanes. Attribute kernel."""

    kind = "conv2d_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        kh, kw = cast("tuple[int, int]", attrs["kernel"])
        return (
            Out("dk", ("out", "in", "kH", "kW"), (ins[0].shape[0], ins[1].shape[0], kh, kw), role=Role.GRAD),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        d, x = ins[0][..., : ctx.n], ins[1][..., : ctx.n]
        stride, padding = geometry(attrs)
        kernel = cast("tuple[int, int]", attrs["kernel"])
        x = pad(x, padding)
        dk = np.zeros((d.shape[0], x.shape[0], *kernel), d.dtype)
        for i, j in offsets(kernel):
            dk[:, :, i, j] = np.tensordot(
                d, window(x, i, j, d.shape[1], d.shape[2], stride), ((1, 2, 3), (1, 2, 3))
            )
        return (dk,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        o, c, i, j = cell
        stride, padding = geometry(op.attrs)
        d, x = read(op.ins[0]), read(op.ins[1])
        # there may be tens of thousands: all of them are added up, those that count most become terms
        rows = [r for r in range(d.shape[1]) if 0 <= r * stride[0] + i - padding[0] < x.shape[1]]
        columns = [q for q in range(d.shape[2]) if 0 <= q * stride[1] + j - padding[1] < x.shape[2]]
        down = [r * stride[0] + i - padding[0] for r in rows]
        across = [q * stride[1] + j - padding[1] for q in columns]
        u = d[o][np.ix_(rows, columns, range(ctx.n))].astype(np.float64).transpose(2, 0, 1)
        v = x[c][np.ix_(down, across, range(ctx.n))].astype(np.float64).transpose(2, 0, 1)
        products = (u * v).ravel()
        terms = []
        kept = np.array(sorted(largest(products)), np.intp)
        for s, a, b in np.argwhere(np.ones(u.shape, bool))[kept].tolist():
            first = (op.ins[0].id, (o, rows[a], columns[b], s), float(u[s, a, b]))
            second = (op.ins[1].id, (c, down[a], across[b], s), float(v[s, a, b]))
            terms.append(Term((first, second), float(u[s, a, b] * v[s, a, b])))
        total = float(products.sum())
        return Terms(
            "sum",
            tuple(terms),
            total,
            float(read(op.out)[cell]),
            r"\partial L/\partial k_{o c' i j} = \sum_{n,r,c} \delta_o(r,c) \, x_{c'}(r+i, c+j)",
            (len(products) - len(kept), total - float(products[kept].sum())),
        )

    def cases(self) -> Iterable[Case]:
        for c, o, h, w, kh, kw, stride, padding, n in CONV_CASES:
            rows = window_count(h, kh, stride[0], padding[0], padding[2])
            columns = window_count(w, kw, stride[1], padding[1], padding[3])
            n_live = max(1, n - 3)
            yield Case(
                (
                    value("d", "C H W N", (o, rows, columns, n), Role.GRAD),
                    value("x", "C H W N", (c, h, w, n)),
                ),
                (live(normal(1, o, rows, columns, n), n_live), fill(normal(2, c, h, w, n), n_live, 1e30)),
                {"stride": stride, "padding": padding, "kernel": (kh, kw)},
                Context(n_live),
                f"{c}->{o} {kh}x{kw} {h}x{w}x{n} {stride}",
            )
