"""OnePosition: the features of one position of a sequence, as a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem
from engine.layers.sequences import need_sequence, take_position

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class OnePosition(Layer):
    """A column of a sequence; on the way back all other positions get the gradient 0."""

    kind = "one_position"
    label = N_("One position")
    category = "recurrent"
    help = N_(
        "Lets one position of a sequence through, for instance the last, which in a text stands before the "
        "token to be guessed; the others go no further."
    )
    formula = r"y_f = x_{f t}"
    stem = "position"

    position: Annotated[
        int,
        Setting(N_("Position"), N_("Which one, from 1; 0 is the last."), minimum=0, maximum=1_000_000),
    ] = 0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        features, length = need_sequence(inputs[0])
        if self.position > length:
            text = N_("The sequence has {length} positions, number {found} is asked for.")
            repair = Repair(Message(N_("Use the last")), "set_field", field="position", value=0)
            values = {"length": length, "found": self.position}
            raise ShapeProblem(Message(text, values), "position", (repair,))
        return (features,)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        length = inputs[0].shape[1]
        return take_position(rec, inputs[0], (self.position or length) - 1)

    def summary(self) -> Message:
        if not self.position:
            return Message(N_("the last"))
        return Message(N_("number {position}"), {"position": self.position})
