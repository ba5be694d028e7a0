"""Runs that are edited, saved, given other data, and regressions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import carrying
from engine.backends.opening import open_backend
from engine.data.dataset import Dataset, make_dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import DeviceError, TrainingError
from engine.graph import GraphSpec
from engine.layers import Dense, Dropout, Input, Output, ReLU
from engine.project_file import load_project, save_project
from engine.run import LiveChange, controls_of
from engine.settings import TrainingSpec
from engine.training import Trainer
from tests.engine import project_help as h

ADAM = TrainingSpec("mse", "adam", 0.03, 10)


@pytest.fixture(scope="module")
def circle() -> Dataset:
    return load(SourceSpec.toy("circle", count=100))


def fresh(circle: Dataset, settings: TrainingSpec = ADAM, graph: GraphSpec | None = None) -> Trainer:
    return Trainer(graph or h.dense(), settings, circle, open_backend("numpy"))


def until(t: Trainer, step: int, traced: bool = False) -> Trainer:
    while t.step < step:
        if traced:
            assert t.traced_step() is None
        else:
            assert t.run(step - t.step).stopped is None
    return t


def same(a: Trainer, b: Trainer) -> bool:
    left, right = a.store.state(), b.store.state()
    return set(left) == set(right) and all(np.array_equal(left[k], right[k]) for k in left)


def dropping() -> GraphSpec:
    graph = (
        GraphSpec().add("x", Input((2,))).add("fc1", Dense(8), after="x").add("relu1", ReLU(), after="fc1")
    )
    graph = graph.add("drop1", Dropout(0.3), after="relu1").add("fc2", Dense(1), after="drop1")
    return graph.add("out", Output(), after="fc2")


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_a_run_continued_through_a_file_is_bitwise_the_same(circle, tmp_path, optimizer):
    settings = replace(ADAM, optimizer=optimizer, learning_rate=0.01)
    whole = fresh(circle, settings, dropping())
    until(whole, 13)
    whole.set_control("lr", 0.004)
    whole.set_control("drop1.rate", 0.1)
    until(whole, 17)
    project, _ = h.trained()
    kept = replace(project, graph=dropping(), training=settings, run=whole.checkpoint())
    path = save_project(tmp_path / "p.matrizen", kept)
    until(whole, 60)
    read = load_project(path)
    again = Trainer(read.graph, read.training, load(read.source), open_backend("numpy"))
    again.load_checkpoint(read.run)
    assert again.controls()["lr"] == again.training.learning_rate == 0.004
    until(again, 60)
    assert same(whole, again) and again.progress == whole.progress
    assert [(c.step, c.name) for c in again.log] == [(13, "lr"), (13, "drop1.rate")]


@pytest.mark.parametrize("traced", [False, True])
def test_after_an_edit_the_settings_handed_over_count_in_every_plan(circle, traced):
    t = fresh(circle)
    t.set_control("lr", 0.5)
    until(t, 4)
    t.rebuild(h.dense(4), replace(ADAM, learning_rate=0.002), circle)
    assert t.controls()["lr"] == 0.002
    before = t.checkpoint()
    until(t, 9, traced)
    other = fresh(circle, replace(ADAM, learning_rate=0.002), h.dense(4))
    other.load_checkpoint(before)
    assert other.controls()["lr"] == 0.002
    until(other, 9)
    assert same(t, other)


def test_an_edit_that_is_refused_changes_nothing(circle, monkeypatch):
    t, twin = fresh(circle), fresh(circle)
    until(t, 7), until(twin, 7)
    t.rebuild(h.dense(), replace(ADAM, seed=9), circle)
    twin.rebuild(h.dense(), replace(ADAM, seed=9), circle)
    assert t.seed == 1 and t.training.seed == 9

    def fails(*a, **k):
        raise DeviceError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(t.backend, "compile", fails, raising=False)
        with pytest.raises(DeviceError):
            t.rebuild(h.dense(7), ADAM, circle)
        with pytest.raises(DeviceError):
            t.reset()
    assert (t.step, t.seed, t.training.seed) == (7, 1, 9) and t.graph == h.dense()
    until(t, 20), until(twin, 20)
    assert same(t, twin)
    t.reset()
    assert t.seed == 9 and t.step == 0
    assert same(t, fresh(circle, replace(ADAM, seed=9)))


def test_another_optimizer_starts_without_moments_and_so_does_the_way_back(circle):
    t = fresh(circle)
    until(t, 30)
    t.rebuild(h.dense(), replace(ADAM, optimizer="sgd"), circle)
    assert t.updates == 0
    until(t, 35)
    t.rebuild(h.dense(), ADAM, circle)
    state = t.store.state()
    assert t.updates == 0 and t.step == 35
    assert all(not a.any() for k, a in state.items() if k.endswith((".m", ".v")))
    assert t.run(3).stopped is None


def test_other_data_starts_a_new_epoch_even_if_it_is_less(circle):
    t = fresh(circle)
    until(t, 6)
    assert t.position == 60
    few = load(SourceSpec.toy("circle", count=20))
    t.rebuild(h.dense(), ADAM, few)
    assert t.position == 0 and t.tests == [] and t.step == 6
    until(t, 12)
    saved = fresh(circle)
    until(saved, 6)
    saved.run(1)
    less = Trainer(h.dense(), ADAM, few, open_backend("numpy"))
    less.load_checkpoint(saved.checkpoint())  # position 70 of 16
    assert less.position == 0
    assert less.traced_step() is None
    less.load_checkpoint(replace(saved.checkpoint(), position=10**12, data_hash=""))
    assert less.run(2).stopped is None


def test_a_given_start_is_what_reset_goes_back_to(circle, tmp_path):
    given = {"fc1.weight": np.full((3, 2), 0.25, np.float32)}
    t = Trainer(h.dense(), ADAM, circle, open_backend("numpy"), state=given)
    start = t.store.state()
    until(t, 5)
    project, _ = h.trained()
    path = save_project(tmp_path / "p.matrizen", replace(project, training=ADAM, run=t.checkpoint()))
    again = fresh(circle)
    again.load_checkpoint(load_project(path).run)
    for run in (t, again):
        run.reset()
        np.testing.assert_array_equal(run.store.state()["fc1.weight"], given["fc1.weight"])
        assert all(np.array_equal(v, start[k]) for k, v in run.store.state().items())


def test_a_slider_leaves_one_entry_and_edits_close_the_account(circle):
    t = fresh(circle)
    for k in range(500):
        t.set_control("lr", 0.001 * (k + 1))
    assert len(t.log) == 1 and t.log[0].value == 0.5
    t.set_control("nonsense", 3)
    t.set_control("n", 3)
    assert len(t.log) == 1
    for _ in range(20):
        t.rebuild(h.dense(), ADAM, circle)
    assert len(t.log) == 2
    log = [LiveChange(1, "lr", 0.5), LiveChange(2, "program", "rebuilt"), LiveChange(3, "momentum", 1)]
    assert controls_of(log) == {"momentum": 1.0}


def test_what_is_remembered_of_resized_layers_is_bounded(circle, monkeypatch):
    monkeypatch.setattr(carrying, "ATTIC_BYTES", 4000)
    t = fresh(circle)
    learnt = t.store.state()["fc1.weight"]
    for units in (4, 40, 41, 42, 43, 3):
        t.rebuild(h.dense(units), ADAM, circle)
        assert 0 < t._attic.bytes <= 4000
    np.testing.assert_array_equal(t.store.state()["fc1.weight"][:3], learnt)


def test_a_step_left_open_is_not_mixed_into_the_run(circle):
    t, twin = fresh(circle), fresh(circle)
    t.begin_step()
    t.advance(6)
    until(t, 3), until(twin, 3)
    assert t.op_index is None and same(t, twin)
    t.begin_step()
    t.write_state({"fc2.bias": np.array([0.5])})
    assert t.op_index is None
    np.testing.assert_array_equal(t.store.state()["fc2.bias"], np.float32([0.5]))


def test_regression_learns_and_has_no_accuracy():
    x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    y = np.concatenate([2 * x, -x], 1)
    data = make_dataset(x[::2], y[::2], x[1::2], y[1::2], kind="vectors")
    graph = GraphSpec().add("x", Input((1,))).add("fc", Dense(2), after="x").add("out", Output(), after="fc")
    t = Trainer(graph, TrainingSpec("mse", "sgd", 0.3, 8), data, open_backend("numpy"))
    until(t, 400)
    test = t.evaluate()
    assert test.accuracy is None and test.loss < 1e-6
    np.testing.assert_allclose(t.store.state()["fc.weight"], [[2], [-1]], atol=1e-3)


def test_memory_does_not_grow_with_steps(circle):
    import tracemalloc

    t = fresh(circle)
    until(t, 200)
    t.traced_step()
    t.evaluate()
    t.predict(circle.test_inputs())
    size = t.bytes
    tracemalloc.start()
    try:
        until(t, 1200)
        t.evaluate()
        t.predict(circle.test_inputs())
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert t.bytes == size and grown < 400_000  # 1,000 points of the curve


def test_inputs_of_another_shape_are_refused(circle):
    t = fresh(circle)
    for x in (np.zeros((3, 1), np.float32), np.zeros((0, 2), np.float32), np.zeros(2, np.float32)):
        with pytest.raises(TrainingError, match="expected at least one example"):
            t.predict(x)
    assert next(iter(t.predict(np.zeros((300, 2), np.float32)).values())).shape == (300, 1)


def test_going_back_forgets_later_tests_and_losses(circle):
    t = fresh(circle)
    until(t, 10)
    t.evaluate()
    point = t.checkpoint()
    until(t, 20)
    t.evaluate()
    t.load_checkpoint(point)
    assert [e.step for e in t.tests] == [10] and t.curve.end == 10
    until(t, 12)
    assert t.curve.arrays()[0].tolist() == list(range(12))


@pytest.mark.parametrize("traced", [False, True])
def test_adam_corrects_its_moments_from_the_first_step_on(circle, traced):
    """Its first step is as long as the rate, whatever the gradient: m̂ / √v̂ is only a sign."""
    t = fresh(circle)
    before = t.store.state()
    until(t, 1, traced)
    after = t.store.state()
    for key in ("fc1.weight", "fc2.bias"):
        np.testing.assert_allclose(np.abs(after[key] - before[key]), 0.03, rtol=1e-3, err_msg=key)
