"""What the planner says is what is allocated, and what cannot fit is refused before."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from engine.backends.numpy import NumpyBackend
from engine.errors import DeviceError
from engine.network import Network
from engine.settings import TrainingSpec
from tests.engine.export_help import small_cnn
from tests.parity.memory import mlp


def test_the_estimate_is_what_is_allocated() -> None:
    """A convolution with its work space, a batch norm and Adam's moments; ten networks in tests/parity."""
    gc.collect()
    tracemalloc.start()
    try:
        t = small_cnn()
        own = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
        traces = tracemalloc.take_snapshot().filter_traces([own])
        taken = sum(s.size for s in traces.statistics("filename"))
    finally:
        tracemalloc.stop()
    data = t.dataset.x_train.nbytes + t.dataset.x_test.nbytes
    assert t.bytes == pytest.approx(taken - data, rel=0.1)


def test_what_cannot_fit_is_refused_before_anything_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.backends.numpy.backend.host_memory", lambda: 64 << 20)
    monkeypatch.setattr(NumpyBackend, "store", lambda *_: pytest.fail("allocated"))
    with pytest.raises(DeviceError, match=r"need 35\d MB, this computer has 64 MB"):
        Network(mlp(784, 16384), TrainingSpec("mse", "adam"))
