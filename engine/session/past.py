"""The past as the window shows it: reduced to what a time line and a list can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.curves import Curve
from engine.history import History, Line
from engine.run import Evaluation
from engine.session.views import Array, LineData, Past, PastData
from engine.settings import TrainingSpec
from engine.training import Trainer

MOST_CHANGES = 2000
"""Of the log, the newest."""


def past(request: Past, t: Trainer, history: History) -> PastData:
    """Points, lines and the record of a run."""
    kept = history.steps
    every = max(1, -(-len(kept) // max(1, request.points)))
    m = t.fast.manifest
    return PastData(
        history.first, history.reason, kept[::every], history.bytes, history.cap, history.spilled,
        history.line.id, tuple(_line(line, t, history, request.points) for line in history.lines),
        tuple((c.step, c.name, c.value) for c in t.log[-MOST_CHANGES:]), t.seed, t.dataset.sha256,
        {"backend": m.backend, "device": m.device, "driver": m.driver, **m.choices},
    )  # fmt: skip


def _line(line: Line, t: Trainer, history: History, points: int) -> LineData:
    run = line.run
    if line is history.line or run is None or line.drawn is None or line.curve is None:
        return _data(line, t, t.end, t.curve, t.tests, t.training, points)
    return replace(_data(line, t, run.step, line.curve, run.tests, line.drawn[1], points), whole=line.whole)


def _data(line: Line, t: Trainer, end: int, curve: Curve, tests: Sequence[Evaluation], training: TrainingSpec,
          points: int) -> LineData:
    examples = (line.recorded[2] if line.recorded is not None else t.dataset).n_train
    steps, mean = thinned(curve, points)
    last = tests[-1] if tests else None
    test = None if last is None else last.loss if last.accuracy is None else last.accuracy
    return LineData(line.id, line.parent, line.start, end, curve.last, test, training,
                    math.ceil(examples / min(training.batch, examples)), steps, mean)


def thinned(curve: Curve, points: int) -> tuple[Array, Array]:
    """Steps and means of a curve; more than `points` are merged."""
    steps, _, mean, _ = curve.arrays()
    if len(steps) <= points:
        return steps, mean
    starts = np.arange(0, len(steps), -(-len(steps) // points))
    return steps[starts], np.add.reduceat(mean, starts) / np.diff(np.append(starts, len(steps)))
