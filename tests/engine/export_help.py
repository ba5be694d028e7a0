"""A small CNN with BatchNorm, Flatten and shared weights, trained a little, for the tests of exports."""

from __future__ import annotations

import numpy as np

from engine.backends.opening import open_backend
from engine.data.dataset import make_dataset
from engine.graph import GraphSpec
from engine.layers import BatchNorm, Conv2D, Dense, Flatten, Input, MaxPool2D, Output, ReLU
from engine.settings import TrainingSpec
from engine.training import Trainer


def small_cnn() -> Trainer:
    graph = GraphSpec().add("pictures", Input((1, 8, 6)))
    graph = graph.add("conv1", Conv2D(4, (3, 3), padding=(1, 1, 1, 1)), after="pictures")
    graph = graph.add("norm1", BatchNorm(), after="conv1").add("relu1", ReLU(), after="norm1")
    graph = graph.add("pool1", MaxPool2D(), after="relu1").add("flatten1", Flatten(), after="pool1")
    graph = graph.add("fc1", Dense(48), after="flatten1").add("relu2", ReLU(), after="fc1")
    graph = graph.add("fc2", Dense(48), after="relu2", shares="fc1")
    graph = graph.add("fc3", Dense(3), after="fc2").add("out", Output(), after="fc3")
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 1, 8, 6)).astype(np.float32)
    y = np.arange(40) % 3
    data = make_dataset(
        x[:30], y[:30], x[30:], y[30:], kind="pictures", class_names=("a", "b", "c"), normalize=True
    )
    trainer = Trainer(graph, TrainingSpec("cross_entropy", "adam", 0.003, 8), data, open_backend("numpy"))
    for _ in range(12):
        trainer.run(4)
    return trainer
