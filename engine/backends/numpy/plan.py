"""A compiled program: a list of calls without arguments, run in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import numpy as np

from engine.backends.base import Array, Group, Manifest, StepResults, state_key
from engine.backends.numpy import ops as _ops  # noqa: F401 - importing fills BUILDERS
from engine.backends.numpy.env import BUILDERS, Env
from engine.backends.numpy.memory import DTYPES, aligned
from engine.backends.numpy.store import NumpyStore
from engine.plan import plan_memory
from engine.values import Program, Role, Value

COMPACT = np.uint8
"""Places inside a pooling window are kept in one byte where 256 suffice."""


class NumpyPlan:
    """See `engine.backends.base.Plan`. Fast: memory reused, state updated in place. Traced: all kept."""

    def __init__(
        self,
        program: Program,
        store: NumpyStore,
        manifest: Manifest,
        *,
        traced: bool,
        keep: Sequence[str] = (),
    ) -> None:
        self.program, self.traced, self.manifest = program, traced, manifest
        self.groups = tuple(Group(op.kind, (i,)) for i, op in enumerate(program.ops))
        self._store = store
        self._keep = frozenset(keep)
        self._arrays: dict[str, Array] = {}
        self._bytes = 0
        in_place = {} if traced else _in_place(program)
        self._place_inputs()
        self._place_values(plan_memory(program, traced=traced, keep=keep, in_place=in_place), in_place)
        self._controls = {k: float(v) for k, v in program.controls.items()}
        self._env = Env(self._arrays, store.data, self._controls, program.capacity, store.seed)
        self._calls = [BUILDERS[op.kind](op, self._env) for op in program.ops]
        self._commits = [
            (store.arrays[state_key(old)], self._arrays[new.id])
            for old, new in program.commits
            if new.id not in in_place
        ]
        self._scalars = {k: self._arrays[v.id] for k, v in program.metrics.items()}
        if program.losses:
            self._scalars["loss"] = self._arrays[program.losses[0].id]
        self._at = 0
        self.bytes = self._bytes + self._env.work.bytes

    # ---- memory -------------------------------------------------------------------------------------

    def _own(self, shape: tuple[int, ...], dtype: str) -> Array:
        array = aligned(shape, DTYPES[dtype])
        self._bytes += array.nbytes
        return array

    def _place_inputs(self) -> None:
        """State is the store's, or copied where it must stay readable; data is looked up in the store."""
        self._old: list[tuple[Array, Array]] = []
        for v in self.program.inputs:
            if v.role in (Role.PARAM, Role.STATE):
                array = self._store.arrays[state_key(v)]
                if self.traced:
                    copy = self._own(v.shape, "f32")
                    self._old.append((copy, array))
                    array = copy
                self._arrays[v.id] = array
            elif not _resident(v):
                self._arrays[v.id] = self._own(v.shape, v.dtype)

    def _place_values(self, plan: object, in_place: Mapping[str, str]) -> None:
        from engine.plan import MemoryPlan

        assert isinstance(plan, MemoryPlan)
        slots = [aligned((size,), np.uint8) for size in plan.slot_bytes]
        self._bytes += sum(s.nbytes for s in slots)
        compact = _compact(self.program)
        for op in self.program.ops:
            for v in op.outs:
                if v.id in in_place:
                    self._arrays[v.id] = self._arrays[in_place[v.id]]
                    continue
                dtype = COMPACT if v.id in compact else DTYPES[v.dtype]
                need = v.size * np.dtype(dtype).itemsize
                self._arrays[v.id] = slots[plan.slot[v.id]][:need].view(dtype).reshape(v.shape)
        for v in self.program.values.values():
            if v.view is not None and v.id not in self._arrays:
                base = self._arrays[v.view.base]
                rows = base.reshape(-1, base.shape[-1])
                self._arrays[v.id] = rows[v.view.offset : v.view.offset + v.rows].reshape(v.shape)

    # ---- running ------------------------------------------------------------------------------------

    def write(self, name: str, array: Array) -> None:
        """Write an input by value id, logical shape (..., n); lanes beyond are zeroed."""
        v = self.program.values[name]
        target = self._arrays[name]
        if v.batched:
            n = array.shape[-1]
            target[..., :n] = array
            target[..., n:] = 0
        else:
            target[...] = array

    def set_control(self, name: str, value: float) -> None:
        """From the next step on."""
        self._controls[name] = float(value)

    def _start(self, controls: Mapping[str, float]) -> None:
        self._controls.update(controls)
        self._env.n = int(self._controls["n"])

    def run(self, steps: Sequence[Mapping[str, float]]) -> StepResults:
        """Run and commit whole steps."""
        results = {k: np.empty(len(steps)) for k in self._scalars}
        pairs = [(results[k], self._scalars[k]) for k in results]
        with np.errstate(all="ignore"):
            for i, controls in enumerate(steps):
                self._start(controls)
                for copy, array in self._old:
                    np.copyto(copy, array)
                for call in self._calls:
                    call()
                for old, new in self._commits:
                    np.copyto(old, new)
                for result, scalar in pairs:
                    result[i] = scalar
        self._at = len(self._calls)
        return StepResults(results)

    def timed(self, controls: Mapping[str, float]) -> list[tuple[tuple[int, ...], float]]:
        """One whole step: (ops, seconds) of each call, in order. Only on fast plans."""
        assert not self.traced, "a traced plan keeps more than it needs: its times are not those of training"
        self._start(controls)
        found: list[tuple[tuple[int, ...], float]] = []
        with np.errstate(all="ignore"):
            for i, call in enumerate(self._calls):
                start = perf_counter()
                call()
                found.append(((i,), perf_counter() - start))
        self.commit()
        return found

    def begin(self, controls: Mapping[str, float]) -> None:
        """Start one traced step: the state as it is now becomes old."""
        self._start(controls)
        for copy, array in self._old:
            np.copyto(copy, array)
        self._at = 0

    def advance(self, until: int) -> None:
        """Execute ops up to index `until`."""
        assert self.traced, "only a traced plan stops inside a step"
        with np.errstate(all="ignore"):
            for call in self._calls[self._at : until]:
                call()
        self._at = max(self._at, until)

    def commit(self) -> None:
        """Turn new into old."""
        for old, new in self._commits:
            np.copyto(old, new)

    def read(self, name: str) -> Array:
        """A copy of a value. KeyError for what a fast plan was not asked to keep."""
        v = self.program.values[name]
        if _resident(v):
            return self._store.data[name].copy()
        if not self.traced and not self._readable(v):
            raise KeyError(name)
        return self._arrays[name].astype(DTYPES[v.dtype])

    def _readable(self, v: Value) -> bool:
        """Values whose memory no other value takes within a step."""
        p = self.program
        lasting = {*self._keep, *(s.id for s in (*p.losses, *p.metrics.values(), *p.inputs))}
        return v.id in lasting or any(v.id == new.id for _, new in p.commits)


def _resident(v: Value) -> bool:
    """Whether the value is bound to the store: one entry per example of the whole set."""
    return v.axes[:1] == ("S",)


def _compact(program: Program) -> frozenset[str]:
    """Ids of places in pooling windows that fit one byte."""
    return frozenset(
        op.outs[1].id
        for op in program.ops
        if op.kind == "maxpool2d" and np.prod(op.attrs["kernel"]) <= 256  # type: ignore[call-overload]
    )


def _in_place(program: Program) -> dict[str, str]:
    """New state -> the old state whose memory it takes: where nothing reads the old one afterwards."""
    out = {}
    for old, new in program.commits:
        last = max(program.readers(old.id), default=-1)
        if new.id in program.producers and program.producers[new.id] >= last:
            out[new.id] = old.id
    return out
