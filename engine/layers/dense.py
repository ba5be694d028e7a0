"""Dense: every output is a weighted sum of all inputs, plus a bias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.initializers import BIAS_CHOICES, INITIALIZER_CHOICES
from engine.layers.base import Layer, ParamSpec, Shape, elements
from engine.layers.vectors import need_vector

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Dense(Layer):
    """Z = W·X + b with W of m × n: w_ij leads from input j to neuron i."""

    kind = "dense"
    label = N_("Dense")
    category = "linear"
    help = N_(
        "Each neuron adds up all inputs, each times its own weight, and its bias. With the batch as "
        "columns of X this is one matrix product for all examples. In a sequence every position is a "
        "column of its own."
    )
    formula = r"Z = W \cdot X + b"
    output_name = "z"

    units: Annotated[
        int, Setting(N_("Units"), N_("Number of neurons: rows of W."), minimum=1, maximum=1_000_000_000)
    ] = 8
    bias: Annotated[bool, Setting(N_("Bias"), N_("Add one number per neuron."), kind="bool")] = True
    initializer: Annotated[
        str,
        Setting(
            N_("Start values"),
            N_("How the weights are drawn before training."),
            kind="choice",
            choices=INITIALIZER_CHOICES,
        ),
    ] = "xavier_uniform"

    bias_initializer: Annotated[
        str,
        Setting(
            N_("Start of the bias"),
            N_("How the biases are drawn before training."),
            kind="choice",
            choices=BIAS_CHOICES,
        ),
    ] = "zeros"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) == 2:
            return (self.units, inputs[0][1])
        need_vector(inputs[0])
        return (self.units,)

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        n = inputs[0][0]
        weight = ParamSpec("weight", (self.units, n), self.initializer, n, self.units)
        return (weight, ParamSpec("bias", (self.units,), self.bias_initializer)) if self.bias else (weight,)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1(
            "dense", [params["weight"], inputs[0], *([params["bias"]] if self.bias else [])], "z"
        )

    def summary(self) -> Message:
        return Message(N_("{units} units"), {"units": self.units})

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        return self.units * elements(inputs[0])
