"""What a run is made of, as values: checkpoints, live changes, tests of it, and what stopped it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from engine.curves import CurveState
from engine.data.dataset import Dataset
from engine.errors import N_, Message
from engine.graph import GraphSpec
from engine.settings import DataSpec, TrainingSpec
from engine.watch import Watch

Array = np.ndarray[Any, Any]
REBUILT = "program"
"""Name of the live change that stands for a structural edit."""


@dataclass(frozen=True)
class NonFinite:
    """The first value of a step that is not a finite number."""

    node: str
    op: int
    value: str
    cell: tuple[int, ...]
    step: int
    kind: str = ""
    """Of the op that made it."""

    def message(self, graph: GraphSpec) -> Message:
        """Where it arose and what may help."""
        name = graph.node(self.node).name if graph.has(self.node) else self.node
        return Message(
            N_(
                "Step {step}: {value} in {layer}, made by {op}, is no longer a finite number. The last good "
                "weights are kept; a lower learning rate may help."
            ),
            {"step": self.step + 1, "layer": name, "value": self.value.split(".", 1)[-1], "op": self.kind},
        )


@dataclass(frozen=True)
class ChunkResult:
    """What a call of `run` did."""

    first_step: int
    losses: Array
    stopped: NonFinite | None = None


@dataclass(frozen=True)
class Evaluation:
    """Loss over the test set, and accuracy for classes (else None), with the weights of `step`."""

    step: int
    loss: float
    accuracy: float | None
    parts: tuple[float, ...] = ()
    """Where the loss is a sum over outputs: each one's own, before its weight."""


@dataclass(frozen=True)
class LiveChange:
    """A change made while running: from `step` on, `name` is `value`."""

    step: int
    name: str
    value: Any


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything needed to go on bitwise: state arrays by key, position in the data, log of live changes."""

    state: Mapping[str, Array]
    step: int
    epoch: int
    position: int
    updates: int
    """Batches since the optimizer's moments started at zero; each is an update unless several make one."""
    seed: int
    log: tuple[LiveChange, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    data_hash: str = ""
    start: Mapping[str, Array] | None = None
    """Weights the run began with where they were given, not drawn from the seed."""
    curve: CurveState | None = None
    """Loss of the steps so far; None where it is not known."""
    tests: tuple[Evaluation, ...] = ()
    lines: Lines | None = None
    """The other ways the run went; None where it went one only."""
    watch: Watch = field(default_factory=Watch)

    @property
    def bytes(self) -> int:
        """Of its states, those of other lines left out."""
        return sum(array.nbytes for part in (self.state, self.start or {}) for array in part.values())

    def curve_only(self) -> Checkpoint:
        """What can be compared, without what is needed to go on."""
        return replace(self, state={}, start=None)


@dataclass(frozen=True, eq=False)
class KeptLine:
    """Another way a run went, as a value: enough to compare it, and with its weights to go on with it."""

    number: int
    parent: int | None
    start: int
    """Step at which it left its parent."""
    graph: GraphSpec
    training: TrainingSpec
    """What is drawn and set at its newest step."""
    run: Checkpoint
    """Its newest step; without state where there was no room for it."""
    whole: bool = True
    """Whether its state is there."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Which way of a run a checkpoint is of, and all the others."""

    number: int = 1
    parent: int | None = None
    start: int = 0
    others: tuple[KeptLine, ...] = ()


@dataclass(eq=False)
class Point:
    """A step boundary that can be returned to: state by key and where it stood. Cheaper than a checkpoint."""

    state: Mapping[str, Array]
    step: int
    epoch: int
    position: int
    updates: int
    applied: int
    """Entries of the log that are contained in it."""
    loss: float | None = None
    watch: Watch = field(default_factory=Watch)

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in self.state.values())


def misfit(key: str, expected: tuple[int, ...], found: tuple[int, ...]) -> Message:
    """An array whose shape is not the network's."""
    values = {"key": key, "expected": str(expected), "found": str(found)}
    return Message(N_("{key}: {expected} expected, {found} found"), values)


def controls_of(log: Iterable[LiveChange]) -> dict[str, float]:
    """Hot controls changed since the last structural edit; the edit itself took in all before it."""
    hot: dict[str, float] = {}
    for change in log:
        if change.name == REBUILT:
            hot.clear()
        elif isinstance(change.value, (int, float)):
            hot[change.name] = float(change.value)
    return hot


def add_change(log: list[LiveChange], change: LiveChange) -> None:
    """Append to a log. A slider that is dragged between two steps leaves its last value only.

    Of weights edited by hand between two steps all keys are kept.
    """
    last = log[-1] if log else None
    if last is not None and (last.step, last.name) == (change.step, change.name):
        if isinstance(last.value, list) and isinstance(change.value, list):
            change = LiveChange(change.step, change.name, sorted({*last.value, *change.value}))
        log[-1] = change
    else:
        log.append(change)


def data_spec(dataset: Dataset, part: Literal["train", "test"] = "train") -> DataSpec:
    """What a program must know of a data set. Normalized inputs are resident as float32."""
    raw = dataset.mean is None and dataset.x_train.dtype == np.uint8
    count = dataset.n_train if part == "train" else dataset.n_test
    return DataSpec(
        dataset.shape,
        dataset.n_classes,
        dataset.n_targets,
        count,
        "u8" if raw else "f32",
        dataset.scale if raw else 1.0,
        dataset.shift if raw else 0.0,
        len(dataset.vocabulary),
        "data" if part == "train" else "test",
        dataset.class_counts,
        *dataset.input_range,
    )
