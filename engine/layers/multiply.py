"""Multiply: several inputs of one shape, cell by cell."""

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
class Multiply(Join):
    """The product of all inputs, as a gate opens and closes what flows; not a matrix product."""

    kind = "multiply"
    label = N_("Multiply")
    help = N_(
        "Multiplies inputs of one shape cell by cell: one of them can open and close the others like a "
        "gate. This is not a matrix product."
    )
    formula = r"y = \prod_i x_i"

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        product = inputs[0]
        for i, x in enumerate(inputs[1:]):
            product = rec.emit1("multiply", (product, x), "y" if i == len(inputs) - 2 else f"y{i + 1}")
        return product if len(inputs) > 1 else rec.emit1("scale", inputs, "y", attrs={"factor": 1.0})
