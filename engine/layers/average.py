"""Average: the mean of several inputs, cell by cell."""

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
class Average(Join):
    """The sum of all inputs over their number."""

    kind = "average"
    label = N_("Average")
    help = N_("The mean of inputs of one shape, cell by cell.")
    formula = r"y = \frac{1}{n} \sum_i x_i"

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        total = rec.emit1("add", inputs, "sum")
        return rec.emit1("scale", (total,), "y", attrs={"factor": 1.0 / len(inputs)})
