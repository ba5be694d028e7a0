"""What a layer asks of its weights besides being learnt: penalties in the loss and a largest norm.

All of them are about weights of two axes or more - rows that lead to units - and leave biases alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from engine.errors import N_
from engine.fields import Setting, check_settings, settings_of

PENALTIES = ("l1", "l2")


@dataclass(frozen=True)
class WeightRules:
    """0 switches a rule off. Another number acts on the next step."""

    l1: Annotated[
        float,
        Setting(
            N_("L1 penalty"),
            N_("Adds λ · Σ|w| over the weights, not the biases, to the loss: small weights become 0. As "
               "Keras's l1."),
            kind="float", minimum=0.0, maximum=1e6,
        ),
    ] = 0.0  # fmt: skip
    l2: Annotated[
        float,
        Setting(
            N_("L2 penalty"),
            N_("Adds λ/2 · Σw² over the weights, not the biases, to the loss, so λ · w to the gradient: "
               "large weights shrink. PyTorch's weight_decay with SGD; Keras's l2 is half of λ."),
            kind="float", minimum=0.0, maximum=1e6,
        ),
    ] = 0.0  # fmt: skip
    max_norm: Annotated[
        float,
        Setting(
            N_("Largest norm"),
            N_("After each update the weights that lead to one unit (a row of W, a kernel) are made shorter "
               "where together they are longer than this. 0: no limit."),
            kind="float", minimum=0.0, maximum=1e6,
        ),
    ] = 0.0  # fmt: skip

    def __post_init__(self) -> None:
        check_settings(self, "weights")

    @classmethod
    def settings(cls) -> dict[str, tuple[Setting, Any]]:
        """Field name -> (its facts, its default)."""
        return settings_of(cls)

    @property
    def active(self) -> tuple[str, ...]:
        """The rules that are not switched off: another set of them is another program."""
        return tuple(name for name in self.settings() if getattr(self, name))


NO_RULES = WeightRules()
