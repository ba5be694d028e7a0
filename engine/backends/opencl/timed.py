"""A step whose launches are timed by the driver: each a kernel of its own on a queue that keeps events.

Launches are fused as in training but not joined, so that every time belongs to the ops of one launch. The
numbers computed are the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.backends.opencl.plan import DevicePlan
from engine.backends.opencl.runtime import open_device, translated
from engine.backends.opencl.store import DeviceStore
from engine.values import Program


class TimedPlan(DevicePlan):
    """A fast plan of a store whose queue keeps events."""

    separate = True

    def timed(self, controls: Mapping[str, float]) -> list[tuple[tuple[int, ...], float]]:
        """One whole step: (ops, seconds on the device) of each launch, in order."""
        cl, queue = self._device.cl, self._queue
        with translated(self._device.found.name):
            cl.enqueue_copy(queue, self._memory.table, self._table.rows([controls]))
            events = []
            for job in self._jobs.steps:
                if job.row >= 0:
                    job.kernel.set_arg(job.row, np.int32(0))
                events.append(cl.enqueue_nd_range_kernel(queue, job.kernel, job.size, job.local))
            for old, new in self._copies:
                self._copy_state(old, new)
            queue.finish()
            return [
                (job.covers, max(0, event.profile.end - event.profile.start) * 1e-9)
                for job, event in zip(self._jobs.steps, events, strict=True)
            ]


def open_timed(id: str, program: Program, seed: int) -> tuple[DeviceStore, TimedPlan]:
    """A store on a queue that keeps events, and the plan on it. Raises DeviceError."""
    device = open_device(id)
    store = DeviceStore(device, device.queue(timing=True), program.state(), seed)
    return store, TimedPlan(device, program, store, traced=False)
