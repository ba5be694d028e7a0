"""What convolution and pooling share: a window that moves over a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, elements, shape_text
from engine.layers.reshape import Reshape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


def need_picture(shape: Shape) -> tuple[int, int, int]:
    """Channels, rows, columns; raises ShapeProblem for a vector."""
    if len(shape) != 3:
        text = N_("Needs a picture (channels × rows × columns), gets {found}.")
        picture = as_picture(shape)
        label = Message(N_("Insert Reshape to {shape}"), {"shape": shape_text(picture)})
        repair = Repair(label, "insert_before", layer=Reshape(picture))
        raise ShapeProblem(Message(text, {"found": shape_text(shape)}), repairs=(repair,))
    return shape[0], shape[1], shape[2]


def as_picture(shape: Shape) -> tuple[int, int, int]:
    """The numbers as one channel, as square as can be; a sequence keeps its rows."""
    if len(shape) == 2:
        return 1, shape[0], shape[1]
    count = elements(shape)
    rows = max(d for d in range(1, math.isqrt(count) + 1) if count % d == 0)
    return 1, rows, count // rows


def window_shape(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> tuple[int, int]:
    """Rows and columns of window positions: floor((size + pads - kernel) / stride) + 1."""
    top, left, bottom, right = padding
    padded = (size[0] + top + bottom, size[1] + left + right)
    if kernel[0] > padded[0] or kernel[1] > padded[1]:
        fitting = (min(kernel[0], padded[0]), min(kernel[1], padded[1]))
        raise ShapeProblem(
            Message(
                N_("The {kernel} window is larger than the {picture} picture."),
                {"kernel": shape_text(kernel), "picture": shape_text(padded)},
            ),
            "kernel",
            (
                Repair(
                    Message(N_("Use a {kernel} window"), {"kernel": shape_text(fitting)}),
                    "set_field",
                    field="kernel",
                    value=fitting,
                ),
            ),
        )
    return ((padded[0] - kernel[0]) // stride[0] + 1, (padded[1] - kernel[1]) // stride[1] + 1)


@dataclass(frozen=True)
class Pooling(Layer):
    """One value of each window goes on, channel by channel. Subclasses name the op that makes it."""

    op: ClassVar[str]
    category = "pooling"

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
            self.op,
            inputs,
            "y",
            attrs={"kernel": self.kernel, "stride": self.stride, "padding": self.padding},
        )[0]

    def summary(self) -> Message:
        return Message(
            N_("{rows}×{columns}, stride {stride}"),
            {"rows": self.kernel[0], "columns": self.kernel[1], "stride": self.stride[0]},
        )
