"""One OpenCL device as a backend."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from engine.backends.opencl.plan import DevicePlan
from engine.backends.opencl.runtime import Device, open_device, translated
from engine.backends.opencl.store import DeviceStore
from engine.errors import DeviceError
from engine.values import Program, Value


class OpenCLBackend:
    """See `engine.backends.base.Backend`. One in-order queue serves all plans and stores."""

    def __init__(self, device: str | Device) -> None:
        """Open a device by id, without testing it. Raises DeviceError when it is not there."""
        self._device = open_device(device) if isinstance(device, str) else device
        self._queue = self._device.queue()
        self.name = self._device.found.id
        self.device = self._device.found.name
        self.memory = self._device.found.memory

    def store(self, values: Sequence[Value], seed: int) -> DeviceStore:
        """A store for these state values, all zero."""
        return DeviceStore(self._device, self._queue, values, seed)

    def compile(
        self, program: Program, store: DeviceStore, *, traced: bool, keep: Sequence[str] = ()
    ) -> DevicePlan:
        """Build a plan and touch its memory. Raises DeviceError when it does not fit or cannot be built."""
        return DevicePlan(self._device, program, store, traced=traced, keep=keep)

    def close(self) -> None:
        """Wait for what runs; the driver frees the rest with the objects. A device that failed is let go."""
        with contextlib.suppress(DeviceError), translated(self.device):
            self._queue.finish()
