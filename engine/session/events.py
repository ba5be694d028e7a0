"""What the engine says to the window: where the run stands, frames, replies, faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.backends.base import Array
from engine.backends.devices import DeviceInfo
from engine.data.dataset import Dataset
from engine.data.source import SourceSpec
from engine.errors import Message
from engine.graph import GraphSpec
from engine.session.run_state import RunState
from engine.session.views import ViewData
from engine.settings import DataSpec, TrainingSpec
from engine.values import Program, Uid

Phase = Literal["step", "inside", "preview"]
Running = Literal["empty", "loading", "paused", "stepping", "playing"]
"""empty: no network that can run; stepping: inside a step that is walked op by op, or up to a goal."""


@dataclass(frozen=True)
class DataFacts:
    """The data as loaded, for people and views."""

    spec: DataSpec
    kind: Literal["points", "pictures", "vectors", "sounds"]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    n_train: int
    n_test: int
    sha256: str
    source_sha256: str
    notes: tuple[Message, ...] = ()
    skipped: tuple[Message, ...] = ()
    vocabulary: tuple[str, ...] = ()
    """What the tokens of a text stand for."""


@dataclass(frozen=True)
class Configured:
    """The program that runs from now on. `program` is one whole step; ids of values are found there."""

    generation: int
    program: Program
    outputs: Mapping[Uid, str]
    """Node -> id of the value that leaves it (Z of a linear layer, A of an activation)."""
    data: DataFacts
    training: TrainingSpec
    seed: int


@dataclass(frozen=True)
class Progress:
    """Loading data: done of total."""

    generation: int
    done: int
    total: int


@dataclass(frozen=True)
class Status:
    """Where the run stands."""

    generation: int = 0
    running: Running = "empty"
    step: int = 0
    """Steps done."""
    end: int = 0
    """The newest step; `step` is less while an earlier one is shown again."""
    line: int = 1
    """Number of the line of the run, see `History`."""
    run: int = 0
    """Number of the run: another one after a reset or another project."""
    seeking: bool = False
    """On the way to a step wished for."""
    epoch: float = 0.0
    """Epochs done, with fraction."""
    steps_per_epoch: int = 0
    steps_per_second: float = 0.0
    pace: float | None = None
    """Steps a second asked for; None is full speed."""
    loss: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    """Of the last step, where it has them: "grad_norm"; and "rate", the learning rate of the next."""
    best: int | None = None
    """Step with the lowest watched loss so far, where one is watched."""
    test_loss: float | None = None
    test_accuracy: float | None = None
    test_step: int | None = None
    """Step the two belong to."""
    device: str = "numpy"
    device_name: str = "NumPy"
    reason: Message = field(default_factory=lambda: Message(""))
    """Why this device computes."""
    memory_bytes: int = 0
    parameters: int = 0
    locked: Mapping[str, int] = field(default_factory=dict)
    """Parameter "<node>.<name>" -> how many of its cells are locked."""
    op: int | None = None
    """Inside a step: index of the next op; what it is stands in the program."""
    sample: int | None = None
    """Inside a step that is walked by samples: the example of the batch, from 0."""
    serial: int = 0
    """The last command acted on."""
    settled: bool = False
    """Nothing new comes before the next command: no need to pull."""
    answer: bool = True
    """Whether it answers a pull. Another pull before that would let two frames meet in one segment."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One step, as the views asked for. Values named @old are the weights before it, @new those after."""

    generation: int
    step: int
    """Number of the step shown, from 0."""
    phase: Phase
    """step: done; inside: walked op by op; preview: the step that would come next, not committed."""
    views: Mapping[str, ViewData]
    """Only those that were computed anew."""
    n: int = 0
    """Examples in the batch."""
    op: int | None = None
    sample: int | None = None
    """Inside a step walked by samples: the example of the batch."""


@dataclass(frozen=True)
class Fault:
    """Something went wrong and was caught; the run is paused where it was running.

    kind: "configure", "canceled" (its loading), "device" (refused, or left for NumPy), "non_finite",
    "command", "internal", "engine" (the process died), "silent" (it does not answer). "early" is no fault:
    the run rests because its loss no longer falls; `step` is the best one.
    """

    message: Message
    node: Uid = ""
    kind: str = "command"
    op: int | None = None
    value: str = ""
    cell: tuple[int, ...] = ()
    generation: int = 0
    step: int = 0


@dataclass(frozen=True)
class Reply:
    """Answer to a command with an id; `payload` is None and `error` set where it was refused."""

    id: int
    payload: Any
    error: Message | None = None


@dataclass(frozen=True, eq=False)
class JobNews:
    """A job goes on: what it has found so far. Its end is the `Reply` with the same id."""

    id: int
    payload: Any


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network says. `values`: id -> (N, ...), the sample first; `output`: the id the loss sees."""

    values: Mapping[str, Array]
    output: str
    shares: Array | None
    """(N, classes), or None for a regression."""
    made: Mapping[str, Array] = field(default_factory=dict)
    """Of outputs whose target is a picture, by uid: (N, 2, C, H, W), the target and what was made."""


@dataclass(frozen=True, eq=False)
class ExportData:
    """All that files need: `engine.export` and `engine.project` take these."""

    run: RunState
    dataset: Dataset
    """The data with its first examples only: names, shape, scale, normalization, hashes."""

    @property
    def state(self) -> Mapping[str, Array]:
        """Arrays by key "<node>.<parameter>"."""
        return self.run.checkpoint.state


@dataclass(frozen=True, eq=False)
class Warped:
    """A warped picture (H, W, C) in bytes, and the numbers (C) of the pixel asked for as they are."""

    pixels: Array
    probe: Array | None


@dataclass(frozen=True, eq=False)
class Turned:
    """The picture after the turns, in bytes, and how much of it is left: PSNR in dB inside the disc."""

    pixels: Array
    psnr: float


@dataclass(frozen=True)
class Devices:
    """What can compute; `best` is the id of a device that is better than the one in use, or ""."""

    devices: tuple[DeviceInfo, ...]
    best: str = ""
    done: bool = False


@dataclass(frozen=True)
class Saved:
    """A slot was written: the state after `step` steps, containing commands up to `serial`."""

    step: int
    serial: int
    slot: int


@dataclass(frozen=True, eq=False)
class Chosen:
    """Another line of the run is gone on with: this is what is drawn and set there."""

    generation: int
    line: int
    graph: GraphSpec
    training: TrainingSpec
    source: SourceSpec
    data: DataSpec


@dataclass(frozen=True)
class NeedSlots:
    """The run does not fit the checkpoint slots: they must hold `bytes`."""

    bytes: int


Event = (
    Configured | Progress | Status | Frame | Fault | Reply | JobNews | Devices | Saved | NeedSlots | Chosen
)
