"""The memory plan and the estimate, shared by the backends: what is estimated is what is allocated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.errors import N_, DeviceError
from engine.values import Program, Role, Value

ALIGN = 64
"""Buffers are multiples of this many numbers."""


@dataclass(frozen=True)
class MemoryPlan:
    """Where each value lives. Values share a slot when they are never needed at the same time."""

    slot: Mapping[str, int]
    """Value id (views excluded) -> slot."""
    slot_bytes: tuple[int, ...]
    state_bytes: int
    """Parameters, moments and running statistics."""
    data_bytes: int
    """Resident data."""

    @property
    def bytes(self) -> int:
        """All together."""
        return sum(self.slot_bytes) + self.state_bytes + self.data_bytes


class HasMemory(Protocol):
    """What is asked of a backend here."""

    name: str
    device: str
    memory: int


def needed(program: Program) -> int:
    """Bytes that running the program takes at least: state with its saved copy, data, values."""
    in_place = {new.id: old.id for old, new in program.commits}
    plan = plan_memory(program, traced=False, in_place=in_place)
    return plan.bytes + plan.state_bytes


def check_room(program: Program, backend: HasMemory) -> None:
    """Before anything is allocated: raises DeviceError when more is needed than there is."""
    need = needed(program)
    if backend.memory and need > backend.memory:
        if backend.name == "numpy":
            text = N_(
                "This network and batch need {need} MB, this computer has {have} MB of memory. Choose fewer "
                "units or filters, or a smaller batch size."
            )
        else:
            text = N_(
                "{device} has {have} MB of memory, this network and batch need {need} MB. Choose a "
                "smaller batch size, or the device NumPy."
            )
        have, need = backend.memory >> 20, need >> 20
        raise DeviceError(text, device=backend.device, have=have, need=need)


def padded_lanes(capacity: int, width: int = 16) -> int:
    """Lanes stored for a batch capacity: 1 stays 1, else a multiple of `width`."""
    return capacity if capacity == 1 or width == 1 else -(-capacity // width) * width


def value_bytes(value: Value, width: int = 1) -> int:
    """Bytes a value needs with its sample axis padded to `width` lanes."""
    count = value.rows * padded_lanes(value.shape[-1], width) if value.batched else value.size
    return -(-max(count, 1) // ALIGN) * ALIGN * (1 if value.dtype == "u8" else 4)


def plan_memory(
    program: Program,
    *,
    traced: bool,
    keep: Sequence[str] = (),
    width: int = 1,
    groups: Sequence[Sequence[int]] | None = None,
    elided: frozenset[str] = frozenset(),
    in_place: Mapping[str, str] | None = None,
) -> MemoryPlan:
    """Assign a slot to every value an op writes.

    traced: every value has its own. Otherwise slots are reused after the last reader; `keep` (value ids) and
    program outputs asked for stay to the end of the step. `groups` are launches that cover several ops in
    order (default: one op each); `elided` values live inside a launch only; `in_place` maps new state values
    to the old ones whose memory they take. New state values without such a mapping have their own slot.
    """
    groups = groups if groups is not None else [[i] for i in range(len(program.ops))]
    in_place = in_place or {}
    last = _last_readers(program, groups, keep)
    slot: dict[str, int] = {}
    size: list[int] = []
    free: list[int] = []
    for at, group in enumerate(groups):
        written = [
            v for i in group for v in program.ops[i].outs if v.id not in elided and v.id not in in_place
        ]
        for v in written:
            need = value_bytes(v, width)
            fits = [s for s in free if size[s] >= need] if not traced else []
            if fits:
                best = min(fits, key=lambda s: (size[s], s))
            elif free and not traced:
                best = max(free, key=lambda s: (size[s], -s))
                size[best] = need
            else:
                best = len(size)
                size.append(need)
            if best in free:
                free.remove(best)
            slot[v.id] = best
        if not traced:
            free += [slot[id] for id in slot if last.get(id, at) == at]
    state = sum(value_bytes(v, 1) for v in program.inputs if v.role in (Role.PARAM, Role.STATE))
    data = sum(value_bytes(v, width) for v in program.inputs if v.role not in (Role.PARAM, Role.STATE))
    return MemoryPlan(slot, tuple(size), state, data)


def _last_readers(program: Program, groups: Sequence[Sequence[int]], keep: Sequence[str]) -> dict[str, int]:
    """Storage value id -> last group that reads it; kept values and new state live past the end."""
    end = len(groups)
    last: dict[str, int] = {}
    for at, group in enumerate(groups):
        for i in group:
            for v in (*program.ops[i].ins, *program.ops[i].outs):
                last[v.view.base if v.view else v.id] = at
    wanted = [program.values[k] for k in keep if k in program.values]
    wanted += [new for _, new in program.commits]
    wanted += [*program.losses, *program.metrics.values()]
    for v in wanted:
        last[v.view.base if v.view else v.id] = end
    return last
