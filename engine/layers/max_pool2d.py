"""MaxPool2D: the largest value of each window goes on."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
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
