"""Whole steps on OpenCL: fast and traced builds are bitwise equal, and agree with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.backends.numpy.backend import NumpyBackend
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
