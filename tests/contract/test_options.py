"""What stands between gradients and weights: however a run is cut, it goes the same way, on every backend."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.backends.base import Array
from engine.data.dataset import Dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import GraphError
from engine.graph import GraphSpec
from engine.layers import Dense, Tanh
from engine.ops.base import REGISTRY
from engine.project import Project
from engine.project_file import load_project, save_project
from engine.session.building import set_hot
from engine.session.commands import SetTraining
from engine.settings import TrainingSpec
from engine.training import Trainer
from engine.weight_rules import WeightRules
from tests.contract.harness import distance, open_backend, same_bits
from tests.contract.networks import chain
from tests.engine.test_gradient_check import checked

STEPS = 11
OPTIONS: dict[str, dict[str, Any]] = {
    "value": {"clipping": "value", "clip_limit": 0.02, "optimizer": "momentum"},
    "norm": {"clipping": "norm", "clip_limit": 0.1, "optimizer": "sgd"},
    "rules": {"optimizer": "adam", "learning_rate": 0.05},
    "all": {"optimizer": "adamw", "learning_rate": 0.05, "accumulate": 3, "clipping": "norm",
            "clip_limit": 0.1},
}  # fmt: skip
"""Each with an optimizer of its own."""
RULES = {"dense1": WeightRules(0.002, 0.0, 0.4), "dense2": WeightRules(0.01, 0.03, 0.0)}


@cache
def data() -> Dataset:
    rng = np.random.default_rng(0)
    return load(SourceSpec.array(rng.random((60, 5)).tolist(), rng.integers(0, 3, 60).tolist()))


def network(name: str) -> GraphSpec:
    graph = chain(Dense(units=7), Tanh(), Dense(units=3), shape=(5,))
    for uid, rules in RULES.items() if name in ("rules", "all") else ():
        graph = graph.replace_node(uid, rules=rules)
    return graph


def trainer(backend: str, name: str, **more: Any) -> Trainer:
    settings = {"learning_rate": 0.5, "batch": 16, "seed": 5, **OPTIONS[name], **more}
    return Trainer(network(name), TrainingSpec("cross_entropy", **settings), data(), open_backend(backend))


@cache
def fast_state(backend: str, name: str) -> dict[str, Array]:
    t = trainer(backend, name)
    while t.step < STEPS:
        t.run(STEPS - t.step, 1e6)
    return t.store.state()


def test_fast_and_traced_steps_are_the_same_on_every_device(backend_name: str) -> None:
    t = trainer(backend_name, "all")
    for _ in range(STEPS):
        assert t.traced_step() is None
    state = fast_state(backend_name, "all")
    assert same_bits(t.store.state(), state)
    for key, array in state.items():
        assert distance(array, fast_state("numpy", "all")[key]) < 1e-4, key


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


def test_penalties_are_a_part_of_the_loss_and_of_its_gradient() -> None:
    t = trainer("numpy", "rules")
    w = {key: a.astype(np.float64) for key, a in t.store.state().items()}
    t.traced_step()
    wanted = 0.002 * np.abs(w["dense1.weight"]).sum() + 0.01 * np.abs(w["dense2.weight"]).sum()
    wanted += 0.03 / 2 * (w["dense2.weight"] ** 2).sum()
    assert t.figures["penalty"] == pytest.approx(wanted, rel=1e-6)
    assert t.loss == pytest.approx(t.read("output.loss").item() + wanted, rel=1e-6)
    for node in RULES:
        assert checked(t, node)["W"].agrees, node


def test_no_row_is_longer_than_it_may_be() -> None:
    rows = np.linalg.norm(fast_state("numpy", "rules")["dense1.weight"], axis=1)
    assert rows.max() == pytest.approx(0.4, rel=1e-5) and rows.min() < 0.39


def test_rules_are_in_the_file_and_may_change_while_training(tmp_path: Path) -> None:
    t = trainer("numpy", "rules")
    set_hot(t, SetTraining(t.training, {"dense2.l2": 0.5}))
    assert t.controls()["dense2.l2"] == t.graph.node("dense2").rules.l2 == 0.5
    path = tmp_path / "rules.matrizen"
    save_project(path, Project(t.graph, t.training))
    assert load_project(path).graph == t.graph
    with pytest.raises(GraphError, match="l1"):
        WeightRules(l1=-1.0)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_batches_together_are_one_large_batch(optimizer: str) -> None:
    """Four batches of 15 to an update, or one of 60: the same weights within rounding; between none moves."""
    small = trainer("numpy", "norm", optimizer=optimizer, batch=15, accumulate=4, schedule="exponential",
                    schedule_steps=2, clip_limit=0.5, seed=1)  # fmt: skip
    large = trainer("numpy", "norm", optimizer=optimizer, batch=60, schedule="exponential", schedule_steps=2,
                    clip_limit=0.5, seed=1)  # fmt: skip
    for update in range(4):
        before = small.store.state()
        small.run(3)
        held = {key: a for key, a in small.store.state().items() if "gathered" not in key}
        assert same_bits(held, {key: before[key] for key in held})
        small.run(1)
        large.run(1)
        assert small.rate == pytest.approx(large.rate) == 0.5 * 0.5 ** ((update + 1) / 2)
    for key, array in large.store.state().items():
        assert distance(small.store.state()[key], array) < 1e-5, key
    assert not any(a.any() for key, a in small.store.state().items() if "gathered" in key)


def test_another_number_of_batches_begins_a_new_mean() -> None:
    t = trainer("numpy", "all")
    t.run(4)
    assert t.updates == 4 and any(a.any() for key, a in t.store.state().items() if "gathered" in key)
    t.rebuild(t.graph, replace(t.training, accumulate=2), t.dataset)
    assert t.updates == 2 and not any(a.any() for key, a in t.store.state().items() if "gathered" in key)
    t.rebuild(t.graph, replace(t.training, accumulate=1), t.dataset)
    assert t.updates == 1 and not any("gathered" in key for key in t.store.state())


@pytest.mark.parametrize("kind", ["l1_slope", "l2_slope"])
def test_a_wrong_slope_of_a_penalty_is_caught(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    t = trainer("numpy", "rules")
    t.traced_step()
    right = REGISTRY[kind].reference
    monkeypatch.setattr(REGISTRY[kind], "reference", lambda *given: (np.float64(1.05) * right(*given)[0],))
    assert not checked(t, "dense2")["W"].agrees
