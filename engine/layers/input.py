"""Input: where the data enters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, shape_text

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Input(Layer):
    """The data: one column of X per example. Pictures are C × H × W, points and tables vectors."""

    kind = "input"
    label = N_("Input")
    category = "data"
    help = N_(
        "The data enters here. Each example is one column of X; a picture keeps its "
        "channels, rows and columns."
    )
    formula = r"X = (x^{(1)} \; x^{(2)} \cdots x^{(k)})"
    ports = ()
    output_name = "x"

    shape: Annotated[
        tuple[int, ...],
        Setting(
            N_("Shape"),
            N_("Values of one example: features, or channels, rows and columns."),
            kind="shape",
            minimum=1,
            maximum=65536,
        ),
    ] = (2,)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(self.shape) not in (1, 3):
            raise ShapeProblem(
                Message(
                    N_("The shape must be features or channels × rows × columns, not {found}."),
                    {"found": shape_text(self.shape)},
                ),
                "shape",
                (_whole(self.shape),),
            )
        return self.shape

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.batch_input(self.shape)

    def summary(self) -> Message:
        return Message("{shape}", {"shape": shape_text(self.shape)})


def _whole(shape: Shape) -> Repair:
    """Two numbers are rows and columns of one channel; of more the first are channels."""
    picture = (math.prod(shape[:-2]), *shape[-2:])
    label = Message(N_("Use {shape}"), {"shape": shape_text(picture)})
    return Repair(label, "set_field", field="shape", value=picture)
