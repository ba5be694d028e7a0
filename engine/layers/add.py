"""Add: several inputs of one shape, cell by cell."""

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
class Add(Join):
    """The sum of all inputs; on the way back each input gets the same gradient."""

    kind = "add"
    label = N_("Add")
    help = N_(
        "Adds inputs of one shape cell by cell. A shortcut around some layers makes a residual network."
    )
    formula = r"y = \sum_i x_i"

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("add", inputs, "y")
