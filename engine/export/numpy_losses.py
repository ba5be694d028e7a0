"""Losses that are sums, or that weigh classes, as lines of NumPy."""

from __future__ import annotations

from engine.export.numpy_names import Names, Writer, one
from engine.ops.weighted_sum import weights_of


def _weighted_sum(n: Names) -> list[str]:
    parts = (f"{weight:.9g} * {name}" for weight, name in zip(weights_of(n.op.attrs), n.ins, strict=True))
    return [f"{n.outs[0]} = {' + '.join(parts)}"]


LOSS_WRITERS: dict[str, Writer] = {
    "scale": one("{o} = {factor:.9g} * {0}"),
    "weighted_sum": _weighted_sum,
}
