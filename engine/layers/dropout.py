"""Dropout: random silence while training."""

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
class Dropout(Layer):
    """Each value becomes 0 with probability p while training; the others are divided by 1 - p."""

    kind = "dropout"
    label = N_("Dropout")
    category = "normalize"
    help = N_(
        "While training each value becomes 0 with the chosen probability, and the others grow so that "
        "the mean stays. When testing nothing is changed."
    )
    formula = r"y = \frac{m \odot x}{1 - p}, \quad m \sim \mathrm{Bernoulli}(1-p)"

    rate: Annotated[
        float,
        Setting(
            N_("Rate"), N_("Share of values silenced."), kind="float", minimum=0.0, maximum=0.95, hot=True
        ),
    ] = 0.5

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs
        if not rec.train:
            return rec.view(x, "y", x.axes, x.shape)
        rate = rec.control(f"{rec.node}.rate", self.rate)
        return rec.emit("dropout", inputs, ("y", "mask"), controls=(rate,), stream=f"{rec.node}.dropout")[0]

    def summary(self) -> Message:
        return Message(N_("{percent} % silent"), {"percent": f"{100 * self.rate:g}"})
