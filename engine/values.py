"""Values, ops and programs: the flat list that everything else reads.

Within a step every value is written once. Parameters, moments and running statistics exist as old and
new; only a program's commit list turns new into old. See docs/engine.md.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Literal

Uid = str
Axes = tuple[str, ...]
Mode = Literal["train", "gradients", "update", "eval", "predict"]
MODES: tuple[Mode, ...] = ("train", "gradients", "update", "eval", "predict")
DType = Literal["f32", "i32", "u8"]


class Role(StrEnum):
    """What a value is for."""

    INPUT = "input"
    PARAM = "param"
    STATE = "state"
    ACT = "act"
    GRAD = "grad"
    SAVED = "saved"
    SCALAR = "scalar"


class Phase(IntEnum):
    """The parts of a step, in order."""

    AUGMENT = 0
    FORWARD = 1
    LOSS = 2
    BACKWARD = 3
    CLIP = 4
    UPDATE = 5


@dataclass(frozen=True)
class View:
    """Read-only window on another value: its elements from `offset` on, in C order.

    The last axis N is shared with the base, so `offset` counts rows of samples (features), and a
    view never copies. Views of views are resolved when made: `base` always owns memory.
    """

    base: str
    offset: int = 0


@dataclass(frozen=True)
class Value:
    """One array of a step. `shape` has the capacity for N; how many lanes live is the control "n"."""

    id: str
    axes: Axes
    shape: tuple[int, ...]
    dtype: DType = "f32"
    role: Role = Role.ACT
    owner: Uid = ""
    """Node the value belongs to; for PARAM and STATE the node that owns the parameter."""
    param: str = ""
    """For PARAM and STATE: the name of the parameter (weight, bias, weight.momentum, ...)."""
    view: View | None = None

    @property
    def batched(self) -> bool:
        """Whether the last axis is the sample."""
        return bool(self.axes) and self.axes[-1] == "N"

    @property
    def size(self) -> int:
        """Elements at full capacity."""
        total = 1
        for n in self.shape:
            total *= n
        return total

    @property
    def rows(self) -> int:
        """Features of one sample of a batched value, else all elements."""
        return self.size // self.shape[-1] if self.batched and self.shape[-1] else self.size


@dataclass(frozen=True)
class Op:
    """One operation on values. `controls` are numbers that may change between steps."""

    kind: str
    ins: tuple[Value, ...]
    outs: tuple[Value, ...]
    attrs: Mapping[str, Hashable] = field(default_factory=dict, hash=False)
    node: Uid = ""
    phase: Phase = Phase.FORWARD
    controls: tuple[str, ...] = ()
    stream: Uid | None = None

    @property
    def out(self) -> Value:
        """The first output."""
        return self.outs[0]


@dataclass(frozen=True)
class Program:
    """A recorded step. Ops in execution order; `commits` are (old, new) pairs of equal shape."""

    mode: Mode
    capacity: int
    ops: tuple[Op, ...]
    inputs: tuple[Value, ...]
    """Values written from outside: the batch or the resident data, parameters and states (old)."""
    outputs: Mapping[Uid, Value]
    """What leaves each node."""
    losses: tuple[Value, ...] = ()
    """What is made small; behind it, where that is a sum of several outputs' losses, its parts."""
    metrics: Mapping[str, Value] = field(default_factory=dict)
    commits: tuple[tuple[Value, Value], ...] = ()
    controls: Mapping[str, float] = field(default_factory=dict)
    """Every control with its value at the start. Controls set per step: n, pos, step, t."""
    gradients: Mapping[str, Value] = field(default_factory=dict)
    """Value id -> the value holding dL/d(value), complete (all contributions summed)."""
    gathered: bool = False
    """Whether the batch is gathered on the device from resident data (`data.x`, `data.y`, `data.order`)."""

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """Every value by id."""
        found: dict[str, Value] = {v.id: v for v in self.inputs}
        for op in self.ops:
            for v in (*op.ins, *op.outs):
                found.setdefault(v.id, v)
        for v in (*self.outputs.values(), *self.gradients.values()):
            found.setdefault(v.id, v)
        return found

    @cached_property
    def producers(self) -> Mapping[str, int]:
        """Value id -> index of the op that writes it. Views count as their base."""
        return {v.id: i for i, op in enumerate(self.ops) for v in op.outs}

    def storage(self, value: Value) -> Value:
        """The value that owns the memory of `value` (itself unless it is a view)."""
        return self.values[value.view.base] if value.view else value

    def readers(self, value_id: str) -> Iterator[int]:
        """Indices of the ops that read this value, directly or through a view."""
        for i, op in enumerate(self.ops):
            if any(v.id == value_id or (v.view and v.view.base == value_id) for v in op.ins):
                yield i

    def state(self) -> tuple[Value, ...]:
        """Old values of parameters, moments and running statistics."""
        return tuple(v for v in self.inputs if v.role in (Role.PARAM, Role.STATE))


def state_id(owner: Uid, param: str, version: Literal["old", "new"] = "old") -> str:
    """Id of a parameter or state value: conv1.weight@old."""
    return f"{owner}.{param}@{version}"


def grad_id(value_id: str) -> str:
    """Id of the complete gradient of a value: conv1.z@grad, conv1.weight@grad."""
    return f"{value_id.removesuffix('@old')}@grad"
