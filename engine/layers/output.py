"""Output: what the loss looks at."""

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
class Output(Layer):
    """The prediction ŷ: the loss compares it with the target."""

    kind = "output"
    label = N_("Output")
    category = "loss"
    help = N_(
        "The prediction. The loss chosen for training compares it with the target; its gradient "
        "starts here and runs back through the network."
    )
    formula = r"L = L(\hat{y}, y)"
    has_output = False

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        if len(x) != 1:
            raise ShapeProblem(
                Message(N_("Needs a vector, gets {found}."), {"found": shape_text(x)}),
                repairs=(insert_flatten(),),
            )
        return x

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return inputs[0]


def insert_flatten(port: int = 0) -> Repair:
    """The repair for a picture where a vector is needed."""
    from engine.layers.flatten import Flatten

    return Repair(Message(N_("Insert Flatten")), "insert_before", port=port, layer=Flatten())
