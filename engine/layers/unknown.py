"""A layer of a newer Matrizen: shown, kept and saved again, but not computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_, Message
from engine.layers.base import Layer, Shape, ShapeProblem

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Unknown(Layer):
    """Stands for a layer kind this version does not have; not in the palette."""

    kind = "unknown"
    label = N_("Unknown layer")
    category = "merge"
    help = N_(
        "This layer was made by a newer Matrizen. It is kept with its weights, but cannot be computed here."
    )
    formula = r"?"
    many_inputs = True

    original_kind: str = ""
    settings_json: str = "{}"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        raise ShapeProblem(
            Message(
                N_(
                    "No layer “{kind}” in this version. It is kept as it is; a newer Matrizen can compute it."
                ),
                {"kind": self.original_kind},
            )
        )

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        raise AssertionError("inference never lets an unknown layer be recorded")

    def summary(self) -> Message:
        return Message("{kind}", {"kind": self.original_kind})
