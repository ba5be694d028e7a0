"""What stands between gradients and weights: however a run is cut, it goes the same way, on every backend."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from engine.backends.base import Array
from engine.data.dataset import Dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.layers import Dense, Tanh
from engine.settings import TrainingSpec
from engine.training import Trainer
from tests.contract.harness import distance, open_backend, same_bits
from tests.contract.networks import chain

STEPS = 11
OPTIONS: dict[str, dict[str, Any]] = {
    "value": {"clipping": "value", "clip_limit": 0.02, "optimizer": "momentum"},
    "norm": {"clipping": "norm", "clip_limit": 0.1, "optimizer": "sgd"},
}
"""Each with an optimizer of its own."""


@cache
def data() -> Dataset:
    rng = np.random.default_rng(0)
    return load(SourceSpec.array(rng.random((60, 5)).tolist(), rng.integers(0, 3, 60).tolist()))


def network() -> GraphSpec:
    return chain(Dense(units=7), Tanh(), Dense(units=3), shape=(5,))


def trainer(backend: str, name: str, **more: Any) -> Trainer:
    settings = {"learning_rate": 0.5, "batch": 16, "seed": 5, **OPTIONS[name], **more}
    return Trainer(network(), TrainingSpec("cross_entropy", **settings), data(), open_backend(backend))


@cache
def fast_state(backend: str, name: str) -> dict[str, Array]:
    t = trainer(backend, name)
    while t.step < STEPS:
        t.run(STEPS - t.step, 1e6)
    return t.store.state()


@pytest.mark.parametrize("name", OPTIONS)
def test_fast_and_traced_steps_are_the_same(backend_name: str, name: str) -> None:
    t = trainer(backend_name, name)
    for _ in range(STEPS):
        assert t.traced_step() is None
    assert same_bits(t.store.state(), fast_state(backend_name, name))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_device_goes_the_way_of_numpy(backend_name: str, name: str) -> None:
    for key, array in fast_state(backend_name, name).items():
        assert distance(array, fast_state("numpy", name)[key]) < 1e-4, key


def test_a_norm_above_the_limit_is_brought_to_it_and_told() -> None:
    t = trainer("numpy", "norm")
    before = t.store.state()
    t.run(1)
    moved = np.concatenate([(a - before[key]).ravel() for key, a in t.store.state().items()])
    assert np.linalg.norm(moved) == pytest.approx(0.5 * 0.1, rel=1e-4)
    norm = t.figures["grad_norm"]
    assert norm > 0.1
    t = trainer("numpy", "norm", clip_limit=2 * norm)
    gradients = t.program.gradients
    t.traced_step()
    found = np.concatenate([t.read(gradients[f"{key}@old"].id).ravel() for key in before])
    assert t.figures["grad_norm"] == pytest.approx(norm) == np.linalg.norm(found)
    assert same_bits(t.store.state(), unclipped())


def unclipped() -> dict[str, Array]:
    t = trainer("numpy", "norm", clipping="none")
    t.run(1)
    return t.store.state()
