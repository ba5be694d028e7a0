"""The window under load, driven from inside its own process: the real program, with three clocks in it.

`bench_window` calls `main` and reads the JSON object that it prints. What is counted:

frame      everything the window's thread does for one picture: the ticks of the runner and the turns
           in which data are handed out (unpacking, sorting, coloring), the input events injected, and the
           whole handling of Qt's UpdateRequest (all paint events of the window, and the flush to the screen).
           `wall` adds the wall times of those parts; the 5 ms Qt waits to gather updates are no work and
           not in it. `cpu` is the CPU time of the thread from the end of one picture to the end of the next:
           it holds everything else the thread did, and no time in which other programs had the core.
stretch    the longest of those parts alone: how long the window cannot answer the hand.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

import gui.app as app
from engine.session.views import Curves, CurvesData
from gui import resources
from gui.live import Live
from gui.main_window import MainWindow
from gui.runner import Runner
from gui.thrift import Thrift
from gui.watching import Watcher
from tests.benchmarks import window_load as load

CURVE_POINTS = Curves().points
DATA_HZ = 15.0
SAMPLES = ("spiral", "fashion_mlp", "fashion_cnn", "digits_cnn", "one_layer", "circle")


class Clock:
    """Adds up the parts of the present frame; `frames` holds (phase, wall, cpu) in seconds."""

    def __init__(self) -> None:
        self.phase = ""
        self.frames: list[tuple[str, float, float]] = []
        self.data = 0
        self.stretches: list[tuple[str, float]] = []
        self._parts = 0.0
        self._cpu = time.thread_time()

    def part(self, seconds: float) -> None:
        self._parts += seconds
        self.stretches.append((self.phase, seconds))

    def end(self) -> None:
        now = time.thread_time()
        self.frames.append((self.phase, self._parts, now - self._cpu))
        self._parts, self._cpu = 0.0, now


CLOCK = Clock()
PULLED = Thrift.pulled


class TimedWindow(MainWindow):
    """The window, with a clock around the event in which Qt paints all of it."""

    def event(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.UpdateRequest:
            return super().event(event)
        start = time.perf_counter()
        done = super().event(event)
        CLOCK.part(time.perf_counter() - start)
        CLOCK.end()
        return done


def timed(method: Callable[[Any], None]) -> Callable[[Any], None]:
    """A method that Qt's timers call, its time counted to the frame."""

    def run(self: Any) -> None:
        start = time.perf_counter()
        method(self)
        CLOCK.part(time.perf_counter() - start)

    return run


def long_curves(show: Callable[[Live, CurvesData], None]) -> Callable[[Live, CurvesData], None]:
    """The curves of a long run: as many points as the engine sends at most."""
    rng = np.random.default_rng(1)
    noise = (np.exp(-np.arange(CURVE_POINTS) / 3e4) + 0.2 * rng.random(CURVE_POINTS)).astype(np.float64)

    def shown(self: Live, data: CurvesData) -> None:
        last = float(data.steps[-1]) if len(data.steps) else 1.0
        steps = np.linspace(0.0, max(1.0, last), CURVE_POINTS)
        show(self, CurvesData(steps, noise * 0.9, noise, noise * 1.1, data.test_steps, data.test_loss,
                              data.test_accuracy, data.changes))  # fmt: skip

    return shown


