"""`Network`, the engine by hand: what it refuses, and that a step by hand is the trainer's step."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Dense, GraphSpec, Input, Network, Output, ReLU, TrainingSpec
from engine.errors import GraphError


def graph() -> GraphSpec:
    g = GraphSpec().add("x", Input((3,))).add("fc1", Dense(4), after="x").add("relu1", ReLU(), after="fc1")
    return g.add("fc2", Dense(2), after="relu1").add("out", Output(), after="fc2")


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_step_moves_against_the_gradient_and_lowers_the_loss(optimizer):
    net = Network(graph(), TrainingSpec("cross_entropy", optimizer, 0.05), batch=8, classes=2)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 3)).astype(np.float32)
    y = np.array([0, 1, 1, 0, 1])
    losses = [net.step(x, y) for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
    assert net.value("fc1.z").shape == (4, 5) and net.gradient("fc1.weight").shape == (4, 3)
    assert net.forward(x).shape == (5, 2)
    assert set(net.weights()) == {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}


def test_regression_gradient_is_that_of_numpy():
    net = Network(graph(), TrainingSpec("mse", "sgd", 0.1), batch=4)
    x = np.ones((2, 3), np.float32)
    target = np.zeros((2, 2), np.float32)
    out = net.forward(x)
    net.step(x, target)
    np.testing.assert_allclose(net.gradient("fc2.z"), (2 * out / out.size).T, rtol=1e-5, atol=1e-7)


def test_refusals_name_what_is_there():
    net = Network(graph(), batch=4)
    with pytest.raises(GraphError, match=r"1 to 4"):
        net.forward(np.zeros((5, 3), np.float32))
    with pytest.raises(GraphError, match=r"needs \(3,\)"):
        net.forward(np.zeros((2, 2), np.float32))
    with pytest.raises(GraphError, match=r"fc1\.z"):
        net.value("nothing")
    with pytest.raises(GraphError, match="no gradient"):
        net.gradient("nothing")
    with pytest.raises(GraphError, match=r"fc1\.weight.*\(4, 3\)"):
        net.load({"fc1.weight": np.zeros((3, 4), np.float32)})
    with pytest.raises(GraphError, match="out"):
        Network(graph().remove(["out"]))
