"""Softplus: A ReLU with a round corner."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class Softplus(Pointwise):
    """A ReLU with a round corner."""

    kind = "softplus"
    label = N_("Softplus")
    help = N_("A ReLU with a round corner. Its derivative is the sigmoid.")
    formula = r"a = \ln(1 + e^z)"