class Hands:
    """Pans, zooms and hovers at 60 events a second through Qt's own events."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self._moves = self._script()
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self._next)

    def _next(self) -> None:
        start = time.perf_counter()
        next(self._moves)()
        CLOCK.part(time.perf_counter() - start)

    def _script(self) -> Iterator[Callable[[], None]]:
        canvas = self.window.canvas.viewport()
        middle = canvas.rect().center()
        button, none = Qt.MouseButton.MiddleButton, Qt.MouseButton.NoButton
        while True:
            yield lambda: mouse(canvas, QEvent.Type.MouseButtonPress, middle, button)
            for i in range(60):
                at = middle + QPoint(round(180 * math.sin(i / 9.5)), round(90 * math.sin(i / 4.8)))
                yield lambda at=at: mouse(canvas, QEvent.Type.MouseMove, at, button)
            yield lambda: mouse(canvas, QEvent.Type.MouseButtonRelease, middle, button)
            for i in range(60):
                yield lambda i=i: wheel(canvas, middle, 120 if i % 30 < 15 else -120)
            yield self.window.canvas.fit
            for i in range(60):
                at = QPoint(canvas.width() * (i % 20) // 20, canvas.height() * (i // 20 + 1) // 4)
                yield lambda at=at: mouse(canvas, QEvent.Type.MouseMove, at, none)
            for name, i in itertools.product(("weights", "activations"), range(30)):
                numbers = self.window.docks[name].numbers
                view = numbers.matrix if numbers.look == "matrix" else numbers.mosaic
                at = QPoint(view.width() * (i + 1) // 32, view.height() * (i + 1) // 32)
                yield lambda view=view, at=at: mouse(view, QEvent.Type.MouseMove, at, none)


def mouse(widget: QWidget, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton) -> None:
    point, everywhere = QPointF(at), QPointF(widget.mapToGlobal(at))
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    cause = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
    no_keys = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QMouseEvent(kind, point, everywhere, cause, pressed, no_keys))


def wheel(
    widget: QWidget, at: QPoint, angle: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    event = QWheelEvent(
        QPointF(at), QPointF(widget.mapToGlobal(at)), QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton,
        keys, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


class Driver(QObject):
    """Walks through the phases, each a generator that yields milliseconds to wait."""

    def __init__(self, seconds: float, pairs: int) -> None:
        super().__init__()
        self.seconds, self.pairs = seconds, pairs
        self.out: dict[str, Any] = {}
        self._window: MainWindow | None = None
        self._phases = self._run()
        QTimer.singleShot(50, self, self._step)

    def _step(self) -> None:
        try:
            wait = next(self._phases, None)
        except Exception as error:
            QApplication.exit(1)
            self.out["error"] = repr(error)
            raise
        if wait is None:
            QApplication.quit()
        else:
            QTimer.singleShot(wait, self, self._step)

    @property
    def window(self) -> MainWindow:
        if self._window is None:
            self._window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
        return self._window

    def _run(self) -> Iterator[int]:
        window, bench = self.window, self.window.bench
        while bench.configured is None:
            yield 20
        window.show_samples(False)
        yield 500
        graph = bench.document.graph
        canvas = window.canvas.canvas
        for dock, name in (("weights", load.WIDE), ("activations", load.MAPS), ("gradients", load.MAPS)):
            canvas.select([graph.by_name(name).uid])
            yield 200
            window.docks[dock].set_pinned(True)
        canvas.select([])
        window.actions_["play"].trigger()
        bench.runner.frame.connect(self._count)
        yield 2000
        self.out["load"] = self._facts()
        self._check(self.out["load"])
        yield from self._measure("watching", lambda: None, lambda: None)
        yield from self._measure("steady", self._steady, self._own_pace)
        hands = Hands(window)
        yield from self._measure("hands", lambda: hands.timer.start(16), hands.timer.stop)
        window.canvas.fit()
        self.out["training"] = []
        for _ in range(self.pairs):
            pair = {}
            for name, asleep in (("unwatched", True), ("watched", False)):
                bench.watcher.asleep = asleep
                bench.watcher.sync()
                yield 250
                before = self._engine()
                yield 1250
                pair[name] = self._engine(before)
            self.out["training"].append(pair)
        if bench.running:
            bench.toggle_play()
        yield from self._samples()

    def _steady(self) -> None:
        """New numbers fifteen times a second, from a training that has time to spare."""
        Thrift.pulled = lambda self, cpu: setattr(self, "interval", 0.95 / DATA_HZ)  # type: ignore[method-assign]
        self.window.bench.runner.set_pace(2 * DATA_HZ)

    def _own_pace(self) -> None:
        Thrift.pulled = PULLED  # type: ignore[method-assign]
        self.window.bench.runner.set_pace(None)

    def _count(self, _frame: object) -> None:
        CLOCK.data += 1

    def _facts(self) -> dict[str, Any]:
        docks = self.window.docks
        return {
            "nodes": len(self.window.bench.document.graph.nodes),
            "thumbnails": sum(
                self.window.canvas.canvas.atlas.data(n) is not None for n in self.window.canvas.canvas.nodes
            ),
            "matrix": docks["weights"].numbers.matrix.shape(),
            "mosaic": docks["activations"].numbers.mosaic.maps().shape,
            "zoom": self.window.canvas.zoom,
            "window": (self.window.width(), self.window.height()),
            "visible": {name: dock.isVisible() for name, dock in docks.items()},
        }

    def _check(self, facts: Mapping[str, Any]) -> None:
        """The load is what it says, or there is nothing to measure."""
        right = facts["nodes"] == facts["thumbnails"] == load.NODES and facts["matrix"] == (512, 784)
        right = right and facts["mosaic"][0] == 64 and facts["zoom"] >= 0.4
        if not (right and all(facts["visible"].values())):
            raise RuntimeError(f"the load is not on the screen: {facts}")

    def _measure(self, name: str, start: Callable[[], object], stop: Callable[[], object]) -> Iterator[int]:
        CLOCK.phase, CLOCK.data = name, 0
        start()
        wall, cpu = time.perf_counter(), time.process_time()
        yield round(self.seconds * 1000)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        stop()
        phase, CLOCK.phase = CLOCK.phase, ""
        own = [f for f in CLOCK.frames if f[0] == phase]
        self.out[name] = {
            "frames": len(own),
            "wall_ms": quantiles([f[1] for f in own]),
            "cpu_ms": quantiles([f[2] for f in own]),
            "stretch_ms": quantiles([s for p, s in CLOCK.stretches if p == phase and s > 1e-3]),
            "data_hz": CLOCK.data / wall,
            "cores": cpu / wall,
        }

    def _engine(self, before: Mapping[str, float] | None = None) -> dict[str, float]:
        """Steps, wall and CPU seconds of the engine's process, or their differences and rates."""
        bench = self.window.bench
        times = psutil.Process(bench.runner.pid).cpu_times()
        step, wall = bench.runner.last_status.step, time.perf_counter()
        now = {"step": step, "wall": wall, "cpu": times.user + times.system}
        if before is None:
            return now
        steps = now["step"] - before["step"]
        wall, cpu = now["wall"] - before["wall"], now["cpu"] - before["cpu"]
        return {"steps_per_s": steps / wall, "steps_per_cpu_s": steps / max(cpu, 1e-9), "cores": cpu / wall}

    def _samples(self) -> Iterator[int]:
        """Resident memory with each sample open and training."""
        memory: dict[str, float] = {"load": resident()}
        bench = self.window.bench
        for name in SAMPLES:
            bench.open(resources.path("samples", f"{name}.matrizen"))
            yield 700
            bench.toggle_play()
            yield 1000
            memory[name] = resident()
            if bench.running:
                bench.toggle_play()
            yield 100
        self.out["resident_mb"] = memory


def resident() -> float:
    return psutil.Process().memory_info().rss / 1e6


def quantiles(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    p50, p95, p99 = (float(np.percentile(seconds, q)) * 1000 for q in (50, 95, 99))
    return {"p50": p50, "p95": p95, "p99": p99, "max": max(seconds) * 1000}


def main() -> int:
    path, seconds, pairs = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    Live._show_curves = long_curves(Live._show_curves)  # type: ignore[method-assign]
    return drive(path, lambda: Driver(seconds, pairs))


def drive(path: str, make: Callable[[], Driver]) -> int:
    """The program with the clocks in it and a driver in its window; prints what the driver found."""
    app.MainWindow = TimedWindow  # type: ignore[misc]
    Runner._tick = timed(Runner._tick)  # type: ignore[method-assign]
    Watcher._next_turn = timed(Watcher._next_turn)  # type: ignore[method-assign]
    drivers: list[Driver] = []
    show = app.show

    def shown(window: MainWindow, state: Any) -> None:
        show(window, state)
        drivers.append(make())

    app.show = shown
    status = app.main(path)
    print(json.dumps(drivers[0].out), flush=True)
    return status
