"""A layer that asks for more numbers than fit: which setting makes it so large, and what would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.errors import N_, Message
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, elements


def smaller(layer: Layer, inputs: Sequence[Shape], limit: int) -> tuple[str, tuple[Repair, ...]]:
    """(field, repairs): of the whole numbers that decide the size the largest, brought down until it fits."""
    whole = {name: facts for name, (facts, _) in layer.settings().items() if facts.kind == "int"}
    for name in sorted(whole, key=lambda n: -getattr(layer, n)):
        low, high = int(whole[name].minimum or 1), getattr(layer, name)
        if not _fits(replace(layer, **{name: low}), inputs, limit):
            continue
        while high - low > 1:  # low fits, high does not
            middle = (low + high) // 2
            if _fits(replace(layer, **{name: middle}), inputs, limit):
                low = middle
            else:
                high = middle
        facts = {"setting": Message(whole[name].label), "value": f"{low:,}"}
        label = Message(N_("Use {setting} {value}"), facts)
        return name, (Repair(label, "set_field", field=name, value=low),)
    return "", ()


def _fits(layer: Layer, inputs: Sequence[Shape], limit: int) -> bool:
    try:
        specs, shape = layer.params(inputs), layer.output_shape(inputs)
    except ShapeProblem:
        return False
    return max(sum(elements(p.shape) for p in specs), elements(shape)) <= limit
