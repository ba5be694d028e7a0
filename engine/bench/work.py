"""What is measured: networks, batches and start weights, the same numbers for every side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BATCH = 64
LEARNING_RATE = 0.1
CHECK_STEPS = 5


@dataclass(frozen=True)
class Work:
    """One training step: plain SGD, cross-entropy, batch 64, resident synthetic data."""

    name: str
    title: str
    flops: float
    """Floating point operations of one step (two per multiplication), forward and backward."""


MLP = Work("mlp", "784-128-10 training step", 2.0 * BATCH * (784 * 128 * 2 + 128 * 10 * 3))
CNN = Work("cnn", "small CNN training step", 2.0 * BATCH * (
    28 * 28 * 8 * 25 * 2 + 14 * 14 * 16 * 8 * 25 * 3 + 784 * 10 * 3))  # fmt: skip
WORKS = {w.name: w for w in (MLP, CNN)}


def batch(name: str) -> tuple[Array, Array]:
    """Pictures (64, ...) float32 in 0..1 and labels (64) int64."""
    rng = np.random.default_rng(1)
    shape = (BATCH, 784) if name == "mlp" else (BATCH, 1, 28, 28)
    return rng.random(shape, dtype=np.float32), rng.integers(0, 10, BATCH)


def weights(name: str) -> dict[str, Array]:
    """Start weights by PyTorch's key."""
    rng = np.random.default_rng(2)
    shapes: dict[str, tuple[int, ...]] = (
        {"fc1.weight": (128, 784), "fc2.weight": (10, 128)}
        if name == "mlp"
        else {"conv1.weight": (8, 1, 5, 5), "conv2.weight": (16, 8, 5, 5), "fc.weight": (10, 784)}
    )
    out: dict[str, Array] = {}
    for key, shape in shapes.items():
        scale = 1.0 / np.sqrt(np.prod(shape[1:]))
        out[key] = (rng.standard_normal(shape) * scale).astype(np.float32)
        out[key.replace("weight", "bias")] = np.zeros(shape[0], np.float32)
    return out
