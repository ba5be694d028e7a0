"""Softmax: shares that add up to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_, Message
from engine.layers.base import Layer, Shape, ShapeProblem, shape_text
from engine.layers.output import insert_flatten

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Softmax(Layer):
    """Turns the values of each example into positive shares that add up to 1."""

    kind = "softmax"
    label = N_("Softmax")
    category = "activation"
    help = N_("Turns the values of each example into positive shares that add up to 1.")
    formula = r"p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}"
    output_name = "a"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        if len(x) != 1:
            raise ShapeProblem(
                Message(N_("Needs a vector, gets {found}."), {"found": shape_text(x)}),
                repairs=(insert_flatten(),),
            )
        return x

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("softmax", inputs, "a")
