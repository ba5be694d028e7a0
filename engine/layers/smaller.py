"""A layer that asks for more numbers than fit: which setting makes it so large, and what would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.errors import N_, Message
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, elements, shape_text

WHOLE = ("int", "pair", "pads", "ends", "shape")
"""Kinds of settings that are whole numbers, one or several."""


def smaller(layer: Layer, inputs: Sequence[Shape], limit: int) -> tuple[str, tuple[Repair, ...]]:
    """(field, repairs): of the whole numbers that decide the size the largest, brought down until it fits."""
    whole = {name: facts for name, (facts, _) in layer.settings().items() if facts.kind in WHOLE}
    for name in sorted(whole, key=lambda n: -_largest(getattr(layer, n))):
        given = getattr(layer, name)
        low, high = int(whole[name].minimum or 1), _largest(given)
        if not _fits(replace(layer, **{name: _at_most(given, low)}), inputs, limit):
            continue
        while high - low > 1:  # low fits, high does not
            middle = (low + high) // 2
            if _fits(replace(layer, **{name: _at_most(given, middle)}), inputs, limit):
                low = middle
            else:
                high = middle
        fitting = _at_most(given, low)
        shown = f"{low:,}" if isinstance(fitting, int) else shape_text(fitting)
        label = Message(N_("Use {setting} {value}"), {"setting": Message(whole[name].label), "value": shown})
        return name, (Repair(label, "set_field", field=name, value=fitting),)
    return "", ()


def _largest(given: int | Shape) -> int:
    return given if isinstance(given, int) else max(given)


def _at_most(given: int | Shape, limit: int) -> int | Shape:
    return min(given, limit) if isinstance(given, int) else tuple(min(each, limit) for each in given)


def _fits(layer: Layer, inputs: Sequence[Shape], limit: int) -> bool:
    try:
        specs, shape = layer.params(inputs), layer.output_shape(inputs)
    except ShapeProblem:
        return False
    return max(sum(elements(p.shape) for p in specs), elements(shape)) <= limit
