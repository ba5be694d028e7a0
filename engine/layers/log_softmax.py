"""LogSoftmax: the logarithms of softmax's shares."""

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
class LogSoftmax(Layer):
    """The logarithms of softmax's shares, computed without ever forming a share too small to be a number."""

    kind = "log_softmax"
    label = N_("Log softmax")
    category = "activation"
    help = N_("The logarithms of the shares that Softmax gives, without rounding small shares to 0.")
    formula = r"a_i = z_i - \ln \sum_j e^{z_j}"
    output_name = "a"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return need_vector(inputs[0])

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("log_softmax", inputs, "a")
