"""conv2d: cross-correlation of C,H,W,N pictures with (O, C, kH, kW) kernels, and its two gradients.

Attributes: stride (rows, columns), padding (top, left, bottom, right) of zeros, and where they are not 1
dilation (rows, columns between neighboring kernel cells) and groups: then K is (O, C/groups, kH, kW), and a
group of filters sees its own channels only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, cast

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


def dilation_of(attrs: Attrs) -> tuple[int, int]:
    """Rows and columns of the picture from a kernel cell to the next."""
    return cast("tuple[int, int]", attrs.get("dilation", (1, 1)))


def groups_of(attrs: Attrs) -> int:
    """Into how many parts channels and filters fall."""
    return cast(int, attrs.get("groups", 1))


def extent(kernel: Sequence[int], dilation: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of the picture a kernel reaches over."""
    return (kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1


def grouped(kernels: Sequence[int], groups: int) -> Iterator[tuple[slice, slice]]:
    """Filters and channels of each group, from the shape of the kernels."""
    o, c = kernels[0] // groups, kernels[1]
    return ((slice(g * o, (g + 1) * o), slice(g * c, (g + 1) * c)) for g in range(groups))


def times(count: int, letter: str) -> str:
    """LaTeX: 3r, and r for one."""
    return letter if count == 1 else f"{count}{letter}"


def seen_at(attrs: Attrs) -> str:
    """LaTeX: where kernel cell (i, j) of window (r, c) lies, apart from the padding."""
    (sy, sx), (dy, dx) = geometry(attrs)[0], dilation_of(attrs)
    return f"{times(sy, 'r')}+{times(dy, 'i')}, {times(sx, 'c')}+{times(dx, 'j')}"


def sent_from(attrs: Attrs) -> str:
    """LaTeX: the window whose kernel cell (i, j) lies on (y, x), apart from the padding."""
    found = []
    for place, cell, step, apart in zip("yx", "ij", geometry(attrs)[0], dilation_of(attrs), strict=True):
        far = f"{place}-{times(apart, cell)}"
        found.append(far if step == 1 else f"({far})/{step}")
    return ", ".join(found)


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
    (stride, padding), (down, across) = geometry(attrs), dilation_of(attrs)
    for i, j in offsets(kernel):
        r, q = y + padding[0] - i * down, x + padding[1] - j * across
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
        o, (kh, kw) = ins[0].shape[0], extent(ins[0].shape[2:], dilation_of(attrs))
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
        down, across = dilation_of(attrs)
        kh, kw = extent(k.shape[2:], (down, across))
        rows = window_count(ins[1].shape[1], kh, stride[0], t, b)
        columns = window_count(ins[1].shape[2], kw, stride[1], left, r)
        z = np.zeros((k.shape[0], rows, columns, x.shape[3]), x.dtype)
        for o, c in grouped(k.shape, groups_of(attrs)):
            for i, j in offsets(k.shape[2:]):
                z[o] += np.tensordot(
                    k[o, :, i, j], window(x[c], i * down, j * across, rows, columns, stride), 1
                )
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
        (stride, padding), (down, across) = geometry(op.attrs), dilation_of(op.attrs)
        k, x = read(op.ins[0]), read(op.ins[1])
        first = o // (k.shape[0] // groups_of(op.attrs)) * k.shape[1]
        terms = []
        for ch in range(k.shape[1]):
            for i, j in offsets(k.shape[2:]):
                y, z = r * stride[0] + i * down - padding[0], c * stride[1] + j * across - padding[1]
                inside = 0 <= y < x.shape[1] and 0 <= z < x.shape[2]
                u, v = float(k[o, ch, i, j]), float(x[first + ch, y, z, s]) if inside else 0.0
                terms.append(
                    Term(
                        ((op.ins[0].id, (o, ch, i, j), u), (op.ins[1].id, (first + ch, y, z, s), v)),
                        u * v,
                        "" if inside else "padding",
                    )
                )
        if len(op.ins) > 2:
            bias = float(read(op.ins[2])[o])
            terms.append(Term(((op.ins[2].id, (o,), bias),), bias, "bias"))
        return Terms.sum_of(
            terms,
            float(read(op.out)[cell]),
            rf"z_o(r,c) = \sum_{{c',i,j}} k_{{o c' i j}} x_{{c'}}({seen_at(op.attrs)}) + b_o",
        )

    def cases(self) -> Iterable[Case]:
        for g in CONV_CASES:
            yield Case(
                (
                    value("k", "out in kH kW", g.weights, Role.PARAM),
                    value("x", "C H W N", g.picture),
                    value("b", "out", (g.o,), Role.PARAM),
                ),
                (normal(1, *g.weights), normal(2, *g.picture), normal(3, g.o)),
                g.attrs(),
                Context(g.n),
                g.label,
            )
        yield Case(
            (value("k", "out in kH kW", (2, 1, 3, 3), Role.PARAM), value("x", "C H W N", (1, 5, 5, 3))),
            (normal(1, 2, 1, 3, 3), normal(2, 1, 5, 5, 3)),
            {"stride": (1, 1), "padding": (0, 0, 0, 0)},
            Context(3),
            "no bias",
        )


class Slide(NamedTuple):
    """One case: channels, filters, rows, columns, kernel, stride, padding, examples, dilation, groups."""

    c: int
    o: int
    h: int
    w: int
    kh: int
    kw: int
    stride: tuple[int, int]
    padding: Pads
    n: int
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    @property
    def weights(self) -> tuple[int, ...]:
        return self.o, self.c // self.groups, self.kh, self.kw

    @property
    def picture(self) -> tuple[int, ...]:
        return self.c, self.h, self.w, self.n

    @property
    def maps(self) -> tuple[int, ...]:
        (kh, kw), (t, left, b, r) = extent((self.kh, self.kw), self.dilation), self.padding
        rows = window_count(self.h, kh, self.stride[0], t, b)
        return self.o, rows, window_count(self.w, kw, self.stride[1], left, r), self.n

    @property
    def label(self) -> str:
        more = f" dilation {self.dilation} groups {self.groups}" * (self[9:] != ((1, 1), 1))
        return f"{self.c}->{self.o} {self.kh}x{self.kw} {self.h}x{self.w}x{self.n} {self.stride}{more}"

    def attrs(self, **more: object) -> Attrs:
        found = {"stride": self.stride, "padding": self.padding, **more}
        if self.dilation != (1, 1):
            found["dilation"] = self.dilation
        if self.groups > 1:
            found["groups"] = self.groups
        return cast(Attrs, found)


CONV_CASES: tuple[Slide, ...] = (
    Slide(1, 1, 1, 1, 1, 1, (1, 1), (0, 0, 0, 0), 1),
    Slide(1, 8, 9, 7, 5, 5, (1, 1), (2, 2, 2, 2), 7),
    Slide(3, 5, 8, 8, 3, 3, (1, 1), (1, 1, 1, 1), 33),
    Slide(8, 16, 7, 7, 5, 5, (1, 1), (2, 2, 2, 2), 16),
    Slide(2, 3, 7, 9, 3, 2, (2, 1), (1, 0, 2, 1), 7),
    Slide(4, 4, 6, 6, 4, 4, (3, 2), (0, 3, 1, 0), 20),
    Slide(2, 3, 3, 40, 2, 30, (1, 1), (1, 7, 0, 5), 7),
    Slide(1, 2, 2, 64, 2, 27, (1, 5), (0, 3, 0, 0), 5),
    Slide(4, 6, 7, 9, 2, 3, (1, 1), (2, 3, 2, 1), 7, (2, 3), 2),
    Slide(3, 6, 6, 5, 3, 2, (2, 1), (1, 0, 1, 1), 5, (1, 2), 3),
    Slide(2, 2, 1, 40, 1, 26, (1, 1), (0, 4, 0, 9), 5, (1, 1), 2),
)


@register
class Conv2DDx(OpRule):
    """ins K (O, C, kH, kW), δ (O, H', W', N) -> dX (C, H, W, N). Attributes add height and width of X."""

    kind = "conv2d_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        h, w = cast(int, attrs["height"]), cast(int, attrs["width"])
        channels = ins[0].shape[1] * groups_of(attrs)
        return (Out("dx", ("C", "H", "W", "N"), (channels, h, w, ins[1].shape[-1]), role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        k, d = ins
        (stride, padding), (down, across) = geometry(attrs), dilation_of(attrs)
        groups = groups_of(attrs)
        shape = (k.shape[1] * groups, cast(int, attrs["height"]), cast(int, attrs["width"]), d.shape[3])
        dx = grown(np.zeros(shape, d.dtype), padding)
        for o, c in grouped(k.shape, groups):
            for i, j in offsets(k.shape[2:]):
                cells = window(dx[c], i * down, j * across, d.shape[1], d.shape[2], stride)
                cells += np.tensordot(k[o, :, i, j].T, d[o], 1)
        return (live(cropped(dx, shape, padding), ctx.n),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        c, y, x, s = cell
        k, d = read(op.ins[0]), read(op.ins[1])
        group, ch = divmod(c, k.shape[1])
        size = k.shape[0] // groups_of(op.attrs)
        terms = []
        for o in range(group * size, (group + 1) * size):
            for i, j, r, q in covering(y, x, k.shape[2:], op.attrs, d.shape[1:3]):
                u, v = float(k[o, ch, i, j]), float(d[o, r, q, s])
                terms.append(Term(((op.ins[0].id, (o, ch, i, j), u), (op.ins[1].id, (o, r, q, s), v)), u * v))
        return Terms.sum_of(
            terms,
            float(read(op.out)[cell]),
            r"\partial L/\partial x_{c'}(y,x) = \sum_{o,i,j} k_{o c' i j} \delta_o"
            f"({sent_from(op.attrs)})",
        )

    def cases(self) -> Iterable[Case]:
        for g in CONV_CASES:
            n = max(1, g.n - 3)
            yield Case(
                (
                    value("k", "out in kH kW", g.weights, Role.PARAM),
                    value("d", "C H W N", g.maps, Role.GRAD),
                ),
                (normal(1, *g.weights), live(normal(2, *g.maps), n)),
                g.attrs(height=g.h, width=g.w),
                Context(n),
                g.label,
            )


@register
class Conv2DDw(OpRule):
    """ins δ (O, H', W', N), X (C, H, W, N) -> dK (O, C, kH, kW) over the live lanes. Attribute kernel."""

    kind = "conv2d_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        kh, kw = cast("tuple[int, int]", attrs["kernel"])
        shape = (ins[0].shape[0], ins[1].shape[0] // groups_of(attrs), kh, kw)
        return (Out("dk", ("out", "in", "kH", "kW"), shape, role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        d, x = ins[0][..., : ctx.n], ins[1][..., : ctx.n]
        (stride, padding), (down, across) = geometry(attrs), dilation_of(attrs)
        kernel, groups = cast("tuple[int, int]", attrs["kernel"]), groups_of(attrs)
        x = pad(x, padding)
        dk = np.zeros((d.shape[0], x.shape[0] // groups, *kernel), d.dtype)
        for o, c in grouped(dk.shape, groups):
            for i, j in offsets(kernel):
                cells = window(x[c], i * down, j * across, d.shape[1], d.shape[2], stride)
                dk[o, :, i, j] = np.tensordot(d[o], cells, ((1, 2, 3), (1, 2, 3)))
        return (dk,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        o, ch, i, j = cell
        (stride, padding), dilation, groups = geometry(op.attrs), dilation_of(op.attrs), groups_of(op.attrs)
        d, x = read(op.ins[0]), read(op.ins[1])
        c = o // (d.shape[0] // groups) * (x.shape[0] // groups) + ch
        above, before = i * dilation[0] - padding[0], j * dilation[1] - padding[1]
        # there may be tens of thousands: all of them are added up, those that count most become terms
        rows = [r for r in range(d.shape[1]) if 0 <= r * stride[0] + above < x.shape[1]]
        columns = [q for q in range(d.shape[2]) if 0 <= q * stride[1] + before < x.shape[2]]
        down = [r * stride[0] + above for r in rows]
        across = [q * stride[1] + before for q in columns]
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
            r"\partial L/\partial k_{o c' i j} = \sum_{n,r,c} \delta_o(r,c) \, x_{c'}"
            f"({seen_at(op.attrs)})",
            (len(products) - len(kept), total - float(products[kept].sum())),
        )

    def cases(self) -> Iterable[Case]:
        for g in CONV_CASES:
            n = max(1, g.n - 3)
            yield Case(
                (value("d", "C H W N", g.maps, Role.GRAD), value("x", "C H W N", g.picture)),
                (live(normal(1, *g.maps), n), fill(normal(2, *g.picture), n, 1e30)),
                g.attrs(kernel=(g.kh, g.kw)),
                Context(n),
                g.label,
            )
