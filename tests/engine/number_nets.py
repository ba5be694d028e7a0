"""Small runs for the tests of gradient check, x-ray and proof."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.backends.opening import open_backend
from engine.data.dataset import make_dataset
from engine.graph import GraphSpec
from engine.layers import Dense, Input, Output
from engine.settings import TrainingSpec
from engine.training import Trainer


def square(w: float = 3.0, optimizer: str = "sgd", rate: float = 0.1, **more: Any) -> Trainer:
    """L = w²: one weight, one input of 1, one target of 0, the bias frozen at 0 by never moving far."""
    graph = GraphSpec().add("x", Input((1,))).add("fc1", Dense(1, bias=False), after="x")
    x = np.ones((1, 1), np.float32)
    data = make_dataset(x, 0 * x, x[:0], x[:0], kind="vectors")
    spec = TrainingSpec("mse", optimizer, rate, 1, **more)
    return Trainer(
        graph.add("out", Output(), after="fc1"), spec, data, open_backend("numpy"),
        state={"fc1.weight": np.array([[w]], np.float32)},
    )  # fmt: skip


def pictures(graph: GraphSpec, shape: tuple[int, ...], optimizer: str = "adam", loss: str = "cross_entropy",
             classes: int = 10, count: int = 24, batch: int = 12) -> Trainer:  # fmt: skip
    """A run on bytes drawn at random, a step or two in."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 256, (count, *shape)).astype(np.uint8)
    y = rng.permutation(np.arange(count) % classes)
    names = tuple(f"c{i}" for i in range(classes))
    data = make_dataset(x, y, x[:0], y[:0], kind="pictures", class_names=names, scale=1 / 255)
    t = Trainer(graph, TrainingSpec(loss, optimizer, 0.01, batch, seed=5), data, open_backend("numpy"))
    for _ in range(2):
        assert t.traced_step() is None
    return t
