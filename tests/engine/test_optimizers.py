"""Every optimizer on f(w) = w² beside its closed form: one weight, input 1, target 0, mean squared error."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from engine.fields import settings_of
from engine.graph import GraphSpec
from engine.layers import Dense, Input, Output
from engine.network import Network
from engine.settings import TrainingSpec

START, STEPS, RATE = 1.5, 30, 0.05


def path(training: TrainingSpec, steps: int) -> list[float]:
    """w before the first step and after each."""
    graph = GraphSpec().add("x", Input((1,))).add("w", Dense(1, bias=False), after="x")
    net = Network(graph.add("out", Output(), after="w"), training, batch=1)
    net.load({"w.weight": np.array([[START]], np.float32)})
    seen = [START]
    for _ in range(steps):
        loss = net.step(np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32))
        assert loss == pytest.approx(seen[-1] ** 2, rel=1e-6, abs=1e-12)
        seen.append(float(net.weights()["w.weight"][0, 0]))
    return seen


def two_roots(trace: float, product: float, second: float) -> Callable[[int], float]:
    """w_t of w_{t+1} = trace · w_t - product · w_{t-1}: powers of two roots, complex ones where it swings."""
    r = np.roots([1.0, -trace, product]).astype(complex)
    a = np.linalg.solve(np.array([[1, 1], r]), np.array([START, second], complex))
    return lambda t: float((a * r**t).sum().real)


def momentum(t: TrainingSpec) -> Callable[[int], float]:
    eta, mu = t.learning_rate, t.momentum
    return two_roots(1 + mu - 2 * eta, mu, (1 - 2 * eta) * START)


def nesterov(t: TrainingSpec) -> Callable[[int], float]:
    eta, mu = t.learning_rate, t.momentum
    ahead = 1 - 2 * eta * (1 + mu)
    return two_roots(ahead + mu, mu * (1 - 2 * eta), ahead * START)


WHOLE: dict[str, Callable[[TrainingSpec], Callable[[int], float]]] = {
    "sgd": lambda t: lambda k: START * (1 - 2 * t.learning_rate) ** k,
    "momentum": momentum,
    "nesterov": nesterov,
}
"""w after any number of steps."""


@pytest.mark.parametrize("optimizer", WHOLE)
def test_the_whole_way(optimizer: str) -> None:
    training = TrainingSpec("mse", optimizer, RATE, momentum=0.8)
    closed = WHOLE[optimizer](training)
    assert path(training, STEPS) == pytest.approx([closed(k) for k in range(STEPS + 1)], rel=2e-6, abs=2e-6)


def adam(t: TrainingSpec, shrink: float = 1.0) -> tuple[float, float]:
    """The corrected means are g_1, then (beta g_1 + g_2) / (1 + beta)."""
    first = shrink * START - t.learning_rate
    m = (t.beta1 * START + first) / (1 + t.beta1)
    v = (t.beta2 * START**2 + first**2) / (1 + t.beta2)
    return first, shrink * first - t.learning_rate * m / sqrt(v)


def adagrad(t: TrainingSpec) -> tuple[float, float]:
    """The first step is as long as the rate, whatever the slope; then comes the root of the sum."""
    first = START - t.learning_rate
    return first, first - t.learning_rate * first / sqrt(START**2 + first**2)


def rmsprop(t: TrainingSpec) -> tuple[float, float]:
    rho = t.decay
    first = START - t.learning_rate / sqrt(1 - rho)
    return first, first - t.learning_rate * first / sqrt((1 - rho) * (rho * START**2 + first**2))


def adadelta(t: TrainingSpec) -> tuple[float, float]:
    """The first step knows epsilon only; the second how long the first was."""
    rho, eps, slope = t.decay, t.epsilon, 2 * START
    u = sqrt(eps) * slope / sqrt((1 - rho) * slope**2 + eps)
    first = START - t.learning_rate * u
    s = (1 - rho) * (rho * slope**2 + 4 * first**2)
    return first, first - t.learning_rate * sqrt((1 - rho) * u**2 + eps) / sqrt(s + eps) * 2 * first


TWO: dict[str, Callable[[TrainingSpec], tuple[float, float]]] = {
    "adam": adam,
    "adamw": lambda t: adam(t, 1 - t.learning_rate * t.weight_decay),
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
}
"""w after one and two steps; epsilon is left out where it is nothing beside the slope."""


@pytest.mark.parametrize("optimizer", TWO)
def test_the_first_two_steps(optimizer: str) -> None:
    epsilon = 1e-3 if optimizer == "adadelta" else 1e-8
    training = TrainingSpec("mse", optimizer, RATE, epsilon=epsilon, weight_decay=0.1)
    assert path(training, 2)[1:] == pytest.approx(TWO[optimizer](training), rel=1e-6)


def test_none_is_left_out() -> None:
    assert {*WHOLE, *TWO} == {name for name, _ in settings_of(TrainingSpec)["optimizer"][0].choices}
