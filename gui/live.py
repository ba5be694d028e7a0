"""Live numbers for one window: what it watches, and who gets what arrives."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt

from engine.session.protocol import Configured, Frame, Status
from engine.session.views import Batch, BatchData, BoundaryData, Curves, CurvesData, NodeStats, ViewData
from gui import text_heads
from gui.feed import health_of, rows_of
from gui.i18n import format_number, tr, tr_message, trn
from gui.loss_words import whole_loss
from gui.opening import Opening
from gui.panels import targets
from gui.panels.docks import ValueDock
from gui.panels.sample_chooser import SampleChooser
from gui.panels.time_line import Flag
from gui.stepping import Stepping
from gui.watching import Client, Wish
from gui.wave_words import wave_shapes

EXAMPLES = 64
"""Examples of the batch that can be chosen."""

if TYPE_CHECKING:
    from gui.main_window import MainWindow

DIGITS_SECONDS = 0.125
"""Digits that change faster cannot be read."""


class Live(QObject):
    """Connects the workbench's stream to the panels of a window, and the selection to the docks."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        bench = window.bench
        self._curves: CurvesData | None = None
        self._frames: deque[float] = deque(maxlen=90)
        self._sample = 0
        self._measured_at, self._measured_uid = 0.0, ""
        self._stats: dict[str, NodeStats] = {}
        self._opening, self._stepping = Opening(window), Stepping(window)
        self.open_cell, self.opened_cell = self._opening.open, self._opening.opened
        self._counted = -1e9
        self._rates: tuple[tuple[int, float], ...] = ()
        """Changes of the learning rate in the engine's record of the run."""
        self._first_rate: float | None = None
        self._batch: BatchData | None = None
        self._line = 1
        self.quiet = False
        """Settings are taken over from the run: they are no change of it."""
        self._marks: list[Flag] = []
        """Changes of other settings than the rate."""
        """The rate before the first of them, where it was seen."""
        clients: tuple[Client, ...] = (window.feed, *window.docks.values(), window.boundary, self)
        for client in clients:
            bench.watcher.add(client)
        for dock in window.docks.values():
            dock.wishes_changed.connect(self.sync)
            dock.wishes_changed.connect(lambda dock=dock: self._name_heads(dock))
            dock.opened.connect(self._opening.open)
            for other in window.docks.values():
                dock.rows_wanted.connect(other.set_rows)
            dock.numbers.hovered.connect(lambda place, dock=dock: self._hover(dock.name, place))
            dock.numbers.map_selected.connect(lambda index, dock=dock: self._select_map(dock.name, index))
            dock.pinned.connect(lambda _pinned: self.show_selection())
        window.boundary.wishes_changed.connect(self.sync)
        window.feed.measured.connect(self._all_measured)
        window.canvas.sharpened.connect(self.sync)
        activations = window.docks["activations"]
        self._chooser = SampleChooser()
        self._chooser.chosen.connect(self.choose_sample)
        activations.add_header(self._chooser)
        window.card.closed.connect(self._opening.forget)
        bench.status_changed.connect(self._show_status)
        bench.framed.connect(self._show_frame)
        bench.restarted.connect(self._restart)
        bench.rate_changed.connect(self._flag)
        bench.hot_changed.connect(self._mark)
        bench.document.changed.connect(self._show_facts)
        bench.faulted.connect(lambda _fault: self._show_facts())
        self._show_facts()
        self._show_status(bench.status)

    def close(self) -> None:
        """The panels are about to go: stop watching and listening."""
        bench = self._window.bench
        bench.watcher.clear()
        bench.status_changed.disconnect(self._show_status)
        bench.framed.disconnect(self._show_frame)
        bench.restarted.disconnect(self._restart)
        bench.rate_changed.disconnect(self._flag)
        bench.hot_changed.disconnect(self._mark)
        bench.document.changed.disconnect(self._show_facts)
        self.setParent(None)
        self.deleteLater()

    def memory(self) -> Mapping[str, Any]:
        """What a rebuilt window goes on with."""
        flags = self._window.time_line.flags()
        return {
            "curves": self._curves, "flags": flags, "rates": self._rates, "first": self._first_rate,
            "marks": self._marks,
        }  # fmt: skip

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Go on with what the window before knew."""
        self._window.time_line.set_flags(memory["flags"])
        self._rates, self._first_rate = memory["rates"], memory["first"]
        self._marks = memory["marks"]
        if memory["curves"] is not None:
            self._show_curves(memory["curves"])
        self._show_status(self._window.bench.status)

    # ---- watching --------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Tell the engine what is on the screen."""
        watcher = self._window.bench.watcher
        minimized = bool(self._window.windowState() & Qt.WindowState.WindowMinimized)
        watcher.asleep = minimized
        watcher.sync()

    def wants(self) -> Mapping[str, Wish]:
        """The curves, for time line and loss dock; the batch, to choose an example from."""
        if self._window.bench.configured is None:
            return {}
        wishes = {"curves": Wish(Curves(), rate=3.0, turn=2)}
        if self._window.docks["activations"].isVisible():
            wishes["batch"] = Wish(Batch(EXAMPLES), rate=4.0)
        return wishes

    def take(self, key: str, data: ViewData, step: int) -> None:
        """See `gui.watching.Client`."""
        if isinstance(data, CurvesData):
            self._show_curves(data)
        elif isinstance(data, BatchData):
            self._show_batch(data)

    # ---- what arrives ----------------------------------------------------------------------------------

    def show_program(self, configured: Configured | None) -> None:
        """Another program runs, or none."""
        self._batch = None
        self._opening.close()
        self.show_selection()
        self._show_facts()
        self._show_status(self._window.bench.status)
        watcher = self._window.bench.watcher
        self.sync()
        if configured is not None:
            watcher.repeat()

    def show_selection(self) -> None:
        """Give the docks the layer to show."""
        window, bench = self._window, self._window.bench
        configured, graph = bench.configured, bench.document.graph
        uid = next((u for u in reversed(window.selection()) if graph.has(u)), None)
        if uid is None and configured is not None:
            uid = targets.first_weighted(configured.program, graph)
        for dock in window.docks.values():
            dock.set_layer(configured, graph, uid)
        if uid in self._stats:
            self._measured(uid, self._stats[uid])
        self.sync()

    def _show_curves(self, data: CurvesData) -> None:
        self._curves = data
        self._window.time_line.set_losses(np.asarray(data.steps, float), np.asarray(data.mean, float))
        self._window.loss_dock.show_curves(data)
        rates = tuple((step, float(value)) for step, name, value in data.changes if name == "lr")
        if rates != self._rates:
            self._rates = rates
            flags = [*rate_flags(rates, self._first_rate), *self._marks]
            self._window.time_line.set_flags(sorted(flags, key=lambda flag: flag.step))

    def _show_frame(self, frame: Frame) -> None:
        self._frames.append(time.monotonic())
        boundary = frame.views.get("boundary")
        if isinstance(boundary, BoundaryData):
            self._window.feed.show_boundary(boundary)
        self._stepping.show(frame)
        # an opened cell follows the numbers while the run rests on a step
        self._opening.follow()

    def _show_status(self, status: Status) -> None:
        window = self._window
        bar, bench = window.status_bar, window.bench
        self._follow_line(status)
        window.inspector.locks.set_counts(status.locked)
        window.time_line.set_now(status.step, status.epoch, status.steps_per_epoch, status.end)
        window.loss_dock.set_steps_per_epoch(status.steps_per_epoch)
        window.loss_dock.set_now(status.step if status.step < status.end else None)
        moving = status.running == "playing"
        if not moving or time.monotonic() - self._counted >= DIGITS_SECONDS:
            self._counted = time.monotonic()
            self._count(status, moving)
        reason = tr_message(status.reason)
        if bench.preparing:
            text = tr("Preparing {device} …").format(device=bench.preparing)
            bar.set_device(text, tr("the first time takes longer"))
            window.training_bar.set_device(tr("Preparing …"), text)
        else:
            bar.set_device(long_device(status), reason)
            window.training_bar.set_device(short_device(status), reason)
        window.actions_.set_play(status.running == "playing")
        window.actions_.set_conditions(
            {
                "running": moving,
                "paused": not moving,
                "built": bench.configured is not None,
                "ready": bench.ready,
                "past": status.step > 0 and bench.configured is not None,
                "rewound": status.step < status.end,
                "best": status.best is not None and status.best != status.step,
            }
        )
        if status.op is None and not moving:
            bar.set_hint("")
        if status.op is None:
            self._stepping.leave()
        if status.sample is not None and status.sample != self._sample:
            self.choose_sample(status.sample)

    def _follow_line(self, status: Status) -> None:
        """Another line of the run has other changes; those before the fork are the same."""
        if status.line != self._line:
            self._line = status.line
            self._marks = [mark for mark in self._marks if mark.step <= status.end]
            self._rates = ((-1, 0.0),)  # of no run: the flags come with the next curves

    def _count(self, status: Status, moving: bool) -> None:
        """The numbers of the status bar: each new text lays the bar out again."""
        bar, runs = self._window.status_bar, self._window.bench.configured is not None
        bar.set_steps(status.steps_per_second if moving else None)
        bar.set_frames(self._rate() if moving else None)
        bar.set_memory(status.memory_bytes if status.memory_bytes and runs else None)
        bar.set_loss(status.loss if runs else None)
        bar.set_figures(status.figures if runs else {})
        self._window.training_bar.set_rate(status.figures.get("rate") if runs else None)
        bar.set_test(status.test_accuracy if runs else None, status.test_loss if runs else None)

    def _rate(self) -> float:
        now = time.monotonic()
        recent = [t for t in self._frames if now - t < 1.0]
        return float(len(recent))

    def _show_facts(self, *_: object) -> None:
        window, bench = self._window, self._window.bench
        inference = bench.document.inference
        problems = inference.problems
        warnings = sum(problem.warning for problem in problems)
        window.status_bar.set_problems(len(problems) - warnings, warnings)
        window.status_bar.set_counts(len(bench.document.graph.nodes), inference.parameter_count)
        window.loss_dock.set_loss_name(whole_loss(bench.document.graph, bench.document.training))
        window.training_bar.set_obstacle(bench.obstacle())
        window.actions_.set_conditions({"ready": bench.ready, "nodes": bool(bench.document.graph.nodes)})

    def _all_measured(self, stats: Mapping[str, NodeStats]) -> None:
        self._stats.update(stats)
        for uid in self._window.inspector.uids:
            if uid in stats:
                self._measured(uid, stats[uid])

    def _measured(self, uid: str, stats: NodeStats) -> None:
        window = self._window
        if window.inspector.uids != (uid,) or not window.bench.document.graph.has(uid):
            return
        now = time.monotonic()
        # digits that change more often than ten times a second cannot be read
        if now - self._measured_at < 0.1 and self._measured_uid == uid:
            return
        self._measured_at, self._measured_uid = now, uid
        kind = window.bench.document.node(uid).layer.kind
        text, ok = health_of(stats, kind)
        window.inspector.set_facts(uid, rows_of(stats), text, ok)

    def choose_sample(self, sample: int) -> None:
        """Which example of the batch docks and thumbnails show, from 0."""
        self._sample = sample
        self._window.feed.sample = sample
        for dock in self._window.docks.values():
            dock.set_sample(sample)
        if self._batch is not None:
            self._show_batch(self._batch)
        self.sync()

    def _show_batch(self, data: BatchData) -> None:
        self._batch = data
        configured = self._window.bench.configured
        if configured is None or not len(data.inputs):
            return
        names = configured.data.class_names
        at = min(self._sample, len(data.inputs) - 1)
        target = data.targets[at]
        text = names[int(target)] if names and np.ndim(target) == 0 and int(target) < len(names) else ""
        words = text_heads.words_of(configured, data, at)
        text = text_heads.sentence(words, text) if words else text
        for dock in self._window.docks.values():
            self._name_heads(dock)
        picture = data.inputs[at] if data.inputs.ndim == 4 else None
        if configured.data.kind == "sounds":
            picture = wave_shapes(data.inputs[at : at + 1], 32, 32)
        self._chooser.show_sample(at, len(data.inputs), text, picture)

    def _name_heads(self, dock: ValueDock) -> None:
        bench = self._window.bench
        words = text_heads.words_of(bench.configured, self._batch, self._sample)
        text_heads.name_heads(dock, bench.configured, bench.document.graph, words)

    def _flag(self, old: float, new: float) -> None:
        """At once, and about where it acts: the record of the run follows with the step."""
        if self.quiet:
            return
        if not self._rates and self._first_rate is None:
            self._first_rate = old
        step = self._window.bench.status.step
        if step:
            self._window.time_line.add_flag(step, rate_words(old, new))

    def _mark(self, text: str) -> None:
        """Another setting was changed: the record of the run knows only rates."""
        step = self._window.bench.status.step
        if step and not self.quiet:
            self._marks.append(Flag(step, text))
            self._window.time_line.add_flag(step, text)

    def _restart(self) -> None:
        self._curves, self._rates, self._first_rate = None, (), None
        self._marks = []
        self._window.time_line.clear()
        self._window.loss_dock.clear()
        self._window.canvas.canvas.forget_pictures()
        self._stats.clear()
        self._window.inspector.clear_facts()
        self._opening.close()
        for dock in self._window.docks.values():
            dock.numbers.reset()

    # ---- the same place everywhere -----------------------------------------------------------------------

    def _hover(self, name: str, place: tuple[int, ...] | None) -> None:
        docks = self._window.docks
        source = docks[name].target
        for other, dock in docks.items():
            if other == name or dock.target is None or source is None:
                continue
            dock.numbers.hover(translate(place, source, dock.target, self._sample))

    def _select_map(self, name: str, index: int) -> None:
        for other, dock in self._window.docks.items():
            if other != name:
                dock.numbers.select_map(index)


