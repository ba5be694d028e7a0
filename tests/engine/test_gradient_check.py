"""Gradients of whole layers against differences: closed forms, kinks, samples, wrong rules."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import GraphError
from engine.gradient_check import HEAVY, STEP, Checked, check_layer
from engine.graph import GraphSpec
from engine.held_step import MOST, checkable, spread
from engine.layers import Conv2D, Dense, Flatten, Input, MaxPool2D, Output, ReLU
from engine.ops.base import REGISTRY
from engine.training import Trainer
from tests.contract.networks import chain, residual
from tests.contract.test_sequences import block, recurrences
from tests.engine.number_nets import pictures, square
from tests.engine.test_numpy_proof import gaps


def checked(t: Trainer, node: str, h: float = STEP) -> dict[str, Checked]:
    job = check_layer(t, node, h=h)
    for _ in job.steps():
        pass
    found = job.result()
    assert found.done == found.total
    return {c.symbol: c for c in found.checked}


def test_the_gradient_of_w_squared_is_2_w():
    t = square(3.0)
    t.traced_step()
    c = checked(t, "fc1")["W"]
    assert c.numbers[0, 0] == 3.0 and c.loss == 9.0
    assert c.analytic[0, 0] == 6.0 and c.engine is not None and c.engine[0, 0] == 6.0
    np.testing.assert_allclose(c.numerical[0, 0], 6.0, rtol=1e-9)
    np.testing.assert_allclose(c.above[0, 0], (3 + STEP) ** 2, rtol=1e-14)
    np.testing.assert_allclose(c.below[0, 0], (3 - STEP) ** 2, rtol=1e-14)
    assert c.agrees and not c.kinks.any()
    own, error = c.against_engine()
    assert own[0, 0] == 6.0 and error[0, 0] < 1e-9


def test_a_step_too_small_is_spoiled_by_rounding_and_said_so():
    t = square(3.0)
    t.traced_step()
    c = checked(t, "fc1", 1e-12)["W"]
    assert c.error[0, 0] > 1e-6 and c.step == 1e-12


def test_every_layer_of_a_network_with_everything_agrees():
    """Branches, shared weights, batch norm, dropout, augmentation: away from kinks all rules are right."""
    t = pictures(residual(), (2, 9, 9), count=8, batch=4)
    for node in ("conv1", "norm1", "conv2", "dense", "softmax", "pool"):
        try:
            job = check_layer(t, node)
        except GraphError:
            assert node == "softmax"  # the loss starts before it
            continue
        for n, _ in enumerate(job.steps()):
            if n > 4000:
                break
        for c in job.result().checked:
            assert c.agrees, (node, c.symbol, c.worst)
        assert job.done > 10


def test_recurrences_groups_and_the_stages_of_attention():
    cases = ((recurrences(), (3,), "rnn", ("W", "b", "W_h", "b_h", "X", "A")),
             (gaps(), (2, 7, 6), "conv2d1", ("W",)),
             (block(), (5,), "look", ("W_O", "S")))  # fmt: skip
    for graph, shape, node, symbols in cases:
        t = pictures(graph, shape, count=4, batch=2)
        known = {symbol: id for id, symbol in checkable(t.program, t.graph, node)}
        job = check_layer(t, node, [known[symbol] for symbol in symbols])
        for _ in job.steps():
            pass
        found = job.result()
        assert found.done == found.total, node
        assert all(c.agrees for c in found.checked), node


def kinked(weights: float) -> Trainer:
    graph = chain(Dense(units=3), ReLU(), Dense(units=2), shape=(4,))
    t = pictures(graph, (4,), classes=2, count=4, batch=4)
    state = t.store.state()
    t.write_state({"dense1.weight": 0 * state["dense1.weight"] + weights, "dense1.bias": np.zeros(3)})
    t.begin_step()
    t.advance(len(t.program.ops))
    return t


def test_a_relu_at_zero_is_a_kink_and_far_from_it_is_none():
    assert checked(kinked(0.0), "dense1")["b"].kinks.all()
    assert checked(kinked(0.0), "dense1")["b"].agrees, "a kink is no disagreement"
    assert not checked(kinked(0.5), "dense1")["b"].kinks.any()


def test_equal_cells_under_a_maximum_are_kinks():
    graph = chain(MaxPool2D(), Flatten(), Dense(units=2), shape=(1, 2, 2))
    graph = GraphSpec().add("input", Input(shape=(1, 2, 2)))
    graph = graph.add("conv", Conv2D(filters=1, kernel=(1, 1)), after="input")
    graph = graph.add("pool", MaxPool2D(), after="conv").add("flat", Flatten(), after="pool")
    graph = graph.add("dense", Dense(units=2), after="flat").add("output", Output(), after="dense")
    t = pictures(graph, (1, 2, 2), classes=2, count=2, batch=2)
    t.write_state({"conv.weight": np.zeros((1, 1, 1, 1))})
    t.begin_step()
    t.advance(len(t.program.ops))
    assert checked(t, "conv")["W"].kinks.all()


def test_a_rule_wrong_by_a_thousandth_is_seen(monkeypatch):
    t = kinked(0.5)
    assert checked(t, "dense2")["W"].agrees
    right = REGISTRY["dense_dw"].reference
    monkeypatch.setattr(REGISTRY["dense_dw"], "reference", lambda *a: (1.001 * right(*a)[0],))
    assert not checked(t, "dense2")["W"].agrees


def test_a_large_matrix_is_sampled_evenly_and_says_which_cells():
    t = pictures(chain(Dense(units=130), Dense(units=2), shape=(70,)), (70,), classes=2)
    job = check_layer(t, "dense1", ["dense1.weight@old"])
    assert job.total < MOST < 130 * 70
    for n, _ in enumerate(job.steps()):
        if n > 200:
            break
    (c,) = job.result().checked
    assert not c.part.whole and c.part.shape == (130, 70)
    assert (c.part.rows[0], c.part.rows[-1], c.part.columns[-1]) == (0, 129, 69)
    weights = t.read("dense1.weight@old")
    np.testing.assert_array_equal(c.numbers, weights[np.ix_(c.part.rows, c.part.columns)])
    assert 0 < c.done < job.total and c.agrees


@pytest.mark.parametrize("shape", [(5,), (3, 4), (10, 3136), (3136, 10), (8, 3, 5, 5), (4096, 4096)])
def test_a_sample_holds_first_and_last_and_not_too_many(shape):
    part = spread(shape)
    assert len(part.rows) * len(part.columns) <= MOST
    rows, columns = part.shape
    assert part.rows[0] == 0 and part.rows[-1] == rows - 1 and part.columns[-1] == columns - 1
    assert part.whole == (rows * columns <= MOST)


def test_of_a_heavy_batch_only_the_first_examples_are_taken():
    graph = chain(Conv2D(filters=16, kernel=(5, 5)), Flatten(), Dense(units=10), shape=(2, 28, 28))
    t = pictures(graph, (2, 28, 28))
    job = check_layer(t, "conv2d1", ["conv2d1.bias@old"])
    assert HEAVY < 16 * 24 * 24 * 50 * 12 and job.held.n < 12 == job.batch
    for _ in job.steps():
        pass
    (c,) = job.result().checked
    assert c.agrees and c.engine is None


def test_what_cannot_be_checked_is_refused():
    t = square()
    t.traced_step()
    with pytest.raises(GraphError, match="no gradient to check"):
        check_layer(t, "x")
    with pytest.raises(GraphError, match="no gradient to check"):
        check_layer(t, "nowhere")
    for h in (0.0, -1e-3, 2.0, float("nan")):
        with pytest.raises(GraphError, match="between 0 and 1"):
            check_layer(t, "fc1", h=h)
