"""A frozen layer: gradients, but no update; the same in a file and on the way back."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import ProjectError
from engine.graph import GraphSpec
from engine.project import graph_from_plain, graph_to_plain
from engine.settings import TrainingSpec
from engine.training import Trainer
from tests.engine.project_help import dense


def frozen(name: str = "fc1") -> GraphSpec:
    return dense().replace_node(name, frozen=True)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_what_is_frozen_stays_and_what_is_not_learns(optimizer: str) -> None:
    data = load(SourceSpec.toy("circle", count=100))
    t = Trainer(frozen(), TrainingSpec("mse", optimizer, 0.05, 10), data, open_backend("numpy"))
    before = t.store.state()
    t.run(10, 1e6)
    after = t.store.state()
    for key in ("fc1.weight", "fc1.bias"):
        assert before[key].tobytes() == after[key].tobytes()
    assert not np.array_equal(before["fc2.weight"], after["fc2.weight"])
    assert not any(key.startswith("fc1.weight.") for key in after), "no moments are kept"
    assert t.traced_step() is None
    assert np.abs(t.read("fc1.weight@grad")).max() > 0, "its gradient can be looked at"


def test_thawed_it_goes_on_from_where_it_was() -> None:
    data = load(SourceSpec.toy("circle", count=100))
    settings = TrainingSpec("mse", "adam", 0.05, 10)
    t = Trainer(dense(), settings, data, open_backend("numpy"))
    t.run(5, 1e6)
    kept = t.store.state()["fc1.weight.m"]
    t.rebuild(frozen(), settings, data)
    weight = t.store.state()["fc1.weight"]
    t.run(5, 1e6)
    t.rebuild(dense(), settings, data)
    assert np.array_equal(t.store.state()["fc1.weight"], weight)
    assert np.array_equal(t.store.state()["fc1.weight.m"], kept)


def test_a_file_keeps_it_and_refuses_nonsense() -> None:
    plain = graph_to_plain(frozen())
    assert graph_from_plain(plain, "x")[0].by_name("fc1").frozen
    next(n for n in plain["nodes"] if n["name"] == "fc1")["frozen"] = "yes"
    with pytest.raises(ProjectError, match="frozen should be true or false"):
        graph_from_plain(plain, "x")
