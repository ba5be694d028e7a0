"""MaxPool2D: the largest value of each window goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Shape
from engine.layers.windows import need_picture, window_shape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class MaxPool2D(Layer):
    """The largest value of each window goes on: a choice that depends on the data."""

    kind = "max_pool2d"
    label = N_("Max pooling")
    category = "pooling"
    help = N_(
        "The largest value of each window goes on; which one that is depends on the data, "
        "so this is not a matrix."
    )
    formula = r"y(r,c) = \max_{i,j} x(r+i, c+j)"
    stem = "maxpool"

    kernel: Annotated[
        tuple[int, int],
        Setting(N_("Window"), N_("Rows and columns of the window."), kind="pair", minimum=1, maximum=1024),
    ] = (2, 2)
    stride: Annotated[
        tuple[int, int],
        Setting(
            N_("Stride"), N_("Rows and columns from window to window."), kind="pair", minimum=1, maximum=1024
        ),
    ] = (2, 2)
    padding: Annotated[
        tuple[int, int, int, int],
        Setting(
            N_("Padding"),
            N_("Border added at top, left, bottom and right."),
            kind="pads",
            minimum=0,
            maximum=1024,
        ),
    ] = (0, 0, 0, 0)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        c, h, w = need_picture(inputs[0])
        return (c, *window_shape((h, w), self.kernel, self.stride, self.padding))

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit(
            "maxpool2d",
            inputs,
            "y",
            attrs={"kernel": self.kernel, "stride": self.stride, "padding": self.padding},
        )[0]

    def summary(self) -> Message:
        return Message(
            N_("{rows}×{columns}, stride {stride}"),
            {"rows": self.kernel[0], "columns": self.kernel[1], "stride": self.stride[0]},
        )
