"""rearrange: every cell of the result is one cell of the input, or 0. Pad, crop, permute and slice are this.

The place is a sum: cell (i, j, k) of the result is input cell number offset + i·s_i + j·s_j + k·s_k (counted
through channels, rows, columns) where low <= (i, j, k) < high, and 0 elsewhere. Samples stay apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

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
from engine.values import Axes, Op, Role, Value

Three = tuple[int, int, int]


class Places(NamedTuple):
    """Where the cells of the result come from. All in (channel, row, column); vectors are (F, 1, 1)."""

    shape: Three
    strides: Three
    offset: int
    low: Three
    high: Three

    def attrs(self) -> dict[str, Any]:
        return self._asdict()

    def source(self) -> Array:
        """Input cell for each cell of the result, -1 for none; shape `shape`, int64."""
        grid = np.indices(self.shape)
        at = self.offset + sum(s * g for s, g in zip(self.strides, grid, strict=True))
        inside = np.ones(self.shape, bool)
        for g, low, high in zip(grid, self.low, self.high, strict=True):
            inside &= (g >= low) & (g < high)
        return np.where(inside, at, -1)


def _steps(shape: Sequence[int]) -> Three:
    return shape[1] * shape[2], shape[2], 1


def shifted(inside: Three, outside: Three, start: Three) -> tuple[Places, Places]:
    """(crop, pad): `inside` cut out of `outside` at `start`, and put back into zeros."""
    steps = _steps(outside)
    first = sum(s * o for s, o in zip(steps, start, strict=True))
    crop = Places(inside, steps, first, (0, 0, 0), inside)
    own = _steps(inside)
    back = -sum(s * o for s, o in zip(own, start, strict=True))
    end = cast(Three, tuple(a + b for a, b in zip(start, inside, strict=True)))
    return crop, Places(outside, own, back, start, end)


def permuted(shape: Three, order: Three) -> tuple[Places, Places]:
    """(there, back): axis k of the result is axis order[k] of the input."""
    out = cast(Three, tuple(shape[a] for a in order))
    steps, own = _steps(shape), _steps(out)
    there = Places(out, cast(Three, tuple(steps[a] for a in order)), 0, (0, 0, 0), out)
    back = Places(shape, cast(Three, tuple(own[order.index(a)] for a in range(3))), 0, (0, 0, 0), shape)
    return there, back


def position_at(features: int, length: int, t: int) -> tuple[Places, Places]:
    """(position t of a sequence, put back among zeros)."""
    there = Places((features, 1, 1), (length, 1, 1), t, (0, 0, 0), (features, 1, 1))
    return there, Places((features, length, 1), (1, 0, 0), 0, (0, t, 0), (features, t + 1, 1))


def places_of(attrs: Attrs, prefix: str = "") -> Places:
    return Places(*(cast(Any, attrs[prefix + name]) for name in Places._fields))


def both(there: Places, back: Places) -> dict[str, Any]:
    """Attributes of the op: the way there, and the way back for its gradient."""
    return {**there.attrs(), **{f"back_{k}": v for k, v in back.attrs().items()}}


@register
class Rearrange(OpRule):
    """ins X (C, H, W, N), (F, T, N) or (F, N) -> Y with as many axes; attributes `both(there, back)`.

    With attribute `axes` the result has these instead: one position of a sequence (F, T, N) is (F, N).
    """

    kind = "rearrange"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        axes = cast(Axes, attrs.get("axes", ins[0].axes))
        own = cast(Three, attrs["shape"])[: len(axes) - 1]
        role = Role.GRAD if ins[0].role is Role.GRAD else Role.ACT
        return (Out("y", axes, (*own, ins[0].shape[-1]), role=role),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (x,) = ins
        flat = x.reshape(-1, x.shape[-1])
        source = places_of(attrs).source()
        out = np.where(source.reshape(-1, 1) >= 0, flat[source.reshape(-1)], x.dtype.type(0))
        shape = source.shape[: len(cast(Axes, attrs["axes"])) - 1 if "axes" in attrs else x.ndim - 1]
        return (out.reshape(*shape, x.shape[-1]),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        attrs = both(places_of(op.attrs, "back_"), places_of(op.attrs))
        if "axes" in op.attrs:
            attrs |= {"axes": op.ins[0].axes}
        return (rec.emit1("rearrange", (grads_out[0],), rec.grad_name(op.ins[0]), attrs=attrs),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        number = int(places_of(op.attrs).source()[(*cell[:-1], 0, 0)[:3]])
        engine = float(read(op.out)[cell])
        if number < 0:
            return Terms("function", (Term((), 0.0, "outside"),), 0.0, engine, "y = 0")
        x = op.ins[0]
        at = (*(int(i) for i in np.unravel_index(number, x.shape[:-1])), cell[-1])
        v = float(read(x)[at])
        return Terms("function", (Term(((x.id, at, v),), v),), v, engine, "y = x")

    def cases(self) -> Iterable[Case]:
        crop, pad = shifted((2, 3, 2), (2, 5, 4), (0, 1, 2))
        there, back = permuted((2, 3, 4), (2, 0, 1))
        part, whole = shifted((3, 1, 1), (7, 1, 1), (2, 0, 0))
        for label, places, shape in (
            ("pad", both(pad, crop), (2, 3, 2)),
            ("crop", both(crop, pad), (2, 5, 4)),
            ("permute", both(there, back), (2, 3, 4)),
        ):
            full = (*shape, 16)
            yield Case((value("x", "C H W N", full),), (normal(1, *full),), places, Context(9), label)
        position = {**both(*position_at(5, 4, 2)), "axes": ("F", "N")}
        ins = (value("x", "F T N", (5, 4, 7)),)
        yield Case(ins, (normal(3, 5, 4, 7),), position, Context(7), "position")
        ins = (value("x", "F N", (7, 33)),)
        yield Case(ins, (normal(2, 7, 33),), both(part, whole), Context(33), "slice")
        part, whole = shifted((2, 3, 1), (6, 3, 1), (4, 0, 0))
        ins = (value("x", "F T N", (6, 3, 7)),)
        yield Case(ins, (normal(3, 6, 3, 7),), both(part, whole), Context(7), "slice of a sequence")
