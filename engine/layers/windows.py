"""What convolution and pooling share: a window that moves over a picture."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, elements, shape_text
from engine.layers.reshape import Reshape
from engine.ops.convolution import extent

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
    dilation: tuple[int, int] = (1, 1),
) -> tuple[int, int]:
    """Rows and columns of window positions: floor((size + pads - reach) / stride) + 1."""
    top, left, bottom, right = padding
    padded = (size[0] + top + bottom, size[1] + left + right)
    reach = extent(kernel, dilation)
    if reach[0] > padded[0] or reach[1] > padded[1]:
        text = N_("The {kernel} window is larger than the {picture} picture.")
        repairs = []
        if reach != kernel:
            text = N_(
                "With its gaps the {kernel} window reaches over {reach}, more than the {picture} picture."
            )
            closer = tuple(
                min(d, max(1, (p - 1) // (k - 1))) if k > 1 else d
                for d, p, k in zip(dilation, padded, kernel, strict=True)
            )
            closer_reach = extent(kernel, closer)
            if closer_reach[0] <= padded[0] and closer_reach[1] <= padded[1]:
                label = Message(N_("Use dilation {dilation}"), {"dilation": shape_text(closer)})
                repairs.append(Repair(label, "set_field", field="dilation", value=closer))
        fitting = tuple(
            min(k, (p - 1) // d + 1) for k, p, d in zip(kernel, padded, dilation, strict=True)
        )
        label = Message(N_("Use a {kernel} window"), {"kernel": shape_text(fitting)})
        repairs.append(Repair(label, "set_field", field="kernel", value=fitting))
        values = {"kernel": shape_text(kernel), "picture": shape_text(padded), "reach": shape_text(reach)}
        raise ShapeProblem(Message(text, values), "kernel", tuple(repairs))
    return ((padded[0] - reach[0]) // stride[0] + 1, (padded[1] - reach[1]) // stride[1] + 1)


DILATION = Setting(
    N_("Dilation"),
    N_("Rows and columns from one cell of the kernel to the next on the picture: 1 leaves no gap."),
    kind="pair",
    minimum=1,
    maximum=1024,
)
GROUPS = Setting(
    N_("Groups"),
    N_(
        "Channels and filters fall into so many parts, and a filter sees the channels of its part only. "
        "As many as channels: each channel by itself (depthwise)."
    ),
    minimum=1,
    maximum=65536,
)


def check_groups(channels: int, filters: int, groups: int) -> None:
    """Raises ShapeProblem where groups divide the channels or the filters with a rest."""
    if channels % groups == 0 and filters % groups == 0:
        return
    values = {"groups": groups, "channels": channels, "filters": filters}
    common = math.gcd(channels, filters)
    fitting = max(g for g in range(1, min(groups, common) + 1) if common % g == 0)
    label = Message(N_("Set groups to {groups}"), {"groups": fitting})
    repairs = [Repair(label, "set_field", field="groups", value=fitting)]
    text = N_("{groups} groups do not divide {channels} channels.")
    if channels % groups and fitting != channels and filters % channels == 0:
        label = Message(N_("Each channel by itself: {groups} groups"), {"groups": channels})
        repairs.append(Repair(label, "set_field", field="groups", value=channels))
    if channels % groups == 0:
        text = N_("{groups} groups do not divide {filters} filters.")
        more = -(-filters // groups) * groups
        label = Message(N_("Use {filters} filters"), {"filters": more})
        repairs.insert(0, Repair(label, "set_field", field="filters", value=more))
    raise ShapeProblem(Message(text, values), "groups", tuple(repairs))


def slide_attrs(
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
) -> dict[str, Hashable]:
    """Attributes of a convolution; those that are 1 are left out."""
    found: dict[str, Hashable] = {"stride": stride, "padding": padding}
    if dilation != (1, 1):
        found["dilation"] = dilation
    if groups > 1:
        found["groups"] = groups
    return found


def with_more(main: Message, dilation: tuple[int, ...], groups: int) -> Message:
    """A summary with dilation and groups, where they are not 1."""
    if any(d > 1 for d in dilation):
        main = Message(N_("{main}, dilation {dilation}"), {"main": main, "dilation": shape_text(dilation)})
    if groups > 1:
        main = Message(N_("{main}, {groups} groups"), {"main": main, "groups": groups})
    return main


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
