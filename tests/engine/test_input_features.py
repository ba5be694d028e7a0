"""Features of the points of a plane: what leaves the layer, what is painted, the boundary behind it."""

from __future__ import annotations

import numpy as np

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import Dense, Input, InputFeatures, Output, Tanh
from engine.repairs import apply_repair
from engine.session import plane
from engine.session.views import Boundary
from engine.settings import TrainingSpec
from engine.training import Trainer

SQUARES = InputFeatures(x=False, y=False, x2=True, y2=True)


def drawn(layer: InputFeatures, shape: tuple[int, ...] = (2,)) -> GraphSpec:
    g = GraphSpec().add("points", Input(shape)).add("features", layer, after="points")
    g = g.add("fc", Dense(1), after="features").add("tanh", Tanh(), after="fc")
    return g.add("out", Output(), after="tanh")


def test_one_neuron_on_the_squares_draws_a_circle() -> None:
    """The plane is asked in x and y; the boundary is round, and the layer's own maps are its features."""
    data = load(SourceSpec.toy("circle"))
    t = Trainer(drawn(SQUARES), TrainingSpec("mse", "adam", 0.1, 20, seed=1), data, open_backend("numpy"))
    while t.epoch < 25:
        assert t.run(100).stopped is None
    assert t.evaluate().accuracy > 0.97
    extent = (-4.0, 4.0, -3.0, 3.0)
    made = plane.boundary(Boundary(size=33, neurons=("features",), neuron_size=9), t, extent)
    assert made is not None
    x, y = plane.grid(extent, 33).T
    inside = (x * x + y * y < 1).reshape(33, 33)
    likely = made.output.argmax(0)
    assert len(set(likely[inside])) == 1 and set(likely.ravel()) == {0, 1}
    assert (likely != likely[:, ::-1]).mean() < 0.1, "round, so the same on both sides"
    x, y = plane.grid(extent, 9).T
    assert np.allclose(made.neurons["features"].reshape(2, -1), [x * x, y * y], rtol=1e-6)


def test_no_feature_and_no_point_are_painted() -> None:
    none = InputFeatures(False, False, False, False)
    problem = next(p for p in infer(drawn(none)).problems if p.node == "features")
    assert "at least one" in str(problem.message) and problem.field == "x"
    graph, _ = apply_repair(drawn(none), problem.repairs[0])
    assert infer(graph).shapes["features"] == (1,)
    (problem, *_) = infer(drawn(SQUARES, (3, 4, 4))).problems
    assert problem.node == "features" and "3 × 4 × 4" in str(problem.message)
