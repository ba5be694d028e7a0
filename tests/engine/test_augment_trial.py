"""Trained with and without augmentation: the same start, the same batches, tests by the engine's warp."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import affine
from engine.augment_trial import AugmentTrial, Condition, outcomes, why_not, with_layer, without_layer
from engine.backends.opening import open_backend
from engine.data.dataset import make_dataset
from engine.errors import MatrizenError
from engine.graph import GraphSpec
from engine.layers import Augment, Dense, Flatten, Input, Output
from engine.settings import TrainingSpec
from engine.training import Trainer

SIDE = 6
LAYER = Augment(rotation=40.0, scale=10.0, shift=1.0)


def bars(count: int, seed: int):
    """Bars that stand (0) or lie (1), bytes."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 2
    x = np.zeros((count, 1, SIDE, SIDE), np.uint8)
    for picture, kind in zip(x, y, strict=True):
        at = rng.integers(2, SIDE - 2)
        picture[0, at if kind else slice(None), slice(None) if kind else at] = rng.integers(120, 256)
    return x, y


def network() -> GraphSpec:
    graph = GraphSpec().add("bars", Input((1, SIDE, SIDE))).add("flat", Flatten(), after="bars")
    return graph.add("fc1", Dense(2), after="flat").add("out", Output(), after="fc1")


def run(rate: float = 0.1, normalize: bool = False, loss: str = "cross_entropy") -> Trainer:
    names = ("stands", "lies")
    data = make_dataset(*bars(40, 1), *bars(70, 2), kind="pictures", class_names=names, scale=1 / 255,
                        normalize=normalize)  # fmt: skip
    spec = TrainingSpec(loss, "sgd", rate, 8, seed=4)
    return Trainer(network(), spec, data, open_backend("numpy"))


def tried(t: Trainer, epochs: int = 3, seed: int = 9, layer: Augment = LAYER):
    job = AugmentTrial(t, layer, epochs, seed)
    tests = []
    for _ in job.steps():
        found = job.result().tested
        if found is not None and (not tests or tests[-1] is not found):
            tests.append(found)
    tests.append(job.result().tested)
    return job, job.result(), [test.epoch for test in dict.fromkeys(tests)]


def test_without_is_the_plain_training_and_the_run_is_left_alone():
    t = run()
    before = t.store.state()
    job, trial, epochs = tried(t)
    assert epochs == [1, 2, 3] and not trial.testing
    assert trial.done == trial.total == 2 * (3 * 3 * 40 + 3 * 16 * 70)
    assert t.step == 0 and all(np.array_equal(before[k], a) for k, a in t.store.state().items())
    plain = Trainer(network(), replace(t.training, seed=9), t.dataset, t.backend)
    plain.run(5, 1e6), plain.run(5, 1e6), plain.run(5, 1e6)
    without, with_ = (lane.trainer.store.state() for lane in job._lanes)
    for key, array in plain.store.state().items():
        assert np.array_equal(array, without[key])
    assert not np.array_equal(without["fc1.weight"], with_["fc1.weight"])
    assert trial.tested.accuracies[0, 0] == pytest.approx(plain.evaluate().accuracy)


@pytest.mark.parametrize("normalize", [False, True])
def test_the_pictures_are_those_of_the_warp(normalize):
    t = run(normalize=normalize)
    job, trial, _ = tried(t, 1)
    assert trial.conditions[0] == Condition("plain", 0.0) and len(trial.conditions) == 16
    x = t.dataset.test_inputs()
    about = affine.center(SIDE, SIDE)
    wanted = {
        Condition("turn", 30.0): [affine.rotation(30)] * 4,
        Condition("size", 80.0): [affine.scaling(0.8, 0.8)] * 4,
        Condition("shift", 2.0): [affine.shift(*way) for way in ((2, 0), (0, 2), (-2, 0), (0, -2))],
    }
    for condition, matrices in wanted.items():
        c = trial.conditions.index(condition)
        slices = list(job._tests.pictures(c))
        assert [start for start, _ in slices] == [0, 64]
        found = np.concatenate([pictures for _, pictures in slices])[:70]
        for i in (0, 1, 2, 3, 66):
            warped = affine.warp(x[i, 0], affine.about(matrices[i % 4], about))[..., 0]
            np.testing.assert_allclose(found[i, 0], warped, atol=1e-5)
        said = t.probabilities(next(iter(job._lanes[1].trainer.predict(found).values()))).argmax(1)
        assert np.array_equal(said, trial.tested.predicted[1, c])


def test_counts_and_examples_of_a_condition_agree():
    _, trial, _ = tried(run(), 2)
    tested = trial.tested
    for c in range(len(trial.conditions)):
        counts = tested.outcomes(c)
        assert sum(counts) == 70
        right = tested.accuracies[:, c] * 70
        np.testing.assert_allclose(right, [counts[1] + counts[2], counts[0] + counts[2]])
        assert len(tested.examples[c]) == sum(min(3, n) for n in counts)
    first = tested.examples[0][0]
    assert first.picture.shape == (SIDE, SIDE, 1) and first.picture.dtype == np.uint8
    table = outcomes(np.array([[0, 1, 1, 0], [1, 0, 1, 0]]), np.array([1, 1, 1, 1]))
    assert table.tolist() == [0, 1, 2, 3]


def test_a_training_that_runs_away_says_its_step_and_keeps_good_weights():
    job, trial, _ = tried(run(1e6, loss="mse"), 2)
    assert trial.diverged[0] is not None and trial.done == trial.total
    assert np.isfinite(job._lanes[0].trainer.store.state()["fc1.weight"]).all()
    assert trial.tested.epoch == 2


def test_the_layer_goes_in_and_out_of_any_network():
    plain = network()
    added = with_layer(plain, LAYER)
    node = next(n for n in added.nodes if n.layer == LAYER)
    assert [k.source for k in added.inputs_of("flat")] == [node.uid]
    assert without_layer(added) == replace(plain, links=without_layer(added).links)
    assert set(without_layer(added).links) == set(plain.links)
    again = with_layer(added, Augment(1.0, 2.0, 0.0))
    assert [n.layer for n in again.nodes if isinstance(n.layer, Augment)] == [Augment(1.0, 2.0, 0.0)]


def test_what_cannot_be_compared_is_said():
    assert "pictures" in str(why_not((4,), 3, 9))
    assert "classes" in str(why_not((1, 8, 8), 0, 9))
    assert "test pictures" in str(why_not((1, 8, 8), 3, 0))
    assert why_not((1, 1, 1), 2, 1) is None
    t = run()
    t.dataset = replace(t.dataset, x_test=t.dataset.x_test[:0], y_test=t.dataset.y_test[:0])
    with pytest.raises(MatrizenError, match="no test pictures"):
        AugmentTrial(t, LAYER, 1, 1)


def test_the_script_of_the_docs_runs(capsys, monkeypatch):
    root = Path(__file__).parents[2]
    text = (root / "docs" / "augmentation.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    monkeypatch.chdir(root)
    exec(compile(block.replace("epochs=10", "epochs=1"), "augmentation.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 16 and lines[0].startswith("plain") and float(lines[0].split()[2]) > 80
