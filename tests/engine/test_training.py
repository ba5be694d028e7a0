"""One run, walked in every way it can be walked, gives one set of weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.dataset import Dataset, make_dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import TrainingError
from engine.graph import GraphSpec
from engine.layers import (
    Add,
    Augment,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPool2D,
    Output,
    ReLU,
    Tanh,
)
from engine.settings import TrainingSpec
from engine.training import Trainer


@pytest.fixture(scope="module")
def pictures() -> Dataset:
    """39 training pictures: with batch 16 the last batch has 7."""
    rng = np.random.default_rng(0)
    y = np.arange(50) % 3
    x = rng.integers(0, 120, (50, 1, 8, 8)).astype(np.uint8)
    x[y == 1, :, :4] += 100
    x[y == 2, :, :, :4] += 100
    return make_dataset(
        x[:39], y[:39], x[39:], y[39:], kind="pictures", class_names=("a", "b", "c"), scale=1 / 255
    )


def residual() -> GraphSpec:
    """Shared weights, running statistics, dropout, augmentation."""
    return (
        GraphSpec()
        .add("x", Input((1, 8, 8)))
        .add("augment", Augment(), after="x")
        .add("conv1", Conv2D(4, (3, 3), padding=(1, 1, 1, 1)), after="augment")
        .add("norm", BatchNorm(), after="conv1")
        .add("relu", ReLU(), after="norm")
        .add("conv2", Conv2D(4, (3, 3), padding=(1, 1, 1, 1)), after="relu")
        .add("conv3", Conv2D(4, (3, 3), padding=(1, 1, 1, 1)), after="conv2", shares="conv2")
        .add("add", Add(), after=["relu", "conv3"])
        .add("pool", MaxPool2D(), after="add")
        .add("flat", Flatten(), after="pool")
        .add("drop", Dropout(0.3), after="flat")
        .add("fc", Dense(3), after="drop")
        .add("out", Output(), after="fc")
    )


def dense(units: int = 3) -> GraphSpec:
    graph = (
        GraphSpec()
        .add("x", Input((2,)))
        .add("fc1", Dense(units), after="x")
        .add("tanh1", Tanh(), after="fc1")
    )
    graph = graph.add("fc2", Dense(1), after="tanh1").add("tanh2", Tanh(), after="fc2")
    return graph.add("out", Output(), after="tanh2")


def equal(a: Trainer, b: Trainer) -> bool:
    left, right = a.store.state(), b.store.state()
    return set(left) == set(right) and all(np.array_equal(left[k], right[k]) for k in left)


CIRCLE = TrainingSpec("mse", "sgd", 0.03, 10)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_fast_traced_mixed_and_continued_are_one_run(pictures, optimizer):
    training = TrainingSpec("cross_entropy", optimizer, 0.01, 16, seed=5)

    def fresh() -> Trainer:
        return Trainer(residual(), training, pictures, open_backend("numpy"))

    def until(t: Trainer, step: int, walk: str) -> None:
        while t.step < step:
            if walk == "traced" or (walk == "mixed" and t.step % 3 == 1):
                assert t.traced_step() is None
            else:
                assert t.run(min(step - t.step, 2)).stopped is None

    runs = {}
    for walk in ("fast", "traced", "mixed"):
        t = fresh()
        until(t, 7, walk)
        t.set_control("lr", 0.002)
        t.set_control("drop.rate", 0.1)
        until(t, 14, walk)
        runs[walk] = t
    assert equal(runs["fast"], runs["traced"])
    assert equal(runs["fast"], runs["mixed"])
    stopped = fresh()
    until(stopped, 7, "fast")
    stopped.set_control("lr", 0.002)
    stopped.set_control("drop.rate", 0.1)
    until(stopped, 10, "mixed")
    continued = fresh()
    continued.load_checkpoint(stopped.checkpoint())
    assert continued.step == 10
    until(continued, 14, "fast")
    assert equal(runs["fast"], continued)
    assert not equal(runs["fast"], stopped)


def test_a_frame_is_of_one_step(pictures):
    t = Trainer(residual(), TrainingSpec("cross_entropy", "sgd", 0.1, 16), pictures, open_backend("numpy"))
    t.run(2)
    before = t.store.state()
    t.traced_step()
    np.testing.assert_array_equal(t.read("fc.weight@old"), before["fc.weight"])
    after = t.read("fc.weight@old") - np.float32(0.1) * t.read(t.program.gradients["fc.weight@old"].id)
    np.testing.assert_array_equal(t.read("fc.weight@new"), after)
    np.testing.assert_array_equal(t.store.state()["fc.weight"], after)
    z = t.read("fc.weight@old") @ t.read("drop.y") + before["fc.bias"][:, None]
    np.testing.assert_allclose(t.read("fc.z"), z, rtol=1e-5, atol=1e-6)
    assert t.read("fc.z").shape == (3, t.live_n) == (3, 7)


def test_op_stepping_withholds_the_commit(pictures):
    t = Trainer(residual(), TrainingSpec("cross_entropy", "adam", 0.01, 16), pictures, open_backend("numpy"))
    whole = Trainer(
        residual(), TrainingSpec("cross_entropy", "adam", 0.01, 16), pictures, open_backend("numpy")
    )
    before = t.store.state()
    t.begin_step()
    for k in range(len(t.program.ops)):
        t.advance(k + 1)
        assert t.op_index == k + 1
        assert all(np.array_equal(before[key], v) for key, v in t.store.state().items())
    t.finish_step()
    whole.run(1)
    assert equal(t, whole)
    t.begin_step()
    t.advance(5)
    t.abandon_step()
    assert equal(t, whole)


def test_reset_gives_the_same_start_and_the_same_way():
    data = load(SourceSpec.toy("circle"))
    t = Trainer(dense(), CIRCLE, data, open_backend("numpy"))
    start = t.store.state()
    t.run(9)
    first = t.store.state()
    t.reset()
    assert all(np.array_equal(start[k], v) for k, v in t.store.state().items())
    assert t.step == 0 and len(t.curve.arrays()[0]) == 0
    while t.step < 4:
        t.run(4 - t.step)
    t.reset()
    done = 0
    while done < 9 and t.step < len(first) + 100:
        done += len(t.run(9 - done).losses)
        if done >= t.steps_per_epoch:
            break
    again = Trainer(dense(), CIRCLE, data, open_backend("numpy"))
    while again.step < t.step:
        again.run(t.step - again.step)
    assert equal(t, again)


def test_a_number_that_is_not_finite_rests_the_run_and_is_named():
    data = load(SourceSpec.toy("circle"))
    graph = GraphSpec().add("x", Input((2,))).add("fc1", Dense(4), after="x").add("relu", ReLU(), after="fc1")
    graph = graph.add("fc2", Dense(1), after="relu").add("out", Output(), after="fc2")
    t = Trainer(graph, TrainingSpec("mse", "sgd", 0.01, 10), data, open_backend("numpy"))
    t.run(10)
    t.set_control("lr", 1e30)
    before = t.step
    result = t.run(10)
    assert result.stopped is not None
    assert t.step == result.stopped.step >= before
    assert all(np.isfinite(v).all() for v in t.store.state().values())
    assert graph.has(result.stopped.node)
    text = str(result.stopped.message(graph))
    assert graph.node(result.stopped.node).name in text and "learning rate" in text
    t.set_control("lr", 1e-6)
    kept = t.store.state()
    t.store.load({k: np.clip(v, -1, 1) for k, v in kept.items()})
    assert t.run(3).stopped is None


def test_structural_edits_carry_weights_and_undo_brings_them_back():
    data = load(SourceSpec.toy("circle"))
    t = Trainer(dense(3), CIRCLE, data, open_backend("numpy"))
    t.run(20)
    learnt = t.store.state()
    t.rebuild(dense(5), CIRCLE, data)
    grown = t.store.state()
    np.testing.assert_array_equal(grown["fc1.weight"][:3], learnt["fc1.weight"])
    np.testing.assert_array_equal(grown["fc2.weight"][:, :3], learnt["fc2.weight"])
    assert np.abs(grown["fc1.weight"][3:]).min() > 0
    t.rebuild(dense(3), CIRCLE, data)
    assert all(np.array_equal(learnt[k], v) for k, v in t.store.state().items())
    step = t.step
    with pytest.raises(Exception, match="has no output"):
        t.rebuild(dense(3).remove(["out"]), CIRCLE, data)
    assert t.step == step
    assert all(np.array_equal(learnt[k], v) for k, v in t.store.state().items())
    assert t.run(3).stopped is None


def test_evaluation_and_prediction_agree_with_numpy():
    data = load(SourceSpec.toy("circle"))
    t = Trainer(dense(), CIRCLE, data, open_backend("numpy"))
    for _ in range(20):
        t.run(100)
    w = t.store.state()
    x = data.test_inputs().T.astype(np.float64)
    y = np.tanh(
        w["fc2.weight"] @ np.tanh(w["fc1.weight"] @ x + w["fc1.bias"][:, None]) + w["fc2.bias"][:, None]
    )[0]
    test = t.evaluate()
    target = np.where(data.y_test == 1, 1.0, -1.0)
    assert test is not None
    np.testing.assert_allclose(test.loss, ((y - target) ** 2).mean(), rtol=1e-5)
    assert test.accuracy == ((y > 0) == (data.y_test == 1)).mean()
    out = t.predict(data.test_inputs(), keep=["tanh1.a", "tanh2.a"])
    np.testing.assert_allclose(out["tanh2.a"][:, 0], y, atol=1e-5)
    assert out["tanh1.a"].shape == (data.n_test, 3)
    one = t.predict(data.test_inputs(slice(0, 1)))
    np.testing.assert_allclose(next(iter(one.values())), out["tanh2.a"][:1], atol=1e-6)
    shares = t.probabilities(out["tanh2.a"])
    np.testing.assert_allclose(shares.sum(1), 1)


def test_case_72_batch_larger_than_the_data_and_no_test_set():
    x = np.array([[0.0], [1], [2], [3]], np.float32)
    data = make_dataset(x, 2 * x, x[:0], x[:0], kind="vectors")
    graph = GraphSpec().add("x", Input((1,))).add("fc", Dense(1), after="x").add("out", Output(), after="fc")
    t = Trainer(graph, TrainingSpec("mse", "sgd", 0.05, 64), data, open_backend("numpy"))
    assert t.capacity == 4 and t.steps_per_epoch == 1
    for _ in range(300):
        t.run(1)
    np.testing.assert_allclose(t.store.state()["fc.weight"], [[2]], atol=0.05)
    assert t.evaluate() is None
    assert t.epoch == 300 and t.bytes > 0


def test_checkpoints_of_other_networks_are_refused():
    data = load(SourceSpec.toy("circle"))
    small = Trainer(dense(3), CIRCLE, data, open_backend("numpy"))
    large = Trainer(dense(4), CIRCLE, data, open_backend("numpy"))
    with pytest.raises(TrainingError, match=r"fc1\.weight"):
        large.load_checkpoint(small.checkpoint())


def test_hot_settings_reach_a_continued_run():
    data = load(SourceSpec.toy("circle"))
    a = Trainer(dense(), CIRCLE, data, open_backend("numpy"))
    a.set_training(replace(CIRCLE, learning_rate=0.001))
    a.run(5)
    b = Trainer(dense(), CIRCLE, data, open_backend("numpy"))
    b.load_checkpoint(a.checkpoint())
    while a.step < 30:
        a.run(30 - a.step)
    while b.step < 30:
        b.run(30 - b.step)
    assert equal(a, b)
