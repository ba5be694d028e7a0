"""What convolution and pooling share: a window that moves over a picture."""

from __future__ import annotations

from engine.errors import N_, Message
from engine.layers.base import Repair, Shape, ShapeProblem, shape_text


def need_picture(shape: Shape) -> tuple[int, int, int]:
    """Channels, rows, columns; raises ShapeProblem for a vector."""
    if len(shape) != 3:
        raise ShapeProblem(
            Message(
                N_("Needs a picture (channels × rows × columns), gets a vector of {found}."),
                {"found": shape_text(shape)},
            )
        )
    return shape[0], shape[1], shape[2]


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
