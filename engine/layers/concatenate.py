"""Concatenate: inputs one after the other along features or channels."""

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
class Concatenate(Layer):
    """Stacks vectors or the channels of pictures; on the way back the gradient is cut again."""

    kind = "concatenate"
    label = N_("Concatenate")
    category = "merge"
    help = N_("Puts vectors on top of each other, or the channels of pictures of one size.")
    formula = r"y = (x_1, x_2, \ldots)"
    stem = "concat"
    many_inputs = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        first = inputs[0]
        for port, shape in enumerate(inputs):
            if len(shape) != len(first) or shape[1:] != first[1:]:
                raise ShapeProblem(
                    Message(
                        N_(
                            "Only channels may differ in number; input 1 is {first}, input {port} {found}."
                        ),
                        {"first": shape_text(first), "port": port + 1, "found": shape_text(shape)},
                    ),
                    repairs=(
                        Repair(
                            Message(N_("Remove link {port}"), {"port": port + 1}), "remove_link", port=port
                        ),
                    ),
                )
        return (sum(s[0] for s in inputs), *first[1:])

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("concatenate", inputs, "y")

    def summary(self) -> Message:
        return Message(N_("along channels"))
