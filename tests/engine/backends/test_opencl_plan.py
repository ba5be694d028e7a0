"""Whole steps on OpenCL: fast and traced builds are bitwise equal, and agree with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.backends.numpy.backend import NumpyBackend
from engine.backends.opencl import emit_pictures, jobs
from engine.backends.opencl.jobs import multiplications
from engine.backends.opencl.kernel import Launch, Pointer, side_by_side
from engine.errors import DeviceError
from tests.engine.backends.nets import NETS, Net, bind_data, start_state, steps
from tests.engine.backends.opencl_help import backend, device_ids

pytestmark = pytest.mark.skipif(not device_ids(), reason="no OpenCL device here")
OPTIMIZERS = {"mlp": "sgd", "regression": "momentum", "cnn": "adam", "residual": "rmsprop"}


def train(
    engine: Any, net: Net, capacity: int, *, traced: bool, count: int = 9
) -> tuple[dict[str, Any], Any, Any]:
    """State, results and plan after some steps of 20 examples, the last of the epoch 16."""
    program = net.program(capacity=capacity)
    store = engine.store(program.state(), 7)
    store.load(start_state(program))
    bind_data(store, net)
    plan = engine.compile(program, store, traced=traced)
    results = plan.run(steps(program, count, batch=min(capacity, 20)))
    return store.state(), results, plan


@pytest.mark.parametrize("device", device_ids())
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("capacity", [20, 1])
def test_fast_and_traced_are_bitwise_equal(device: str, name: str, capacity: int) -> None:
    net = NETS[name](OPTIMIZERS[name])
    fast, fast_results, plan = train(backend(device), net, capacity, traced=False)
    slow, slow_results, traced = train(backend(device), net, capacity, traced=True)
    assert len(plan.groups) < len(traced.groups)
    assert sorted(i for g in plan.groups for i in g.ops) == list(range(len(plan.program.ops)))
    for key in fast:
        np.testing.assert_array_equal(fast[key], slow[key], err_msg=key)
    for key in fast_results.scalars:
        np.testing.assert_array_equal(fast_results.scalars[key], slow_results.scalars[key], err_msg=key)


@pytest.mark.parametrize("device", device_ids())
@pytest.mark.parametrize("name", NETS)
def test_agrees_with_numpy(device: str, name: str) -> None:
    net = NETS[name](OPTIMIZERS[name])
    ours, results, _ = train(backend(device), net, 20, traced=False, count=4)
    theirs, expected, _ = train(NumpyBackend(), net, 20, traced=False, count=4)
    np.testing.assert_allclose(results.scalars["loss"], expected.scalars["loss"], rtol=2e-4)
    for key in ours:
        scale = float(np.abs(theirs[key]).max(initial=1e-3))
        np.testing.assert_allclose(ours[key], theirs[key], atol=2e-3 * scale, err_msg=key)


@pytest.mark.parametrize("device", device_ids())
@pytest.mark.parametrize("name", ["mlp", "regression"])
def test_whole_steps_in_one_work_item_are_bitwise_the_same(
    device: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = NETS[name](OPTIMIZERS[name])
    program = net.program(capacity=16)
    assert sum(multiplications(op, 16) for op in program.ops) < jobs.WHOLE_RUN
    whole, losses, plan = train(backend(device), net, 16, traced=False, count=40)
    if backend(device)._device.cpu:
        assert plan.manifest.choices["launches"] == 1
    monkeypatch.setattr(jobs, "PER_LAUNCH", 1)  # one step per launch
    single, _, _ = train(backend(device), net, 16, traced=False, count=40)
    monkeypatch.setattr(jobs, "WHOLE_RUN", 0)
    parts, expected, plan = train(backend(device), net, 16, traced=False, count=40)
    assert plan.manifest.choices["launches"] > 1
    for key in whole:
        np.testing.assert_array_equal(whole[key], parts[key], err_msg=key)
        np.testing.assert_array_equal(single[key], parts[key], err_msg=key)
    np.testing.assert_array_equal(losses.scalars["loss"], expected.scalars["loss"])


@pytest.mark.parametrize("device", device_ids())
def test_a_traced_step_stops_keeps_and_commits(device: str) -> None:
    net = NETS["mlp"]("momentum")
    program = net.program(capacity=16)
    engine = backend(device)
    store = engine.store(program.state(), 7)
    store.load(start_state(program))
    bind_data(store, net)
    plan = engine.compile(program, store, traced=True)
    before = store.state()
    (step,) = steps(program, 1)
    plan.begin(step)
    for until in range(len(program.ops) + 1):
        plan.advance(until)
    for key, array in store.state().items():
        np.testing.assert_array_equal(array, before[key])  # nothing is committed yet
    w, x, b = (plan.read(i) for i in ("n1.weight@old", "n0.x", "n1.bias@old"))
    np.testing.assert_allclose(plan.read("n1.z"), w @ x + b[:, None], atol=1e-5)
    plan.commit()
    np.testing.assert_array_equal(store.state()["n1.weight"], plan.read("n1.weight@new"))
    np.testing.assert_array_equal(plan.read("n1.weight@old"), before["n1.weight"])
    assert not np.array_equal(plan.read("n1.weight@new"), before["n1.weight"])
    fast = engine.compile(program, store, traced=False)
    with pytest.raises(DeviceError, match="traced"):
        fast.advance(1)
    with pytest.raises(KeyError):
        fast.read("n1.z")


@pytest.mark.parametrize("device", device_ids())
def test_store(device: str) -> None:
    program = NETS["mlp"]("adam").program()
    store = backend(device).store(program.state(), 7)
    store.load(start_state(program))
    store.save()
    before = store.state()
    broken = before["n1.weight"].copy()
    broken[3, 4] = np.nan
    assert store.finite()
    store.load({"n1.weight": broken})
    assert not store.finite()
    store.restore()
    assert store.finite()
    np.testing.assert_array_equal(store.state()["n1.weight"], before["n1.weight"])
    with pytest.raises(DeviceError, match=r"n1\.weight has shape"):
        store.load({"n1.bias": np.ones(33), "n1.weight": np.zeros((2, 2))})
    np.testing.assert_array_equal(store.state()["n1.bias"], before["n1.bias"])  # nothing was set
    with pytest.raises(DeviceError, match="nobody"):
        store.load({"nobody": np.zeros(1)})
    store.bind("data.order", np.arange(96, dtype=np.int32))
    with pytest.raises(DeviceError, match="has shape"):
        store.bind("data.order", np.arange(95, dtype=np.int32))


@pytest.mark.parametrize("device", device_ids())
def test_more_steps_than_the_table_has_rows(device: str) -> None:
    net = NETS["mlp"]("sgd")
    once, results, _ = train(backend(device), net, 16, traced=False, count=1100)
    assert results.scalars["loss"].shape == results.scalars["hits"].shape == (1100,)
    program = net.program(capacity=16)
    engine = backend(device)
    store = engine.store(program.state(), 7)
    store.load(start_state(program))
    bind_data(store, net)
    plan = engine.compile(program, store, traced=False)
    losses = [plan.run(steps(program, 100, first=at)).scalars["loss"] for at in range(0, 1100, 100)]
    np.testing.assert_array_equal(np.concatenate(losses), results.scalars["loss"])
    for key, array in store.state().items():
        np.testing.assert_array_equal(array, once[key])


def launch(reads: str, writes: str) -> Launch:
    return Launch(
        "t", {}, [*(Pointer(v, v) for v in reads), *(Pointer(v, v, write=True) for v in writes)], (1,)
    )


def test_side_by_side_keeps_every_dependence() -> None:
    a, b, c, d, e = launch("x", "a"), launch("x", "b"), launch("a", "c"), launch("b", "x"), launch("ac", "b")
    assert side_by_side([a, b, c, d, e], str) == [[a, b], [c, d], [e]]
    # the same memory under two names: the second writer waits for the reader of the first
    assert side_by_side([a, c, launch("", "d")], lambda v: {"d": "a"}.get(v, v))[2][0].writes() == {"d"}


@pytest.mark.parametrize("device", device_ids())
def test_wide_kernels_use_loops_that_compute_the_same(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels too wide for registers (written out they take a driver minutes): bitwise the narrow ones."""
    narrow, _, _ = train(backend(device), NETS["cnn"]("sgd"), 20, traced=False)
    monkeypatch.setattr(emit_pictures, "WIDE", 1)
    wide, _, plan = train(backend(device), NETS["cnn"]("sgd"), 20, traced=False)
    names = " ".join(group.name for group in plan.groups)
    assert "conv_forward_wide" in names and "conv_dw_wide" in names
    for key, array in wide.items():
        np.testing.assert_array_equal(array, narrow[key], err_msg=key)
