"""Batches of a single example, where a layer needs several to have a mean and a variance."""

from __future__ import annotations

from engine.errors import N_, Message
from engine.layers.base import Repair, Shape, elements
from engine.layers.layer_norm import LayerNorm
from engine.settings import DataSpec, TrainingSpec

ENOUGH = 32
"""The batch that is proposed where there are so many examples."""


def lone_example(
    shape: Shape, training: TrainingSpec, data: DataSpec
) -> tuple[Message, tuple[Repair, ...], bool] | None:
    """What is wrong with batches under a BatchNorm fed with `shape`, its repairs, whether it is a warning.

    One number per feature has no variance: it is its own mean, and whatever it was, the shift comes out. Maps
    and sequences have several numbers per channel even so.
    """
    if elements(shape) > shape[0]:
        return None
    batch, count = training.batch, data.count
    if batch == 1 or count == 1:
        text = N_("Batches of a single example, expected at least 2: minus its own mean each value is 0.")
        if count == 1:
            label = Message(N_("Use layer normalization"))
            return Message(text), (Repair(label, "replace_layer", layer=LayerNorm()),), False
        return Message(text), (_batch(_fitting(ENOUGH, count)),), False
    if count > batch and count % batch == 1:
        text = N_("The last batch of each epoch has a single example: minus its own mean every value is 0.")
        return Message(text), (_batch(_fitting(batch, count)),), True
    return None


def _fitting(batch: int, count: int) -> int:
    """A batch near `batch` (at least 2) that leaves no single example over."""
    if not count:
        return batch
    batch = max(2, min(batch, count))
    while batch > 2 and count % batch == 1:
        batch -= 1
    while count % batch == 1:
        batch += 1
    return batch


def _batch(size: int) -> Repair:
    label = Message(N_("Use batches of {size}"), {"size": size})
    return Repair(label, "set_training", field="batch", value=size)
