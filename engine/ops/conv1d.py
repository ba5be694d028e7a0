"""conv1d: convolution along sequences F,T,N with (O, F, k) kernels, and its two gradients.

A sequence lies in memory like a picture of one row, F,1,T,N: each of these ops is a conv2d on that picture
(`as_picture`), so nothing is copied and nothing written twice. Attributes: stride, padding (before, after),
and where they are not 1 dilation and groups.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, cast

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
    live,
    normal,
    register,
    rule,
    value,
)
from engine.ops.convolution import times
from engine.values import Axes, Op, Role, Value

PICTURE: Axes = ("C", "H", "W", "N")
SEQUENCE: Axes = ("F", "T", "N")
KERNELS: Axes = ("out", "in", "k")


def picture_attrs(attrs: Attrs) -> dict[str, Hashable]:
    """The attributes of the conv2d on a picture of one row."""
    before, after = cast("tuple[int, int]", attrs["padding"])
    found: dict[str, Hashable] = {"stride": (1, attrs["stride"]), "padding": (0, before, 0, after)}
    if "dilation" in attrs:
        found["dilation"] = (1, attrs["dilation"])
    if "groups" in attrs:
        found["groups"] = attrs["groups"]
    if "length" in attrs:
        found |= {"height": 1, "width": attrs["length"]}
    if "kernel" in attrs:
        found["kernel"] = (1, attrs["kernel"])
    return found


def picture_value(v: Value) -> Value:
    """The same memory with one row: F,T,N as F,1,T,N, and kernels with one, too."""
    if len(v.shape) != 3:
        return v
    axes = PICTURE if v.batched else ("out", "in", "kH", "kW")
    at = 1 if v.batched else 2
    return replace(v, axes=axes, shape=(*v.shape[:at], 1, *v.shape[at:]))


def as_picture(op: Op) -> Op:
    """The conv2d that an op on sequences is."""
    return replace(
        op,
        kind=op.kind.replace("conv1d", "conv2d"),
        ins=tuple(picture_value(v) for v in op.ins),
        outs=tuple(picture_value(v) for v in op.outs),
        attrs=picture_attrs(op.attrs),
    )


def without_row(v: Value, cell: tuple[int, ...]) -> tuple[int, ...]:
    """A cell of the picture as a cell of the sequence or of its kernels; others stay."""
    at = 1 if v.batched else 2
    return (*cell[:at], *cell[at + 1 :]) if len(v.shape) == 3 and len(cell) == 4 else cell


def _one_row(array: Array, batched: bool) -> Array:
    return np.expand_dims(array, 1 if batched else 2) if array.ndim == 3 else array


class OnSequences(OpRule):
    """What the three have in common: the rule of the conv2d, and a cell without its row."""

    batched: ClassVar[tuple[bool, ...]]
    """Which inputs are sequences, not kernels."""
    note: ClassVar[str]

    @property
    def picture_rule(self) -> OpRule:
        return rule(self.kind.replace("conv1d", "conv2d"))

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        (out,) = self.picture_rule.infer([picture_value(v) for v in ins], picture_attrs(attrs))
        kernels = out.axes[0] == "out"
        shape = tuple(n for i, n in enumerate(out.shape) if i != (2 if kernels else 1))
        return (replace(out, axes=KERNELS if kernels else SEQUENCE, shape=shape),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        arrays = [_one_row(a, batched) for a, batched in zip(ins, self.batched, strict=False)]
        (out,) = self.picture_rule.reference(arrays, picture_attrs(attrs), ctx)
        return (out.reshape([n for i, n in enumerate(out.shape) if i != (2 if self.reduces_samples else 1)]),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        values = {v.id: v for v in (*op.ins, *op.outs)}

        def read_picture(v: Value) -> Array:
            return _one_row(read(values[v.id]), values[v.id].batched)

        def flat(term: Term) -> Term:
            found = tuple((name, without_row(values[name], at), x) for name, at, x in term.factors)
            return replace(term, factors=found)

        row = 1 if op.out.batched else 2
        there = (*cell[:row], 0, *cell[row:])
        terms = self.picture_rule.explain(as_picture(op), out, there, read_picture, ctx)
        return replace(terms, terms=tuple(flat(t) for t in terms.terms), note=self.note_of(op.attrs))

    def note_of(self, attrs: Attrs) -> str:
        """LaTeX of the rule, apart from the padding."""
        stride, dilation = cast(int, attrs["stride"]), cast(int, attrs.get("dilation", 1))
        sent = f"t-{times(dilation, 'j')}"
        sent = sent if stride == 1 else f"({sent})/{stride}"
        return self.note.format(seen=f"{times(stride, 't')}+{times(dilation, 'j')}", sent=sent)


@register
class Conv1D(OnSequences):
    """ins K (O, F/groups, k), X (F, T, N)[, b (O)] -> z (O, T', N)."""

    kind = "conv1d"
    batched = (False, True, False)
    note = r"z_o(t) = \sum_{{f,j}} k_{{o f j}} x_f({seen}) + b_o"

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        k, x = op.ins[0], op.ins[1]
        (dz,) = grads_out
        assert dz is not None
        dx = dk = None
        if wanted[1]:
            attrs = {**op.attrs, "length": x.shape[1]}
            dx = rec.emit1("conv1d_dx", (k, dz), rec.grad_name(x), attrs=attrs)
        if wanted[0]:
            attrs = {**op.attrs, "kernel": k.shape[2]}
            dk = rec.emit1("conv1d_dw", (dz, x), rec.grad_name(k), attrs=attrs)
        if len(op.ins) < 3:
            return dk, dx
        return dk, dx, rec.emit1("sum_samples", (dz,), rec.grad_name(op.ins[2])) if wanted[2] else None

    def cases(self) -> Iterable[Case]:
        for k, x, _, attrs, n in _cases():
            ins = (value("k", "out in k", k, Role.PARAM), value("x", "F T N", x))
            bias = (value("b", "out", k[:1], Role.PARAM),) if k[2] > 1 else ()
            arrays = (normal(1, *k), normal(2, *x), *(normal(3, k[0]) for _ in bias))
            yield Case((*ins, *bias), arrays, attrs, Context(n), f"{k} {x}")


@register
class Conv1DDx(OnSequences):
    """ins K (O, F/groups, k), δ (O, T', N) -> dX (F, T, N). Attributes add the length of X."""

    kind = "conv1d_dx"
    batched = (False, True)
    note = r"\partial L/\partial x_f(t) = \sum_{{o,j}} k_{{o f j}} \delta_o({sent})"

    def cases(self) -> Iterable[Case]:
        for k, x, d, attrs, n in list(_cases())[1:]:
            n = max(1, n - 3)
            ins = (value("k", "out in k", k, Role.PARAM), value("d", "F T N", d, Role.GRAD))
            arrays = (normal(1, *k), live(normal(2, *d), n))
            yield Case(ins, arrays, {**attrs, "length": x[1]}, Context(n), f"{k} {x}")


@register
class Conv1DDw(OnSequences):
    """ins δ (O, T', N), X (F, T, N) -> dK (O, F/groups, k) over the live lanes. Attribute kernel."""

    kind = "conv1d_dw"
    reduces_samples = True
    batched = (True, True)
    note = r"\partial L/\partial k_{{o f j}} = \sum_{{n,t}} \delta_o(t) \, x_f({seen})"

    def cases(self) -> Iterable[Case]:
        for k, x, d, attrs, n in list(_cases())[1:]:
            n = max(1, n - 3)
            ins = (value("d", "F T N", d, Role.GRAD), value("x", "F T N", x))
            arrays = (live(normal(1, *d), n), fill(normal(2, *x), n, 1e30))
            yield Case(ins, arrays, {**attrs, "kernel": k[2]}, Context(n), f"{k} {x}")


def _cases() -> Iterable[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], dict[str, Hashable], int]]:
    """Kernels, sequence, what comes out, attributes, examples."""
    rows = (  # filters, features, groups, k, T, stride, padding, dilation, examples
        (3, 2, 1, 1, 6, 2, (0, 0), 1, 1),
        (6, 4, 2, 2, 40, 1, (16, 0), 16, 17),
    )
    for o, f, groups, k, t, stride, padding, dilation, n in rows:
        attrs: dict[str, Hashable] = {"stride": stride, "padding": padding}
        attrs |= {"dilation": dilation} if dilation > 1 else {}
        attrs |= {"groups": groups} if groups > 1 else {}
        out = (t + sum(padding) - (k - 1) * dilation - 1) // stride + 1
        yield (o, f // groups, k), (f, t, n), (o, out, n), attrs, n
