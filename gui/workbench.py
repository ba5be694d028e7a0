"""What the window works on: one document, one runner, one set of files; and how they act on each other.

It knows no widgets. Panels listen to its signals; the actions call its methods.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import MatrizenError, Message
from engine.project_lock import ProjectLock, Stamp, check_unchanged
from engine.session.protocol import AUTO_PACE, Configured, Fault, Frame, RunState, Status
from engine.settings import TrainingSpec
from engine.training import Checkpoint
from gui import i18n, project_files
from gui.canvas.state import hot_changes
from gui.document import Document, DocumentState, difference
from gui.engine_loading import EngineLoading
from gui.exchange import Exchange
from gui.faults import offer
from gui.i18n import tr, tr_message
from gui.loading import Tasks
from gui.project_files import Opened
from gui.runner import Runner
from gui.watching import Watcher
from gui.windows_state import WindowsState

_log = logging.getLogger("matrizen")
SLOW_PACE = 4.0
REBUILD_MS = 30
"""Edits that follow each other at once (a paste, a repair) are one rebuild."""


class Workbench(QObject):
    """Holds document, runner and file; every change of one that touches another goes through here."""

    told = Signal(str, str, str, object)
    """(text, level, action, handler): a toast."""
    title_changed = Signal()
    programmed = Signal(object)
    """The Configured program, or None while nothing can run."""
    status_changed = Signal(object)
    framed = Signal(object)
    restarted = Signal()
    """The run is another one: curves and pictures of the old one are no longer true."""
    hot_changed = Signal(str)
    """Another setting than the rate changed in mid-run, in a few words."""
    rate_changed = Signal(float, float)
    """The learning rate changed while training: old, new."""
    faulted = Signal(object)
    pace_proposed = Signal(str)
    """The pace that suits the data: "visible" for points, else "full"."""

    def __init__(self, state: WindowsState, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.document, self.runner = Document(), runner
        self.tasks = Tasks(self)
        self.watcher = Watcher(runner)
        self.path: Path | None = None
        self._stamp: Stamp | None = None
        self._lock: ProjectLock | None = None
        self.name = ""
        self.configured: Configured | None = None
        self.status = Status()
        self._saved_step = 0
        self._fresh = False
        self._resume: Any = None
        """How this run begins, until the engine has begun it."""
        self._file_run: Checkpoint | None = None
        """The run as it was opened, until the engine goes on with it or begins another."""
        self._empty_handed = False
        """The engine was refused this run, or its loading was canceled: it holds another one."""
        self._then: Callable[[], None] | None = None
        self._renews = False
        """What is to be done once it has begun."""
        self._loading = False
        self._pace: float | None = AUTO_PACE
        self._told_fault = ""
        self._awaited: tuple[str, str] | None = None
        self._configure_timer = QTimer(self)
        self._configure_timer.setSingleShot(True)
        self._configure_timer.setInterval(REBUILD_MS)
        self._configure_timer.timeout.connect(self._configure)
        self.document.changed.connect(self._document_changed)
        self.document.undo_stack.cleanChanged.connect(lambda _clean: self.title_changed.emit())
        runner.configured.connect(self._on_configured)
        runner.status.connect(self._on_status)
        runner.frame.connect(self._on_frame)
        runner.fault.connect(self._on_fault)
        runner.restarted.connect(self._on_engine_restarted)
        self.exchange = Exchange(self.document, runner, self.tasks, self._folder, self)
        self.exchange.told.connect(self.told)
        self._engine_loading = EngineLoading(runner, self.tasks, self)
        self._engine_loading.lasting.connect(self._begin_empty)

    # ---- what it is about ------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The name shown: the file's, or "untitled"."""
        return self.name or tr("untitled")

    def _folder(self) -> Path | None:
        """Where relative paths of the data begin."""
        return self.path.parent if self.path is not None else None

    @property
    def modified(self) -> bool:
        """Whether document or run differ from the file."""
        return self.document.modified or self.status.end != self._saved_step

    @property
    def ready(self) -> bool:
        """Whether there is a network that can run."""
        d = self.document
        return d.source is not None and d.data is not None and d.inference.ready

    def obstacle(self) -> str:
        """Why nothing can run yet, and what to do; "" when something can."""
        problem = next((p for p in self.document.inference.problems if not p.warning), None)
        if problem is not None:
            name = self.document.node(problem.node).name if self.document.graph.has(problem.node) else ""
            return f"{name}: {tr_message(problem.message)}" if name else tr_message(problem.message)
        if self.ready:
            return ""
        return tr("There are no data to train with: drop pictures on the window, or open a sample.")

    @property
    def running(self) -> bool:
        """Whether training goes on by itself."""
        return self.status.running in ("playing", "stepping") and self.status.op is None

    # ---- document to engine ----------------------------------------------------------------------------

    def _document_changed(self, old: DocumentState, new: DocumentState) -> None:
        self.title_changed.emit()
        if self._loading:
            return
        kind = difference(old, new)
        if kind == "hot" and self.configured is not None:
            self.runner.set_training(new.training, hot_changes(old.graph, new.graph))
        if self.configured is not None and old.training != new.training:
            self._tell_change(old.training, new.training)
        if kind == "structural":
            if old.training.seed != new.training.seed and self.status.step and not self._renews:
                self.told.emit(tr("The seed acts at the next reset."), "info", tr("Reset"), self.runner.reset)
            self._configure_timer.start()

    def _tell_change(self, old: TrainingSpec, new: TrainingSpec) -> None:
        """What the time line marks: the setting and what it was and is."""
        if old.learning_rate != new.learning_rate:
            self.rate_changed.emit(old.learning_rate, new.learning_rate)
        if old.batch != new.batch:
            self.hot_changed.emit(tr("batch size {old} → {new}").format(old=old.batch, new=new.batch))
        for name in ("optimizer", "loss"):
            if getattr(old, name) != getattr(new, name):
                choices = dict(TrainingSpec.settings()[name][0].choices)
                self.hot_changed.emit(tr(choices[getattr(new, name)]))

    def _configure(self) -> None:
        state = self.document.state
        if not self.ready or state.source is None:
            # the engine keeps the last program that could run; nothing is lost while drawing
            if self.configured is not None:
                self.runner.pause()
            self.configured = None
            self.programmed.emit(None)
            return
        folder = self._folder()
        base = str(folder) if folder is not None else ""
        fresh, resume = self._fresh, self._resume
        self._empty_handed = False
        self.runner.configure(
            state.graph, state.training, state.source, base=base, fresh=fresh, resume=resume
        )

    # ---- engine to window ------------------------------------------------------------------------------

    def _on_configured(self, configured: Configured) -> None:
        if self.configured is None or self.configured.data.kind != configured.data.kind:
            self.pace_proposed.emit("visible" if configured.data.kind == "points" else "full")
        self.configured = configured
        self._fresh, self._resume, self._file_run = False, None, None
        self._told_fault = ""
        self.programmed.emit(configured)
        then, self._then = self._then, None
        if then is not None:
            then()

    def _stand_empty(self) -> None:
        """The engine keeps the program before, which is not what is drawn: nothing runs until it is told."""
        self._empty_handed, self.configured, self._then = True, None, None
        self.runner.pause()
        self.programmed.emit(None)

    def _begin_empty(self) -> None:
        """What is on the screen is of another run, and will be for a while."""
        if self._pending and self.configured is not None:
            self.configured = None
            self.programmed.emit(None)

    @property
    def _pending(self) -> bool:
        """Whether the engine has not begun this run yet: what it holds belongs to another."""
        return self._fresh or self._resume is not None

    def _when_begun(self, act: Callable[[], None]) -> None:
        """Do it with this network: now, or after the engine was given it once more."""
        if self._empty_handed:
            self._then = act
            self._configure()
        else:
            act()

    def _on_status(self, status: Status) -> None:
        if self._pending:
            return  # of the run before: going from its step to that of an opened file is no going back
        before, self.status = self.status, status
        if self._awaited is not None and self._awaited[0] == status.device:
            self._awaited = None
        # looking back and going on with another line of the run are not another run
        same = before.run == status.run and before.line != status.line
        if before.step > status.end and not same:
            self.watcher.drop()
            self.restarted.emit()
        if (before.end != self._saved_step) != (status.end != self._saved_step):
            self.title_changed.emit()
        self.status_changed.emit(status)

    def _on_frame(self, frame: Frame) -> None:
        self.framed.emit(frame)
        self.watcher.deliver(frame.views, frame.step)

    def _on_fault(self, fault: Fault) -> None:
        if fault.kind == "canceled":
            self._stand_empty()
            text = tr("Loading canceled: there is no data to train with. Play loads it again.")
            self.told.emit(text, "info", tr("Load"), lambda: self._when_begun(lambda: None))
            return
        if fault.kind == "configure" and self._pending:
            # what could not be resumed is not tried again: the next program begins anew
            self._fresh, self._resume = True, None
            self._stand_empty()
        if fault.kind in ("device", "engine"):
            self._awaited = None
        text = tr_message(fault.message)
        _log.warning("engine: %s", fault.message)
        self.faulted.emit(fault)
        if text != self._told_fault:
            self._told_fault = text
            if fault.kind == "engine" and "checkpoint" in fault.message.template:
                return  # the restart says it with the step
            self.told.emit(text, *offer(fault, self.document, self.runner))

    def _on_engine_restarted(self, state: RunState | None) -> None:
        """A new engine knows nothing of what is on the screen."""
        self.watcher.repeat()
        if state is not None and not self._pending:
            # the same run, a moment ago: its curve and its flags stay
            newest = state.checkpoint.step
            self.status = replace(self.status, step=min(self.status.step, newest), end=newest)
            step = i18n.integer(state.checkpoint.step)
            text = tr("The engine stopped. Training continues from step {n}.").format(n=step)
            self.told.emit(text, "warning", "", None)
        elif self.configured is not None or self.ready:
            self.told.emit(tr("The engine stopped and was started again."), "warning", "", None)
            if state is None and not self._empty_handed:
                self._configure()

    # ---- training --------------------------------------------------------------------------------------

    def toggle_play(self) -> None:
        """Play, or pause."""
        if self.status.running == "playing":
            self.runner.pause()
        elif self.ready:
            self._told_fault = ""
            self._when_begun(self.runner.play)
        else:
            self.told.emit(self.obstacle(), "warning", "", None)

    def step(self, kind: str) -> None:
        """One op, phase, sample, batch or epoch."""
        self._when_begun(lambda: self.runner.step(kind))

    def reset(self) -> None:
        """Back to the same start."""
        self.runner.reset()

    def new_start(self) -> None:
        """Another start: the next seed, and its numbers from step 0."""
        self._renews = True
        self.document.set_training(seed=(self.document.training.seed + 1) % 2**63)
        self._renews = False
        self._configure()
        self.runner.reset()

    def set_pace(self, name: str) -> None:
        """ "slow", "visible" or "full"."""
        per_epoch = self.status.steps_per_epoch or 1
        pace: dict[str, float | None] = {"slow": SLOW_PACE, "visible": 60.0 * per_epoch, "full": None}
        self._pace = pace[name]
        self.runner.set_pace(pace[name])

    def set_auto_pace(self) -> None:
        """Let the data decide."""
        self._pace = AUTO_PACE
        self.runner.set_pace(AUTO_PACE)

    def set_device(self, device: str, name: str) -> None:
        """Go on on another device and remember it. Until it answers, `preparing` names it."""
        self.state.device = device
        self._awaited = (device, name)
        self.runner.set_device(device)
        self.status_changed.emit(self.status)

    @property
    def preparing(self) -> str:
        """The device whose programs are made ready, which may take long the first time; else ""."""
        awaited = self._awaited
        return awaited[1] if awaited is not None and awaited[0] != self.status.device else ""

    # ---- files -----------------------------------------------------------------------------------------

    def new(self) -> None:
        """An empty canvas."""
        self.put(DocumentState(), None, "", None)

    def open(self, path: Path, then: Callable[[], None] | None = None) -> None:
        """Open a project; reading and its data happen off the window's thread."""

        def done(opened: Opened) -> None:
            self._opened(opened)
            if then is not None:
                then()

        self.tasks.run(
            "open",
            tr("Opening {file}").format(file=path.name),
            lambda progress, canceled: project_files.read_project(path, progress, canceled),
            done,
            self.cannot,
        )

    def _opened(self, opened: Opened) -> None:
        sample = project_files.is_sample(opened.path)
        project = opened.project
        self.put(project_files.document_state(opened), opened.path, opened.path.stem, project.run)
        if not sample:
            self.state.add_recent(opened.path)
        for message in project.messages:
            self.told.emit(tr_message(message), "warning", "", None)
        if opened.trouble is not None:
            self.told.emit(tr_message(opened.trouble), "error", "", None)

    def put(self, state: DocumentState, path: Path | None, name: str, run: Any) -> None:
        """Put a project in place of the one before, paused where its run stands."""
        if self.running:
            self.runner.pause()
        self.path, self.name = path, name
        self._stamp = Stamp.of(path) if path is not None else None
        self._hold(None)
        if not self._hold(path) and path is not None:
            self.told.emit(self._elsewhere(path), "warning", "", None)
        self._fresh, self._resume, self._file_run = run is None, run, run
        self._saved_step = run.step if run is not None else 0
        self.status = Status(step=self._saved_step, end=self._saved_step)
        self._loading = True
        try:
            self.document.load(state)
        finally:
            self._loading = False
        self.watcher.drop()
        self.restarted.emit()
        self.title_changed.emit()
        self._configure()

    def _hold(self, path: Path | None) -> bool:
        """Lock `path` instead of the project before; False when another has it, and nothing changes."""
        held = self._lock
        wanted = None if path is None or project_files.is_sample(path) else ProjectLock(path)
        if held is not None and wanted is not None and held.held and held.path == wanted.path:
            return True
        if wanted is not None and not wanted.acquire():
            return False
        if held is not None:
            held.release()
        self._lock = wanted
        return True

    @staticmethod
    def _elsewhere(path: Path) -> str:
        text = tr("{file} is open in another window. Changes can be saved under another name.")
        return text.format(file=path.name)

    def save(self, path: Path, then: Callable[[], None] | None = None) -> None:
        """Save document and run at one step boundary to `path`; the opened run if it has not begun here."""

        def write(run: Checkpoint | None) -> None:
            if not self._hold(path):
                self.told.emit(self._elsewhere(path), "error", "", None)
                return
            try:
                if self.path is not None and path == self.path and self._stamp is not None:
                    check_unchanged(path, self._stamp)
                project_files.write_project(path, self.document, run)
            except MatrizenError as refusal:
                self._hold(self.path)
                self.cannot(refusal.message)
                return
            self.path, self.name = path, path.stem
            self._stamp = Stamp.of(path)
            self._saved_step = run.step if run is not None else self.status.end
            self.document.mark_saved()
            self.state.add_recent(path)
            self.title_changed.emit()
            if then is not None:
                then()
            else:
                self.told.emit(tr("Saved {file}").format(file=path.name), "ok", "", None)

        if self._pending:
            write(self._file_run)
        else:
            # also of a network that cannot run as it is drawn now: its weights may be wanted again
            self.runner.checkpoint(lambda state: write(state.checkpoint if state is not None else None))

    def cannot(self, message: Message) -> None:
        self.told.emit(tr_message(message), "error", "", None)

    def close(self) -> None:
        """The window is gone: nothing more is asked of the engine, and nobody is told any more.

        Qt takes objects down in an order of its own; a signal on the way would reach half of them.
        """
        self.tasks.cancel()
        self.watcher.drop()
        self._hold(None)
        self._configure_timer.stop()
        for source in (self.document.undo_stack, self.document, self.tasks, self.exchange, self.runner, self):
            source.blockSignals(True)
