"""HardSigmoid: A sigmoid made of three straight lines."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class HardSigmoid(Pointwise):
    """A sigmoid made of three straight lines."""

    kind = "hard_sigmoid"
    label = N_("Hard sigmoid")
    help = N_(
        "A sigmoid made of three straight lines: 0 up to −3, 1 from 3 on, a ramp between. Outside the "
        "ramp nothing is learnt."
    )
    formula = r"a = \min(1, \max(0, \frac{z}{6} + \frac{1}{2}))"
