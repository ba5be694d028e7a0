"""LeakyReLU: an activation function, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Shape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """Negative values are multiplied by a small slope, the others stay."""

    kind = "leaky_relu"
    label = N_("Leaky ReLU")
    category = "activation"
    help = N_("Negative values are multiplied by a small slope, the others stay. So no unit falls silent.")
    formula = r"a = \max(0, z) + s \cdot \min(0, z)"
    output_name = "a"

    slope: Annotated[
        float, Setting(N_("Slope"), N_("Factor for negative values."), kind="float", minimum=0.0, maximum=1.0)
    ] = 0.01

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("leaky_relu", inputs, "a", attrs={"slope": self.slope})

    def summary(self) -> Message:
        return Message(N_("slope {slope}"), {"slope": f"{self.slope:g}"})
