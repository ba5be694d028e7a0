"""MaxPool2D: the largest value of each window goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import N_, Message
from engine.layers.base import Repair, Shape, ShapeProblem
from engine.layers.windows import Pooling


@dataclass(frozen=True)
class MaxPool2D(Pooling):
    """The largest value of each window goes on: a choice that depends on the data."""

    kind = "max_pool2d"
    label = N_("Max pooling")
    op = "maxpool2d"
    help = N_(
        "The largest value of each window goes on; which one that is depends on the data, "
        "so this is not a matrix."
    )
    formula = r"y(r,c) = \max_{i,j} x(r+i, c+j)"
    stem = "maxpool"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = super().output_shape(inputs)
        rows, columns = self.kernel
        most = (rows - 1, columns - 1, rows - 1, columns - 1)
        fitting = tuple(min(have, limit) for have, limit in zip(self.padding, most, strict=True))
        if fitting != self.padding:  # a window that sees nothing has no largest value
            raise ShapeProblem(
                Message(
                    N_("The padding must be narrower than the {rows} × {columns} window, is {padding}."),
                    {"rows": rows, "columns": columns, "padding": ", ".join(map(str, self.padding))},
                ),
                "padding",
                (
                    Repair(
                        Message(N_("Use a padding of {padding}"), {"padding": ", ".join(map(str, fitting))}),
                        "set_field",
                        field="padding",
                        value=fitting,
                    ),
                ),
            )
        return shape
