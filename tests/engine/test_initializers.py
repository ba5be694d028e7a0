"""Start values have the spread, the angles and the repeatability their names promise."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import ProjectError
from engine.graph import GraphSpec
from engine.initializers import INITIALIZER_CHOICES, initialize, with_starts
from engine.layers import BatchNorm, Dense, Flatten, Input, Output
from engine.layers.base import ParamSpec
from engine.network import Network
from engine.project import graph_from_plain, graph_to_plain
from engine.settings import TrainingSpec

SHAPES = ((40, 60), (60, 40), (8, 3, 3, 3), (50,))


def made(kind: str, shape: tuple[int, ...], seed: int = 3) -> np.ndarray:
    return initialize(ParamSpec("weight", shape, kind, fan_in=60, fan_out=40), seed, "layer")


@pytest.mark.parametrize("kind", [k for k, _ in INITIALIZER_CHOICES])
def test_the_same_seed_gives_the_same_numbers_of_any_shape(kind: str) -> None:
    for shape in SHAPES:
        first = made(kind, shape)
        assert first.dtype == np.float32 and first.shape == shape and np.isfinite(first).all()
        assert np.array_equal(first, made(kind, shape))
        if kind not in ("zeros", "ones", "constant", "identity"):
            assert not np.array_equal(first, made(kind, shape, seed=4))


@pytest.mark.parametrize(
    ("kind", "deviation"),
    [("xavier_uniform", 0.02**0.5), ("xavier_normal", 0.02**0.5), ("he_uniform", (2 / 60) ** 0.5),
     ("he_normal", (2 / 60) ** 0.5), ("normal", 0.1), ("uniform", 0.1 / 3**0.5)],
)  # fmt: skip
def test_the_spread(kind: str, deviation: float) -> None:
    numbers = made(kind, (200, 200))
    assert abs(numbers.mean()) < 0.02 * deviation
    assert numbers.std() == pytest.approx(deviation, rel=0.02)


def test_orthogonal_rows_or_columns() -> None:
    for shape in ((40, 60), (60, 40), (8, 3, 3, 3)):
        w = made("orthogonal", shape).reshape(shape[0], -1).astype(np.float64)
        product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        assert np.allclose(product, np.eye(len(product)), atol=1e-6)


def test_identity_hands_on_what_comes_in() -> None:
    assert np.array_equal(made("identity", (3, 5)), np.eye(3, 5))
    kernel = made("identity", (2, 2, 3, 3))
    assert kernel.sum() == 2 and kernel[0, 0, 1, 1] == kernel[1, 1, 1, 1] == 1


def test_any_learnt_parameter_may_start_otherwise_and_comes_back_so() -> None:
    """Also those of layers that have no setting for it; a running mean keeps its own start."""
    graph = GraphSpec().add("input", Input((2, 6, 6))).add("norm", BatchNorm(), after="input")
    graph = graph.add("flat", Flatten(), after="norm").add("fc", Dense(3), after="flat")
    graph = graph.add("out", Output(), after="fc")
    starts = (("bias", "normal"), ("running_mean", "normal"), ("weight", "constant"))
    drawn = graph.replace_node("norm", starts=starts).replace_node("fc", starts=(("weight", "orthogonal"),))
    assert graph_from_plain(graph_to_plain(drawn), "a.matrizen")[0] == drawn
    network = Network(drawn, TrainingSpec("mse", seed=4))
    state = network.weights()
    assert (state["norm.weight"] == np.float32(0.1)).all() and (state["norm.running_mean"] == 0).all()
    assert state["norm.bias"].std() > 0
    w = state["fc.weight"]
    np.testing.assert_allclose(w @ w.T, np.eye(3), atol=1e-6)
    plain = graph_to_plain(drawn)
    plain["nodes"][1]["starts"] = {"weight": "loud"}
    with pytest.raises(ProjectError, match="orthogonal"):
        graph_from_plain(plain, "a.matrizen")


def test_fans_of_a_table_come_from_its_shape() -> None:
    spec = ParamSpec("weight", (50, 6), "normal")
    (drawn,) = with_starts((spec,), [("weight", "he_uniform")])
    assert (drawn.fan_in, drawn.fan_out) == (6, 50)
    assert np.abs(initialize(drawn, 1, "e")).max() <= 1.0
