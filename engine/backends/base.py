"""What a backend is. Chosen once, visibly; never changed silently inside a run.

A `Store` holds what outlives a step: parameters, moments, running statistics and the resident data. Several
plans share one store (training fast, training traced, evaluation), so a step by either is a step of the run.
Keys of state are `<owner>.<parameter>`, as in files: "conv1.weight", "conv1.weight.m", "norm1.running_mean".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from engine.values import Program, Value

Array = np.ndarray[Any, Any]


def state_key(value: Value) -> str:
    """Key of a parameter or state value, without its version: conv1.weight.m"""
    return f"{value.owner}.{value.param}"


@dataclass(frozen=True)
class Manifest:
    """What computed: enough to repeat it bitwise."""

    backend: str
    device: str
    driver: str = ""
    choices: Mapping[str, Any] = field(default_factory=dict)
    """Kernel variants, split counts, threads."""


@dataclass(frozen=True)
class Group:
    """One launch: its name and the indices of the ops it covers."""

    name: str
    ops: tuple[int, ...]


@dataclass(frozen=True)
class StepResults:
    """What a chunk of steps reported: one number per step for each scalar ("loss", "hits")."""

    scalars: Mapping[str, Array]

    @property
    def finite(self) -> bool:
        """Whether every loss of the chunk was finite."""
        return bool(np.isfinite(self.scalars["loss"]).all()) if "loss" in self.scalars else True


class Store(Protocol):
    """State and resident data on the device."""

    @property
    def bytes(self) -> int:
        """What it has allocated: state, its saved copy, resident data."""

    def load(self, state: Mapping[str, Array]) -> None:
        """Set state by key, float32 C order; keys not given keep their values."""

    def state(self) -> dict[str, Array]:
        """Exact copies of all state."""

    def bind(self, name: str, array: Array) -> None:
        """Make data resident: "data.x" (S, ...), "data.y" (S) or (S, F), "data.order" (S) int32;
        "test.x" and so on for the test set.

        Binding again replaces (same shape and dtype); plans see the new data from their next step.
        """

    def save(self) -> None:
        """Keep a copy of the state on the device (the start of a chunk)."""

    def restore(self) -> None:
        """Back to the copy kept by `save`."""

    def finite(self) -> bool:
        """Whether every number of the state is finite."""


class Plan(Protocol):
    """A compiled program. Fast plans fuse and reuse memory, traced plans keep every value: one arithmetic."""

    program: Program
    traced: bool
    manifest: Manifest
    groups: tuple[Group, ...]
    bytes: int
    """What is allocated for it, store excluded."""

    def write(self, name: str, array: Array) -> None:
        """Write an input by value id, logical shape (..., n), n up to the capacity; the rest is zeroed."""

    def set_control(self, name: str, value: float) -> None:
        """From the next step on."""

    def run(self, steps: Sequence[Mapping[str, float]]) -> StepResults:
        """Run whole steps and commit each. One mapping per step: n, pos, step, and Adam's c1, c2.

        Values missing from a mapping keep what was set last. Returns when all are done.
        """

    def begin(self, controls: Mapping[str, float]) -> None:
        """Start one traced step."""

    def advance(self, until: int) -> None:
        """Execute ops up to, not including, index `until`. Only on traced plans; nothing is committed."""

    def commit(self) -> None:
        """Turn new into old for every pair of the program's commit list."""

    def read(self, name: str) -> Array:
        """A copy of a value by id, logical shape with full capacity, from the last step.

        Fast plans can read the program's outputs named in `keep` and scalars; traced plans everything.
        Parameters read as `@old` after a committed traced step still give the values before it.
        """


class Backend(Protocol):
    """One device."""

    name: str
    """"numpy" or "opencl:<platform>:<index>"."""
    device: str
    memory: int
    """Bytes that are there in all; 0 where that is not known."""

    def store(self, values: Sequence[Value], seed: int) -> Store:
        """A store for these state values (old versions). The seed is the run's, for random streams."""

    def compile(self, program: Program, store: Any, *, traced: bool, keep: Sequence[str] = ()) -> Plan:
        """Build a plan on a store of this backend and touch its memory. `keep`: ids a fast plan can read.

        Raises DeviceError when it does not fit or cannot be built.
        """

    def close(self) -> None:
        """Release the device."""
