"""Softsign: Squeezes every number into -1 to 1, slower than tanh."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class Softsign(Pointwise):
    """Squeezes every number into -1 to 1, slower than tanh."""

    kind = "softsign"
    label = N_("Softsign")
    help = N_(
        "Squeezes every number into the range −1 to 1, but comes near the ends much more slowly than "
        "tanh."
    )
    formula = r"a = \frac{z}{1 + |z|}"
