"""Evaluation over the test set, in slices between steps."""

from __future__ import annotations

import time
from collections.abc import Iterator

from engine.tally import Slice, Tally
from engine.training import Trainer

SHARE = 0.1
"""Part of the time that evaluation may take while training."""
LONGEST = 5.0
"""Seconds after which a test is due even within an epoch."""


class Evaluator:
    """Runs some slices at a time. A test whose slices saw different weights counts for its first step, and
    is repeated when the run rests."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._slices: Iterator[Slice] | None = None
        self._tally: Tally = trainer.forward.tally()
        self._step = self._epoch = -1
        self._same = True
        self._exact: int | None = None
        """Step of the last test whose slices all saw the same weights."""
        self._seconds = self._ended = 0.0

    def forget(self) -> None:
        """The weights changed otherwise than by a step."""
        self._slices, self._exact = None, None

    def due(self, now: float, moving: bool) -> bool:
        """Whether slices should run now."""
        if not self.trainer.dataset.n_test:
            return False
        if not moving:
            return self._exact != self.trainer.step
        if self._slices is not None:
            return True
        waited = now - self._ended
        news = self.trainer.epoch != self._epoch or waited > LONGEST
        return news and waited > self._seconds / SHARE

    def work(self, now: float, seconds: float, moving: bool) -> bool:
        """Run slices for about `seconds`; True when the test is complete."""
        step, start = self.trainer.step, time.perf_counter()
        self._same = self._same and step == self._step
        if self._slices is None or (not moving and not self._same):
            self._slices, self._tally = self.trainer.forward.slices(), self.trainer.forward.tally()
            self._seconds = 0.0
            self._step, self._epoch, self._same = step, self.trainer.epoch, True
        while True:  # one slice at least, however busy the machine is
            part = next(self._slices, None)
            if part is None:
                break
            self._tally.add(part)
            if time.perf_counter() - start >= seconds:
                break
        spent = time.perf_counter() - start
        self._seconds += spent
        if part is not None:
            return False
        self._slices, self._ended = None, now + spent
        self._exact = self._step if self._same else None
        self.trainer.add_evaluation(self.trainer.forward.finish(self._tally, self._step))
        return True
