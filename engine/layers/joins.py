"""What layers share that take several inputs of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import N_, Message
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, shape_text


def one_shape(inputs: Sequence[Shape]) -> Shape:
    """The shape of all inputs; raises ShapeProblem where one differs from the first."""
    for port, shape in enumerate(inputs):
        if shape != inputs[0]:
            raise ShapeProblem(
                Message(
                    N_("All inputs need one shape; input 1 is {first}, input {port} is {found}."),
                    {"first": shape_text(inputs[0]), "port": port + 1, "found": shape_text(shape)},
                ),
                repairs=(
                    Repair(Message(N_("Remove link {port}"), {"port": port + 1}), "remove_link", port=port),
                ),
            )
    return inputs[0]


@dataclass(frozen=True)
class Join(Layer):
    """Inputs of one shape are made one, cell by cell."""

    category = "merge"
    many_inputs = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return one_shape(inputs)

    def summary(self) -> Message:
        return Message(N_("cell by cell"))
