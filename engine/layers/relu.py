"""ReLU: Negative values become 0, the others stay."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class ReLU(Pointwise):
    """Negative values become 0, the others stay."""

    kind = "relu"
    label = N_("ReLU")
    help = N_("Negative values become 0, the others stay. The derivative at 0 is taken as 0.")
    formula = r"a = \max(0, z)"
