"""Sigmoid: an activation function, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_
from engine.layers.base import Layer, Shape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Sigmoid(Layer):
    """Squeezes any number between 0 and 1."""

    kind = "sigmoid"
    label = N_("Sigmoid")
    category = "activation"
    help = N_("Squeezes any number between 0 and 1.")
    formula = r"a = \frac{1}{1 + e^{-z}}"
    output_name = "a"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("sigmoid", inputs, "a")
