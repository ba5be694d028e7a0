"""Work that may take long, off the window's thread: loading data, reading projects and pictures.

A plain daemon thread and a queued signal; a QThread that still runs at exit would abort the program.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from engine.data.cancel import LoadCanceled
from engine.errors import N_, MatrizenError, Message

_log = logging.getLogger("matrizen.loading")
Work = Callable[[Callable[[int, int], None], Callable[[], bool]], Any]
"""work(progress, canceled) -> result; raises MatrizenError."""
SHOW_AFTER = 0.25
"""Seconds a task may take before its progress is worth showing."""


class Task(QObject):
    """One piece of work. Exactly one of `done(result)`, `failed(Message)`, `canceled()` comes."""

    done = Signal(object)
    failed = Signal(object)
    canceled = Signal()
    progress = Signal(int, int)
    _finished = Signal(object, object)

    def __init__(self, title: str, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._work = work
        self._stop = threading.Event()
        self._told = 0.0
        self._finished.connect(self._settle, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self._run, name="matrizen-loading", daemon=True).start()

    def cancel(self) -> None:
        """Ask it to stop; `canceled` follows."""
        self._stop.set()

    def _run(self) -> None:
        try:
            result, problem = self._work(self._tell, self._stop.is_set), None
        except Exception as error:  # it is told on the window's thread
            result, problem = None, error
        try:
            self._finished.emit(result, problem)
        except RuntimeError:
            pass  # the window is gone

    def _tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told > 0.05 or done == total:
            self._told = now
            try:
                self.progress.emit(done, total)
            except RuntimeError:
                self._stop.set()

    def _settle(self, result: Any, problem: Exception | None) -> None:
        if isinstance(problem, LoadCanceled) or self._stop.is_set():
            self.canceled.emit()
        elif isinstance(problem, MatrizenError):
            self.failed.emit(problem.message)
        elif isinstance(problem, MemoryError):
            self.failed.emit(Message(N_("There is not enough memory for this.")))
        elif problem is not None:
            _log.error("%s failed", self.title, exc_info=problem)
            text = N_("{task} failed: {reason}")
            self.failed.emit(
                Message(text, {"task": self.title, "reason": str(problem) or type(problem).__name__})
            )
        else:
            self.done.emit(result)


class Elsewhere:
    """Work that another process does: it is told how far it is, and when it has ended."""

    def __init__(self, tasks: Tasks, kind: str, title: str, cancel: Callable[[], None]) -> None:
        self._tasks, self._kind, self.title, self.cancel = tasks, kind, title, cancel
        self._began = time.monotonic()

    def tell(self, done: int, total: int) -> bool:
        """It is so far; whether that is shown."""
        lasts = time.monotonic() - self._began > SHOW_AFTER
        if lasts:
            self._tasks.shown.emit(self.title, done, total)
        return lasts

    def end(self) -> None:
        """It is done, refused or gone."""
        self._tasks.leave(self._kind, self)


class Tasks(QObject):
    """The work under way: the newest one is shown, and a new one of a kind cancels the old.

    `shown(title, done, total)` for the person; `hidden()` when nothing is to be waited for.
    """

    shown = Signal(str, int, int)
    hidden = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: dict[str, Task | Elsewhere] = {}

    def run(
        self,
        kind: str,
        title: str,
        work: Work,
        done: Callable[[Any], None],
        failed: Callable[[Message], None],
        canceled: Callable[[], None] | None = None,
    ) -> Task:
        """Start work; the callbacks come on the window's thread."""
        if kind in self._running:
            self._running[kind].cancel()
        task = Task(title, work, self)
        self._running[kind] = task
        started = time.monotonic()

        def tell(count: int, total: int) -> None:
            if time.monotonic() - started > SHOW_AFTER and self._running.get(kind) is task:
                self.shown.emit(title, count, total)

        def leave() -> bool:
            current = self.leave(kind, task)
            task.deleteLater()
            return current

        def on_done(result: Any) -> None:
            if leave():  # a result that was overtaken is dropped
                done(result)

        def on_failed(message: Message) -> None:
            if leave():
                failed(message)

        def on_canceled() -> None:
            if leave() and canceled is not None:
                canceled()

        task.done.connect(on_done)
        task.failed.connect(on_failed)
        task.canceled.connect(on_canceled)
        task.progress.connect(tell)
        QTimer.singleShot(int(SHOW_AFTER * 1000) + 50, task, lambda: tell(0, 0))
        task.start()
        return task

    def follow(self, kind: str, title: str, cancel: Callable[[], None]) -> Elsewhere:
        """Show work that is done elsewhere; `cancel` asks for its end."""
        self._running[kind] = followed = Elsewhere(self, kind, title, cancel)
        return followed

    def leave(self, kind: str, task: Task | Elsewhere) -> bool:
        """A piece of work has ended; whether it was the newest of its kind."""
        current = self._running.get(kind) is task
        if current:
            del self._running[kind]
        if not self._running:
            self.hidden.emit()
        return current

    def cancel(self) -> None:
        """Cancel everything under way."""
        for task in list(self._running.values()):
            task.cancel()

    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._running)
