"""What the window says to the engine and what the engine answers: frozen values that can be pickled.

Commands are acted on between steps. Nothing heavy is pushed: after `Pull` the engine answers once, with a
`Status` and, where something watched has changed, one `Frame` whose views all show the same step. Faults,
replies and changes of the program are announced when they happen. `generation` numbers the programs: what
belongs to an older one is dropped. What a view can ask for stands in engine/session/views.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from engine.backends.devices import DeviceInfo
from engine.data.dataset import Dataset
from engine.data.source import SourceSpec
from engine.errors import Message
from engine.explain import Explanation as Explanation
from engine.graph import GraphSpec
from engine.session.views import View, ViewData
from engine.settings import DataSpec, TrainingSpec
from engine.training import Checkpoint, Evaluation
from engine.values import Program, Uid

Array = np.ndarray[Any, Any]
StepKind = Literal["op", "batch", "epoch"]
Phase = Literal["step", "inside", "preview"]
Running = Literal["empty", "loading", "paused", "stepping", "playing"]
"""empty: no network that can run; stepping: inside a step that is walked op by op, or up to a goal."""

AUTO_PACE = -1.0
"""Pace chosen by the data: about one epoch a frame for points in a plane, full speed for the rest."""


@dataclass(frozen=True, eq=False)
class RunState:
    """A run at a step boundary with all it needs to go on bitwise, in this engine or in another."""

    generation: int
    serial: int
    """The last command that is contained in it."""
    graph: GraphSpec
    training: TrainingSpec
    source: SourceSpec
    checkpoint: Checkpoint
    curve: Any
    """engine.curves.Curve"""
    tests: tuple[Evaluation, ...] = ()
    playing: bool = False
    until: int | None = None
    """Step at which it rests (stepping), or None."""
    base: str = ""
    pace: float | None = AUTO_PACE
    device: str = ""


# ---- commands -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Configure:
    """This network on this data. The first one starts a run; later ones carry state by key.

    `fresh` starts a new run in any case; `resume` goes on from a state (an opened project, a dead engine).
    Relative paths of `source` are resolved against the folder `base`. Answered by `Configured`, or by a
    `Fault` of kind "configure": then the program before stays.
    """

    graph: GraphSpec
    training: TrainingSpec
    source: SourceSpec
    generation: int
    device: str = ""
    """"" keeps the device in use (NumPy at the start)."""
    base: str = ""
    fresh: bool = False
    resume: RunState | Checkpoint | None = None
    why: Message | None = None
    """Why this device, where it was not a person who chose it."""


@dataclass(frozen=True)
class Play:
    pass


@dataclass(frozen=True)
class Pause:
    pass


@dataclass(frozen=True)
class Step:
    """One op, one step, or on to the end of the epoch."""

    kind: StepKind = "batch"


@dataclass(frozen=True)
class Reset:
    """Back to the same start, paused."""


@dataclass(frozen=True)
class SetTraining:
    """Hot settings, from the next step on. `layers`: hot fields of layers, "<node>.<field>" -> value."""

    training: TrainingSpec
    layers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SetPace:
    """Steps per second; None is full speed; AUTO_PACE lets the data decide."""

    pace: float | None


@dataclass(frozen=True)
class SetDevice:
    """Go on on another device, from the same state. Refusals are a `Fault` of kind "device"."""

    device: str


@dataclass(frozen=True)
class FindDevices:
    """List and test devices in the background; answered by `Devices`, more than once."""

    fresh: bool = False


@dataclass(frozen=True)
class EditCells:
    """Write cells of a parameter at a step boundary. cells (k, axes) whole numbers from 0, values (k).

    Answered with the old numbers (k), so that undo can write them back.
    """

    key: str
    cells: Array
    values: Array
    id: int = 0


@dataclass(frozen=True)
class Watch:
    """Show something under `key` from now on; None stops. At most `rate` times a second and `bytes` big."""

    key: str
    request: View | None
    rate: float = 15.0
    bytes: int = 4_000_000


@dataclass(frozen=True)
class Pull:
    """One `Status` please, and a frame if there is something new."""


@dataclass(frozen=True)
class Predict:
    """(N, C, H, W) or (N, F): float32 as the network sees them, or u8 as the data set stores them."""

    arrays: Array
    keep: tuple[str, ...] = ()
    """Ids of values wanted besides the output; ("*",) means all."""
    id: int = 0


@dataclass(frozen=True)
class Explain:
    """How one cell of a value of the last traced step came about; `cell` in the logical shape."""

    value: str
    cell: tuple[int, ...]
    id: int = 0


@dataclass(frozen=True)
class Read:
    """A whole value of the last traced step."""

    value: str
    id: int = 0


@dataclass(frozen=True)
class Export:
    """The trained weights with what a file needs to know about them."""

    id: int = 0


@dataclass(frozen=True)
class CheckpointNow:
    """The run at the next step boundary, as a `RunState`."""

    id: int = 0


@dataclass(frozen=True)
class UseSlots:
    """Segments of the window: two for checkpoints, one for frames ("" where there is none)."""

    slots: tuple[str, str]
    frames: str


@dataclass(frozen=True)
class Shutdown:
    pass


Command = (
    Configure
    | Play
    | Pause
    | Step
    | Reset
    | SetTraining
    | SetPace
    | SetDevice
    | FindDevices
    | EditCells
    | Watch
    | Pull
    | Predict
    | Explain
    | Read
    | Export
    | CheckpointNow
    | UseSlots
    | Shutdown
)


@dataclass(frozen=True)
class Envelope:
    """A command on its way to the process; `serial` counts the commands."""

    serial: int
    command: Command


# ---- answers ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DataFacts:
    """The data as loaded, for people and views."""

    spec: DataSpec
    kind: Literal["points", "pictures", "vectors"]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    n_train: int
    n_test: int
    sha256: str
    source_sha256: str
    notes: tuple[Message, ...] = ()
    skipped: tuple[Message, ...] = ()


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
    epoch: float = 0.0
    """Epochs done, with fraction."""
    steps_per_epoch: int = 0
    steps_per_second: float = 0.0
    pace: float | None = None
    """Steps a second asked for; None is full speed."""
    loss: float | None = None
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
    op: int | None = None
    """Inside a step: index of the next op; what it is stands in the program."""
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


@dataclass(frozen=True)
class Fault:
    """Something went wrong and was caught; the run is paused where it was running.

    kind: "configure", "device" (refused, or left for NumPy), "non_finite", "command", "internal", "engine"
    (the process died), "silent" (it does not answer).
    """

    message: Message
    node: Uid = ""
    kind: str = "command"
    op: int | None = None
    value: str = ""
    cell: tuple[int, ...] = ()
    generation: int = 0


@dataclass(frozen=True)
class Reply:
    """Answer to a command with an id; `payload` is None and `error` set where it was refused."""

    id: int
    payload: Any
    error: Message | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network says. `values`: id -> (N, ...), the sample first; `output`: the id the loss sees."""

    values: Mapping[str, Array]
    output: str
    shares: Array | None
    """(N, classes), or None for a regression."""


@dataclass(frozen=True, eq=False)
class ExportData:
    """All that files need: `engine.export` and `engine.project` take these."""

    run: RunState
    dataset: Dataset
    """The data without its examples: names, shape, scale, normalization, hashes."""

    @property
    def state(self) -> Mapping[str, Array]:
        """Arrays by key "<node>.<parameter>"."""
        return self.run.checkpoint.state


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


@dataclass(frozen=True)
class NeedSlots:
    """The run does not fit the checkpoint slots: they must hold `bytes`."""

    bytes: int


Event = Configured | Progress | Status | Frame | Fault | Reply | Devices | Saved | NeedSlots
