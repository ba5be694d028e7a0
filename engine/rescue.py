"""A run on a device that may fail: its last checkpoint on the host, and the way on from there on NumPy.

What a failing device still holds is not trusted: it may have stopped in the middle of a step.
"""

from __future__ import annotations

import contextlib
from typing import Any

from engine.backends.opening import open_backend
from engine.errors import N_, DeviceError, Message
from engine.run import Checkpoint
from engine.training import Trainer


class Rescue:
    """Keeps one checkpoint and what it belongs to. Of a run on NumPy nothing is kept: nothing is needed."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._kept: Checkpoint | None = None
        self._drawn: tuple[Any, Any, Any] = (None, None, None)
        """Graph, training and data the checkpoint was made with."""
        self._program: object = None

    def keep(self, t: Trainer, checkpoint: Checkpoint | None = None) -> None:
        """Remember this step boundary; `checkpoint` saves taking one. Raises DeviceError."""
        if t.backend.name == "numpy":
            self._forget()
            return
        self._kept = checkpoint or t.checkpoint()
        self._drawn, self._program = (t.graph, t.training, t.dataset), t.program

    def on_numpy(self, old: Trainer, *, alive: bool = False) -> Trainer:
        """The run on NumPy, from the checkpoint kept; what was edited or set since then stays so.

        `alive`: the device is asked first, for it rests at a step boundary and only refused something new.
        """
        if alive:
            with contextlib.suppress(DeviceError):
                self.keep(old)
        assert self._kept is not None
        same = self._program is old.program
        drawn = (old.graph, old.training, old.dataset) if same else self._drawn
        graph, training, dataset = drawn
        new = Trainer(graph, training, dataset, open_backend("numpy"))
        new.load_checkpoint(self._kept)
        if not same:
            new.rebuild(old.graph, old.training, old.dataset)
        for name, value in old.controls().items():
            if new.controls()[name] != value:
                new.set_control(name, value)
        new.training = old.training
        self.keep(new)
        return new


def computes_instead(problem: Message) -> Message:
    """What to tell when a device could not take a network at all."""
    return Message(N_("{problem} NumPy computes it instead."), {"problem": problem})


def took_over(problem: Message, step: int) -> Message:
    """What to tell when a run had to leave its device."""
    values = {"problem": problem, "step": step}
    return Message(N_("{problem} NumPy took over from the checkpoint at step {step}."), values)
