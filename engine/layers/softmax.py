"""Softmax: shares that add up to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_
from engine.layers.base import Layer, Shape
from engine.layers.vectors import need_vector

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
        return need_vector(inputs[0])

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("softmax", inputs, "a")
