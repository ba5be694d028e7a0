"""LeakyReLU: Negative values are multiplied by a small slope, the others stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class LeakyReLU(Pointwise):
    """Negative values are multiplied by a small slope, the others stay."""

    kind = "leaky_relu"
    label = N_("Leaky ReLU")
    help = N_(
        "Negative values are multiplied by a small slope, the others stay. So no unit falls silent."
    )
    formula = r"a = \max(0, z) + s \cdot \min(0, z)"

    slope: Annotated[
        float, Setting(N_("Slope"), N_("Factor for negative values."), kind="float", minimum=0.0, maximum=1.0)
    ] = 0.01

    def summary(self) -> Message:
        return Message(N_("slope {slope}"), {"slope": f"{self.slope:g}"})
