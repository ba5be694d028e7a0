"""Made sounds: one tone each, told apart by its wave, the same on every machine for a seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.data.source import SourceSpec

WAVES = ("sine", "square", "saw", "noise")
LOW, HIGH = 110.0, 880.0
"""Hz; A2 to A5."""


def made_tones(spec: SourceSpec, length: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """(spec.count, length) samples at `spec.rate` and which of WAVES each is, in a mixed order.

    Pitch, phase and loudness vary. Square and saw are sums of their overtones below half the rate, so none
    is folded back; noise is normally distributed.
    """
    rng = np.random.Generator(np.random.Philox(spec.seed))
    label = np.arange(spec.count) % len(WAVES)
    pitch = LOW * (min(HIGH, spec.rate / 8) / LOW) ** rng.uniform(0, 1, spec.count)
    turn, loud = rng.uniform(0, 1, spec.count), rng.uniform(0.3, 0.8, spec.count)
    x = np.empty((spec.count, length), np.float32)
    time = np.arange(length) / spec.rate
    for i in range(spec.count):
        wave = loud[i] * _wave(WAVES[label[i]], pitch[i] * time + turn[i], pitch[i], spec.rate, rng)
        x[i] = wave + rng.normal(0, 0.3 * spec.noise, length)
    order = rng.permutation(spec.count)
    return np.clip(x[order], -1.0, 1.0), label[order]


def _wave(
    name: str, turns: npt.NDArray[np.float64], pitch: float, rate: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """One wave of about -1..1; `turns` counts its periods."""
    if name == "noise":
        return rng.normal(0, 0.4, len(turns))
    if name == "sine":
        return np.sin(2 * np.pi * turns)
    out = np.zeros(len(turns))
    for k in range(1, int(rate / 2 / pitch) + 1, 2 if name == "square" else 1):
        out += np.sin(2 * np.pi * k * turns) / k
    return out * (4 / np.pi if name == "square" else 2 / np.pi)
