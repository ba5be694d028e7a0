"""The loss of a network with several outputs: L = Σ w_i L_i."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np

from engine.ops.base import Array, Attrs, Case, Context, OpRule, Out, Read, Term, Terms, register, value
from engine.values import Op, Role, Value


def weights_of(attrs: Attrs) -> tuple[float, ...]:
    return cast("tuple[float, ...]", attrs["weights"])


@register
class WeightedSum(OpRule):
    """ins L_i () -> L (): the sum of w_i L_i, in order. Attribute weights.

    Losses are no part of the way back by rules: each output's gradient is recorded times its weight.
    """

    kind = "weighted_sum"
    differentiable = False

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("total", (), (), role=Role.SCALAR),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        kind = ins[0].dtype.type
        total = kind(0)
        for part, weight in zip(ins, weights_of(attrs), strict=True):
            total = total + kind(weight) * part
        return (np.asarray(total, ins[0].dtype).reshape(()),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        terms = []
        for part, weight in zip(op.ins, weights_of(op.attrs), strict=True):
            number = read(part).item()
            terms.append(Term(((part.id, (), number),), weight * number, "weight"))
        return Terms.sum_of(terms, float(read(op.out)[()]), r"L = \sum_i w_i L_i")

    def cases(self) -> Iterable[Case]:
        for weights in ((0.3,), (1.0, 0.25, 7.0)):
            parts = range(len(weights))
            yield Case(
                tuple(value(f"l{i}", "", (), Role.SCALAR) for i in parts),
                tuple(np.asarray(1.7 + i) for i in parts),
                {"weights": weights},
                Context(5),
                f"{len(weights)} losses",
                smooth=False,
            )
