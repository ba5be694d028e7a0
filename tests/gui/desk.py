"""A whole window on a runner without a process."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from pytestqt.qtbot import QtBot

from engine.session import protocol as p
from engine.session.session import Session
from gui import resources, theme
from gui.actions import Actions
from gui.commands import Commands
from gui.main_window import MainWindow
from gui.windows_state import WindowsState
from gui.workbench import Workbench

MOMENT_MS = 120
"""Timers that run no longer than this are work put off; longer ones are for people, as a toast's."""


class InlineRunner(QObject):
    """A runner whose engine works when it is told to: `go(n)` makes n turns."""

    configured = Signal(object)
    status = Signal(object)
    frame = Signal(object)
    fault = Signal(object)
    devices = Signal(object)
    progress = Signal(object)
    chosen = Signal(object)
    died = Signal(object)
    restarted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.events: list[p.Event] = []
        self._time = 0.0
        self.session = Session(self.events.append, clock=self._clock)
        self.watches: dict[str, Any] = {}
        self._answers: dict[int, Any] = {}
        self._news: dict[int, Any] = {}
        self._generation = self._number = 0
        self.pid = 1

    def _clock(self) -> float:
        """Time goes on by itself, so that nothing waits for a pace."""
        self._time += 0.01
        return self._time

    @property
    def generation(self) -> int:
        return self._generation

    def __getattr__(self, name: str) -> Any:
        simple = {"play": p.Play, "pause": p.Pause, "step": p.Step, "reset": p.Reset,
                  "set_pace": p.SetPace, "set_device": p.SetDevice, "go_to": p.GoTo, "branch": p.Branch,
                  "choose_line": p.ChooseLine, "remove_line": p.RemoveLine,
                  "set_history": p.SetHistory}  # fmt: skip
        if name in simple:
            return lambda *args: self.session.handle(simple[name](*args))
        asked = {"explain": p.Explain, "predict": p.Predict, "export": p.Export, "edit_cells": p.EditCells,
                 "xray": p.XRayOf, "proof": p.ProofOf, "write_text": p.WriteText,
                 "read": p.Read, "warp": p.WarpPicture, "read_warped": p.ReadWarped, "turn": p.TurnPicture,
                 "augment": p.AugmentPictures, "edit_input": p.EditInput,
                 "lock_cells": p.LockCells}  # fmt: skip
        if name in asked:
            return lambda *args: self._ask(asked[name], *args)
        raise AttributeError(name)

    def configure(self, graph: Any, training: Any, source: Any, **options: Any) -> int:
        self._generation += 1
        self.session.handle(p.Configure(graph, training, source, self._generation, **options))
        self.go()
        return self._generation

    def set_training(self, training: Any, layers: Any = None) -> None:
        self.session.handle(p.SetTraining(training, dict(layers or {})))

    def hurry(self, wanted: bool) -> None:
        """It is as fast as it is told to be."""

    def find_devices(self, fresh: bool = False) -> None:
        """Devices take seconds to test; nothing here needs them."""

    def watch(self, key: str, request: Any, rate: float = 15.0, bytes: int = 4_000_000) -> None:
        self.watches.pop(key, None)
        if request is not None:
            self.watches[key] = request
        self.session.handle(p.Watch(key, request, rate, bytes))

    def checkpoint(self, answer: Any) -> None:
        self._ask(p.CheckpointNow, lambda run, _error: answer(run))

    def check_gradient(self, node: str, h: float, news: Any, answer: Any) -> int:
        return self._job(p.CheckGradient(node, (), h, self._number + 1), news, answer)

    def race(self, watched: Any, steps: int, rates: Any, news: Any, answer: Any) -> int:
        return self._job(p.RaceOptimizers(watched, steps, dict(rates), self._number + 1), news, answer)

    def try_augment(self, layer: Any, epochs: int, seed: int, news: Any, answer: Any) -> int:
        return self._job(p.TryAugment(layer, epochs, seed, self._number + 1), news, answer)

    def cancel_job(self, job: int) -> None:
        self.session.handle(p.CancelJob(job))
        self.go()

    def _job(self, command: Any, news: Any, answer: Any) -> int:
        self._number += 1
        number = self._number
        self._answers[number], self._news[number] = answer, news
        self.session.handle(command)
        return number

    def _ask(self, command: Any, *args: Any) -> None:
        self._number += 1
        *values, answer = args
        self._answers[self._number] = answer
        self.session.handle(command(*values, id=self._number))
        self.go()

    def go(self, turns: int = 3) -> None:
        for _ in range(turns):
            self.session.handle(p.Pull())
            for _ in range(3):
                self.session.work()
            events, self.events[:] = list(self.events), []
            for event in events:
                name = {p.Configured: "configured", p.Status: "status", p.Frame: "frame", p.Fault: "fault",
                        p.Chosen: "chosen"}
                if isinstance(event, p.Reply):
                    answer = self._answers.pop(event.id, None)
                    if answer is not None:
                        answer(event.payload, event.error)
                elif isinstance(event, p.JobNews):
                    self._news[event.id](event.payload)
                elif type(event) in name:
                    getattr(self, name[type(event)]).emit(event)

    def close(self) -> None:
        self.session.close()


class Desk:
    """A window with all that belongs to it."""

    def __init__(self, qtbot: QtBot, settings: Path) -> None:
        theme.set_theme("dark")
        self.state = WindowsState(QSettings(str(settings), QSettings.Format.IniFormat))
        self.runner = InlineRunner()
        self.bench = Workbench(self.state, self.runner)  # type: ignore[arg-type]
        self.actions = Actions()
        self.window = MainWindow(self.bench, self.actions)
        self.commands = Commands(self.window, self.bench, self.actions)
        self.window.may_close = lambda: True
        self.window.resize(1600, 1000)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.qtbot = qtbot

    def open(self, name: str) -> None:
        self.bench.open(resources.path("samples", f"{name}.matrizen"))
        self.qtbot.waitUntil(lambda: self.bench.name == name, timeout=10_000)
        self.settle()

    def settle(self) -> None:
        """Until what the window put off for a moment has been done, and the engine has answered."""
        self.qtbot.wait(30)
        self.qtbot.waitUntil(lambda: not self._put_off(), timeout=10_000)
        self.runner.go()
        self.qtbot.wait(20)

    def _put_off(self) -> bool:
        timers = [*self.window.findChildren(QTimer), *self.bench.findChildren(QTimer)]
        return any(t.isActive() and t.isSingleShot() and t.interval() <= MOMENT_MS for t in timers)

    def close(self) -> None:
        """The window goes, and the one formula that may be just being typeset is waited for."""
        self.bench.close()
        self.window.close()
        self.runner.close()
        self.window.deleteLater()
        self.qtbot.wait(20)
        for thread in threading.enumerate():
            if thread.name == "matrizen-formulas":
                thread.join(10)
