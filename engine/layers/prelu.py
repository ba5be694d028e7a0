"""PReLU: a leaky ReLU whose slopes are learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_
from engine.layers.base import Layer, ParamSpec, Shape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class PReLU(Layer):
    """One slope for each feature, of a picture for each channel; all begin at 0.25, as in PyTorch."""

    kind = "prelu"
    label = N_("PReLU")
    category = "activation"
    help = N_(
        "Negative values are multiplied by a slope that is learnt, one for each feature or channel "
        "(He and others, 2015). All begin at 0.25."
    )
    formula = r"a = \max(0, z) + s \cdot \min(0, z)"
    output_name = "a"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        return (ParamSpec("weight", (inputs[0][0],), "quarter"),)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("prelu", (inputs[0], params["weight"]), "a")
