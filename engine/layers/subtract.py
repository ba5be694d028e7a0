"""Subtract: the first input minus the second."""

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
class Subtract(Join):
    """The difference of two inputs; on the way back the second gets the gradient with its sign turned."""

    kind = "subtract"
    label = N_("Subtract")
    help = N_("The first input minus the second, cell by cell.")
    formula = r"y = x_1 - x_2"
    ports = ("a", "b")
    many_inputs = False

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("subtract", inputs, "y")
