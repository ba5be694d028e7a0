"""Pad: a border of zeros around each map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_
from engine.fields import Setting
from engine.layers.base import Layer, Shape
from engine.layers.windows import need_picture
from engine.ops.rearranging import both, shifted

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Pad(Layer):
    """Zeros at top, left, bottom and right; on the way back the border is cut off again."""

    kind = "pad"
    label = N_("Pad")
    category = "pooling"
    help = N_("Puts a border of zeros around each map.")
    formula = r"y(r, s) = x(r - t, s - l) \text{ or } 0"

    sides: Annotated[
        tuple[int, int, int, int],
        Setting(
            N_("Sides"),
            N_("Rows and columns of zeros at top, left, bottom and right."),
            kind="pads",
            minimum=0,
            maximum=1024,
        ),
    ] = (1, 1, 1, 1)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        c, h, w = need_picture(inputs[0])
        top, left, bottom, right = self.sides
        return (c, h + top + bottom, w + left + right)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        c, h, w = inputs[0].shape[:3]
        top, left, bottom, right = self.sides
        crop, pad = shifted((c, h, w), (c, h + top + bottom, w + left + right), (0, top, left))
        return rec.emit1("rearrange", inputs, "y", attrs=both(pad, crop))
