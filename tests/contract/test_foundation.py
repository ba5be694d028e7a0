"""What proves the foundation: one network, run in every way there is, bit for bit the same.

A residual network with shared weights, one op with running state (two commits), a last batch of 7 and a
rate changed half-way. It learns with Adam; what the other optimizers do to every kind of parameter, a smaller
network shows.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from engine.backends.base import Array, Backend
from engine.backends.numpy.env import BUILDERS, Call, Env
from engine.values import Op, Role
from tests.contract.harness import distance, open_backend, same_bits
from tests.contract.networks import Task, cnn, learners, mlp, residual, walk

STEPS, CHANGE = 9, 5
"""Three epochs of three steps; the learning rate changes before step 5."""
OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam")


@cache
def task(optimizer: str) -> Task:
    return Task(residual() if optimizer == "adam" else learners(), optimizer)


@cache
def fast_run(backend: str, optimizer: str) -> tuple[dict[str, Array], tuple[float, ...]]:
    """State after all steps in two chunks, and the losses."""
    t, device = task(optimizer), open_backend(backend)
    store = t.store(device)
    plan = t.fast(device, store)
    losses = list(plan.run(t.steps(CHANGE)).scalars["loss"])
    plan.set_control("lr", t.rate / 4)
    losses += list(plan.run(t.steps(STEPS - CHANGE, CHANGE)).scalars["loss"])
    return store.state(), tuple(losses)


def test_the_network_is_what_it_claims() -> None:
    program = Task(residual(), "sgd").program
    norm = [op for op in program.ops if op.kind == "batchnorm"]
    shared = [op for op in norm if op.node in ("norm2", "norm3")]
    assert len(norm) == 3
    assert len(shared) == 2
    assert {v.param for v, _ in program.commits if v.owner == "norm2" and v.role is Role.STATE} == {
        "running_mean",
        "running_var",
    }
    assert sum(op.kind == "conv2d" and op.ins[0].owner == "conv2" for op in program.ops) == 2
    assert task("adam").steps(3)[-1]["n"] == 7
    small = task("sgd").program
    learnt = {v.owner: v.param for v, _ in small.commits if v.role is Role.PARAM}
    assert {"conv1", "norm1", "dense"} == learnt.keys()
    assert sum(op.kind == "conv2d" and op.ins[0].owner == "conv1" for op in small.ops) == 2


def test_it_learns(backend_name: str) -> None:
    state, losses = fast_run(backend_name, "adam")
    assert all(np.isfinite(a).all() for a in state.values())
    assert np.mean(losses[6:]) < np.mean(losses[:3])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_stepped_op_by_op(backend_name: str, optimizer: str) -> None:
    state, losses = fast_run(backend_name, optimizer)
    t, device = task(optimizer), open_backend(backend_name)
    store = t.store(device)
    plan = t.traced(device, store)
    seen = []
    for k, controls in enumerate(t.steps(STEPS)):
        if k == CHANGE:
            plan.set_control("lr", t.rate / 4)
        seen.append(walk(plan, controls))
    assert tuple(np.float32(seen)) == tuple(np.float32(losses))
    assert same_bits(store.state(), state)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_run_watched(backend_name: str, optimizer: str) -> None:
    """Chunks whose last step is traced, in strides of several ops, on one store."""
    state, losses = fast_run(backend_name, optimizer)
    t, device = task(optimizer), open_backend(backend_name)
    store = t.store(device)
    fast, traced = t.fast(device, store), t.traced(device, store)
    seen: list[float] = []
    for k, controls in enumerate(t.steps(STEPS)):
        if k == CHANGE:
            for plan in (fast, traced):
                plan.set_control("lr", t.rate / 4)
        if k % 3 == 1:
            seen.append(walk(traced, controls, stride=5))
        else:
            seen += list(fast.run([controls]).scalars["loss"])
    assert tuple(np.float32(seen)) == tuple(np.float32(losses))
    assert same_bits(store.state(), state)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_killed_and_continued(backend_name: str, optimizer: str) -> None:
    """The state is all that goes over to new plans on a new store."""
    state, _ = fast_run(backend_name, optimizer)
    t, device = task(optimizer), open_backend(backend_name)
    store = t.store(device)
    plan = t.fast(device, store)
    plan.run(t.steps(4))
    kept = store.state()
    other = t.store(device, kept)
    plan = t.fast(device, other)
    plan.run(t.steps(1, 4))
    plan.set_control("lr", t.rate / 4)
    plan.run(t.steps(4, 5))
    assert same_bits(other.state(), state)


def test_saved_and_restored(backend_name: str) -> None:
    state, _ = fast_run(backend_name, "adam")
    t, device = task("adam"), open_backend(backend_name)
    store = t.store(device)
    plan = t.fast(device, store)
    plan.run(t.steps(CHANGE))
    store.save()
    before = store.state()
    plan.run(t.steps(3, CHANGE))
    assert not same_bits(store.state(), before)
    store.restore()
    assert same_bits(store.state(), before)
    plan.set_control("lr", t.rate / 4)
    plan.run(t.steps(STEPS - CHANGE, CHANGE))
    assert same_bits(store.state(), state)


def test_an_abandoned_step_leaves_nothing(backend_name: str) -> None:
    t, device = task("adam"), open_backend(backend_name)
    store = t.store(device)
    plan = t.traced(device, store)
    before = store.state()
    plan.begin(t.steps(1)[0])
    plan.advance(len(plan.program.ops))
    assert same_bits(store.state(), before)
    plan.begin(t.steps(1)[0])
    plan.advance(7)
    assert same_bits(store.state(), before)


def test_one_step_shows_old_and_new_side_by_side(backend_name: str) -> None:
    """After the commit of a traced step: W as it was, dW, and the new W in the store."""
    t, device = task("sgd"), open_backend(backend_name)
    store = t.store(device)
    plan = t.traced(device, store)
    walk(plan, t.steps(1)[0])
    old, gradient = plan.read("dense.weight@old"), plan.read("dense.weight@grad")
    assert np.array_equal(old, t.start["dense.weight"])
    assert np.array_equal(plan.read("dense.weight@new"), store.state()["dense.weight"])
    expected = old.astype(np.float64) - t.rate * gradient
    assert distance(store.state()["dense.weight"], expected) < 1e-6
    z = old.astype(np.float64) @ plan.read("flatten.y") + plan.read("dense.bias@old")[:, None]
    assert distance(plan.read("dense.z"), z) < 1e-5


def test_a_non_finite_step_can_be_taken_back(backend_name: str) -> None:
    t, device = Task(mlp(), "sgd"), open_backend(backend_name)
    store = t.store(device)
    plan = t.fast(device, store)
    plan.run(t.steps(2))
    store.save()
    good = store.state()
    assert store.finite()
    plan.set_control("lr", 1e38)
    results = plan.run(t.steps(4, 2))
    assert not (results.finite and store.finite())
    store.restore()
    assert store.finite()
    assert same_bits(store.state(), good)


@pytest.mark.parametrize("net", [mlp, cnn, residual])
def test_backends_agree_over_twenty_steps(backend_name: str, net: object) -> None:
    """Every backend against NumPy: weights and losses stay together."""
    t = Task(net(), "momentum", rate=0.005)  # type: ignore[operator]

    def result(device: Backend) -> tuple[dict[str, Array], Array]:
        store = t.store(device)
        losses = t.fast(device, store).run(t.steps(20)).scalars["loss"]
        return store.state(), losses

    state, losses = result(open_backend(backend_name))
    expected, expected_losses = result(open_backend("numpy"))
    assert distance(losses, expected_losses) < 1e-4
    for key, array in expected.items():
        # a bias in front of a normalization has no gradient: what moves it is rounding alone
        limit = 2e-4 * np.linalg.norm(array) + 1e-6 * math.sqrt(array.size)
        assert np.linalg.norm(state[key] - array) < limit, key


@pytest.mark.parametrize("kind", ["sgd", "dense"])
def test_a_fast_plan_with_other_arithmetic_is_caught(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fused in float64 the result is as good, but not the same: only the comparison of bits sees it."""
    t, device = Task(mlp(), "sgd"), open_backend("numpy")
    store = t.store(device)
    right = t.traced(device, store)
    for controls in t.steps(STEPS):
        walk(right, controls)

    def fused(op: Op, env: Env) -> Call:
        ins, out = [env.array(v) for v in op.ins], env.array(op.out)

        def call() -> None:
            wide = [a.astype(np.float64) for a in ins]
            if kind == "sgd":
                out[...] = wide[0] - env.controls["lr"] * wide[1]
            else:
                out[...] = wide[0] @ wide[1] + wide[2][:, None]

        return call

    for builder, same in ((BUILDERS[kind], True), (fused, False)):
        monkeypatch.setitem(BUILDERS, kind, builder)
        other = t.store(device)
        t.fast(device, other).run(t.steps(STEPS))
        assert same_bits(other.state(), store.state()) is same
        for key, array in store.state().items():
            assert distance(other.state()[key], array) < 1e-5, key
