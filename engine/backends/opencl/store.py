"""State and resident data on the device, shared by the plans of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.backends.base import state_key
from engine.backends.opencl.kernel import Launch, Pointer, Source, Target
from engine.backends.opencl.programs import build
from engine.backends.opencl.runtime import Device, translated
from engine.errors import N_, DeviceError
from engine.plan import ALIGN
from engine.values import Value

Array = np.ndarray[Any, Any]
PART = 1 << 14
"""Numbers one work-item of the finite check looks at."""


class DeviceStore:
    """All state in one flat buffer, each value at a multiple of 64 floats; data in buffers of their own."""

    def __init__(self, device: Device, queue: Any, values: Sequence[Value], seed: int) -> None:
        self.device, self.queue, self.seed = device, queue, seed
        self.values: dict[str, Value] = {}
        self.offset: dict[str, int] = {}
        total = 0
        for v in values:
            key = state_key(v)
            if key not in self.values:
                self.values[key], self.offset[key] = v, total
                total += -(-max(v.size, 1) // ALIGN) * ALIGN
        self.total = max(total, ALIGN)
        self.data: dict[str, Any] = {}
        self.bound: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
        with translated(device.found.name):
            self.flat = self._buffer(self.total)
            self.copy = self._buffer(self.total)
            self._build_check()
            queue.finish()

    @property
    def bytes(self) -> int:
        return 2 * self.total * 4 + sum(int(b.size) for b in self.data.values())

    # ---- the contract -------------------------------------------------------------------------------

    def load(self, state: Mapping[str, Array]) -> None:
        """Set state by key. Raises DeviceError for an unknown key or another shape; nothing is set then."""
        for key, array in state.items():
            expected = self.values[key].shape if key in self.values else None
            if np.shape(array) != expected:
                raise self._other_shape(key, np.shape(array), expected)
        host = self._host()
        for key, array in state.items():
            at = self.offset[key]
            host[at : at + self.values[key].size] = np.asarray(array, np.float32).ravel()
        with translated(self.device.found.name):
            self.device.cl.enqueue_copy(self.queue, self.flat, host)

    def state(self) -> dict[str, Array]:
        """Exact copies, by key."""
        host = self._host()
        return {
            key: host[self.offset[key] : self.offset[key] + v.size].reshape(v.shape).copy()
            for key, v in self.values.items()
        }

    def bind(self, name: str, array: Array) -> None:
        """Make data resident: bytes, int32 or float32; binding again writes over the old."""
        kind = np.uint8 if array.dtype == np.uint8 else np.int32 if array.dtype.kind in "iub" else np.float32
        flat = np.ascontiguousarray(array, kind)
        buffer = self.resident(name, flat.shape, flat.dtype)
        if flat.size:
            with translated(self.device.found.name):
                self.device.cl.enqueue_copy(self.queue, buffer, flat)

    def resident(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """The buffer of resident data, zeros until bound. Raises DeviceError for another shape or type."""
        facts = (tuple(shape), dtype)
        if name not in self.data:
            count = int(np.prod(shape))
            with translated(self.device.found.name):
                self.data[name] = self._buffer(-(-count * dtype.itemsize // 4))
            self.bound[name] = facts
        elif self.bound[name] != facts:
            raise self._other_shape(name, facts, self.bound[name])
        return self.data[name]

    def _other_shape(self, key: str, found: object, expected: object) -> DeviceError:
        return DeviceError(
            N_("{key} has shape {found}, the network needs {expected}."),
            key=key,
            found=found,
            expected=expected,
        )

    def save(self) -> None:
        with translated(self.device.found.name):
            self.device.cl.enqueue_copy(self.queue, self.copy, self.flat)

    def restore(self) -> None:
        with translated(self.device.found.name):
            self.device.cl.enqueue_copy(self.queue, self.flat, self.copy)

    def finite(self) -> bool:
        """Asked on the device: only a few flags travel."""
        flags = np.empty(self._parts, np.int32)
        with translated(self.device.found.name):
            self.device.cl.enqueue_nd_range_kernel(self.queue, self._check, (self._parts,), (1,))
            self.device.cl.enqueue_copy(self.queue, flags, self._flags)
        return not flags.any()

    # ---- inside -------------------------------------------------------------------------------------

    def _host(self) -> Array:
        host = np.empty(self.total, np.float32)
        with translated(self.device.found.name):
            self.device.cl.enqueue_copy(self.queue, host, self.flat)
        return host

    def _buffer(self, floats: int) -> Any:
        return zeroed(self.device, self.queue, floats)

    def _build_check(self) -> None:
        self._parts = -(-self.total // PART)
        source = Source(Target(self.device.cpu, 1, 1, 1, 1), 1)
        # the total is read and not part of the text: the kernel is built once for all networks
        pointers = [
            Pointer("X", "state"),
            Pointer("TOTAL", "total", dtype="i32"),
            Pointer("FLAGS", "flags", True, dtype="i32"),
        ]
        launch = Launch("nonfinite", {"PART": PART}, pointers, (self._parts,))
        name, _ = source.add([launch], {}, str)
        self._flags = self._buffer(max(self._parts, ALIGN))
        (self._check,) = build(self.device, source.text(), [name])
        self._size = self._buffer(ALIGN)
        self.device.cl.enqueue_fill_buffer(self.queue, self._size, np.int32(self.total), 0, 4)
        self._check.set_args(self.flat, self._size, self._flags)


def zeroed(device: Device, queue: Any, floats: int) -> Any:
    """A buffer of zeros, with room for a register read past its end. Writing it shows whether it is there."""
    room = 4 * floats + 256
    if room > device.handle.max_mem_alloc_size:
        raise DeviceError(
            N_(
                "{device} has not enough memory for this network and batch. Choose a smaller batch "
                "size, or the device NumPy. ({reason})"
            ),
            device=device.found.name,
            reason=f"{room} > {device.handle.max_mem_alloc_size} bytes",
        )
    buffer = device.cl.Buffer(device.context, device.cl.mem_flags.READ_WRITE, room)
    device.cl.enqueue_fill_buffer(queue, buffer, np.float32(0), 0, room)
    return buffer
