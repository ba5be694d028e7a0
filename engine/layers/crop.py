"""Crop: what is left of each map when its border is cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, shape_text
from engine.layers.windows import need_picture
from engine.ops.rearranging import both, shifted

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Crop(Layer):
    """The middle of each map; on the way back the border gets the gradient 0."""

    kind = "crop"
    label = N_("Crop")
    category = "pooling"
    help = N_("Cuts rows and columns off each map.")
    formula = r"y(r, s) = x(r + t, s + l)"

    sides: Annotated[
        tuple[int, int, int, int],
        Setting(
            N_("Sides"),
            N_("Rows and columns to cut off at top, left, bottom and right."),
            kind="pads",
            minimum=0,
            maximum=1024,
        ),
    ] = (1, 1, 1, 1)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        c, h, w = need_picture(inputs[0])
        top, left, bottom, right = self.sides
        if top + bottom >= h or left + right >= w:
            text = N_("Nothing would be left of the {picture} picture.")
            raise ShapeProblem(
                Message(text, {"picture": shape_text((h, w))}),
                "sides",
                (
                    Repair(
                        Message(N_("Cut nothing off")), "set_field", field="sides", value=(0, 0, 0, 0)
                    ),
                ),
            )
        return (c, h - top - bottom, w - left - right)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        c, h, w = inputs[0].shape[:3]
        top, left, bottom, right = self.sides
        crop, pad = shifted((c, h - top - bottom, w - left - right), (c, h, w), (0, top, left))
        return rec.emit1("rearrange", inputs, "y", attrs=both(crop, pad))
