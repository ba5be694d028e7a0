"""AvgPool2D: The mean of each window goes on."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.windows import Pooling


@dataclass(frozen=True)
class AvgPool2D(Pooling):
    """The mean of each window goes on. Zeros of the padding count."""

    kind = "avg_pool2d"
    label = N_("Average pooling")
    op = "avgpool2d"
    help = N_("The mean of each window goes on. Zeros of the padding count.")
    formula = r"y(r,c) = \frac{1}{k}\sum_{i,j} x(r+i, c+j)"
    stem = "avgpool"
