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
    AugmentPictures,
    Branch,
    CancelJob,
    CancelLoading,
    CheckGradient,
    CheckpointNow,
    ChooseLine,
    Command,
    Configure,
    EditCells,
    EditInput,
    Envelope,
    Explain,
    Export,
    FindDevices,
    GoTo,
    LockCells,
    Pause,
    Play,
    Predict,
    ProofOf,
    Pull,
    RaceOptimizers,
    Read,
    ReadWarped,
    RemoveLine,
    Reset,
    SetDevice,
    SetHistory,
    SetPace,
    SetTraining,
    Shutdown,
    Step,
    StepKind,
    TryAugment,
    TurnPicture,
    UseSlots,
    WarpPicture,
    Watch,
    WriteText,
    XRayOf,
)
from engine.session.events import (
    Chosen,
    Configured,
    DataFacts,
    Devices,
    Event,
    ExportData,
    Fault,
    Frame,
    JobNews,
    NeedSlots,
    Phase,
    Prediction,
    Progress,
    Reply,
    Running,
    Saved,
    Status,
    Turned,
    Warped,
)
from engine.session.run_state import AUTO_PACE, RunState

__all__ = [
    "AUTO_PACE", "Array", "AugmentPictures", "Branch", "CancelJob", "CancelLoading",
    "CheckGradient", "CheckpointNow", "ChooseLine", "Chosen", "Command", "Configure", "Configured",
    "DataFacts", "Devices", "EditCells", "EditInput", "Envelope", "Event", "Explain", "Explanation",
    "Export", "ExportData", "Fault", "FindDevices", "Frame", "GoTo", "JobNews", "LockCells",
    "NeedSlots", "Pause", "Phase", "Play", "Predict", "Prediction", "Progress", "ProofOf", "Pull",
    "RaceOptimizers", "Read", "ReadWarped", "RemoveLine", "Reply", "Reset", "RunState", "Running",
    "Saved", "SetDevice", "SetHistory", "SetPace", "SetTraining", "Shutdown", "Status", "Step",
    "StepKind", "TryAugment", "TurnPicture", "Turned", "UseSlots", "WarpPicture", "Warped", "Watch",
    "WriteText", "XRayOf",
]  # fmt: skip
