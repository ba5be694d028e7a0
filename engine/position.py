"""Where a run stands in its data, and the numbers that change with every step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from engine.data.dataset import Dataset
from engine.optimizers import step_controls
from engine.schedules import rate_factor
from engine.settings import TrainingSpec
from engine.tested import Tested

PER_STEP = frozenset({"n", "pos", "step", "c1", "c2"})
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
        return self._rate(self.controls(), self.updates + 1)

    def _rate(self, hot: Mapping[str, float], update: int) -> float:
        return hot["lr"] * rate_factor(self.training, update)

    def _controls_from(self, ahead: int) -> list[dict[str, float]]:
        """Per-step controls of the next `ahead` steps, at most to the end of the epoch."""
        hot = self.controls()
        out: list[dict[str, float]] = []
        position = self.position
        for k in range(ahead):
            n = min(self.capacity, self.dataset.n_train - position)
            if n <= 0:
                break
            update = self.updates + k + 1
            per_step = {**step_controls(hot, update), "lr": self._rate(hot, update)}
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
