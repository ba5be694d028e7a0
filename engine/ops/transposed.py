"""conv_transpose2d: every number of a picture lays a kernel down; what overlaps adds up.

It is to conv2d what Mᵀ is to M: its way forward is that one's data gradient, and its data gradient is that
one's way forward. Attributes as there, and height and width of what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

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
from engine.ops.convolution import Conv2D, Conv2DDw, Conv2DDx, Slide, seen_at, sent_from
from engine.values import Op, Role, Value

FORWARD, BACK, KERNELS = Conv2D(), Conv2DDx(), Conv2DDw()


@register
class ConvTranspose2D(OpRule):
    """ins K (C, O/groups, kH, kW), X (C, H, W, N)[, b (O)] -> z (O, height, width, N)."""

    kind = "conv_transpose2d"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (replace(BACK.infer(ins, attrs)[0], name="z", role=Role.ACT),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (z,) = BACK.reference(ins[:2], attrs, ctx)
        return (z + ins[2][:, None, None, None] if len(ins) > 2 else z,)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        k, x = op.ins[0], op.ins[1]
        (dz,) = grads_out
        assert dz is not None
        attrs = {name: at for name, at in op.attrs.items() if name not in ("height", "width")}
        dx = dk = None
        if wanted[1]:
            dx = rec.emit1("conv_transpose2d_dx", (k, dz), rec.grad_name(x), attrs=attrs)
        if wanted[0]:
            attrs["kernel"] = k.shape[2:]
            dk = rec.emit1("conv_transpose2d_dw", (x, dz), rec.grad_name(k), attrs=attrs)
        if len(op.ins) < 3:
            return dk, dx
        return dk, dx, rec.emit1("sum_samples", (dz,), rec.grad_name(op.ins[2])) if wanted[2] else None

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        terms = list(BACK.explain(op, out, cell, read, ctx).terms)
        if len(op.ins) > 2:
            bias = float(read(op.ins[2])[cell[0]])
            terms.append(Term(((op.ins[2].id, cell[:1], bias),), bias, "bias"))
        note = rf"z_o(y,x) = \sum_{{c',i,j}} k_{{c' o i j}} x_{{c'}}({sent_from(op.attrs)}) + b_o"
        return Terms.sum_of(terms, float(read(op.out)[cell]), note)

    def cases(self) -> Iterable[Case]:
        for g in TRANSPOSED_CASES:
            bias = (value("b", "out", (g.c,), Role.PARAM),) if g.kh > 1 else ()
            yield Case(
                (value("k", "out in kH kW", g.weights, Role.PARAM), value("x", "C H W N", g.maps), *bias),
                (normal(1, *g.weights), normal(2, *g.maps), *(normal(3, g.c) for _ in bias)),
                g.attrs(height=g.h, width=g.w),
                Context(g.n),
                g.label,
            )


TRANSPOSED_CASES = (
    Slide(9, 2, 6, 7, 3, 2, (2, 3), (1, 0, 1, 2), 17),
    Slide(4, 6, 5, 6, 2, 2, (1, 1), (1, 2, 0, 1), 5, (2, 1), 2),
)
"""Of the convolutions they are the transpose of: `maps` go in, `picture` comes out."""


@register
class ConvTranspose2DDx(OpRule):
    """ins K (C, O/groups, kH, kW), δ (O, height, width, N) -> dX (C, H, W, N)."""

    kind = "conv_transpose2d_dx"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (replace(FORWARD.infer(ins, attrs)[0], name="dx", role=Role.GRAD),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return FORWARD.reference(ins, attrs, ctx)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        note = r"\partial L/\partial x_{c'}(r,c) = \sum_{o,i,j} k_{c' o i j} \delta_o"
        return replace(FORWARD.explain(op, out, cell, read, ctx), note=f"{note}({seen_at(op.attrs)})")

    def cases(self) -> Iterable[Case]:
        for g in TRANSPOSED_CASES[1:]:
            n = max(1, g.n - 3)
            yield Case(
                (
                    value("k", "out in kH kW", g.weights, Role.PARAM),
                    value("d", "C H W N", g.picture, Role.GRAD),
                ),
                (normal(1, *g.weights), live(normal(2, *g.picture), n)),
                g.attrs(),
                Context(n),
                g.label,
            )


@register
class ConvTranspose2DDw(OpRule):
    """ins X (C, H, W, N), δ (O, height, width, N) -> dK (C, O/groups, kH, kW) over the live lanes."""

    kind = "conv_transpose2d_dw"
    reduces_samples = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return KERNELS.infer(ins, attrs)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return KERNELS.reference(ins, attrs, ctx)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        note = r"\partial L/\partial k_{c' o i j} = \sum_{n,r,c} x_{c'}(r,c) \, \delta_o"
        return replace(KERNELS.explain(op, out, cell, read, ctx), note=f"{note}({seen_at(op.attrs)})")

    def cases(self) -> Iterable[Case]:
        for g in TRANSPOSED_CASES[1:]:
            n = max(1, g.n - 3)
            yield Case(
                (value("x", "C H W N", g.maps), value("d", "C H W N", g.picture, Role.GRAD)),
                (normal(1, *g.maps), live(normal(2, *g.picture), n)),
                g.attrs(kernel=(g.kh, g.kw)),
                Context(n),
                g.label,
            )
