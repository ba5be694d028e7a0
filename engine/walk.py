"""A step walked op by op on the traced plan, which keeps every value of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.backends.base import Array, Backend, Plan
from engine.ops.over_time import time_of
from engine.run import NonFinite
from engine.values import Phase, Program


class Walk:
    """The step that the traced plan of a program holds, and how far it has come."""

    def __init__(self, backend: Backend, program: Program, store: Any) -> None:
        self.program = program
        self.values: dict[str, float] = {}
        """Per-step controls (n, pos, step, c1, c2) of the step held."""
        self._backend, self._store = backend, store
        self._plan: Plan | None = None
        self._controls: dict[str, float] = {}
        self._op = -1

    @property
    def plan(self) -> Plan:
        """The plan, built when first needed."""
        if self._plan is None:
            self._plan = self._backend.compile(self.program, self._store, traced=True)
            for name, value in self._controls.items():
                self._plan.set_control(name, value)
        return self._plan

    @property
    def bytes(self) -> int:
        """What the plan has allocated so far."""
        return self._plan.bytes if self._plan is not None else 0

    def set_control(self, name: str, value: float) -> None:
        """From the next step on."""
        self._controls[name] = value
        if self._plan is not None:
            self._plan.set_control(name, value)

    @property
    def op_index(self) -> int | None:
        """Index of the next op of the open step, or None between steps."""
        return self._op if self._op >= 0 else None

    @property
    def live_n(self) -> int:
        """Examples in the batch the plan holds."""
        return int(self.values.get("n", 0))

    def begin(self, values: Mapping[str, float]) -> None:
        """Start a step; nothing is committed before `finish`."""
        self.values = dict(values)
        self.plan.begin(values)
        self._op = 0

    def advance(self, until: int) -> None:
        """Execute ops of the open step up to index `until`."""
        self.plan.advance(until)
        self._op = max(self._op, until)

    def write(self, value_id: str, array: Array) -> None:
        """Put other numbers (live examples) in the place of a value that the open step has computed."""
        self.plan.write(value_id, array)

    def abandon(self) -> None:
        """Leave the open step; nothing of it is committed."""
        self._op = -1

    def finish(self, step: int) -> NonFinite | None:
        """Execute what is left of step number `step` and commit it, unless a value is not finite."""
        self.advance(len(self.program.ops))
        self._op = -1
        trouble = None if self._is_finite() else self._find_non_finite(step)
        if trouble is None:
            self.plan.commit()
        return trouble

    @property
    def loss(self) -> float:
        """Loss of the step held."""
        return float(self.plan.read(self.program.losses[0].id))

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of the step held by name, hits left out."""
        read = self.plan.read
        return {name: read(v.id).item() for name, v in self.program.metrics.items() if name != "hits"}

    def read(self, value_id: str) -> Array:
        """A value of the step held, live examples only: logical shape (..., n)."""
        value = self.program.values[value_id]
        array = self.plan.read(value_id)
        return array[..., : self.live_n] if value.batched else array

    def _is_finite(self) -> bool:
        values = [self.program.losses[0], *(new for _, new in self.program.commits)]
        return all(np.isfinite(self.plan.read(v.id)).all() for v in values)

    def _find_non_finite(self, step: int) -> NonFinite | None:
        """The first op, in order, that wrote a non-finite value."""
        for i, op in enumerate(self.program.ops):
            for v in op.outs:
                if v.dtype != "f32":
                    continue
                a = self.read(v.id)
                bad = np.argwhere(~np.isfinite(a))
                if len(bad):
                    return NonFinite(op.node, i, v.id, tuple(int(x) for x in bad[0]), step, op.kind)
        return None


def phase_end(program: Program, at: int) -> int:
    """Index of the first op behind the phase that op `at` belongs to."""
    phase = program.ops[at].phase
    end = at
    while end < len(program.ops) and program.ops[end].phase is phase:
        end += 1
    return end


def time_end(program: Program, at: int) -> int:
    """Index of the first op behind the position of a recurrence, or beside one the layer, op `at` is of."""
    place = _place(program, at)
    return next((i for i in range(at, len(program.ops)) if _place(program, i) != place), len(program.ops))


def _place(program: Program, at: int) -> tuple[object, ...]:
    op = program.ops[at]
    return op.phase, op.node, time_of(op)


def first_update(program: Program) -> int:
    """Index of the first op that is about the whole batch again: clipping or the update of a parameter."""
    late = (Phase.CLIP, Phase.UPDATE)
    return next((i for i, op in enumerate(program.ops) if op.phase in late), len(program.ops))
