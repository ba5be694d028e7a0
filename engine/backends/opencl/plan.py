"""A compiled program on a device: writing inputs, running steps, reading values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.backends.base import Group, Manifest, StepResults, state_key
from engine.backends.opencl import fuse
from engine.backends.opencl.assemble import assemble
from engine.backends.opencl.controls import ROWS, Table
from engine.backends.opencl.jobs import build_jobs
from engine.backends.opencl.kernel import Target
from engine.backends.opencl.memory import DTYPES, PlanMemory, resident
from engine.backends.opencl.runtime import Device, translated
from engine.backends.opencl.store import DeviceStore
from engine.errors import N_, DeviceError
from engine.values import Program, Role, Value

Array = np.ndarray[Any, Any]


class DevicePlan:
    """See `engine.backends.base.Plan`."""

    separate = False
    """Whether every launch has a kernel of its own, see `TimedPlan`."""

    def __init__(
        self, device: Device, program: Program, store: DeviceStore, *, traced: bool, keep: Sequence[str] = ()
    ) -> None:
        unknown = [op.kind for op in program.ops if not fuse.known(op)]
        if unknown:
            raise DeviceError(
                N_("{device} cannot compute {kind}; choose NumPy."), device=device.found.name, kind=unknown[0]
            )
        self.program, self.traced = program, traced
        self._device, self._store, self._queue = device, store, store.queue
        with translated(device.found.name):
            self._target = Target.of(device, program.capacity)
        self._table = Table(program, store.seed)
        fusion = fuse.traced(program) if traced else fuse.fused(program, keep)
        assembled = assemble(program, fusion, self._target, self._table.columns)
        self._copies = assembled.copies
        columns = len(self._table.columns)
        with translated(device.found.name):
            self._memory = PlanMemory(program, store, self._target, fusion, assembled, columns, keep)
            self._jobs = build_jobs(
                device,
                self._target,
                program,
                assembled.launches,
                self._memory,
                columns,
                traced=traced,
                alone=not assembled.copies,
                separate=self.separate,
            )
            self._queue.finish()
        self.bytes = self._memory.bytes
        self.groups = tuple(Group(part[-1].template, part[-1].covers) for part in assembled.by_group())
        choices = {"width": self._target.vw, "lanes": self._target.lanes, "launches": len(self._jobs.steps)}
        self.manifest = Manifest("opencl", device.found.id, device.found.driver, choices)
        kept = [program.values[k] for k in keep if k in program.values]
        kept += [
            *program.inputs,
            *program.losses,
            *program.metrics.values(),
            *(n for _, n in program.commits),
        ]
        self._lasting = {program.storage(v).id for v in kept}
        self._at = 0
        """Op the traced step has come to."""
        self._row = 0
        """Row of the last step in the rings of scalars."""

    def set_control(self, name: str, value: float) -> None:
        """From the next step on."""
        self._table.set({name: value})

    def write(self, name: str, array: Array) -> None:
        """Write an input, logical shape (..., n); lanes from n on become zero."""
        v = self.program.values[name]
        given = np.asarray(array, DTYPES[v.dtype])
        if v.batched:
            n = given.shape[-1] if given.ndim else 0
            if given.shape[:-1] != v.shape[:-1] or n > v.shape[-1]:
                raise DeviceError(
                    N_("{key} has shape {found}, the network needs {expected}."),
                    key=name,
                    found=given.shape,
                    expected=v.shape,
                )
            host = np.zeros((v.rows, self._target.lanes), given.dtype)
            host[:, :n] = given.reshape(v.rows, n)
        else:
            host = np.ascontiguousarray(given.reshape(v.shape))
        buffer, offset = self._memory.locate(v)
        with translated(self._device.found.name):
            self._device.cl.enqueue_copy(self._queue, buffer, host, dst_offset=offset * host.itemsize)

    # ---- whole steps --------------------------------------------------------------------------------

    def run(self, steps: Sequence[Mapping[str, float]]) -> StepResults:
        """Run whole steps and commit each. One `finish` per 1024 steps (traced: one per step)."""
        found: dict[str, list[Array]] = {name: [] for name in self._scalars()}
        size = 1 if self.traced else ROWS
        for start in range(0, len(steps), size):
            chunk = steps[start : start + size]
            if self.traced:
                self.begin(chunk[0])
                self.advance(len(self.program.ops))
                self.commit()
            else:
                self._run_fast(chunk)
            for name, value in self._scalars().items():
                found[name].append(self._ring(value, len(chunk)))
        none = np.zeros(0, np.float32)
        return StepResults({name: np.concatenate([none, *parts]) for name, parts in found.items()})

    def _run_fast(self, chunk: Sequence[Mapping[str, float]]) -> None:
        cl, queue = self._device.cl, self._queue
        with translated(self._device.found.name):
            cl.enqueue_copy(queue, self._memory.table, self._table.rows(chunk))
            if self._jobs.whole:
                self._enqueue_whole(len(chunk))
            else:
                for at in range(len(chunk)):
                    self._enqueue_step(np.int32(at))
                    if at % 8 == 0:
                        queue.flush()
            queue.finish()
        self._row = len(chunk) - 1

    def _enqueue_step(self, row: np.int32) -> None:
        enqueue, queue = self._device.cl.enqueue_nd_range_kernel, self._queue
        for job in self._jobs.steps:
            if job.row >= 0:
                job.kernel.set_arg(job.row, row)
            enqueue(queue, job.kernel, job.size, job.local)
        for old, new in self._copies:
            self._copy_state(old, new)

    def _enqueue_whole(self, count: int) -> None:
        (job,) = self._jobs.steps
        for first in range(0, count, self._jobs.whole):
            job.kernel.set_arg(job.row, np.int32(first))
            job.kernel.set_arg(job.row + 1, np.int32(min(self._jobs.whole, count - first)))
            self._device.cl.enqueue_nd_range_kernel(self._queue, job.kernel, job.size, job.local)

    # ---- one traced step ----------------------------------------------------------------------------

    def begin(self, controls: Mapping[str, float]) -> None:
        """Start one traced step from the state as it is."""
        self._table.set(controls)
        cl, store = self._device.cl, self._store
        with translated(self._device.found.name):
            cl.enqueue_copy(self._queue, self._memory.table, self._table.row)
            if self.traced:
                cl.enqueue_copy(self._queue, self._memory.old, store.flat, byte_count=4 * store.total)
        self._at = self._row = 0

    def advance(self, until: int) -> None:
        """Execute the ops from where the step stands up to, not including, `until`."""
        if not self.traced:
            raise DeviceError(N_("Only a traced plan can stop inside a step."))
        with translated(self._device.found.name):
            for job in self._jobs.steps:
                if self._at <= job.last < until:
                    self._device.cl.enqueue_nd_range_kernel(self._queue, job.kernel, job.size, job.local)
            self._queue.finish()
        self._at = max(self._at, until)

    def commit(self) -> None:
        """Turn new into old in the store."""
        with translated(self._device.found.name):
            for old, new in self.program.commits:
                self._copy_state(old, new)
            self._queue.finish()

    def _copy_state(self, old: Value, new: Value) -> None:
        buffer, offset = self._memory.locate(new)
        place = 4 * self._store.offset[state_key(old)]
        self._device.cl.enqueue_copy(
            self._queue,
            self._store.flat,
            buffer,
            byte_count=4 * old.size,
            src_offset=4 * offset,
            dst_offset=place,
        )

    # ---- reading ------------------------------------------------------------------------------------

    def read(self, name: str) -> Array:
        """A copy of a value of the last step, logical shape; KeyError for what a fast plan does not keep."""
        v = self.program.values[name]
        if not resident(v) and not self.traced and self.program.storage(v).id not in self._lasting:
            raise KeyError(name)
        buffer, offset = self._memory.locate(v)
        if v.role is Role.SCALAR:
            offset += self._row
        host = np.empty((v.rows, self._target.lanes) if v.batched else v.shape, DTYPES[v.dtype])
        with translated(self._device.found.name):
            self._device.cl.enqueue_copy(self._queue, host, buffer, src_offset=offset * host.itemsize)
        return np.ascontiguousarray(host[:, : v.shape[-1]]).reshape(v.shape) if v.batched else host

    def _scalars(self) -> dict[str, Value]:
        named = {"loss": self.program.losses[0]} if self.program.losses else {}
        return {**named, **self.program.metrics}

    def _ring(self, value: Value, count: int) -> Array:
        """A scalar in the last `count` steps."""
        buffer, offset = self._memory.locate(value)
        host = np.empty(count, np.float32)
        with translated(self._device.found.name):
            self._device.cl.enqueue_copy(self._queue, host, buffer, src_offset=4 * offset)
        return host
