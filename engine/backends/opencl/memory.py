"""Where the values of a plan live on the device."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from engine.backends.base import state_key
from engine.backends.opencl.assemble import SMALL, Assembled
from engine.backends.opencl.controls import ROWS
from engine.backends.opencl.fuse import Fusion
from engine.backends.opencl.kernel import Target
from engine.backends.opencl.store import DeviceStore, zeroed
from engine.errors import N_, DeviceError
from engine.plan import ALIGN, plan_memory
from engine.values import Program, Role, Value

DTYPES = {"f32": np.float32, "i32": np.int32, "u8": np.uint8}


def resident(v: Value) -> bool:
    """Whether the value is bound to the store: one entry per example of the whole set."""
    return v.axes[:1] == ("S",)


class PlanMemory:
    """Buffers of one plan: slots of the memory plan, inputs, scratch, and the store's state.

    Scalars have a row per step of a chunk. A traced plan computes from a copy of the state, so that the old
    values can be read after the commit.
    """

    def __init__(
        self,
        program: Program,
        store: DeviceStore,
        target: Target,
        fusion: Fusion,
        assembled: Assembled,
        columns: int,
        keep: Sequence[str],
    ) -> None:
        self._program, self._store, self._target, self._assembled = program, store, target, assembled
        # small values keep their memory to themselves: launches that share none can run side by side
        small = [v.id for op in program.ops for v in op.outs if self._room(v) <= SMALL]
        plan = plan_memory(
            program,
            traced=fusion.traced,
            keep=[*keep, *small],
            width=16,
            groups=[g.ops for g in fusion.groups],
            elided=fusion.elided,
            in_place=fusion.in_place,
        )
        inputs = [v for v in program.inputs if v.role not in (Role.PARAM, Role.STATE) and not resident(v)]
        scalars = [v for op in program.ops for v in op.outs if v.role is Role.SCALAR]
        shared = assembled.shared_scratch()
        floats = [size // 4 for size in plan.slot_bytes]
        own = {v.id: self._room(v) for v in inputs} | {v.id: ROWS for v in scalars}
        copied = store.total if fusion.traced else 0
        self.bytes = 4 * (sum(floats) + sum(own.values()) + sum(shared.values()) + ROWS * columns + copied)
        """What is allocated, store excluded."""
        self._check_room()

        def new(count: int) -> Any:
            return zeroed(store.device, store.queue, count)

        slots = [new(count) for count in floats]
        rooms = {name: new(count) for name, count in shared.items()}
        self.table = new(ROWS * columns)
        self.old = new(store.total) if fusion.traced else store.flat
        """The state steps compute from."""
        self._where: dict[str, tuple[Any, int]] = {id: (slots[slot], 0) for id, slot in plan.slot.items()}
        self._where |= {id: (new(count), 0) for id, count in own.items()}
        self._where |= {id: (rooms[room], 0) for id, room in assembled.scratch_room.items()}
        for v in program.state():
            if state_key(v) not in store.offset:
                raise DeviceError(N_("The store does not hold {key}."), key=state_key(v))
            self._where[v.id] = (self.old, store.offset[state_key(v)])
        self._where |= {new_id: self._where[old_id] for new_id, old_id in fusion.in_place.items()}

    def locate(self, value: Value) -> tuple[Any, int]:
        """Buffer and offset in elements of a value or view."""
        if resident(value):
            return self._store.resident(value.id, value.shape, np.dtype(DTYPES[value.dtype])), 0
        if value.view is None:
            return self._where[value.id]
        base = self._program.values[value.view.base]
        buffer, offset = self._where[base.id]
        return buffer, offset + value.view.offset * (self._target.lanes if base.batched else 1)

    def buffer(self, id: str) -> Any:
        """The buffer of a value or scratch array."""
        return self._place(id)[0]

    def offset(self, id: str) -> int:
        """Its offset there, in elements."""
        return self._place(id)[1]

    def identity(self, id: str) -> Hashable:
        """The buffer as something to compare: equal for ids that share one."""
        return int(self.buffer(id).int_ptr)

    def part(self, id: str) -> Hashable:
        """The memory an id takes, to see which launches touch the same: state lies side by side."""
        value = self._program.values.get(id)
        base = self._program.storage(value).id if value and not resident(value) else id
        buffer, offset = self._place(base)
        return buffer.int_ptr, offset

    def _place(self, id: str) -> tuple[Any, int]:
        value = self._program.values.get(id)
        return self.locate(value) if value else self._where[id]

    def _room(self, v: Value) -> int:
        count = v.rows * self._target.lanes if v.batched else v.size
        return -(-max(count, 1) // ALIGN) * ALIGN

    def _check_room(self) -> None:
        found = self._store.device.found
        if self.bytes > found.memory:
            raise DeviceError(
                N_(
                    "{device} has {have} MB of memory, this network and batch need {need} MB. Choose a "
                    "smaller batch size, or the device NumPy."
                ),
                device=found.name,
                have=found.memory >> 20,
                need=self.bytes >> 20,
            )
