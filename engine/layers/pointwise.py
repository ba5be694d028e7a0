"""What all activation functions of one number have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.layers.base import Layer, Shape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Pointwise(Layer):
    """a = f(z), cell by cell: the op of the same kind, with the settings that are numbers as attributes."""

    category = "activation"
    output_name = "a"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        settings = {name: getattr(self, name) for name in self.settings()}
        numbers = {name: value for name, value in settings.items() if isinstance(value, float)}
        return rec.emit1(self.op_kind(), inputs, "a", attrs=numbers)

    def op_kind(self) -> str:
        """Kind of the op that computes it."""
        return self.kind
