"""SELU: ELU with two fixed numbers that keep mean 0 and variance 1 from layer to layer."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class SELU(Pointwise):
    """ELU with two fixed numbers that keep mean 0 and variance 1 from layer to layer."""

    kind = "selu"
    label = N_("SELU")
    help = N_(
        "ELU with two fixed numbers, λ = 1.0507 and α = 1.6733. With them mean 0 and variance 1 are kept "
        "from layer to layer (Klambauer and others, 2017)."
    )
    formula = r"a = \lambda \, (z \text{ if } z > 0 \text{ else } \alpha (e^z - 1))"
