"""What deserves a warning in a trained network: neurons that answer nothing any more."""

from __future__ import annotations

import numpy as np

from engine.errors import N_, Message
from engine.training import Trainer

LOOKED_AT = 256
"""Training examples that are asked."""


def dead_units(trainer: Trainer) -> dict[str, tuple[int, int]]:
    """ReLU layers with neurons (or channels) that give 0 for every example asked: uid -> (dead, all).

    Such a neuron has no gradient either, so it does not come back by itself.
    """
    outputs = trainer.program.outputs
    layers = [n.uid for n in trainer.graph.nodes if n.layer.kind == "relu" and n.uid in outputs]
    if not layers:
        return {}
    x = trainer.dataset.train_inputs(slice(0, LOOKED_AT))
    seen = trainer.predict(x, keep=[outputs[uid].id for uid in layers])
    found: dict[str, tuple[int, int]] = {}
    for uid in layers:
        answers = seen[outputs[uid].id]
        alive = np.any(answers > 0, axis=tuple(i for i in range(answers.ndim) if i != 1))
        if not alive.all():
            found[uid] = (int((~alive).sum()), int(alive.size))
    return found


def health_notes(trainer: Trainer) -> list[Message]:
    """Warnings for people, one a layer; layers where only a few neurons rest are not mentioned."""
    text = N_(
        "{layer}: {dead} of {total} neurons give 0 for every example and learn no more; a lower learning "
        "rate, a new start or LeakyReLU may help."
    )
    return [
        Message(text, {"layer": trainer.graph.node(uid).name, "dead": dead, "total": total})
        for uid, (dead, total) in dead_units(trainer).items()
        if 2 * dead >= total
    ]
