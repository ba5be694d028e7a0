"""What the window says to the engine; acted on between steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.backends.base import Array
from engine.data.source import SourceSpec
from engine.errors import Message
from engine.gradient_check import STEP
from engine.graph import GraphSpec
from engine.layers.augment import Augment
from engine.optimizer_race import Watched
from engine.run import Lines
from engine.session.run_state import RunState
from engine.session.views import View
from engine.settings import TrainingSpec
from engine.training import Checkpoint

StepKind = Literal["op", "time", "phase", "sample", "batch", "epoch"]


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

    @property
    def lines(self) -> Lines | None:
        """The other ways of the run that is resumed."""
        run = self.resume.checkpoint if isinstance(self.resume, RunState) else self.resume
        return run.lines if run is not None else None


@dataclass(frozen=True)
class CancelLoading:
    """Stop loading the data of the `Configure` under way; a `Fault` of kind "canceled" says that it did.

    Then the program before stays.
    """


@dataclass(frozen=True)
class Play:
    pass


@dataclass(frozen=True)
class Pause:
    pass


@dataclass(frozen=True)
class Step:
    """One op; one position of a recurrence; the rest of a phase; one example of the batch; a step; an epoch.

    Beside a recurrence a position is all that a layer does in this phase.
    An op, a position, a phase and a sample leave the step open: nothing is committed before its last op.
    Between two samples all but the update is computed; the update follows the last one.
    """

    kind: StepKind = "batch"


@dataclass(frozen=True)
class GoTo:
    """Show the run as it was after `step` steps. Of several wishes only the newest counts.

    Nothing is lost: going on from there without a change repeats the run; with one, a line of its own begins.
    """

    step: int


@dataclass(frozen=True)
class Branch:
    """From the step shown a line of its own begins; the one before is kept."""


@dataclass(frozen=True)
class ChooseLine:
    """Go on with another line of the run, at its end; `Chosen` says what is drawn there."""

    line: int


@dataclass(frozen=True)
class RemoveLine:
    """Forget a line that is not the present one."""

    line: int


@dataclass(frozen=True)
class SetHistory:
    """How many bytes the points of the past may take, in memory and on disk together."""

    cap: int


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

    Locked cells stay; only locked ones are refused. Answered with the old numbers (k), so that undo can
    write them back.
    """

    key: str
    cells: Array
    values: Array
    id: int = 0


@dataclass(frozen=True)
class LockCells:
    """Lock cells (k, axes) of a parameter at a step boundary, or unlock them: locked (k), or one for all.

    Without cells all are meant, in the order they lie. Locked cells stay as they are, whoever trains or
    writes. Answered with what was locked before.
    """

    key: str
    cells: Array | None
    locked: Array
    id: int = 0


@dataclass(frozen=True)
class EditInput:
    """Show the next step as it would be with other inputs: cells (k, axes) of `value`, the batch of an input.

    Only a preview: the next step computes with the data again. Every command tells all cells that differ;
    none shows the data as they are. Answered with the numbers of the data at these cells (k).
    """

    value: str
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
    """(N, C, H, W) or (N, F): float32 before they are normalized, or u8 as the data set stores them."""

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


@dataclass(frozen=True, eq=False)
class WarpPicture:
    """Move a picture by an affine map (3 x 3, in pixels); answered by `Warped`.

    The picture (H, W, C) is sent once under `key` and held; later commands name the key alone.
    """

    key: str
    picture: Array | None
    matrix: Array
    border: str
    interpolation: str
    probe: tuple[int, int] | None = None
    """(row, column) of the output whose numbers are wanted as they are."""
    id: int = 0


@dataclass(frozen=True)
class ReadWarped:
    """The numbers (C) of one pixel of the picture warped last; None outside of it."""

    row: int
    column: int
    id: int = 0


@dataclass(frozen=True, eq=False)
class TurnPicture:
    """Turn a picture about its center again and again; answered by `Turned`."""

    picture: Array
    degrees: float
    times: int
    border: str
    interpolation: str
    id: int = 0


@dataclass(frozen=True, eq=False)
class AugmentPictures:
    """Pictures (N, H, W, C) as the layer Augment with these ranges would change them; (N, H, W, C) bytes."""

    pictures: Array
    rotation: float
    scale: float
    shift: float
    border: str
    seed: int = 0
    id: int = 0


@dataclass(frozen=True)
class XRayOf:
    """The update of the parameter "<node>.<name>" in the step shown, as an `XRay`."""

    key: str
    id: int = 0


@dataclass(frozen=True)
class CheckGradient:
    """Check the gradients of a layer on the step shown: a job that ends with a `LayerCheck`.

    `values` names the values to check, none means all; `h` is half the distance of the two losses.
    """

    node: str
    values: tuple[str, ...] = ()
    h: float = STEP
    id: int = 0


@dataclass(frozen=True)
class RaceOptimizers:
    """Several optimizers from the present weights on the batches to come: a job that ends with a `Race`."""

    watched: tuple[Watched, ...]
    steps: int
    rates: Mapping[str, float] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True)
class TryAugment:
    """The run's network trained anew with and without these ranges: a job that ends with a `Trial`."""

    layer: Augment
    epochs: int
    seed: int
    id: int = 0


@dataclass(frozen=True)
class CancelJob:
    """Stop a job; it is answered with what it has found by then."""

    job: int


@dataclass(frozen=True)
class ProofOf:
    """The step shown as a script in plain NumPy that prints the numbers of one layer, as a `Proof`."""

    node: str
    id: int = 0


@dataclass(frozen=True)
class WriteText:
    """Go on with a text by `count` tokens that the network guesses, as a `Written`."""

    text: str
    count: int
    temperature: float
    seed: int = 0
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
    | CancelLoading
    | Play
    | Pause
    | Step
    | GoTo
    | Branch
    | ChooseLine
    | RemoveLine
    | SetHistory
    | Reset
    | SetTraining
    | SetPace
    | SetDevice
    | FindDevices
    | EditCells
    | LockCells
    | EditInput
    | Watch
    | Pull
    | Predict
    | Explain
    | Read
    | Export
    | CheckpointNow
    | XRayOf
    | CheckGradient
    | RaceOptimizers
    | TryAugment
    | CancelJob
    | ProofOf
    | WriteText
    | WarpPicture
    | ReadWarped
    | TurnPicture
    | AugmentPictures
    | UseSlots
    | Shutdown
)


@dataclass(frozen=True)
class Envelope:
    """A command on its way to the process; `serial` counts the commands."""

    serial: int
    command: Command
