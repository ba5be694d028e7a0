"""The last test beyond its loss, and the examples in a cell of its confusion matrix."""

from __future__ import annotations

import numpy as np

from engine.session.views import Scores, ScoresData
from engine.training import Trainer


def scores(request: Scores, trainer: Trainer) -> ScoresData | None:
    """The report of the last test; None before it."""
    report = trainer.forward.report
    if report is None:
        return None
    index = np.zeros(0, np.int64)
    found = next((o.classes for o in report.outputs if o.uid == request.output), None)
    if request.cell is not None and found is not None:
        truth, answer = request.cell
        index = np.flatnonzero((trainer.dataset.y_test == truth) & (found.guesses == answer))
    index = index[: request.limit]
    return ScoresData(report, request.output, request.cell, index, trainer.dataset.test_inputs(index))
