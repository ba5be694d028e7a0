"""A network of two inputs, two hidden and two output neurons with the numbers that others published.

Matt Mazur, "A Step by Step Backpropagation Example", 2015,
https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/
His error is the sum of half squares; of two outputs that is the mean of the squares. His biases stay.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.graph import GraphSpec
from engine.layers import Dense, Input, Output, Sigmoid
from engine.network import Network
from engine.settings import TrainingSpec

BIASES = {"h.bias": np.array([0.35, 0.35], np.float32), "o.bias": np.array([0.6, 0.6], np.float32)}
X, Y = np.array([[0.05, 0.10]], np.float32), np.array([[0.01, 0.99]], np.float32)


@pytest.fixture(scope="module")
def net() -> Network:
    """After its first step; the values of that step can be read."""
    graph = GraphSpec().add("x", Input((2,))).add("h", Dense(2), after="x").add("out_h", Sigmoid(), after="h")
    graph = graph.add("o", Dense(2), after="out_h").add("out_o", Sigmoid(), after="o")
    net = Network(graph.add("end", Output(), after="out_o"), TrainingSpec("mse", "sgd", 0.5), batch=1)
    weights = {"h.weight": [[0.15, 0.20], [0.25, 0.30]], "o.weight": [[0.40, 0.45], [0.50, 0.55]]}
    net.load({**{k: np.array(v, np.float32) for k, v in weights.items()}, **BIASES})
    assert net.step(X, Y) == pytest.approx(0.298371109, abs=5e-8)
    return net


PUBLISHED: dict[str, tuple[list[Any], int]] = {
    "h.z": ([[0.3775], [0.3925]], 4),
    "out_h.a": ([[0.593269992], [0.596884378]], 7),
    "o.z": ([[1.105905967], [1.2249214]], 6),
    "out_o.a": ([[0.75136507], [0.772928465]], 7),
    "o.z@grad": ([[0.138498562], [-0.038098236]], 7),
    "o.weight@grad": ([[0.082167041, 0.08266763], [-0.02260254, -0.02274024]], 7),
    "o.weight@new": ([[0.35891648, 0.408666186], [0.511301270, 0.561370121]], 7),
    "h.weight@new": ([[0.149780716, 0.19956143], [0.24975114, 0.29950229]], 7),
}
"""Values and how many decimals of them float32 can hold."""


@pytest.mark.parametrize("value", PUBLISHED)
def test_the_numbers_of_the_first_step(net: Network, value: str) -> None:
    expected, decimals = PUBLISHED[value]
    assert net.value(value).tolist() == [pytest.approx(row, abs=10.0**-decimals) for row in expected]


def test_the_error_after_the_step(net: Network) -> None:
    """With the new weights and the old biases: 0.291027924 there; with all digits kept 0.291027774."""
    net.load(BIASES)
    error = float(((net.forward(X) - Y) ** 2).mean())
    assert error == pytest.approx(0.291027924, abs=2e-7) and error == pytest.approx(0.291027774, abs=6e-8)
