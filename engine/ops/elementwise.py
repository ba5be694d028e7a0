"""add, multiply, concatenate, dropout: values combined cell by cell or put side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from engine import random
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
from engine.values import Op, Role, Value


@register
class Add(OpRule):
    """ins of one shape -> their sum, in order. The gradient of each input is the output's, unchanged."""

    kind = "add"
    elementwise = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (
            Out("y", ins[0].axes, ins[0].shape, role=ins[0].role if ins[0].role is Role.GRAD else Role.ACT),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        total = ins[0] + ins[1] if len(ins) > 1 else ins[0].copy()
        for x in ins[2:]:
            total = total + x
        return (total,)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        return tuple(grads_out[0] if w else None for w in wanted)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        terms = tuple(Term(((v.id, cell, float(read(v)[cell])),), float(read(v)[cell])) for v in op.ins)
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"y = \sum_i x_i")

    def cases(self) -> Iterable[Case]:
        for count, shape, axes, n in [
            (2, (7, 33), "F N", 33),
            (3, (2, 3, 3, 7), "C H W N", 7),
            (2, (1, 1), "F N", 1),
        ]:
            yield Case(
                tuple(value(f"x{i}", axes, shape) for i in range(count)),
                tuple(normal(i, *shape) for i in range(count)),
                {},
                Context(n),
                f"{count} of {shape}",
            )


@register
class Multiply(OpRule):
    """ins a, b of one shape -> a ⊙ b."""

    kind = "multiply"
    elementwise = True

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        grad = any(v.role is Role.GRAD for v in ins)
        return (Out("y", ins[0].axes, ins[0].shape, role=Role.GRAD if grad else Role.ACT),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (ins[0] * ins[1],)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        a, b = op.ins
        assert grads_out[0] is not None
        return (
            rec.emit1("multiply", (grads_out[0], b), rec.grad_name(a)) if wanted[0] else None,
            rec.emit1("multiply", (grads_out[0], a), rec.grad_name(b)) if wanted[1] else None,
        )

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        a, b = (float(read(v)[cell]) for v in op.ins)
        term = Term(((op.ins[0].id, cell, a), (op.ins[1].id, cell, b)), a * b)
        return Terms("sum", (term,), a * b, float(read(op.out)[cell]), r"y = a \cdot b")

    def cases(self) -> Iterable[Case]:
        for shape, axes, n in [((7, 33), "F N", 33), ((2, 3, 3, 7), "C H W N", 7), ((1, 1), "F N", 1)]:
            yield Case(
                (value("a", axes, shape), value("b", axes, shape)),
                (normal(1, *shape), normal(2, *shape)),
                {},
                Context(n),
                str(shape),
            )


@register
class Concatenate(OpRule):
    """ins (C_i, ..., N) -> (sum C_i, ..., N). The gradient is cut into views, without a copy."""

    kind = "concatenate"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("y", ins[0].axes, (sum(v.shape[0] for v in ins), *ins[0].shape[1:])),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return (np.concatenate(ins, 0),)

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        dy = grads_out[0]
        assert dy is not None
        out: list[Value | None] = []
        offset = 0
        for v, w in zip(op.ins, wanted, strict=True):
            out.append(rec.view(dy, rec.grad_name(v), v.axes, v.shape, offset) if w else None)
            offset += v.rows
        return out

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        row = cell[0]
        for v in op.ins:
            if row < v.shape[0]:
                x = float(read(v)[(row, *cell[1:])])
                term = Term(((v.id, (row, *cell[1:]), x),), x)
                return Terms("function", (term,), x, float(read(op.out)[cell]), "y = x")
            row -= v.shape[0]
        raise IndexError(cell)

    def cases(self) -> Iterable[Case]:
        for rows, tail, axes in [((1, 7), (33,), "F N"), ((2, 3, 1), (3, 3, 7), "C H W N")]:
            shapes = [(r, *tail) for r in rows]
            yield Case(
                tuple(value(f"x{i}", axes, s) for i, s in enumerate(shapes)),
                tuple(normal(i, *s) for i, s in enumerate(shapes)),
                {},
                Context(tail[-1]),
                str(rows),
            )


@register
class Dropout(OpRule):
    """ins X -> y = X ⊙ mask, mask: 0 with probability p, else 1 / (1 - p). First control: p."""

    kind = "dropout"
    own_controls = ("p",)

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("y", ins[0].axes, ins[0].shape), Out("mask", ins[0].axes, ins[0].shape, role=Role.SAVED))

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (x,) = ins
        p = np.float32(ctx.controls["p"])
        n = x.shape[-1]
        u = random.uniform(ctx.seed, ctx.stream, ctx.step, x.size // n, n).astype(np.float32)
        keep = np.float32(1) / (np.float32(1) - p)
        mask = np.where(u >= p, keep, np.float32(0)).reshape(x.shape).astype(x.dtype)
        return x * mask, mask

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        assert grads_out[0] is not None
        return (rec.emit1("multiply", (grads_out[0], op.outs[1]), rec.grad_name(op.ins[0])),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        x, m = float(read(op.ins[0])[cell]), float(read(op.outs[1])[cell])
        if out == 1:
            return Terms("function", (Term((), m),), m, m, r"m \in \{0, 1/(1-p)\}")
        term = Term(((op.ins[0].id, cell, x), (op.outs[1].id, cell, m)), x * m)
        return Terms("sum", (term,), x * m, float(read(op.outs[0])[cell]), r"y = x \cdot m")

    def cases(self) -> Iterable[Case]:
        for shape, axes, p in [((7, 33), "F N", 0.5), ((2, 3, 3, 7), "C H W N", 0.2), ((5, 1), "F N", 0.0)]:
            yield Case(
                (value("x", axes, shape),),
                (normal(1, *shape),),
                {},
                Context(shape[-1], {"p": p}, seed=2**40 + 7, step=3, stream=12345),
                f"{shape} p={p}",
            )
