"""Clipping as recorded: between the gradients and their updates."""

from __future__ import annotations

from collections.abc import Sequence

from engine.recorder import Recorder
from engine.settings import TrainingSpec
from engine.values import Phase, Role, Value

NORM = "grad_norm"
"""The metric of a program that clips by norm."""
AT_ONCE = 32
"""Sums of squares that one op adds."""


def record_clipping(
    rec: Recorder, training: TrainingSpec, parameters: Sequence[Value], gradients: dict[str, Value]
) -> dict[str, Value]:
    """What the updates of these parameters read: their gradients, or clipped ones. Records the norm, too.

    `gradients`: id of a parameter -> its gradient. Returns the same with what is clipped.
    """
    clipped = [w for w in parameters if w.id in gradients]
    if training.clipping == "none" or not clipped:
        return gradients
    rec.phase = Phase.CLIP
    rec.control("clip", training.clip_limit)
    norm: list[Value] = []
    if training.clipping == "norm":
        sums = []
        for w in clipped:
            rec.node = w.owner
            sums.append(rec.emit1("square_sum", [gradients[w.id]], f"{w.owner}.{w.param}@squares"))
        while len(sums) > AT_ONCE:
            parts = [sums[i : i + AT_ONCE] for i in range(0, len(sums), AT_ONCE)]
            sums = [rec.emit1("add", part, "squares", role=Role.SCALAR) for part in parts]
        norm = [rec.emit1("grad_norm", sums, NORM)]
    kind = f"clip_{training.clipping}"
    out = dict(gradients)
    for w in clipped:
        rec.node = w.owner
        out[w.id] = rec.emit1(kind, [gradients[w.id], *norm], f"{w.owner}.{w.param}@clipped")
    return out
