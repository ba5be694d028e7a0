"""ELU: Negative values bend softly towards -alpha, the others stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class ELU(Pointwise):
    """Negative values bend softly towards -alpha, the others stay."""

    kind = "elu"
    label = N_("ELU")
    help = N_(
        "Negative values bend softly towards −α, the others stay. The mean of the values stays nearer to "
        "0 than with ReLU."
    )
    formula = r"a = z \text{ if } z > 0 \text{ else } \alpha (e^z - 1)"

    alpha: Annotated[
        float, Setting(N_("Alpha"), N_("How far below 0 it goes."), kind="float", minimum=0.0, maximum=100.0)
    ] = 1.0

    def summary(self) -> Message:
        return Message(N_("α {alpha}"), {"alpha": f"{self.alpha:g}"})
