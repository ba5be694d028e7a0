"""A compiled program: buffers, kernels with preset arguments, and running them step by step."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.backends.base import Group, Manifest, StepResults, state_key
from engine.backends.opencl import fuse
from engine.backends.opencl.assemble import Assembled, assemble
from engine.backends.opencl.kernel import Launch, Source, Target, items, merged, side_by_side
from engine.backends.opencl.programs import build
from engine.backends.opencl.runtime import Device, translated
from engine.backends.opencl.store import DeviceStore, zeroed
from engine.errors import N_, DeviceError
from engine.plan import ALIGN, plan_memory
from engine.values import Op, Program, Role, Value

Array = np.ndarray[Any, Any]
DTYPES = {"f32": np.float32, "i32": np.int32, "u8": np.uint8}
ROWS = 1024
"""Steps in one chunk: rows of the table of controls, and of the results of each scalar."""
Job = tuple[Any, tuple[int, ...], tuple[int, ...] | None, int, int]
"""Kernel, global size, local size, index of the argument step_row (or -1), last op it computes."""
SMALL = 1 << 14
"""Floats."""
WHOLE_RUN = 1_000_000
"""Multiplications of a step up to which one work-item does it all: about the time of its launches."""
HEAVY = ("lanes_product", "dense_dw", "conv_forward", "conv_dw", "conv_dx", "batchnorm", "batchnorm_grad")
"""Templates with enough work for all cores."""
PORTIONS = 256
"""Work-items of a launch, empty ones included, that PoCL shares out evenly."""
WHOLE = ("n", "pos", "step")
"""Controls that are whole numbers; the table holds their bits."""


def resident(v: Value) -> bool:
    """Whether the value is bound to the store: one entry per example of the whole set."""
    return v.axes[:1] == ("S",)


def multiplications(op: Op, lanes: int) -> int:
    """A rough count of the work of an op, for choosing a kind of plan."""
    if op.kind.startswith(("dense", "conv2d")):
        weights = next((v for v in (*op.ins, *op.outs) if not v.batched and len(v.axes) > 1), op.out)
        places = op.ins[0].shape[1:-1] if op.kind == "conv2d_dw" else max(op.ins[-1 if op.kind.endswith("dx") else 1].shape[1:-1], op.out.shape[1:-1] if op.out.batched else ())
        return weights.size * lanes * math.prod(places)
    return sum(v.rows * lanes if v.batched else v.size for v in op.outs) * 4


class DevicePlan:
    """See `engine.backends.base.Plan`."""

    def __init__(self, device: Device, queue: Any, program: Program, store: DeviceStore, *, traced: bool,
                 keep: Sequence[str] = ()) -> None:
        unknown = [op.kind for op in program.ops if not fuse.known(op)]
        if unknown:
            raise DeviceError(N_("{device} cannot compute {kind}; choose NumPy."), device=device.found.name,
                              kind=unknown[0])
        self.device, self.queue, self.program, self.store, self.traced = device, queue, program, store, traced
        handle = device.handle
        self.target = Target.of(device.cpu, int(handle.native_vector_width_float), int(handle.max_compute_units),
                                program.capacity)
        self.keep = tuple(keep)
        self._pocl = ":pocl:" in device.found.id
        self._columns = {name: i for i, name in enumerate(
            [*WHOLE, "seed low", "seed high", *(c for c in program.controls if c not in WHOLE)])}
        self._current = np.zeros(len(self._columns), np.float32)
        bits = self._current.view(np.uint32)
        bits[self._columns["seed low"]] = store.seed & 0xFFFFFFFF
        bits[self._columns["seed high"]] = (store.seed >> 32) & 0xFFFFFFFF
        for name, value in program.controls.items():
            self.set_control(name, value)
        fusion = fuse.traced(program) if traced else fuse.fused(program, keep)
        self._assembled = assemble(program, fusion, self.target, self._columns)
        self._fusion = fusion
        lasting = [program.values[k] for k in keep if k in program.values]
        lasting += [*program.inputs, *program.losses, *program.metrics.values(), *(new for _, new in program.commits)]
        self._lasting = {program.storage(v).id for v in lasting}
        self._at = 0  # op the traced step has come to
        self._row = 0  # row of the last step in the ring of scalars
        with translated(device.found.name):
            self._allocate(keep)
            self._build()
            queue.finish()
        self.groups = tuple(Group(launches[-1].template, launches[-1].covers)
                            for launches in self._assembled.by_group())
        self.manifest = Manifest("opencl", device.found.id, device.found.driver, {
            "vw": self.target.vw, "lanes": self.target.lanes, "launches": len(self._jobs)})

    # ---- memory -------------------------------------------------------------------------------------

    def _allocate(self, keep: Sequence[str]) -> None:
        program, store, found = self.program, self.store, self.device.found
        # small values keep their memory to themselves: launches that share none can run side by side
        small = [v.id for op in program.ops for v in op.outs if self._room(v) <= SMALL]
        memory = plan_memory(program, traced=self.traced, keep=[*keep, *small], width=16,
                             groups=[g.ops for g in self._fusion.groups], elided=self._fusion.elided,
                             in_place=self._fusion.in_place)
        inputs = [v for v in program.inputs if v.role not in (Role.PARAM, Role.STATE) and not resident(v)]
        sizes = {v.id: self._room(v) for v in inputs}
        scratch = self._assembled.scratch
        self.bytes = sum(memory.slot_bytes) + 4 * sum(sizes.values()) + 4 * sum(scratch.values())
        self.bytes += 4 * ROWS * (len(self._columns) + len(program.losses) + len(program.metrics))
        if self.traced:
            self.bytes += 4 * store.total
        if self.bytes > found.memory:
            raise DeviceError(N_("{device} has {have} MB of memory, this network and batch need {need} MB. Choose "
                                 "a smaller batch size, or the device NumPy."), device=found.name,
                              have=found.memory >> 20, need=self.bytes >> 20)
        new = self._zeroed
        slots = [new(size // 4) for size in memory.slot_bytes]
        shared = {name: new(size) for name, size in self._assembled.shared_scratch().items()}
        self._where: dict[str, tuple[Any, int]] = {}
        """Value or scratch id -> its buffer and the offset in elements."""
        self._table = new(ROWS * len(self._columns))
        self._old = new(store.total) if self.traced else store.flat
        for id, slot in memory.slot.items():
            self._where[id] = (slots[slot], 0)
        for id, size in sizes.items():
            self._where[id] = (new(size), 0)
        for id in scratch:
            self._where[id] = (shared[self._assembled.scratch_room[id]], 0)
        for v in program.state():
            if state_key(v) not in store.offset:
                raise DeviceError(N_("The store does not hold {key}."), key=state_key(v))
            self._where[v.id] = (self._old, store.offset[state_key(v)])
        for new_id, old_id in self._fusion.in_place.items():
            self._where[new_id] = self._where[old_id]
        for v in (*program.losses, *program.metrics.values()):
            if v.role is Role.SCALAR and v.id in memory.slot:
                self._where[v.id] = (new(ROWS), 0)
        for op in program.ops:
            for v in op.outs:
                if v.role is Role.SCALAR and self._where[v.id][0].size < 4 * ROWS:
                    self._where[v.id] = (new(ROWS), 0)

    def _room(self, v: Value) -> int:
        rows = v.rows * self.target.lanes if v.batched else v.size
        return -(-max(rows, 1) // ALIGN) * ALIGN

    def _zeroed(self, floats: int) -> Any:
        return zeroed(self.device, self.queue, floats)

    def _locate(self, value: Value) -> tuple[Any, int]:
        """Buffer and offset in elements of a value or view."""
        if value.view is None:
            return self._where[value.id]
        base = self.program.values[value.view.base]
        buffer, offset = self._where[base.id]
        return buffer, offset + value.view.offset * (self.target.lanes if base.batched else 1)

    # ---- kernels ------------------------------------------------------------------------------------

    def _build(self) -> None:
        source = Source(self.target, len(self._columns))
        places = {}
        for launch in self._assembled.launches:
            for p in launch.pointers:
                value = self.program.values.get(p.value)
                places[p.value] = self._locate(value)[1] if value and not resident(value) else 0
        launches = self._assembled.launches
        self._work = sum(multiplications(op, self.target.lanes) for op in self.program.ops)
        self.whole = not self.traced and self.device.cpu and self._work <= WHOLE_RUN and not self._assembled.copies
        """Whether one kernel runs many steps."""
        if self.whole:
            self._build_whole(source, launches, places)
            return
        rounds = [[launch] for launch in launches]
        if not self.traced and self.device.cpu:
            rounds = side_by_side(launches, self._memory)
        spreads = [self._spread(parts) for parts in rounds]
        names = [source.add(parts, places, spread) for parts, spread in zip(rounds, spreads, strict=True)]
        self.source = source.text()
        kernels = build(self.device, self.source, names)
        self._jobs: list[Job] = []
        # a kernel object of its own for each launch: arguments are part of its state
        for parts, kernel, spread in zip(rounds, kernels, spreads, strict=True):
            buffers = [self._buffer(p.value) for launch in parts for p in merged(launch.pointers)]
            for i, buffer in enumerate(buffers):
                kernel.set_arg(i, buffer)
            row = -1
            if any(launch.controls for launch in parts):
                kernel.set_arg(len(buffers), self._table)
                row = len(buffers) + 1
                kernel.set_arg(row, np.int32(0))
            size = (items(parts) * spread,) if spread else parts[0].size
            last = max(launch.covers[-1] for launch in parts)
            self._jobs.append((kernel, size, (1,) * len(size) if self.device.cpu else None, row, last))

    def _build_whole(self, source: Source, launches: Sequence[Launch], places: Mapping[str, int]) -> None:
        name = source.add_whole(launches, places)
        self.source = source.text()
        (kernel,) = build(self.device, self.source, [name])
        buffers = [self._buffer(p.value) for launch in launches for p in merged(launch.pointers)]
        for i, buffer in enumerate([*buffers, self._table]):
            kernel.set_arg(i, buffer)
        self._jobs = [(kernel, (1,), (1,), len(buffers) + 1, len(self.program.ops) - 1)]

    def _spread(self, parts: Sequence[Launch]) -> int:
        """PoCL hands out work-items in portions of at least 32: fewer would all go to one core."""
        if self._pocl and items(parts) < 64 and any(launch.template in HEAVY for launch in parts):
            return -(-PORTIONS // items(parts))
        return int(len(parts) > 1)

    def _memory(self, id: str) -> Hashable:
        """What memory a value or scratch array takes, to see which launches depend on each other."""
        value = self.program.values.get(id)
        if value is None:
            return id.rpartition(".")[2] if id not in self._assembled.scratch_room else self._assembled.scratch_room[id]
        if resident(value):
            return id
        base = self.program.storage(value)
        buffer, offset = self._where[base.id]
        return (buffer.int_ptr, offset) if buffer is self.store.flat else buffer.int_ptr

    def _buffer(self, id: str) -> Any:
        value = self.program.values.get(id)
        if value is None:
            return self._where[id][0]
        if resident(value):
            return self.store.resident(id, value.shape, np.dtype(DTYPES[value.dtype]))
        return self._locate(value)[0]

    # ---- the contract -------------------------------------------------------------------------------

    def set_control(self, name: str, value: float) -> None:
        """From the next step on."""
        self._write_control(self._current, name, value)

    def _write_control(self, row: Array, name: str, value: float) -> None:
        if name not in self._columns:
            return
        if name in WHOLE:
            row.view(np.int32)[self._columns[name]] = int(value)
        else:
            row[self._columns[name]] = value

    def write(self, name: str, array: Array) -> None:
        """Write an input, logical shape (..., n); lanes from n on become zero."""
        v = self.program.values[name]
        given = np.asarray(array, DTYPES[v.dtype])
        if v.batched:
            n = given.shape[-1] if given.ndim else 0
            if given.shape[:-1] != v.shape[:-1] or n > v.shape[-1]:
                raise DeviceError(N_("{key} must have the shape {expected}, not {found}."), key=name,
                                  expected=v.shape, found=given.shape)
            host = np.zeros((v.rows, self.target.lanes), given.dtype)
            host[:, :n] = given.reshape(v.rows, n)
        else:
            host = np.ascontiguousarray(given.reshape(v.shape))
        buffer, offset = self._locate(v)
        with translated(self.device.found.name):
            self.device.cl.enqueue_copy(self.queue, buffer, host, dst_offset=offset * host.itemsize)

    def run(self, steps: Sequence[Mapping[str, float]]) -> StepResults:
        """Run whole steps and commit each."""
        parts: dict[str, list[Array]] = {name: [] for name in self._scalars()}
        for start in range(0, len(steps), ROWS):
            chunk = steps[start:start + ROWS]
            if self.traced:
                self._run_traced(chunk)
            else:
                self._run_fast(chunk)
            for name, array in self._ring(len(chunk)).items():
                parts[name].append(array)
        return StepResults({k: np.concatenate(v) if v else np.zeros(0, np.float32) for k, v in parts.items()})

    def _run_fast(self, chunk: Sequence[Mapping[str, float]]) -> None:
        table = np.empty((len(chunk), len(self._columns)), np.float32)
        for row, step in zip(table, chunk, strict=True):
            for name, value in step.items():
                self._write_control(self._current, name, value)
            row[:] = self._current
        cl, queue = self.device.cl, self.queue
        with translated(self.device.found.name):
            cl.enqueue_copy(queue, self._table, table)
            enqueue = cl.enqueue_nd_range_kernel
            if self.whole:
                self._enqueue_whole(len(chunk))
            for at in range(0 if self.whole else len(chunk)):
                row_number = np.int32(at)
                for kernel, size, local, argument, _ in self._jobs:
                    if argument >= 0:
                        kernel.set_arg(argument, row_number)
                    enqueue(queue, kernel, size, local)
                for pair in self._assembled.copies:
                    self._copy_state(*pair)
                if at % 8 == 0:
                    queue.flush()
            queue.finish()
        self._row = len(chunk) - 1

    def _enqueue_whole(self, count: int) -> None:
        """Launches of a few milliseconds each, so that other work and the desktop get their turn."""
        ((kernel, size, local, argument, _),) = self._jobs
        piece = max(1, 100_000_000 // (self._work + 20_000))
        for first in range(0, count, piece):
            kernel.set_arg(argument, np.int32(first))
            kernel.set_arg(argument + 1, np.int32(min(piece, count - first)))
            self.device.cl.enqueue_nd_range_kernel(self.queue, kernel, size, local)

    def _run_traced(self, chunk: Sequence[Mapping[str, float]]) -> None:
        rows = {name: np.zeros(len(chunk), np.float32) for name in self._scalars()}
        for at, step in enumerate(chunk):
            self.begin(step)
            self.advance(len(self.program.ops))
            self.commit()
            for name, ring in self._ring(1).items():
                rows[name][at] = ring[0]
        self._traced_rows = rows

    def begin(self, controls: Mapping[str, float]) -> None:
        """Start one traced step from the state as it is."""
        for name, value in controls.items():
            self._write_control(self._current, name, value)
        with translated(self.device.found.name):
            self.device.cl.enqueue_copy(self.queue, self._table, self._current)
            if self._old is not self.store.flat:
                self.device.cl.enqueue_copy(self.queue, self._old, self.store.flat, byte_count=4 * self.store.total)
        self._at = 0
        self._row = 0
        self._traced_rows = None

    def advance(self, until: int) -> None:
        """Execute the ops from where the step stands up to, not including, `until`."""
        if not self.traced:
            raise DeviceError(N_("Only a traced plan can stop inside a step."))
        with translated(self.device.found.name):
            for kernel, size, local, _, last in self._jobs:
                if self._at <= last < until:
                    self.device.cl.enqueue_nd_range_kernel(self.queue, kernel, size, local)
            self.queue.finish()
        self._at = max(self._at, until)

    def commit(self) -> None:
        """Turn new into old in the store."""
        with translated(self.device.found.name):
            for old, new in self.program.commits:
                self._copy_state(old, new)
            self.queue.finish()

    def _copy_state(self, old: Value, new: Value) -> None:
        buffer, offset = self._locate(new)
        self.device.cl.enqueue_copy(self.queue, self.store.flat, buffer, byte_count=4 * old.size,
                                    src_offset=4 * offset, dst_offset=4 * self.store.offset[state_key(old)])

    def read(self, name: str) -> Array:
        """A copy of a value of the last step, logical shape. KeyError for what a fast plan was not asked to keep."""
        v = self.program.values[name]
        if resident(v):
            return self._read_data(v)
        if not self.traced and self.program.storage(v).id not in self._lasting:
            raise KeyError(name)
        buffer, offset = self._locate(v)
        if v.role is Role.SCALAR:
            offset += self._row
        host = np.empty((v.rows, self.target.lanes) if v.batched else v.shape, DTYPES[v.dtype])
        with translated(self.device.found.name):
            self.device.cl.enqueue_copy(self.queue, host, buffer, src_offset=offset * host.itemsize)
        return np.ascontiguousarray(host[:, :v.shape[-1]]).reshape(v.shape) if v.batched else host

    def _read_data(self, v: Value) -> Array:
        shape, dtype = self.store.bound[v.id]
        host = np.empty(shape, dtype)
        with translated(self.device.found.name):
            self.device.cl.enqueue_copy(self.queue, host, self.store.data[v.id])
        return host

    # ---- scalars ------------------------------------------------------------------------------------

    def _scalars(self) -> dict[str, Value]:
        named = {"loss": self.program.losses[0]} if self.program.losses else {}
        return {**named, **self.program.metrics}

    def _ring(self, count: int) -> dict[str, Array]:
        """The scalars of the last `count` steps."""
        kept = getattr(self, "_traced_rows", None)
        if kept is not None:
            return kept
        out = {}
        for name, value in self._scalars().items():
            buffer, offset = self._where[value.id]
            host = np.empty(count, np.float32)
            with translated(self.device.found.name):
                self.device.cl.enqueue_copy(self.queue, host, buffer, src_offset=4 * offset)
            out[name] = host
        return out


__all__ = ["Assembled", "DevicePlan"]
