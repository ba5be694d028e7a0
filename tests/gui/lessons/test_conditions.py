"""Each thing to do is recognized when it is done, and not before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.graph import GraphSpec
from engine.layers import Dense, Input, Output, ReLU
from engine.settings import TrainingSpec
from gui.lessons.conditions import CONDITIONS, Seen, holds

GRAPH = (
    GraphSpec()
    .add("x", Input((2,)))
    .add("dense1", Dense(2), after="x")
    .add("out", Output(), after="dense1")
)
BEFORE = Seen(GRAPH, TrainingSpec(), "paused", 5, 1.0)
MORE = GRAPH.add("relu1", ReLU())
LESS = GRAPH.unlink("dense1", 0)
OTHER = GRAPH.replace_node("dense1", layer=Dense(4))

CASES: list[tuple[str, Any, dict[str, Any]]] = [
    ("added", "relu", {"graph": MORE}),
    ("linked", ["x", "relu1"], {"graph": MORE.link("x", "relu1", 0)}),
    ("unlinked", ["x", "dense1"], {"graph": LESS}),
    ("setting", {"of": "dense1", "name": "units", "is": 4}, {"graph": OTHER}),
    ("setting", {"of": "dense1", "name": "units", "at_least": 3}, {"graph": OTHER}),
    ("setting", {"of": "dense1", "name": "units"}, {"graph": OTHER}),
    ("setting", {"of": "training", "name": "optimizer", "is": "rmsprop"},
     {"training": TrainingSpec(optimizer="rmsprop")}),
    ("playing", True, {"running": "playing"}),
    ("playing", False, {"step": 9}),
    ("steps", 3, {"step": 8}),
    ("epochs", 2, {"epoch": 3.0}),
    ("step_reached", 100, {"step": 100}),
    ("inside", "backward", {"phase": "backward"}),
    ("opened", {"value": "dense1.z", "cell": [1, 2]}, {"opened": ("dense1.z", (0, 1))}),
    ("opened", {"value": "dense1.z"}, {"opened": ("dense1.z", (1, 1))}),
    ("panel", {"panel": "weights"}, {"docks": {"weights": "a"}}),
    ("panel", {"panel": "weights", "value": "b"}, {"docks": {"weights": "b"}}),
    ("selected", "dense1", {"selected": ("dense1",)}),
    ("example", 2, {"example": 1}),
    ("data", "folder", {"data": "folder"}),
    ("picture", True, {"picture": True}),
    ("lab", "matrix_lab", {"lab": "matrix_lab"}),
    ("lab", "matrix_lab", {"actions": frozenset({"matrix_lab"})}),
    ("action", "reset", {"actions": frozenset({"reset"})}),
    ("accuracy", 0.9, {"accuracy": 0.91}),
    ("loss_below", 0.1, {"loss": 0.09}),
    ("device", "opencl", {"device": "opencl:x:0"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "changes"), CASES)
def test_done_and_not_before(name: str, value: Any, changes: dict[str, Any]) -> None:
    assert CONDITIONS[name].check(value) is None
    assert not holds({name: value}, BEFORE, BEFORE)
    assert holds({name: value}, BEFORE, replace(BEFORE, **changes))


def test_removing_counts_from_the_beginning() -> None:
    start = replace(BEFORE, graph=MORE)
    assert not holds({"removed": "relu"}, start, start)
    assert holds({"removed": "relu"}, start, BEFORE)


def test_every_condition_is_tried_here() -> None:
    assert {name for name, _, _ in CASES} | {"removed"} == set(CONDITIONS)


def test_all_of_a_task_must_hold_at_once() -> None:
    both = {"playing": True, "accuracy": 0.9}
    assert not holds(both, BEFORE, replace(BEFORE, running="playing"))
    assert holds(both, BEFORE, replace(BEFORE, running="playing", accuracy=0.95))
