"""GroupNorm: the channels of a group get mean 0 and variance 1, then a scale and a shift."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, ParamSpec, Repair, Shape, ShapeProblem, elements

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Normalizes over the channels of each group and all their pixels or positions, example by example."""

    kind = "group_norm"
    label = N_("Group normalization")
    category = "normalize"
    help = N_(
        "The channels are cut into groups; all numbers of a group are shifted and scaled to mean 0 and "
        "variance 1, then channel by channel by a learnt scale and shift. Other examples play no part, so it "
        "works with any batch, and training and testing do the same."
    )
    formula = r"y = \gamma \, \frac{x - \mu_g}{\sqrt{\sigma_g^2 + \epsilon}} + \beta"
    stem = "norm"

    groups: Annotated[
        int,
        Setting(N_("Groups"), N_("Parts the channels are cut into, all of one size."), minimum=1,
                maximum=65536),
    ] = 4  # fmt: skip
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
    affine: Annotated[
        bool, Setting(N_("Scale and shift"), N_("Learn a scale and a shift of each channel."), kind="bool")
    ] = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels = inputs[0][0]
        if channels % self.groups:
            fitting = max(g for g in range(1, min(self.groups, channels) + 1) if channels % g == 0)
            text = N_("{channels} channels cannot be cut into {groups} groups of one size.")
            raise self._problem(text, channels, fitting)
        if elements(inputs[0]) == self.groups > 1:
            text = N_("Each of the {groups} groups holds a single number, which becomes 0.")
            raise self._problem(text, channels, 1)
        return inputs[0]

    def _problem(self, text: str, channels: int, fitting: int) -> ShapeProblem:
        label = Message(N_("Use groups: {groups}"), {"groups": fitting})
        repair = Repair(label, "set_field", field="groups", value=fitting)
        return ShapeProblem(
            Message(text, {"channels": channels, "groups": self.groups}), "groups", (repair,)
        )

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        width = (inputs[0][0],)
        return (ParamSpec("weight", width, "ones"), ParamSpec("bias", width)) if self.affine else ()

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        own = (params["weight"], params["bias"]) if self.affine else ()
        attrs: dict[str, Hashable] = {"epsilon": self.epsilon, "groups": self.groups}
        return rec.emit("groupnorm", (inputs[0], *own), ("y", "mean", "invstd"), attrs=attrs)[0]

    def summary(self) -> Message:
        return Message(N_("groups: {groups}"), {"groups": self.groups})