def rate_words(old: float | None, new: float) -> str:
    """A changed learning rate in a few words; of an opened run the first one is not known."""
    if old is None:
        return tr("rate {new}").format(new=format_number(new))
    return tr("rate {old} → {new}").format(old=format_number(old), new=format_number(new))


def rate_flags(rates: tuple[tuple[int, float], ...], first: float | None) -> list[Flag]:
    """Flags for the changes after the first step; of several at one step, one."""
    flags: dict[int, Flag] = {}
    old = first
    for step, new in rates:
        if step and old != new:
            flags[step] = Flag(step, rate_words(old, new))
        old = new
    return list(flags.values())


def short_device(status: Status) -> str:
    """A device's name for the training bar, not longer than 24."""
    if status.device == "numpy":
        return "NumPy · CPU"
    name, number, which = status.device_name.replace("(R)", "").replace("(TM)", "").partition(" #")
    text, mark = name.split("(")[0].strip() or status.device, number + which
    room = 24 - len(mark)
    return (text if len(text) <= room else text[: room - 1].rstrip() + "…") + mark


def long_device(status: Status) -> str:
    """A device's name for the status bar: "NumPy on 2 cores"."""
    if status.device == "numpy":
        cores = os.cpu_count() or 1
        return trn("NumPy on {n} core", "NumPy on {n} cores", cores).format(n=cores)
    return status.device_name or status.device


def translate(
    place: tuple[int, ...] | None, source: targets.Target, goal: targets.Target, sample: int
) -> tuple[int, ...] | None:
    """The same place in another dock: the same cell, map or neuron; None where there is none."""
    if place is None:
        return None
    if source.look == "maps" and goal.look == "maps":
        return place if source.shape == goal.shape else (place[0], 0, 0)
    if source.look != "matrix" or goal.look != "matrix":
        return None
    if source.shape == goal.shape:
        return place
    if goal.batched and source.shape[:1] == goal.shape[:1]:
        return (place[0], sample)
    return None
