"""What SimpleRNN, GRU and LSTM share: one position of a sequence after the other, with the same weights.

Recorded flat, position by position, so that stepping, opened cells, replay and the NumPy proof need nothing
of their own. W·X is one product for all positions; so are dW and dW_h on the way back (docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.errors import N_, Message
from engine.fields import Setting
from engine.initializers import INITIALIZER_CHOICES
from engine.layers.base import Layer, ParamSpec, Repair, Shape, ShapeProblem
from engine.layers.conv1d import Conv1D
from engine.layers.sequences import need_sequence, take_position

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value

MOST_POSITIONS = 256
"""Every position is some ops of the program."""
RETURNED = (("last", N_("the last")), ("all", N_("all")))


@dataclass(frozen=True)
class Recurrent(Layer):
    """Settings, parameters and the walk over time; a subclass says what happens at one position.

    Parameters as PyTorch's nn.RNN, nn.GRU and nn.LSTM name them: weight_ih_l0 (gates · units, features),
    weight_hh_l0 (gates · units, units), bias_ih_l0 and bias_hh_l0 (gates · units).
    """

    category = "recurrent"
    output_name = "h"
    gates: ClassVar[int]
    """How many rows of W each unit has."""
    open_gate: ClassVar[int] = -1
    """The gate whose bias starts at 1, -1 for none."""

    units: Annotated[
        int,
        Setting(N_("Units"), N_("Numbers in the state: rows of h."), minimum=1, maximum=65536),
    ] = 16
    states: Annotated[
        str,
        Setting(
            N_("States"),
            N_("Whether the state of the last position goes on, or those of all positions."),
            kind="choice",
            choices=RETURNED,
        ),
    ] = "last"
    initializer: Annotated[
        str,
        Setting(
            N_("Start values"),
            N_("How the weights are drawn before training."),
            kind="choice",
            choices=INITIALIZER_CHOICES,
        ),
    ] = "xavier_uniform"
    state_initializer: Annotated[
        str,
        Setting(
            N_("Start of W_h"),
            N_("How the weights of the state are drawn before training."),
            kind="choice",
            choices=INITIALIZER_CHOICES,
        ),
    ] = "orthogonal"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        features, length = need_sequence(inputs[0])
        if length > MOST_POSITIONS:
            text = N_("The sequence has {found} positions, at most {expected} fit here: use shorter windows.")
            values = {"found": length, "expected": MOST_POSITIONS}
            raise ShapeProblem(Message(text, values), "", _shortened(features, length))
        return (self.units, length) if self.states == "all" else (self.units,)

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        features, _ = need_sequence(inputs[0])
        rows = self.gates * self.units
        start: tuple[float, ...] = ()
        if self.open_gate >= 0:
            start = tuple(float(r // self.units == self.open_gate) for r in range(rows))
        first, again = self.initializer, self.state_initializer
        return (
            ParamSpec("weight", (rows, features), first, features, self.units, exported="weight_ih_l0"),
            ParamSpec("bias", (rows,), start=start, exported="bias_ih_l0"),
            ParamSpec("state_weight", (rows, self.units), again, self.units, self.units,
                      exported="weight_hh_l0"),
            ParamSpec("state_bias", (rows,), exported="bias_hh_l0"),
        )  # fmt: skip

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        length = inputs[0].shape[1]
        u = rec.emit1("dense", (params["weight"], inputs[0], params["bias"]), "u")
        parts = rec.emit("split_time", (u,), [f"u{t + 1}" for t in range(length)])
        h, *memory = self.start(rec, parts[0])
        states = []
        for t, part in enumerate(parts):
            place = {"t": t, "length": length}
            ins = (params["state_weight"], h, params["state_bias"])
            q = rec.emit1("dense", ins, f"q{t + 1}", attrs=place)
            h, *memory = self.position(rec, (part, q, h, *memory), place)
            states.append(h)
        h = rec.emit1("stack_time", states, "h")
        return h if self.states == "all" else take_position(rec, h, length - 1)

    def start(self, rec: Recorder, like: Value) -> tuple[Value, ...]:
        """The state before the first position: h, and c where there is one."""
        return rec.emit("zero_state", (like,), "h0", attrs={"units": self.units})

    def position(self, rec: Recorder, ins: Sequence[Value], place: Mapping[str, int]) -> tuple[Value, ...]:
        """The state after position t from (u, q, the state before)."""
        raise NotImplementedError

    def summary(self) -> Message:
        text = N_("{units} units, all states") if self.states == "all" else N_("{units} units, last state")
        return Message(text, {"units": self.units})

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        features, length = inputs[0]
        return self.gates * self.units * (features + self.units) * length


def _shortened(features: int, length: int) -> tuple[Repair, ...]:
    """A convolution that makes of so many neighboring positions one that the sequence is short enough."""
    many = -(-length // MOST_POSITIONS)
    together = Conv1D(features, many, many, (0, 0))
    label = Message(N_("Make of {count} positions one (Convolution 1-D)"), {"count": many})
    return (Repair(label, "insert_before", layer=together),)
