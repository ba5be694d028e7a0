"""Locked weights: no step touches them, whatever the optimizer; the others are what they would be."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine.backends.base import Array, Backend
from engine.data.dataset import Dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.layers import Dense
from engine.ops.base import REGISTRY
from engine.optimizers import moments
from engine.settings import TrainingSpec
from engine.training import Trainer
from tests.contract.harness import BACKENDS, open_backend, ran, same_bits
from tests.contract.networks import chain

STEPS = 20
KEY, BIAS = "dense1.weight", "dense1.bias"
SHAPE = (3, 4)
OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam")
MASK = np.random.default_rng(1).random(SHAPE) < 0.4
BIAS_MASK = np.array([0, 1, 0])


@cache
def data() -> Dataset:
    rng = np.random.default_rng(0)
    return load(SourceSpec.array(rng.random((60, 4)).tolist(), rng.integers(0, 3, 60).tolist()))


def trainer(backend: Backend, optimizer: str, **locks: Array) -> Trainer:
    """Moments are in motion from the start."""
    rng = np.random.default_rng(2)
    state = {f"{KEY}.{m}": rng.random(SHAPE, np.float32) for m in moments(optimizer)}
    masks = {f"dense1.{name}.lock": np.float32(mask) for name, mask in locks.items()}
    training = TrainingSpec("cross_entropy", optimizer, 0.05, 25, seed=5)
    return Trainer(chain(Dense(units=3), shape=(4,)), training, data(), backend, state={**state, **masks})


def reference(optimizer: str, t: Trainer, old: dict[str, Array], g: Array, updates: int) -> dict[str, Array]:
    """One update in float64 as the books have it, nothing locked."""
    k, w = t.training, old[KEY]
    if optimizer == "sgd":
        return {KEY: w - k.learning_rate * g}
    if optimizer == "momentum":
        v = k.momentum * old[f"{KEY}.velocity"] + g
        return {KEY: w - k.learning_rate * v, f"{KEY}.velocity": v}
    if optimizer == "rmsprop":
        s = k.decay * old[f"{KEY}.square"] + (1 - k.decay) * g**2
        return {KEY: w - k.learning_rate * g / (np.sqrt(s) + k.epsilon), f"{KEY}.square": s}
    m = k.beta1 * old[f"{KEY}.m"] + (1 - k.beta1) * g
    v = k.beta2 * old[f"{KEY}.v"] + (1 - k.beta2) * g**2
    hats = m / (1 - k.beta1**updates), v / (1 - k.beta2**updates)
    return {KEY: w - k.learning_rate * hats[0] / (np.sqrt(hats[1]) + k.epsilon), f"{KEY}.m": m, f"{KEY}.v": v}


def run(t: Trainer, steps: int) -> None:
    while steps > 0:
        steps -= len(t.run(steps, 1000.0).losses)


LOCKED_CASES = [(kind, next(i for i, c in enumerate(REGISTRY[kind].cases()) if c.label == "locked"))
                for kind in OPTIMIZERS]  # fmt: skip


@pytest.mark.parametrize(("kind", "number"), LOCKED_CASES)
def test_locked_cells_keep_their_bits(backend_name: str, kind: str, number: int) -> None:
    for each in ran(backend_name, kind, number):
        w, _, *old, lock = each.one.arrays()
        where = lock != 0
        for made in (each.traced, each.fast):
            for before, after in zip((w, *old), made, strict=True):
                assert after[where].tobytes() == before[where].tobytes()
                assert (after[~where] != before[~where]).all()


RUNS = [*(("numpy", optimizer) for optimizer in OPTIMIZERS), *((b, "adam") for b in BACKENDS if b != "numpy")]


@pytest.mark.parametrize(("backend_name", "optimizer"), RUNS)
def test_locked_weights_do_not_move(backend_name: str, optimizer: str) -> None:
    """Twenty steps. On devices one optimizer: what differs between them stands in the cases above."""
    t = trainer(open_backend(backend_name), optimizer, weight=MASK, bias=BIAS_MASK)
    assert t.locked == {KEY: int(MASK.sum()), BIAS: 1}
    start, kept = t.store.state(), t.checkpoint()
    names = [KEY, *(f"{KEY}.{m}" for m in moments(optimizer))]
    for _ in range(STEPS):  # op by op, each step beside the book's
        old = {k: a.astype(np.float64) for k, a in t.store.state().items()}
        assert t.traced_step() is None
        g = t.read(t.program.gradients[f"{KEY}@old"].id).astype(np.float64)
        wanted, new = reference(optimizer, t, old, g, t.updates), t.store.state()
        for key in names:
            expected = np.where(MASK, old[key], wanted[key])
            np.testing.assert_allclose(new[key], expected, rtol=2e-5, atol=1e-7)
    end = t.store.state()
    for key in names:
        assert end[key][MASK].tobytes() == start[key][MASK].tobytes()
        assert (end[key][~MASK] != start[key][~MASK]).all()
    assert (end[BIAS] == start[BIAS]).tolist() == [False, True, False]
    t.load_checkpoint(kept)
    run(t, STEPS)  # the fast build
    assert same_bits(t.store.state(), end)


def test_a_program_with_masks_computes_the_same() -> None:
    """Locked and unlocked again: bit for bit the run that never heard of it."""
    device = open_backend("numpy")
    t = trainer(device, "adam")
    run(t, 9)
    plain = t.store.state()
    assert not any(v.param.endswith(".lock") for v in t.program.state()), "only who locks pays"
    t.reset()
    t.lock({KEY: MASK})
    t.lock({KEY: np.zeros(SHAPE)})
    assert not t.locked
    run(t, 9)
    found = t.store.state()
    assert (found.pop(f"{KEY}.lock") == 0).all()
    assert same_bits(found, plain)
