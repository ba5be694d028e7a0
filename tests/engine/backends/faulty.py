"""A real OpenCL device whose driver can be told to fail at its k-th call."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from engine.backends.opencl import runtime
from engine.backends.opencl.backend import OpenCLBackend

COUNTED = ("enqueue_nd_range_kernel", "enqueue_copy", "enqueue_fill_buffer", "Buffer")


class Faults:
    """Counts the calls into a driver. Armed, the k-th one fails; a lost device fails ever after."""

    def __init__(self, word: str = "DEVICE_NOT_AVAILABLE", *, lasting: bool = True) -> None:
        self.word, self.lasting = word, lasting
        self.made: list[tuple[str, str]] = []
        """Of every call: the function of the program that asked for it, and what was called."""
        self.left: int | None = None

    @property
    def calls(self) -> int:
        return len(self.made)

    def arm(self, k: int) -> None:
        self.left = k

    def call(self, name: str) -> None:
        self.made.append((_asker(), name))
        if self.left is not None:
            self.left -= 1
            if self.left == 0 or (self.lasting and self.left < 0):
                raise RuntimeError(f"cl{name} failed: {self.word}")


def _asker() -> str:
    """The innermost function of the session or of a command: what a run is at."""
    frame = sys._getframe(2)
    while frame.f_back is not None and Path(frame.f_code.co_filename).parent.name not in ("session", "cli"):
        frame = frame.f_back
    return frame.f_code.co_qualname


def every(made: list[tuple[str, str]], stride: int) -> list[int]:
    """Numbers k, from 1, of every `stride`-th call, and of the first of each kind wherever a run is."""
    first = {call: k for k, call in reversed(list(enumerate(made, 1)))}
    return sorted({*range(1, len(made) + 1, stride), *first.values()})


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
    """A backend on a real device; `instead` replaces names of pyopencl.

    The device is opened once and what was built for it is at hand, unless building is what may fail.
    """
    real = _opened(id)
    built = {} if instead else real.built
    return OpenCLBackend(replace(real, cl=FaultyCL(real.cl, faults, **instead), built=built))


@cache
def _opened(id: str) -> runtime.Device:
    return runtime.open_device(id)
