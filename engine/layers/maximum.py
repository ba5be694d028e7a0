"""Maximum: the largest of several inputs, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_
from engine.layers.joins import Join

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Maximum(Join):
    """The largest of all inputs; on the way back only the one that was largest gets the gradient."""

    kind = "maximum"
    label = N_("Maximum")
    help = N_(
        "The largest of inputs of one shape, cell by cell. On the way back only the one that was "
        "largest gets the gradient, of equals the first."
    )
    formula = r"y = \max_i x_i"

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("maximum", inputs, "y")
