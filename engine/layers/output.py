"""Output: what the loss looks at."""

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
class Output(Layer):
    """The prediction ŷ: the loss compares it with the target."""

    kind = "output"
    label = N_("Output")
    category = "loss"
    help = N_(
        "The prediction. The loss chosen for training compares it with the target; its gradient "
        "starts here and runs back through the network."
    )
    formula = r"L = L(\hat{y}, y)"
    has_output = False

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return need_vector(inputs[0])

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return inputs[0]
