"""A real OpenCL device whose driver can be told to fail at its k-th call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.backends.opencl import runtime
from engine.backends.opencl.backend import OpenCLBackend

COUNTED = ("enqueue_nd_range_kernel", "enqueue_copy", "enqueue_fill_buffer", "Buffer")


class Faults:
    """Counts the calls into a driver. Armed, the k-th one fails; a lost device fails ever after."""

    def __init__(self, word: str = "DEVICE_NOT_AVAILABLE", *, lasting: bool = True) -> None:
        self.word, self.lasting = word, lasting
        self.calls = 0
        self.left: int | None = None

    def arm(self, k: int) -> None:
        self.left = k

    def call(self, name: str) -> None:
        self.calls += 1
        if self.left is not None:
            self.left -= 1
            if self.left == 0 or (self.lasting and self.left < 0):
                raise RuntimeError(f"cl{name} failed: {self.word}")


class FaultyQueue:
    """A command queue whose waiting is counted, too."""

    def __init__(self, real: Any, faults: Faults) -> None:
        self.real, self._faults = real, faults

    def finish(self) -> None:
        self._faults.call("Finish")
        self.real.finish()

    def flush(self) -> None:
        self._faults.call("Flush")
        self.real.flush()


class FaultyCL:
    """pyopencl with the calls that work on the device counted."""

    def __init__(self, cl: Any, faults: Faults, **instead: Any) -> None:
        self._cl, self._faults = cl, faults
        for name in COUNTED:
            setattr(self, name, self._counted(name, getattr(cl, name)))
        self.__dict__.update(instead)

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            self._faults.call(name)
            return real(*(a.real if isinstance(a, FaultyQueue) else a for a in args), **more)

        return call

    def CommandQueue(self, context: Any) -> FaultyQueue:
        return FaultyQueue(self._cl.CommandQueue(context), self._faults)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cl, name)


def faulty_backend(id: str, faults: Faults, **instead: Any) -> OpenCLBackend:
    """A backend on a real device; `instead` replaces names of pyopencl."""
    device = runtime.open_device(id)
    device.cl = FaultyCL(device.cl, faults, **instead)
    return OpenCLBackend(device)
