"""The learning rate over the steps, beside the formulas and in a run."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.schedules import rate_factor
from engine.settings import SCHEDULE_CHOICES, TrainingSpec
from engine.training import Trainer
from tests.engine.project_help import dense


def factors(schedule: str, count: int, **settings: float) -> list[float]:
    training = TrainingSpec(schedule=schedule, **settings)  # type: ignore[arg-type]
    return [rate_factor(training, k + 1) for k in range(count)]


def test_formulas() -> None:
    assert factors("constant", 3) == [1.0] * 3
    assert factors("step", 6, schedule_steps=2, schedule_factor=0.1) == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01]
    )
    assert factors("exponential", 3, schedule_steps=2, schedule_factor=0.25) == pytest.approx([1, 0.5, 0.25])
    cosine = factors("cosine", 12, schedule_steps=10)
    assert cosine[:11] == pytest.approx([(1 + math.cos(math.pi * k / 10)) / 2 for k in range(11)])
    assert cosine[11] == 0.0, "past its end it stays where it ended"


def test_one_cycle_rises_to_the_rate_and_falls_below_its_start() -> None:
    found = factors("one_cycle", 101, schedule_steps=101)
    assert found[0] == pytest.approx(1 / 25) and found[30] == pytest.approx(1.0)
    assert found[100] == pytest.approx(1 / 250_000)
    assert all(np.diff(found[:31]) > 0) and all(np.diff(found[30:]) < 0)


def test_warm_up_goes_before_any_of_them() -> None:
    assert factors("constant", 6, warm_up=4) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("schedule", [name for name, _ in SCHEDULE_CHOICES])
def test_a_run_takes_the_rate_of_its_step_however_it_is_cut(schedule: str) -> None:
    data = load(SourceSpec.toy("circle", count=100))
    settings = TrainingSpec("mse", "sgd", 0.1, 10, schedule=schedule, schedule_steps=5, warm_up=3)
    states = []
    for pieces in ((9,), (1, 4, 4), None):
        t = Trainer(dense(), settings, data, open_backend("numpy"))
        if pieces is None:
            for _ in range(9):
                assert t.traced_step() is None
        for until in np.cumsum(pieces or ()):
            while t.step < until:
                t.run(int(until) - t.step, 1e6)
        states.append(t.store.state())
    assert all(a[k].tobytes() == states[0][k].tobytes() for a in states for k in a)


def test_the_first_step_is_the_formula_by_hand() -> None:
    data = load(SourceSpec.toy("circle", count=100))
    moved = {}
    for warm_up in (0, 4):
        settings = TrainingSpec("mse", "sgd", 0.1, 10, warm_up=warm_up)
        t = Trainer(dense(), settings, data, open_backend("numpy"))
        before = t.store.state()["fc1.weight"]
        t.run(1, 1e6)
        moved[warm_up] = t.store.state()["fc1.weight"] - before
    assert np.allclose(moved[4], moved[0] / 4, atol=1e-7)
