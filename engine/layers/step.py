"""Step: 1 above 0, else 0; learnt with a stand-in for its slope."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class Step(Pointwise):
    """1 above 0, else 0; learnt with a stand-in for its slope."""

    kind = "step"
    label = N_("Step")
    help = N_(
        "1 above 0, else 0: the neuron of the first perceptrons. Its derivative is 0 everywhere, and "
        "nothing could be learnt; so the way back uses a stand-in, max(0, 1 − |z|). A gradient check "
        "therefore disagrees here, as it must."
    )
    formula = r"a = 1 \text{ if } z > 0 \text{ else } 0"
