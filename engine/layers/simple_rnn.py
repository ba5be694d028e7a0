"""SimpleRNN: the state is an activation function of input and state before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_
from engine.fields import Setting
from engine.layers.recurrent import Recurrent

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class SimpleRNN(Recurrent):
    """h_t = tanh(W·x_t + b + W_h·h_(t-1) + b_h), as torch.nn.RNN."""

    kind = "simple_rnn"
    label = N_("Simple RNN")
    help = N_(
        "Reads a sequence position by position and keeps a state: at each it adds up what the input and what "
        "the state before say, and an activation function makes of it the new state. The same weights serve "
        "all positions, so their gradient is a sum over all of them, and it shrinks or grows with every "
        "position it passes on the way back."
    )
    formula = r"h_t = \tanh(W x_t + b + W_h h_{t-1} + b_h)"
    stem = "rnn"
    gates = 1

    activation: Annotated[
        str,
        Setting(
            N_("Activation"),
            N_("The function that makes the state."),
            kind="choice",
            choices=(("tanh", "tanh"), ("relu", "ReLU")),
        ),
    ] = "tanh"

    def position(self, rec: Recorder, ins: Sequence[Value], place: Mapping[str, int]) -> tuple[Value, ...]:
        number = place["t"] + 1
        z = rec.emit1("add", ins[:2], f"z{number}", attrs=dict(place))
        return rec.emit(self.activation, (z,), f"h{number}", attrs=dict(place))
