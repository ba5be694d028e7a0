"""The labs timed from inside the window's process, with the real engine process: `bench_labs` calls `main`.

cell    from the click on a number to the end of the painting that shows its card
op      from "one operation" to the end of the painting that shows the numbers of that operation everywhere
frames  a matrix of 4096 x 4096 weights panned and zoomed 60 times a second; see `window_driven` for what a
        frame is

`wall` is what a person waits; `cpu` adds the CPU time of the window's thread and of the engine's process
in that time: a busy machine makes the first longer, and the second only a little.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtWidgets import QApplication

import gui.app as app
from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.project import Project
from engine.project_file import save_project
from engine.settings import TrainingSpec
from gui import resources
from gui.main_window import MainWindow
from gui.runner import Runner
from gui.views.matrix_view import MatrixView
from gui.watching import Watcher
from tests.benchmarks.window_driven import CLOCK, TimedWindow, mouse, quantiles, timed, wheel
from tests.benchmarks.window_load import layer

SIDE = 4096
LONGEST = 5.0
"""Seconds after which something is given up."""


@dataclass(frozen=True)
class Opened:
    """A number to open: the layer, the value whose matrix is clicked, and how the lab comes there."""

    sample: str
    layer: str
    value: str


CELLS = {
    "dense": Opened("fashion_mlp", "dense1", "dense1.z"),
    "convolution": Opened("fashion_cnn", "conv2", "conv2.z"),
    "gradient of dense": Opened("fashion_mlp", "dense1", "dense1.weight@grad"),
    "gradient of convolution": Opened("fashion_cnn", "conv2", "conv2.weight@grad"),
}


def wide(path: Path) -> Path:
    """A project with one matrix of SIDE x SIDE, at zero: drawing so many numbers takes seconds."""
    g = GraphSpec().add("input", layer("input", shape=(2,)))
    g = g.add("before", layer("dense", units=SIDE), after="input")
    g = g.add("wide", layer("dense", units=SIDE, initializer="zeros"), after="before")
    g = g.add("scores", layer("dense", units=2), after="wide")
    g = g.add("output", layer("output"), after="scores")
    places = {n.uid: (210.0 * i, 0.0) for i, n in enumerate(g.nodes)}
    training = TrainingSpec("cross_entropy", "sgd", 0.01, batch=8, seed=7)
    return save_project(path, Project(g, training, SourceSpec.toy("circle"), places))


def cpu_of(pid: int) -> float:
    """CPU seconds of another process."""
    return time.clock_gettime((~pid << 3) | 2)


class Watch:
    """One thing timed: `done` is asked after every painting of the window."""

    def __init__(self, window: MainWindow, done: Callable[[], bool]) -> None:
        self._window, self._done = window, done
        self.found: dict[str, float] | None = None
        self._wall, self._cpu = time.perf_counter(), self._spent()

    def _spent(self) -> float:
        return time.thread_time() + cpu_of(self._window.bench.runner.pid or os.getpid())

    def painted(self) -> None:
        if self.found is None and self._done():
            self.found = {"wall": time.perf_counter() - self._wall, "cpu": self._spent() - self._cpu}


class LabWindow(TimedWindow):
    """Tells when it has been painted."""

    watch: Watch | None = None

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest and self.watch is not None:
            self.watch.painted()
        return done


class Driver(QObject):
    """Walks through all of it; a generator that yields milliseconds to wait."""

    def __init__(self, window: LabWindow, times: int, seconds: float, folder: Path) -> None:
        super().__init__()
        self.window, self.times, self.seconds, self.folder = window, times, seconds, folder
        self.out: dict[str, Any] = {"cells": {}, "ops": {}}
        self.frames = 0
        window.bench.framed.connect(self._count)
        self._phases = self._run()
        QTimer.singleShot(50, self, self._step)

    def _count(self, _frame: object) -> None:
        self.frames += 1

    def _step(self) -> None:
        try:
            wait = next(self._phases, None)
        except Exception as error:
            self.out["error"] = repr(error)
            QApplication.exit(1)
            raise
        if wait is None:
            QApplication.quit()
        else:
            QTimer.singleShot(wait, self, self._step)

    def _run(self) -> Iterator[int]:
        self.window.show_samples(False)
        self.window.may_close = lambda: True  # what was trained here need not be saved
        for name, opened in CELLS.items():
            yield from self._open(resources.path("samples", f"{opened.sample}.matrizen"))
            yield from self._cells(name, opened)
        yield from self._ops()
        yield from self._wide()

    def _open(self, path: Path) -> Iterator[int]:
        bench = self.window.bench
        while bench.configured is None or bench.tasks.busy():
            yield 20
        self.window.labs.leave()
        before = bench.configured
        bench.open(path)
        while bench.configured is None or bench.configured is before or bench.tasks.busy():
            yield 20
        self.window.actions_["step_batch"].trigger()
        yield 1200

    def _wait(self, watch: Watch) -> Iterator[int]:
        end = time.perf_counter() + LONGEST
        self.window.watch = watch
        while watch.found is None:
            if time.perf_counter() > end:
                raise RuntimeError(f"it was never painted: {self.out}, {self._where()}")
            yield 2
        self.window.watch = None

    def _where(self) -> object:
        lab = self.window.labs.lab("matrix_lab")
        return (lab.story.opened, lab.card.explanation) if lab is not None else None

    def _page(self, value: str) -> Generator[int, None, tuple[Any, Any]]:
        """Sheet and view of a value of the lab, once its numbers are there."""
        lab = self.window.labs.lab("matrix_lab")
        for _ in range(600):
            for pane in (lab.pane, lab.below):
                for matrix, sheet in zip(pane.matrices, pane.sheets, strict=True):
                    if sheet.factor.value == value and matrix.values().size:
                        return sheet, matrix
            yield 100
        raise RuntimeError(f"the numbers of {value} did not come")

    def _cells(self, name: str, opened: Opened) -> Iterator[int]:
        graph = self.window.bench.document.graph
        self.window.open_lab("matrix_lab", uid=graph.by_name(opened.layer).uid, value=opened.value)
        yield 800
        found = []
        for turn in range(self.times):
            sheet, view = yield from self._page(opened.value)
            rows, columns = sheet.shape
            place = (turn % rows, turn * 3 % columns)
            at = view.cell_rect(*place).center().toPoint()
            wanted = sheet.cell(*(view.cell_at(QPointF(at)) or place))
            lab = self.window.labs.lab("matrix_lab")

            def done(wanted: Any = wanted, lab: Any = lab) -> bool:
                told = lab.card.explanation
                return told is not None and (told.value, told.cell) == wanted

            watch = Watch(self.window, done)
            mouse(view, QEvent.Type.MouseButtonPress, at, Qt.MouseButton.LeftButton)
            mouse(view, QEvent.Type.MouseButtonRelease, at, Qt.MouseButton.LeftButton)
            yield from self._wait(watch)
            found.append(watch.found)
            yield 150
        self.out["cells"][name] = summary(found)
        say(f"{name}: {self.out['cells'][name]}")

    def _ops(self) -> Iterator[int]:
        """The small CNN, all docks and thumbnails in sight."""
        yield from self._open(resources.path("samples", "fashion_cnn.matrizen"))
        self.window.canvas.fit()
        bench = self.window.bench
        found = []
        for _ in range(2 * self.times):
            frames = self.frames

            def done(frames: int = frames) -> bool:
                return self.frames > frames and not bench.watcher._waiting

            watch = Watch(self.window, done)
            self.window.actions_["step_op"].trigger()
            yield from self._wait(watch)
            found.append(watch.found)
            yield 200
        self.out["ops"] = summary(found)
        say(f"operations: {self.out['ops']}")

    def _wide(self) -> Iterator[int]:
        yield from self._open(wide(self.folder / "wide.matrizen"))
        graph = self.window.bench.document.graph
        self.window.open_lab("matrix_lab", uid=graph.by_name("wide").uid)
        _, view = yield from self._page("wide.weight@old")
        self.out["shape"], self.out["view"] = view.shape(), [view.width(), view.height()]
        script = self._hands(view)
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        digits: list[bool] = []

        def move() -> None:
            start = time.perf_counter()
            next(script)()
            CLOCK.part(time.perf_counter() - start)
            digits.append(view._digits(view._box()) is not None)

        timer.timeout.connect(move)
        CLOCK.phase = "wide"
        timer.start(16)
        yield round(self.seconds * 1000)
        timer.stop()
        CLOCK.phase = ""
        own = [f for f in CLOCK.frames if f[0] == "wide"]
        self.out["wide"] = {
            "frames": len(own), "wall_ms": quantiles([f[1] for f in own]),
            "cpu_ms": quantiles([f[2] for f in own]), "digits": sum(digits) / len(digits),
        }  # fmt: skip
        say(f"wide: {self.out['wide']}")
        yield from self._close_up(view)

    def _hands(self, view: MatrixView) -> Iterator[Callable[[], None]]:
        """In until digits are read, along rows and columns, and out again."""
        control = Qt.KeyboardModifier.ControlModifier
        middle = view.rect().center()
        while True:
            for _ in range(36):
                yield lambda: wheel(view, middle, 120, control)
            for i in range(90):
                yield lambda i=i: wheel(view, middle, -40 if i % 60 < 30 else 40)
            for i in range(60):
                at = middle + QPoint(round(60 * math.sin(i / 9.5)), round(40 * math.sin(i / 4.8)))
                yield lambda at=at: mouse(view, QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton)
            for _ in range(36):
                yield lambda: wheel(view, middle, -120, control)

    def _close_up(self, view: MatrixView) -> Iterator[int]:
        """How soon after zooming in the digits are there."""
        found = []
        for turn in range(8):
            view.fit()
            yield 500
            at = QPointF(view.width() * (0.3 + 0.05 * turn), view.height() / 2)
            watch = Watch(self.window, lambda: view._digits(view._box()) is not None)
            view.zoom_about(at, 1e6)
            yield from self._wait(watch)
            found.append(watch.found)
        self.out["digits"] = summary(found)
        say(f"digits: {self.out['digits']}")


def say(text: str) -> None:
    """How far it is; the table comes at the end."""
    print(text, file=sys.stderr, flush=True)


def summary(found: list[dict[str, float] | None]) -> dict[str, Any]:
    """Quantiles in milliseconds; the first one warms up and is left out."""
    kept = [f for f in found[1:] if f is not None]
    return {kind: quantiles([f[kind] for f in kept]) for kind in ("wall", "cpu")}


def main() -> int:
    times, seconds, folder = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    app.MainWindow = LabWindow  # type: ignore[misc]
    Runner._tick = timed(Runner._tick)  # type: ignore[method-assign]
    Watcher._next_turn = timed(Watcher._next_turn)  # type: ignore[method-assign]
    drivers: list[Driver] = []
    show = app.show

    def shown(window: LabWindow, state: Any) -> None:
        show(window, state)
        drivers.append(Driver(window, times, seconds, folder))

    app.show = shown
    status = app.main(str(resources.path("samples", "digits_cnn.matrizen")))
    print(json.dumps(drivers[0].out), flush=True)
    return status
