"""Spatial dropout: whole maps silent while training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, shape_text
from engine.layers.dropout import Dropout

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class SpatialDropout(Layer):
    """Each channel of an example becomes 0 with probability p; the others are divided by 1 - p."""

    kind = "spatial_dropout"
    label = N_("Spatial dropout")
    category = "normalize"
    help = N_(
        "While training each whole map (each feature of a sequence) becomes 0 with the chosen probability, "
        "and the others grow so that the mean stays. Neighboring pixels say nearly the same, so leaving out "
        "single ones takes little away. When testing nothing is changed."
    )
    formula = r"y_c = \frac{m_c \, x_c}{1 - p}, \quad m_c \sim \mathrm{Bernoulli}(1-p)"

    rate: Annotated[
        float,
        Setting(N_("Rate"), N_("Share of maps silenced."), kind="float", minimum=0.0, maximum=0.95, hot=True),
    ] = 0.2

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) == 1:
            text = N_("Leaves out whole maps, gets single values ({found}): Dropout does it for these.")
            repair = Repair(Message(N_("Use Dropout")), "replace_layer", layer=Dropout(self.rate))
            raise ShapeProblem(Message(text, {"found": shape_text(inputs[0])}), repairs=(repair,))
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs
        if not rec.train:
            return rec.view(x, "y", x.axes, x.shape)
        rate = rec.control(f"{rec.node}.rate", self.rate)
        stream = f"{rec.node}.spatial_dropout"
        return rec.emit("spatial_dropout", inputs, ("y", "mask"), controls=(rate,), stream=stream)[0]

    def summary(self) -> Message:
        return Message(N_("{percent} % silent"), {"percent": f"{100 * self.rate:g}"})
