"""ReLU: an activation function, cell by cell."""

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
class ReLU(Layer):
    """Negative values become 0, the others stay. The derivative at 0 is taken as 0."""

    kind = "relu"
    label = N_("ReLU")
    category = "activation"
    help = N_("Negative values become 0, the others stay. The derivative at 0 is taken as 0.")
    formula = r"a = \max(0, z)"
    output_name = "a"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("relu", inputs, "a")
