"""Sigmoid: Squeezes every number into the range 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class Sigmoid(Pointwise):
    """Squeezes every number into the range 0 to 1."""

    kind = "sigmoid"
    label = N_("Sigmoid")
    help = N_("Squeezes every number into the range 0 to 1.")
    formula = r"a = \frac{1}{1 + e^{-z}}"
