"""A loss watched from epoch to epoch: when the learning rate falls on a plateau, and when a run rests early.

The rate falls as in PyTorch's ReduceLROnPlateau: an epoch counts as better when its loss is below the best
by one part in ten thousand; after more than `patience` epochs in a row that are not, the rate is multiplied
by the factor and counting begins anew. A run rests as in Keras: after `stop_after` epochs without a new best.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from engine.errors import N_, Message
from engine.settings import TrainingSpec

BETTER = 1e-4
"""Share of the best by which a loss must be below it on a plateau."""


@dataclass(frozen=True)
class Watch:
    """What is known of the watched loss at a step boundary. Losses are None before the first epoch."""

    epoch: int = 0
    """Epochs that were judged; where the run has more behind it, the next step waits for a test."""
    best: float | None = None
    best_step: int = 0
    waiting: int = 0
    """Epochs since the best, or since the run rested for want of a better one."""
    level: float | None = None
    """The best by the plateau's count, since the rate fell."""
    bad: int = 0
    factor: float = 1.0
    """What the learning rate is multiplied by."""
    total: float = 0.0
    count: int = 0
    """Sum and number of the training losses of the epoch at hand."""

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def watches(training: TrainingSpec) -> bool:
    """Whether a loss is watched at all."""
    return training.schedule == "plateau" or training.stop_after > 0


def judged(
    watch: Watch, training: TrainingSpec, loss: float, epoch: int, step: int
) -> tuple[Watch, bool, bool]:
    """The watch after an epoch with this loss; whether it is a new best, and whether the run should rest."""
    new = replace(watch, epoch=epoch, total=0.0, count=0)
    if not math.isfinite(loss):
        return new, False, False
    better = watch.best is None or loss < watch.best
    waiting = 0 if better else watch.waiting + 1
    rests = 0 < training.stop_after <= waiting
    new = replace(new, waiting=0 if rests else waiting)
    if better:
        new = replace(new, best=loss, best_step=step)
    if training.schedule == "plateau":
        if watch.level is None or loss < watch.level - BETTER * abs(watch.level):
            new = replace(new, level=loss, bad=0)
        elif watch.bad >= training.patience:
            new = replace(new, bad=0, factor=watch.factor * training.schedule_factor)
        else:
            new = replace(new, bad=watch.bad + 1)
    return new, better, rests


def rested(watch: Watch, training: TrainingSpec) -> Message:
    """Why a run rests early, and where it was best."""
    text = N_("The watched loss has not fallen for {n} epochs, so training rests. It was lowest after step "
              "{step}.")  # fmt: skip
    return Message(text, {"n": training.stop_after, "step": watch.best_step})


def from_plain(plain: Any, step: int) -> Watch:
    """A watch from a file; a fresh one where something about it is not as it was written."""
    known = {f.name: f.default for f in fields(Watch)}
    if not isinstance(plain, Mapping) or set(plain) != set(known):
        return Watch()
    for name in ("epoch", "best_step", "waiting", "bad", "count"):
        value = plain[name]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**53:
            return Watch()
    for name in ("best", "level", "factor", "total"):
        value = plain[name]
        if value is None and known[name] is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return Watch()
    sound = plain["best_step"] <= step and 0 <= plain["factor"] <= 1
    return Watch(**plain) if sound else Watch()
