"""Mish: z times the hyperbolic tangent of its softplus."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class Mish(Pointwise):
    """z times the hyperbolic tangent of its softplus."""

    kind = "mish"
    label = N_("Mish")
    help = N_("z times the hyperbolic tangent of its softplus: smooth, with a small dip below 0.")
    formula = r"a = z \cdot \tanh(\ln(1 + e^z))"
