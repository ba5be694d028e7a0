"""MaxPool2D: the largest value of each window goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Repair, Shape, ShapeProblem, shape_text
from engine.layers.windows import Pooling


@dataclass(frozen=True)
class MaxPool2D(Pooling):
    """The largest value of each window goes on: a choice that depends on the data."""

    kind = "max_pool2d"
    label = N_("Max pooling")
    op = "maxpool2d"
    help = N_(
        "The largest value of each window goes on; which one that is depends on the data, "
        "so this is not a matrix. The padding is empty: it is never the largest."
    )
    formula = r"y(r,c) = \max_{i,j} x(r+i, c+j)"
    stem = "maxpool"

    padding: Annotated[
        tuple[int, int, int, int],
        Setting(
            N_("Padding"),
            N_("Empty border at top, left, bottom and right, never the largest; less than the window."),
            kind="pads",
            minimum=0,
            maximum=1024,
        ),
    ] = (0, 0, 0, 0)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = super().output_shape(inputs)
        for axis in (0, 1):
            first = self.kernel[axis] - self.padding[axis]  # where the first window ends and the last begins
            last = (shape[1 + axis] - 1) * self.stride[axis] - self.padding[axis]
            if first < 1 or last >= inputs[0][1 + axis]:
                raise self._nothing_in_it()
        return shape

    def _nothing_in_it(self) -> ShapeProblem:
        sides = zip(self.padding, self.kernel * 2, strict=True)
        fitting = cast("tuple[int, int, int, int]", tuple(min(p, k - 1) for p, k in sides))
        text = N_("A {kernel} window lies in the padding {found} alone and has no largest value.")
        values = {"kernel": shape_text(self.kernel), "found": shape_text(self.padding)}
        label = Message(N_("Use padding {padding}"), {"padding": shape_text(fitting)})
        repair = Repair(label, "set_field", field="padding", value=fitting)
        return ShapeProblem(Message(text, values), "padding", (repair,))
