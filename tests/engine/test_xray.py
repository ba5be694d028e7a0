"""The optimizer opened, and four side by side: against closed forms of L = w²."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import GraphError
from engine.optimizer_race import OPTIMIZERS, OptimizerRace, Watched
from engine.settings import OPTIMIZER_CHOICES
from engine.weight_rules import WeightRules
from engine.xray import trained, xray
from tests.contract.networks import mlp, residual
from tests.engine.number_nets import pictures, square

W = Watched("fc1.weight", (0, 0))


def raced(t, steps, **more):
    race = OptimizerRace(t, [W], steps, **more)
    for _ in race.steps():
        pass
    result = race.result()
    assert result.done <= result.total
    return {lane.optimizer: lane for lane in result.lanes}


def test_adam_by_hand():
    """w = 3, g = 6: m = 0.6, v = 0.036, both corrected to g and g², the step is the rate."""
    t = square(3.0, "adam", 0.1)
    t.traced_step()
    x = xray(t, "fc1.weight")
    assert (x.step, x.updates, x.optimizer) == (0, 1, "adam")
    wanted = {"old": 3.0, "g": 6.0, "m_old": 0.0, "m": 0.6, "v": 0.036, "m_hat": 6.0, "v_hat": 36.0,
              "change": -0.1, "new": 2.9}  # fmt: skip
    for name, number in wanted.items():
        np.testing.assert_allclose(x[name][0, 0], number, rtol=3e-5, err_msg=name)
    lines = {line.symbol: line for line in x.lines(0, 0)}
    assert lines["m"].numbers == (0.9, 0.0, pytest.approx(0.1), 6.0)
    assert lines["m̂"].engine is None and lines["Δw"].value == pytest.approx(-0.1, rel=3e-5)
    second = t.traced_step() or xray(t, "fc1.weight")
    assert second.updates == 2 and second["m_old"][0, 0] == x["m"][0, 0]
    np.testing.assert_allclose(second.controls["c1"], 1 - 0.9**2)


@pytest.mark.parametrize("optimizer", [name for name, _ in OPTIMIZER_CHOICES])
def test_every_line_gives_the_number_that_the_engine_has(optimizer):
    graph = residual().replace_node("conv1", rules=WeightRules(0.01, 0.01, 0.5))
    t = pictures(graph, (2, 9, 9), optimizer)
    assert trained(t)[0] == "conv1.weight"
    for key in trained(t):
        x = xray(t, key)
        assert x.part.whole and x.quantities[0].array.shape == x.part.shape
        for at in ((0, 0), (x.part.shape[0] - 1, x.part.shape[1] - 1)):
            lines = x.lines(*at)
            assert lines[-1].symbol == "w′" and (lines[-2].symbol == "w*") == (key == "conv1.weight")
            for line in lines:
                if line.engine is not None:
                    np.testing.assert_allclose(line.value, line.engine, rtol=2e-4, atol=1e-7, err_msg=key)
    assert xray(t, "conv1.weight").place(5, 17) == (5, 1, 2, 2)


def test_a_locked_weight_stays_here_too():
    t = square(3.0, "adam", 0.1)
    t.lock({"fc1.weight": np.ones((1, 1))})
    assert t.traced_step() is None
    x = xray(t, "fc1.weight")
    (line,) = x.lines(0, 0)
    assert (line.symbol, line.value, line.engine, x["change"][0, 0]) == ("w′", 3.0, 3.0, 0.0)
    for lane in raced(t, 3).values():
        assert lane.path[:, 0].tolist() == [3.0] * 4 and len(lane.losses) == 3


def test_a_weight_that_is_not_learned_is_refused():
    with pytest.raises(GraphError, match="not a weight that is learned"):
        xray(square(), "fc1.nothing")


def test_descent_on_w_squared_is_a_geometric_series():
    lane = raced(square(3.0), 10, rates={"sgd": 0.1})["sgd"]
    k = np.arange(11)
    np.testing.assert_allclose(lane.path[:, 0], 3 * 0.8**k, rtol=1e-5)
    np.testing.assert_allclose(lane.losses, 9 * 0.64 ** k[:10], rtol=1e-5)


def test_momentum_rmsprop_and_adam_follow_their_recursions():
    lanes = raced(square(3.0), 12, rates={"momentum": 0.05, "rmsprop": 0.05, "adam": 0.05})
    w = {name: [3.0] for name in OPTIMIZERS}
    v = s = m = u = 0.0
    for t in range(1, 13):
        g = 2 * w["momentum"][-1]
        v = 0.9 * v + g
        w["momentum"].append(w["momentum"][-1] - 0.05 * v)
        g = 2 * w["rmsprop"][-1]
        s = 0.99 * s + 0.01 * g * g
        w["rmsprop"].append(w["rmsprop"][-1] - 0.05 * g / (s**0.5 + 1e-8))
        g = 2 * w["adam"][-1]
        m, u = 0.9 * m + 0.1 * g, 0.999 * u + 0.001 * g * g
        w["adam"].append(w["adam"][-1] - 0.05 * (m / (1 - 0.9**t)) / ((u / (1 - 0.999**t)) ** 0.5 + 1e-8))
    for name in ("momentum", "rmsprop", "adam"):
        np.testing.assert_allclose(lanes[name].path[:, 0], w[name], rtol=2e-4, err_msg=name)


def test_one_that_runs_away_says_when_and_leaves_the_others_alone():
    lanes = raced(square(3.0), 200, rates={"sgd": 1e3})
    assert lanes["sgd"].diverged is not None and np.isfinite(lanes["sgd"].path).all()
    assert lanes["adam"].diverged is None and len(lanes["adam"].losses) == 200


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_lane_of_the_run_s_own_optimizer_is_the_run_bit_for_bit(optimizer):
    """Same weights, same batches over the end of an epoch, same dropout: from the start they are one."""
    t = pictures(residual(), (2, 9, 9), optimizer, count=31)
    t.reset()
    watched = (Watched("conv1.weight", (0, 0, 0, 0)), Watched("dense.bias", (3,)))
    race = OptimizerRace(t, watched, 5, optimizers=(optimizer,))
    before = t.store.state()
    for _ in race.steps():
        pass
    assert all(np.array_equal(a, before[k]) for k, a in t.store.state().items()), "the run is not touched"
    (lane,) = race.result().lanes
    losses = []
    while t.step < 5:
        losses += list(t.run(5 - t.step).losses)
    np.testing.assert_array_equal(lane.losses.astype(np.float32), np.array(losses, np.float32))
    assert lane.path[-1, 0] == t.store.state()["conv1.weight"][0, 0, 0, 0]
    assert lane.path[-1, 1] == t.store.state()["dense.bias"][3]


def test_regression_and_vectors_race_too():
    t = pictures(mlp(), (49,), "sgd", "mse")
    for _ in (race := OptimizerRace(t, [Watched("dense1.weight", (0, 0))], 3)).steps():
        pass
    assert race.result().done == 12
    assert {len(lane.losses) for lane in race.result().lanes} == {3}


def test_gradients_of_two_batches_wait_and_then_move_the_weight():
    """w = 3 and g = 6 twice: the mean of both is 6."""
    t = square(3.0, "sgd", 0.1, accumulate=2)
    t.traced_step()
    x = xray(t, "fc1.weight")
    mean, new = x.lines(0, 0)
    assert x.waits and (x.updates, mean.symbol, mean.value, new.value) == (1, "ḡ", 3.0, 3.0)
    t.traced_step()
    x = xray(t, "fc1.weight")
    mean, change, new = x.lines(0, 0)
    assert not x.waits and x.updates == 1
    assert mean.numbers == (3.0, 6.0, 2.0) and mean.value == x["g"][0, 0] == 6.0
    assert change.value == pytest.approx(-0.6) and new.engine == pytest.approx(2.4)


@pytest.mark.parametrize(
    ("clipping", "limit", "wanted"), [("value", 2.5, 2.5), ("norm", 1.5, 1.5), ("norm", 9, 6)]
)
def test_a_clipped_gradient_is_told_before_the_update(clipping, limit, wanted):
    """w = 3, g = 6: what the update reads is the limit, or 6 where that is larger."""
    t = square(3.0, "sgd", 0.1, clipping=clipping, clip_limit=limit)
    t.traced_step()
    x = xray(t, "fc1.weight")
    np.testing.assert_allclose([x["raw"][0, 0], x["g"][0, 0]], [6.0, wanted], rtol=1e-5)
    g, change, new = x.lines(0, 0)
    assert (g.symbol, g.engine) == ("g", pytest.approx(wanted)) and g.value == pytest.approx(wanted)
    assert change.value == pytest.approx(-0.1 * wanted) and new.engine == pytest.approx(3 - 0.1 * wanted)
