"""Linear: what comes in goes out."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import N_
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class Linear(Pointwise):
    """what comes in goes out."""

    kind = "linear"
    label = N_("Linear")
    help = N_(
        "No function at all: what comes in goes out. Layers with nothing but this between them are "
        "together one linear layer."
    )
    formula = r"a = z"
