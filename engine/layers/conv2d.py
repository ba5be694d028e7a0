"""Conv2D: small kernels slide over the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.initializers import BIAS_CHOICES, INITIALIZER_CHOICES
from engine.layers.base import Layer, ParamSpec, Shape
from engine.layers.windows import (
    DILATION,
    GROUPS,
    check_groups,
    need_picture,
    slide_attrs,
    window_shape,
    with_more,
)

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Conv2D(Layer):
    """Each filter multiplies every window of the picture with its kernel (cross-correlation)."""

    kind = "conv2d"
    label = N_("Convolution")
    category = "linear"
    help = N_(
        "Each filter lays its kernel on every window of the picture, multiplies, adds up and adds its "
        "bias. The kernel is not flipped: mathematics calls this cross-correlation. Dilation leaves gaps "
        "between the cells of the kernel; with groups a filter sees a part of the channels. The matrix lab "
        "shows it as one large matrix, too."
    )
    formula = r"z_k(r,c) = \sum_{c',i,j} w_{k c' i j} \, x_{c'}(r+i, c+j) + b_k"
    stem = "conv"
    output_name = "z"

    filters: Annotated[
        int, Setting(N_("Filters"), N_("Number of feature maps that come out."), minimum=1, maximum=65536)
    ] = 8
    kernel: Annotated[
        tuple[int, int],
        Setting(N_("Kernel"), N_("Rows and columns of the window."), kind="pair", minimum=1, maximum=1024),
    ] = (3, 3)
    stride: Annotated[
        tuple[int, int],
        Setting(
            N_("Stride"), N_("Rows and columns from window to window."), kind="pair", minimum=1, maximum=1024
        ),
    ] = (1, 1)
    padding: Annotated[
        tuple[int, int, int, int],
        Setting(
            N_("Padding"),
            N_("Zeros added at top, left, bottom and right."),
            kind="pads",
            minimum=0,
            maximum=1024,
        ),
    ] = (0, 0, 0, 0)
    bias: Annotated[bool, Setting(N_("Bias"), N_("Add one number per filter."), kind="bool")] = True
    initializer: Annotated[
        str,
        Setting(
            N_("Start values"),
            N_("How the weights are drawn before training."),
            kind="choice",
            choices=INITIALIZER_CHOICES,
        ),
    ] = "he_normal"

    bias_initializer: Annotated[
        str,
        Setting(
            N_("Start of the bias"),
            N_("How the biases are drawn before training."),
            kind="choice",
            choices=BIAS_CHOICES,
        ),
    ] = "zeros"

    dilation: Annotated[tuple[int, int], DILATION] = (1, 1)
    groups: Annotated[int, GROUPS] = 1

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        c, h, w = need_picture(inputs[0])
        check_groups(c, self.filters, self.groups)
        shape = window_shape((h, w), self.kernel, self.stride, self.padding, self.dilation)
        return (self.filters, *shape)

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        c, (kh, kw) = inputs[0][0] // self.groups, self.kernel
        weight = ParamSpec(
            "weight", (self.filters, c, kh, kw), self.initializer, c * kh * kw, self.filters * kh * kw
        )
        return (weight, ParamSpec("bias", (self.filters,), self.bias_initializer)) if self.bias else (weight,)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1(
            "conv2d",
            [params["weight"], inputs[0], *([params["bias"]] if self.bias else [])],
            "z",
            attrs=slide_attrs(self.stride, self.padding, self.dilation, self.groups),
        )

    def summary(self) -> Message:
        main = Message(
            N_("{filters} × {rows}×{columns}"),
            {"filters": self.filters, "rows": self.kernel[0], "columns": self.kernel[1]},
        )
        return with_more(main, self.dilation, self.groups)

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        k, h, w = self.output_shape(inputs)
        return k * h * w * (inputs[0][0] // self.groups) * self.kernel[0] * self.kernel[1]
