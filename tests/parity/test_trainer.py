"""The run the window makes - shuffled data, epochs, per-step controls - beside PyTorch, for every optimizer.

`test_training.py` gives the steps their controls itself; here the trainer does, as in the program.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import random
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.export.npz import named_weights
from engine.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU
from engine.settings import TrainingSpec
from engine.training import SHUFFLE, Trainer
from tests.contract.harness import open_backend
from tests.contract.networks import chain
from tests.parity import measured, peers
from tests.parity.test_training import RATES, assert_close

STEPS = 40
"""Past the end of an epoch, whose last batch is a short one."""


@pytest.mark.parametrize("optimizer", list(RATES))
def test_a_run_past_its_first_epoch(torch: Any, backend_name: str, optimizer: str) -> None:
    graph = chain(
        Conv2D(filters=4, padding=(1, 1, 1, 1)), ReLU(), MaxPool2D(), Flatten(), Dense(units=10),
        shape=(1, 8, 8),
    )  # fmt: skip
    data = load(SourceSpec.sample("digits"))
    training = TrainingSpec("cross_entropy", optimizer, RATES[optimizer], 50, seed=3)
    trainer = Trainer(graph, training, data, open_backend(backend_name))
    peer = peers.build(torch, graph)
    peers.load(torch, peer, named_weights(graph, trainer.store.state()))
    steps = peers.optimizer(torch, optimizer, peer.parameters(), RATES[optimizer])
    theirs = []
    epoch = position = 0
    for _ in range(STEPS):
        order = random.permutation(training.seed, SHUFFLE, epoch, data.n_train)[position : position + 50]
        x = data.x_train[order].astype(np.float32) * np.float32(data.scale) + np.float32(data.shift)
        steps.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            peer(torch.from_numpy(x)), torch.from_numpy(data.y_train[order].astype(np.int64))
        )
        loss.backward()
        steps.step()
        theirs.append(float(loss.detach()))
        position += len(order)
        if position >= data.n_train:
            epoch, position = epoch + 1, 0
    ours: list[float] = []
    while trainer.step < STEPS:
        ours.extend(trainer.run(STEPS - trainer.step, budget_ms=1e6).losses)
    assert epoch >= 1 and trainer.epoch == epoch
    assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    state, weights = peer.state_dict(), named_weights(graph, trainer.store.state())
    far = max(assert_close(key, array, state[key].numpy()) for key, array in weights.items())
    measured.keep(f"optimizer: {optimizer}, 40 steps of a run", backend_name, 1, {"weights": far})
