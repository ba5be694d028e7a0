"""What the window says to the engine and what the engine answers: frozen values that can be pickled.

Commands are acted on between steps. Nothing heavy is pushed: after `Pull` the engine answers once, with a
`Status` and, where something watched has changed, one `Frame` whose views all show the same step. Faults,
replies and changes of the program are announced when they happen. `generation` numbers the programs: what
belongs to an older one is dropped. What a view can ask for stands in engine/session/views.py; this is the
door to commands.py, events.py and run_state.py.
"""

from __future__ import annotations

from engine.backends.base import Array
from engine.explain import Explanation
from engine.session.commands import (
    CancelLoading,
    CheckpointNow,
    Command,
    Configure,
    EditCells,
    EditInput,
    Envelope,
    Explain,
    Export,
    FindDevices,
    Pause,
    Play,
    Predict,
    Pull,
    Read,
    Reset,
    SetDevice,
    SetPace,
    SetTraining,
    Shutdown,
    Step,
    StepKind,
    UseSlots,
    Watch,
)
from engine.session.events import (
    Configured,
    DataFacts,
    Devices,
    Event,
    ExportData,
    Fault,
    Frame,
    NeedSlots,
    Phase,
    Prediction,
    Progress,
    Reply,
    Running,
    Saved,
    Status,
)
from engine.session.run_state import AUTO_PACE, RunState

__all__ = [
    "AUTO_PACE", "Array", "CancelLoading", "CheckpointNow", "Command", "Configure", "Configured",
    "DataFacts", "Devices", "EditCells", "EditInput", "Envelope", "Event", "Explain", "Explanation", "Export",
    "ExportData", "Fault", "FindDevices", "Frame", "NeedSlots", "Pause", "Phase", "Play", "Predict",
    "Prediction", "Progress", "Pull", "Read", "Reply", "Reset", "RunState", "Running", "Saved", "SetDevice",
    "SetPace", "SetTraining", "Shutdown", "Status", "Step", "StepKind", "UseSlots", "Watch",
]  # fmt: skip
