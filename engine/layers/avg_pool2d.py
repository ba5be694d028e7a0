"""AvgPool2D: The mean of each window goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.errors import N_
from engine.fields import Setting
from engine.layers.windows import Pooling


@dataclass(frozen=True)
class AvgPool2D(Pooling):
    """The mean of each window goes on. Zeros of the padding count."""

    kind = "avg_pool2d"
    label = N_("Average pooling")
    op = "avgpool2d"
    help = N_(
        "The mean of each window goes on: the sum divided by all cells of the window. Zeros of the padding "
        "count as cells, so the mean is smaller at the edges (PyTorch: count_include_pad)."
    )
    formula = r"y(r,c) = \frac{1}{k}\sum_{i,j} x(r+i, c+j)"
    stem = "avgpool"

    padding: Annotated[
        tuple[int, int, int, int],
        Setting(
            N_("Padding"),
            N_("Zeros added at top, left, bottom and right; they count in the mean."),
            kind="pads",
            minimum=0,
            maximum=1024,
        ),
    ] = (0, 0, 0, 0)
