"""Where a run stands in its data, and the numbers that change with every step."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from engine.data.dataset import Dataset
from engine.ops.accumulating import APPLY
from engine.optimizers import batch_controls, update_number
from engine.schedules import rate_factor
from engine.settings import TrainingSpec
from engine.tally import Slice, Tally
from engine.tested import Tested
from engine.watch import Watch, judged, watches

PER_STEP = frozenset({"n", "pos", "step", "c1", "c2", APPLY})
"""Controls that are set anew for every step; no setting of a person is called so."""
RATE = "rate"
"""Figure of a step: the learning rate it was done with."""


class Positioned(Tested):
    """The half of a `Trainer` that counts steps, epochs and examples."""

    dataset: Dataset
    training: TrainingSpec
    capacity: int
    epoch: int
    position: int
    updates: int
    """Batches since the optimizer began."""
    watch: Watch
    improved = False
    """Whether an epoch was the best so far and nobody has taken note of it; who does sets it back."""
    wants_rest = False
    """Whether the run should rest for want of better losses; who lets it rest sets it back."""
    _heard: dict[int, float]
    """Step at the end of an epoch -> its watched loss: a replay need not test again."""
    _slices: Iterator[Slice] | None = None
    _slices_at = -1
    _tally: Tally
    figures: Mapping[str, float]
    """What the last step reported besides its loss, by name: `RATE`, "grad_norm" where it is clipped, ..."""

    def controls(self) -> dict[str, float]:
        """Hot controls with their present values."""
        raise NotImplementedError

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.dataset.n_train / self.capacity)

    @property
    def progress(self) -> float:
        """Epochs done, with fraction."""
        return self.epoch + self.position / self.dataset.n_train

    @property
    def rate(self) -> float:
        """The learning rate of the next step, with its schedule."""
        return self._rate(self.controls(), update_number(self.training, self.updates))

    def _rate(self, hot: Mapping[str, float], update: int) -> float:
        return hot["lr"] * rate_factor(self.training, update) * self.watch.factor

    def _controls_from(self, ahead: int) -> list[dict[str, float]]:
        """Per-step controls of the next `ahead` steps, at most to the end of the epoch."""
        hot = self.controls()
        out: list[dict[str, float]] = []
        position = self.position
        for k in range(ahead):
            n = min(self.capacity, self.dataset.n_train - position)
            if n <= 0:
                break
            batches = self.updates + k
            rate = self._rate(hot, update_number(self.training, batches))
            per_step = {**batch_controls(hot, self.training, batches), "lr": rate}
            out.append({"n": n, "pos": position, "step": self.step + k, **per_step})
            position += n
        return out

    def _note(self, step: Mapping[str, float], scalars: Mapping[str, float]) -> None:
        """What is said of the last step besides its loss and hits."""
        self.figures = {RATE: step["lr"]}
        self.figures |= {name: v for name, v in scalars.items() if name not in ("loss", "hits")}

    def _advance_position(self, steps: Sequence[Mapping[str, float]]) -> None:
        for s in steps:
            self.position += int(s["n"])
        self.step += len(steps)
        self.end = max(self.end, self.step)
        self.updates += len(steps)
        if self.position >= self.dataset.n_train:
            self.position = 0
            self.epoch += 1

    # ---- the loss watched from epoch to epoch -------------------------------------------------------

    def _hear(self, losses: Iterable[float]) -> None:
        """Training losses of steps; added one by one, so that it does not matter how a run is cut."""
        if watches(self.training):
            total, count = self.watch.total, self.watch.count
            for loss in losses:
                total, count = total + float(loss), count + 1
            self.watch = replace(self.watch, total=total, count=count)

    @property
    def unsettled(self) -> bool:
        """Whether the epoch that ended is still to be judged, by a test of it."""
        return watches(self.training) and self.watch.epoch < self.epoch

    def settle(self, seconds: float = math.inf) -> bool:
        """Judge the epoch that ended, for about so long; True when nothing is left to judge.

        The next step waits for it, so that it has the same learning rate however the run is cut.
        """
        if not self.unsettled:
            return True
        loss = self._heard.get(self.step)
        if loss is None and (self.training.watched == "training" or not self.dataset.n_test):
            loss = self.watch.total / self.watch.count if self.watch.count else math.nan
        if loss is None:
            loss = self._tested_loss(seconds)
        if loss is None:
            return False
        self._heard[self.step] = loss
        self.watch, better, rests = judged(self.watch, self.training, loss, self.epoch, self.step)
        if not self.rewound:
            self.improved, self.wants_rest = better or self.improved, rests or self.wants_rest
        return True

    def _tested_loss(self, seconds: float) -> float | None:
        """The loss over the test set, slice by slice; None when the time is over before."""
        start = time.perf_counter()
        if self._slices is None or self._slices_at != self.step:
            self._slices, self._slices_at = self.forward.slices(), self.step
            self._tally = self.forward.tally()
        for part in self._slices:
            self._tally.add(part)
            if time.perf_counter() - start >= seconds:
                return None
        self._slices = None
        result = self.forward.finish(self._tally, self.step)
        self.add_evaluation(result)
        return result.loss

    def _forget_later_losses(self) -> None:
        """Another way is gone from here."""
        self._heard = {step: loss for step, loss in self._heard.items() if step <= self.step}
        self._slices = None


def same_judge(a: TrainingSpec, b: TrainingSpec) -> bool:
    """Whether the losses of both are watched alike, so that what was counted holds."""
    names = ("loss", "huber_delta", "label_smoothing", "class_weighting", "class_weights", "schedule",
             "schedule_factor", "patience", "stop_after", "watched")  # fmt: skip
    return all(getattr(a, name) == getattr(b, name) for name in names)
