"""GlobalMaxPool: the largest value of each whole map."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_
from engine.layers.base import Layer, Shape
from engine.layers.windows import need_picture

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class GlobalMaxPool(Layer):
    """One number for each map: its largest value."""

    kind = "global_max_pool"
    label = N_("Global max pooling")
    category = "pooling"
    help = N_(
        "Of each map one number goes on, its largest value: a picture becomes a vector, whatever its "
        "size."
    )
    formula = r"y_c = \max_{r,s} x_{c r s}"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (need_picture(inputs[0])[0],)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        x = inputs[0]
        size = x.shape[1:3]
        window: dict[str, Hashable] = {"kernel": size, "stride": size, "padding": (0, 0, 0, 0)}
        pooled = rec.emit("maxpool2d", inputs, ("pooled",), attrs=window)[0]
        return rec.view(pooled, "y", ("F", "N"), (x.shape[0], x.shape[-1]))
