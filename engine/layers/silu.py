"""SiLU: z times its own sigmoid, also called Swish."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class SiLU(Pointwise):
    """z times its own sigmoid, also called Swish."""

    kind = "silu"
    label = N_("SiLU")
    help = N_(
        "z times its own sigmoid, also called Swish: like ReLU, but smooth, with a small dip below 0."
    )
    formula = r"a = z \cdot \sigma(z)"
