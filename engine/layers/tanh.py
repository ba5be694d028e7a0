"""Tanh: Squeezes every number into the range −1 to 1."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class Tanh(Pointwise):
    """Squeezes every number into the range −1 to 1."""

    kind = "tanh"
    label = N_("Tanh")
    help = N_("Squeezes every number into the range −1 to 1.")
    formula = r"a = \tanh z"
