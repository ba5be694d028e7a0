"""The NumPy backend as such: stores, plans, what can be read, memory, and any network at all."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.backends.numpy import NumpyBackend
from engine.backends.numpy.backend import blas_threads
from engine.errors import DeviceError
from engine.graph import GraphSpec
from engine.plan import plan_memory
from engine.program import record
from engine.values import Role
from tests.contract.harness import distance, interpret, same_bits
from tests.contract.networks import Task, cnn, mlp, residual, walk
from tests.engine.graphs import ready

BACKEND = NumpyBackend()


@given(ready(), st.sampled_from(["sgd", "adam"]), st.sampled_from([1, 5, 16]))
@settings(max_examples=60)
def test_any_network_fast_traced_and_by_reference(graph: GraphSpec, optimizer: str, batch: int) -> None:
    lone = batch == 1 and any(n.layer.kind == "batch_norm" for n in graph.nodes)
    assume(not lone)  # refused: minus its own mean every value is 0
    task = Task(graph, optimizer, rate=0.01, batch=batch, classes=4)
    fast_store, traced_store = task.store(BACKEND), task.store(BACKEND)
    fast, traced = task.fast(BACKEND, fast_store), task.traced(BACKEND, traced_store)
    losses = fast.run(task.steps(3)).scalars["loss"]
    assert [walk(traced, s, stride=3) for s in task.steps(3)] == list(losses)
    assert same_bits(fast_store.state(), traced_store.state())
    # the first step again, in float64 by the references alone
    arrays = {
        v.id: task.examples[v.id]
        if v.id in task.examples
        else task.start.get(f"{v.owner}.{v.param}", np.zeros(v.shape, np.float32))
        for v in task.program.inputs
    }
    values = interpret(task.program, arrays, task.steps(1)[0], task.seed)
    again = task.store(BACKEND)
    plan = task.traced(BACKEND, again)
    walk(plan, task.steps(1)[0])
    for op in task.program.ops:
        for v in op.outs:
            if v.role in (Role.ACT, Role.SCALAR) and v.dtype == "f32":
                expected = np.asarray(values[v.id], np.float64)
                close = distance(plan.read(v.id), expected) < 1e-4
                assert close or np.abs(plan.read(v.id) - expected).max() < 1e-5, v.id


def test_state_goes_in_and_out_exactly() -> None:
    task = Task(residual())
    store = BACKEND.store(task.program.state(), 1)
    assert all(not a.any() for a in store.state().values())
    rng = np.random.default_rng(1)
    state = {k: rng.standard_normal(a.shape).astype(np.float32) for k, a in store.state().items()}
    store.load(state)
    assert same_bits(store.state(), state)
    store.load({"dense.bias": np.ones(10, np.float32)})
    assert same_bits(store.state(), {**state, "dense.bias": np.ones(10, np.float32)})
    store.state()["dense.bias"][:] = 7
    assert store.state()["dense.bias"][0] == 1


@pytest.mark.parametrize(
    "wrong", [{"dense.bias": np.zeros(9, np.float32)}, {"nobody.bias": np.zeros(9, np.float32)}]
)
def test_state_that_does_not_fit_is_refused_whole(wrong: dict[str, np.ndarray]) -> None:  # type: ignore[type-arg]
    task = Task(residual())
    store = BACKEND.store(task.program.state(), 1)
    with pytest.raises(DeviceError, match=next(iter(wrong))):
        store.load({"dense.weight": np.ones(store.state()["dense.weight"].shape), **wrong})
    assert not store.state()["dense.weight"].any()


def test_data_bound_again_is_used_from_the_next_step() -> None:
    task = Task(mlp())
    store = task.store(BACKEND)
    plan = task.fast(BACKEND, store)
    step = task.steps(1)
    store.save()
    first = plan.run(step).scalars["loss"][0]
    store.restore()
    store.bind("data.order", task.examples["data.order"][::-1].copy())
    assert plan.run(step).scalars["loss"][0] != first
    store.restore()
    store.bind("data.order", task.examples["data.order"])
    assert plan.run(step).scalars["loss"][0] == first
    with pytest.raises(DeviceError, match=r"data\.x"):
        store.bind("data.x", task.examples["data.x"][:3])


def test_finite_sees_one_number_and_no_ghosts() -> None:
    store = BACKEND.store(Task(mlp()).program.state(), 1)
    weight = store.state()["dense1.weight"]
    for value, finite in ((np.nan, False), (np.inf, False), (-np.inf, False), (3.4e38, True)):
        weight[...] = 0
        weight[3, 4:7] = value
        store.load({"dense1.weight": weight})
        assert store.finite() is finite


def test_a_fast_plan_reads_what_was_kept_and_refuses_the_rest() -> None:
    task = Task(cnn())
    store = task.store(BACKEND)
    kept = BACKEND.compile(task.program, store, traced=False, keep=["conv2d1.z", "flatten1.y"])
    traced = task.traced(BACKEND, store)
    store.save()
    kept.run(task.steps(1))
    store.restore()
    walk(traced, task.steps(1)[0])
    for name in ("conv2d1.z", "flatten1.y", "output.loss"):
        assert np.array_equal(kept.read(name), traced.read(name)), name
    with pytest.raises(KeyError):
        kept.read("relu1.a")


def test_no_numpy_warning_escapes() -> None:
    task = Task(mlp(), "sgd")
    store = task.store(BACKEND)
    fast, traced = task.fast(BACKEND, store), task.traced(BACKEND, store)
    for plan in (fast, traced):
        plan.set_control("lr", 1e38)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = fast.run(task.steps(5))
        walk(traced, task.steps(1)[0])
    assert not results.finite
    assert not store.finite()


def test_bytes_count_what_is_allocated() -> None:
    task = Task(cnn(), batch=32)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        store = task.store(BACKEND)
        middle = tracemalloc.get_traced_memory()[0]
        plan = task.fast(BACKEND, store)
        used = tracemalloc.get_traced_memory()[0] - middle
    finally:
        tracemalloc.stop()
    assert middle > before
    assert plan.bytes == pytest.approx(used, rel=0.2)
    planned = plan_memory(task.program, traced=False)
    assert plan.bytes > sum(planned.slot_bytes) / 2
    assert task.traced(BACKEND, store).bytes > plan.bytes


def test_steps_allocate_nothing_big() -> None:
    """Between steps only small things come and go: less than a tenth of one feature map."""
    task = Task(cnn(), "adam", batch=64)
    plan = task.fast(BACKEND, task.store(BACKEND))
    plan.run(task.steps(2))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        plan.run(task.steps(3))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 5 * 12 * 12 * 64 * 4 / 2


def test_prediction_at_capacity_one_is_that_of_a_batch() -> None:
    task = Task(cnn())
    store = task.store(BACKEND)
    x = np.random.default_rng(2).random((1, 12, 12, 6), dtype=np.float32)
    answers = []
    for capacity in (1, 16):
        program = record(task.graph, task.training, task.data, "predict", capacity)
        out = program.outputs["output"].id
        plan = BACKEND.compile(program, store, traced=False, keep=[out])
        for at in range(0, 6, capacity):
            part = x[..., at : at + capacity]
            plan.write("input.x", part)
            plan.run([{"n": part.shape[-1]}])
            answers.append(plan.read(out)[:, : part.shape[-1]])
    alone, together = np.concatenate(answers[:6], 1), answers[6]
    assert distance(alone, together) < 1e-6


def test_threads_are_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert blas_threads() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert blas_threads() == 3
    assert NumpyBackend().manifest.choices["threads"] == 3
