"""ConvTranspose2D: every number of a picture lays a kernel down, which makes the picture larger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.initializers import BIAS_CHOICES, INITIALIZER_CHOICES
from engine.layers.base import Layer, ParamSpec, Repair, Shape, ShapeProblem, shape_text
from engine.layers.windows import DILATION, GROUPS, check_groups, need_picture, slide_attrs, with_more
from engine.ops.convolution import extent

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class ConvTranspose2D(Layer):
    """The transpose of the convolution with the same kernels: what that one makes small it makes large."""

    kind = "conv_transpose2d"
    label = N_("Transposed convolution")
    category = "linear"
    help = N_(
        "Each number of the picture lays the kernel down, times itself, and stride says how far apart; what "
        "overlaps adds up, then comes the bias. Its matrix is that of a convolution transposed, so the way "
        "forward of one is the way back of the other. With stride 2 and a 2×2 kernel pictures grow to twice "
        "their sides: decoders are made of it."
    )
    formula = r"z_k(y,x) = \sum_{c',i,j} w_{c' k i j} \, x_{c'}(\frac{y-i}{s}, \frac{x-j}{s}) + b_k"
    stem = "tconv"
    output_name = "z"

    filters: Annotated[
        int, Setting(N_("Filters"), N_("Number of feature maps that come out."), minimum=1, maximum=65536)
    ] = 8
    kernel: Annotated[
        tuple[int, int],
        Setting(N_("Kernel"), N_("Rows and columns each number reaches."), kind="pair", minimum=1,
                maximum=1024),
    ] = (2, 2)  # fmt: skip
    stride: Annotated[
        tuple[int, int],
        Setting(
            N_("Stride"), N_("Rows and columns from kernel to kernel in what comes out."), kind="pair",
            minimum=1, maximum=1024,
        ),
    ] = (2, 2)  # fmt: skip
    padding: Annotated[
        tuple[int, int, int, int],
        Setting(
            N_("Padding"),
            N_("Rows and columns cut off at top, left, bottom and right: what the convolution added."),
            kind="pads",
            minimum=0,
            maximum=1024,
        ),
    ] = (0, 0, 0, 0)
    output_padding: Annotated[
        tuple[int, int],
        Setting(
            N_("Output padding"),
            N_("Rows and columns more at bottom and right, less than the stride: a convolution with a stride "
               "makes several sizes one, this says which comes back."),
            kind="pair",
            minimum=0,
            maximum=1023,
        ),
    ] = (0, 0)  # fmt: skip
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
        if any(more >= step for more, step in zip(self.output_padding, self.stride, strict=True)):
            fitting = tuple(min(m, s - 1) for m, s in zip(self.output_padding, self.stride, strict=True))
            raise ShapeProblem(
                Message(
                    N_("The output padding must be less than the stride {stride}, it is {found}."),
                    {"stride": shape_text(self.stride), "found": shape_text(self.output_padding)},
                ),
                "output_padding",
                (_set("output_padding", fitting, N_("Use output padding {value}")),),
            )
        reach, (top, left, bottom, right) = extent(self.kernel, self.dilation), self.padding
        whole = tuple(
            (n - 1) * step + far + more
            for n, step, far, more in zip((h, w), self.stride, reach, self.output_padding, strict=True)
        )
        rows, columns = whole[0] - top - bottom, whole[1] - left - right
        if rows < 1 or columns < 1:
            raise ShapeProblem(
                Message(
                    N_("The padding cuts all of the {whole} picture off."), {"whole": shape_text(whole)}
                ),
                "padding",
                (_set("padding", (0, 0, 0, 0), N_("Use no padding")),),
            )
        return self.filters, rows, columns

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        c, (kh, kw) = inputs[0][0], self.kernel
        each = self.filters // self.groups
        # so many products meet in one cell: of the kernels around it only every stride-th reaches it
        fan_in = max(1, c // self.groups * kh * kw // (self.stride[0] * self.stride[1]))
        weight = ParamSpec("weight", (c, each, kh, kw), self.initializer, fan_in, each * kh * kw)
        return (weight, ParamSpec("bias", (self.filters,), self.bias_initializer)) if self.bias else (weight,)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        attrs = slide_attrs(self.stride, self.padding, self.dilation, self.groups)
        _, attrs["height"], attrs["width"] = self.output_shape([inputs[0].shape[:-1]])
        ins = [params["weight"], inputs[0], *([params["bias"]] if self.bias else [])]
        return rec.emit1("conv_transpose2d", ins, "z", attrs=attrs)

    def summary(self) -> Message:
        main = Message(
            N_("{filters} × {rows}×{columns}"),
            {"filters": self.filters, "rows": self.kernel[0], "columns": self.kernel[1]},
        )
        if self.stride != (1, 1):
            values = {"main": main, "stride": shape_text(self.stride)}
            main = Message(N_("{main}, stride {stride}"), values)
        return with_more(main, self.dilation, self.groups)

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        c, h, w = inputs[0]
        return c * h * w * (self.filters // self.groups) * self.kernel[0] * self.kernel[1]


def _set(field: str, value: tuple[int, ...], label: str) -> Repair:
    return Repair(Message(label, {"value": shape_text(value)}), "set_field", field=field, value=value)
