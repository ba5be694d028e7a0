"""A run as a value: what a checkpoint slot holds and an engine can go on from."""

from __future__ import annotations

from dataclasses import dataclass

from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.settings import TrainingSpec
from engine.training import Checkpoint

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
    playing: bool = False
    until: int | None = None
    """Step at which it rests (stepping), or None."""
    base: str = ""
    pace: float | None = AUTO_PACE
    device: str = ""
