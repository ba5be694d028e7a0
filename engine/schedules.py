"""The learning rate over the steps: what it is times, by the number of the update.

Step, exponential and cosine as in PyTorch's schedulers, taken step by step; one cycle as Smith and Topin 2019
with PyTorch's defaults: from 1/25 of the rate up to it within 30 % of the way, then down to 1/250,000.
"""

from __future__ import annotations

import math

from engine.settings import TrainingSpec

RISE, START, END = 0.3, 1 / 25, 1 / 250_000
"""One cycle: share of the steps that rise; factors at both ends."""


def _between(start: float, end: float, share: float) -> float:
    """Along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def rate_factor(training: TrainingSpec, update: int) -> float:
    """Factor of the learning rate for an update, counted from 1 since the optimizer began."""
    done, length, gamma = update - 1, training.schedule_steps, training.schedule_factor
    factor = 1.0
    match training.schedule:
        case "step":
            factor = gamma ** (done // length)
        case "exponential":
            factor = gamma ** (done / length)
        case "cosine":
            factor = _between(1.0, 0.0, min(1.0, done / length))
        case "one_cycle":
            share = min(1.0, done / max(1, length - 1))
            up = share / RISE
            factor = _between(START, 1.0, up) if up < 1 else _between(1.0, END, (share - RISE) / (1 - RISE))
    return factor * min(1.0, update / training.warm_up) if training.warm_up else factor
