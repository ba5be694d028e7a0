"""Add: several inputs of one shape, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_, Message
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, shape_text

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Add(Layer):
    """The sum of all inputs; on the way back each input gets the same gradient."""

    kind = "add"
    label = N_("Add")
    category = "merge"
    help = N_(
        "Adds inputs of one shape cell by cell. A shortcut around some layers makes a residual network."
    )
    formula = r"y = \sum_i x_i"
    many_inputs = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        for port, shape in enumerate(inputs):
            if shape != inputs[0]:
                raise ShapeProblem(
                    Message(
                        N_("All inputs need one shape; input 1 is {first}, input {port} is {found}."),
                        {"first": shape_text(inputs[0]), "port": port + 1, "found": shape_text(shape)},
                    ),
                    repairs=(
                        Repair(
                            Message(N_("Remove link {port}"), {"port": port + 1}), "remove_link", port=port
                        ),
                    ),
                )
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("add", inputs, "y")

    def summary(self) -> Message:
        return Message(N_("cell by cell"))
