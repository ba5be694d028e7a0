"""Optimizers as recorded: one update op per trained parameter, its moments as state."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from engine.clipping import record_clipping
from engine.graph import GraphSpec
from engine.locks import LOCK
from engine.ops.accumulating import APPLY, GATHERED
from engine.ops.base import REGISTRY
from engine.ops.updates import Update
from engine.penalties import record_largest_norm, ruled
from engine.recorder import Recorder
from engine.settings import TrainingSpec
from engine.values import Phase, Role, Value, state_id


def moments(optimizer: str) -> tuple[str, ...]:
    """Names of the moments an optimizer keeps for each parameter."""
    return cast(Update, REGISTRY[optimizer]).moments


def record_updates(
    rec: Recorder,
    training: TrainingSpec,
    graph: GraphSpec,
    parameters: list[Value],
    locked: Collection[str] = (),
) -> None:
    """Record the update of every parameter that has a gradient; moments start at zero.

    Those in `locked` ("<node>.<name>") have a mask of cells that stay as they are.
    """
    gradients = {w.id: rec.gradients[w.id] for w in parameters if w.id in rec.gradients}
    gradients, applied = _gathered(rec, training, parameters, gradients)
    gradients = record_clipping(rec, training, parameters, gradients)
    rec.phase = Phase.UPDATE
    controls = training.controls()
    for name in REGISTRY[training.optimizer].controls:
        rec.control(name, controls.get(name, 1.0))
    for w in parameters:
        gradient = gradients.get(w.id)
        if gradient is None:
            continue
        rec.node = w.owner
        old = [_beside(rec, w, m) for m in moments(training.optimizer)]
        lock = [_beside(rec, w, LOCK)] if f"{w.owner}.{w.param}" in locked else []
        shortened = bool(ruled(graph, [w], "max_norm"))
        name = f"{w.owner}.{w.param}@moved" if shortened else ""
        new = list(rec.emit(training.optimizer, (w, gradient, *old, *lock), name, controls=applied))
        if shortened:
            new[0] = record_largest_norm(rec, graph, w, new[0], lock, applied)
        for before, after in zip((w, *old), new, strict=True):
            rec.advance(before, after)


def _gathered(
    rec: Recorder, training: TrainingSpec, parameters: list[Value], gradients: dict[str, Value]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """The mean gradients over several batches, and the control that says when the weights move."""
    if training.accumulate == 1:
        return gradients, ()
    rec.phase = Phase.CLIP
    rec.control(APPLY, 1.0)
    found = dict(gradients)
    for w in parameters:
        if w.id in gradients:
            rec.node, name = w.owner, f"{w.owner}.{w.param}@mean"
            before, count = _beside(rec, w, GATHERED), {"count": training.accumulate}
            mean, after = rec.emit("accumulate", (gradients[w.id], before), name, attrs=dict(count))
            rec.advance(before, after)
            found[w.id] = mean
    return found, (APPLY,)


def _beside(rec: Recorder, w: Value, name: str) -> Value:
    """State of a parameter's shape: a moment, the mask of its locked cells."""
    param = f"{w.param}.{name}"
    return rec.input(state_id(w.owner, param), w.axes, w.shape, role=Role.STATE, owner=w.owner, param=param)


def batch_controls(controls: dict[str, float], training: TrainingSpec, batches: int) -> dict[str, float]:
    """Controls of the step behind so many batches since the optimizer began; with those of its update."""
    moves = (batches + 1) % training.accumulate == 0
    waits = {APPLY: float(moves)} if training.accumulate > 1 else {}
    return {**step_controls(controls, update_number(training, batches)), **waits}


def update_number(training: TrainingSpec, batches: int) -> int:
    """Number, from 1, of the update that the batch behind so many others is a part of."""
    return batches // training.accumulate + 1


def step_controls(controls: dict[str, float], t: int) -> dict[str, float]:
    """Controls that depend on the step: Adam's bias corrections after t updates (t counts from 1).

    `controls` are a program's; the corrections themselves need not be among them.
    """
    return {
        name: 1.0 - controls[beta] ** t
        for name, beta in (("c1", "beta1"), ("c2", "beta2"))
        if beta in controls
    }
