"""Sine: The sine, in radians."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class Sine(Pointwise):
    """The sine, in radians."""

    kind = "sine"
    label = N_("Sine")
    help = N_("The sine of each number, in radians: for networks that draw waves and details.")
    formula = r"a = \sin z"
