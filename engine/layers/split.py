"""Split: one part of the features or channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem
from engine.ops.rearranging import both, shifted

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Split(Layer):
    """A part of the input; with one Split for each part they go different ways."""

    kind = "split"
    label = N_("Split")
    category = "merge"
    help = N_(
        "Cuts the features, of a picture the channels, into equal parts and lets one of them through. "
        "With one Split for each part they can go different ways."
    )
    formula = r"y_i = x_{(k - 1) m + i}"

    parts: Annotated[
        int, Setting(N_("Parts"), N_("Into how many equal parts."), minimum=1, maximum=65536)
    ] = 2
    part: Annotated[
        int, Setting(N_("Part"), N_("Which of them goes on, from 1."), minimum=1, maximum=65536)
    ] = 1

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        count = inputs[0][0]
        if count % self.parts:
            fitting = max(d for d in range(1, self.parts + 1) if count % d == 0)
            raise ShapeProblem(
                Message(
                    N_("{count} features or channels cannot be cut into {parts} equal parts."),
                    {"count": count, "parts": self.parts},
                ),
                "parts",
                (
                    Repair(
                        Message(N_("Use {parts} parts"), {"parts": fitting}),
                        "set_field",
                        field="parts",
                        value=fitting,
                    ),
                ),
            )
        if self.part > self.parts:
            text = N_("There are {parts} parts, part {part} is asked for.")
            words = Message(N_("Use part {part}"), {"part": self.parts})
            repair = Repair(words, "set_field", field="part", value=self.parts)
            raise ShapeProblem(Message(text, {"parts": self.parts, "part": self.part}), "part", (repair,))
        return (count // self.parts, *inputs[0][1:])

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs
        count = x.shape[0] // self.parts
        rows, columns = (*x.shape[1:-1], 1, 1)[:2]
        start = ((self.part - 1) * count, 0, 0)
        there, back = shifted((count, rows, columns), (x.shape[0], rows, columns), start)
        return rec.emit1("rearrange", inputs, "y", attrs=both(there, back))

    def summary(self) -> Message:
        return Message(N_("part {part} of {parts}"), {"part": self.part, "parts": self.parts})
