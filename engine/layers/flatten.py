"""Flatten: a picture becomes a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_
from engine.layers.base import Layer, Shape, elements

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Flatten(Layer):
    """All values of a picture in one column: channel by channel, row by row."""

    kind = "flatten"
    label = N_("Flatten")
    category = "pooling"
    help = N_("All values of a picture in one column, channel by channel and row by row. No number changes.")
    formula = r"y_{(c \cdot H + r) \cdot W + s} = x_{c r s}"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (elements(inputs[0]),)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs  # of a sequence: feature by feature, all its positions
        return rec.view(x, "y", ("F", "N"), (x.rows, x.shape[-1]))
