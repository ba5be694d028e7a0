"""The device that is always there."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

import numpy as np

from engine.backends.base import Manifest
from engine.backends.host import host_memory
from engine.backends.numpy.plan import NumpyPlan
from engine.backends.numpy.store import NumpyStore
from engine.errors import N_, DeviceError
from engine.values import Program, Value

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def blas_threads() -> int:
    """Threads the matrix products use, as far as the environment says; else one per processor."""
    for name in THREAD_VARIABLES:
        text = os.environ.get(name, "")
        if text.isdigit() and int(text) > 0:
            return int(text)
    return os.cpu_count() or 1


class NumpyBackend:
    """Backend on the processor through NumPy."""

    name = "numpy"

    def __init__(self) -> None:
        self.device = platform.processor() or platform.machine() or "CPU"
        self.memory = host_memory()
        self.manifest = Manifest(
            "numpy", self.device, f"NumPy {np.__version__}", {"threads": blas_threads(), **_blas()}
        )

    def store(self, values: Sequence[Value], seed: int) -> NumpyStore:
        """A store for these state values; everything starts at zero."""
        return NumpyStore(values, seed)

    def compile(
        self, program: Program, store: NumpyStore, *, traced: bool, keep: Sequence[str] = ()
    ) -> NumpyPlan:
        """Build a plan. Raises DeviceError when memory does not suffice."""
        try:
            return NumpyPlan(program, store, self.manifest, traced=traced, keep=keep)
        except MemoryError as problem:
            raise DeviceError(
                N_("There is not enough memory for a batch of {batch}; choose a smaller batch."),
                batch=program.capacity,
            ) from problem

    def close(self) -> None:
        """Nothing to release."""


def _blas() -> dict[str, str]:
    """Name and version of the library behind the matrix products."""
    found = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return {"blas": f"{found.get('name', '')} {found.get('version', '')}".strip()}
