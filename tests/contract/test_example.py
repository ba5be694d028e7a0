"""The one-layer example with its numbers, digit by digit, on every backend. Examples are columns."""

from __future__ import annotations

import numpy as np
import pytest

from engine.graph import GraphSpec
from engine.layers import Dense, Input, Output, ReLU
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from tests.contract.harness import open_backend

X = [[1, 2], [3, 4]]
W = [[0.5, -0.25], [0.25, 0.5]]
B = [0.1, -2]
Y = [[1, 0], [0, 1]]

NUMBERS: list[tuple[str, object]] = [
    ("dense.z", [[-0.15, 0.1], [-0.25, 0.5]]),
    ("relu.a", [[0, 0.1], [0, 0.5]]),
    ("output.loss", 0.315),
    ("dense.z@grad", [[0, 0.05], [0, -0.25]]),
    ("dense.weight@grad", [[0.1, 0.2], [-0.5, -1]]),
    ("dense.bias@grad", [0.05, -0.25]),
    ("dense.weight@new", [[0.49, -0.27], [0.3, 0.6]]),
    ("dense.bias@new", [0.095, -1.975]),
]


@pytest.mark.parametrize("capacity", [2, 16])
def test_the_example(backend_name: str, capacity: int) -> None:
    graph = GraphSpec().add("input", Input(shape=(2,))).add("dense", Dense(units=2), after="input")
    graph = graph.add("relu", ReLU(), after="dense").add("output", Output(), after="relu")
    training = TrainingSpec(loss="mse", optimizer="sgd", learning_rate=0.1, batch=capacity)
    program = record(graph, training, DataSpec((2,), target_width=2), "train", capacity)
    backend = open_backend(backend_name)
    store = backend.store(program.state(), 1)
    store.load({"dense.weight": np.float32(W), "dense.bias": np.float32(B)})
    plan = backend.compile(program, store, traced=True)
    plan.write("input.x", np.float32(X))
    plan.write("target", np.float32(Y))
    plan.begin({"n": 2, "pos": 0, "step": 0})
    plan.advance(len(program.ops))
    plan.commit()
    for name, expected in NUMBERS:
        got = plan.read(name)
        if program.values[name].batched:
            got = got[:, :2]
        assert np.allclose(got, expected, rtol=0, atol=1e-6), name
    assert np.allclose(store.state()["dense.weight"], [[0.49, -0.27], [0.3, 0.6]], rtol=0, atol=1e-6)


def test_the_gradient_of_the_input(backend_name: str) -> None:
    """dX = Wᵀ·δ of the example: below a first layer that passes X on unchanged."""
    graph = GraphSpec().add("input", Input(shape=(2,))).add("first", Dense(units=2), after="input")
    graph = graph.add("dense", Dense(units=2), after="first").add("relu", ReLU(), after="dense")
    graph = graph.add("output", Output(), after="relu")
    training = TrainingSpec(loss="mse", optimizer="sgd", learning_rate=0.1, batch=2)
    program = record(graph, training, DataSpec((2,), target_width=2), "gradients", 2)
    backend = open_backend(backend_name)
    store = backend.store(program.state(), 1)
    store.load({"dense.weight": np.float32(W), "dense.bias": np.float32(B)})
    store.load({"first.weight": np.eye(2, dtype=np.float32), "first.bias": np.zeros(2, np.float32)})
    plan = backend.compile(program, store, traced=True)
    plan.write("input.x", np.float32(X))
    plan.write("target", np.float32(Y))
    plan.begin({"n": 2, "pos": 0, "step": 0})
    plan.advance(len(program.ops))
    expected = [[0, -0.0375], [0, -0.1375]]
    assert np.allclose(plan.read(program.gradients["first.z"].id), expected, rtol=0, atol=1e-6)
