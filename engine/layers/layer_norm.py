"""LayerNorm: the features of each position get mean 0 and variance 1, then a scale and a shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, ParamSpec, Shape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Normalizes over the first axis: all features of a vector, those of each position or pixel."""

    kind = "layer_norm"
    label = N_("Layer normalization")
    category = "normalize"
    help = N_(
        "The features of each example, in a sequence or picture those of each position, are shifted and "
        "scaled to mean 0 and variance 1, then by a learnt scale and shift. Other examples play no part, so "
        "training and testing do the same."
    )
    formula = r"y = \gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta"
    stem = "norm"

    epsilon: Annotated[
        float,
        Setting(
            N_("Epsilon"),
            N_("Added to the variance so that nothing is divided by 0."),
            kind="float",
            minimum=1e-12,
            maximum=1.0,
        ),
    ] = 1e-5

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        width = (inputs[0][0],)
        return (ParamSpec("weight", width, "ones"), ParamSpec("bias", width))

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        ins = (inputs[0], params["weight"], params["bias"])
        return rec.emit("layernorm", ins, ("y", "mean", "invstd"), attrs={"epsilon": self.epsilon})[0]

    def summary(self) -> Message:
        return Message(N_("over the features"))
