"""Work that may take long, off the window's thread: loading data, reading projects and pictures.

A plain daemon thread that touches no Qt object: one that dies just then, with its window or at the end of the
program, would take the program along. What the thread says lies in a queue, where the window looks.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.data.cancel import LoadCanceled
from engine.errors import N_, MatrizenError, Message

_log = logging.getLogger("matrizen.loading")
Work = Callable[[Callable[[int, int], None], Callable[[], bool]], Any]
"""work(progress, canceled) -> result; raises MatrizenError."""
SHOW_AFTER = 0.25
"""Seconds a task may take before its progress is worth showing."""
LOOK_MS = 10
"""How often the window looks for news of a task."""


@dataclass(frozen=True)
class _End:
    """How the work of a thread ended."""

    result: Any = None
    problem: Exception | None = None


_Said = _End | tuple[int, int]


def _run(work: Work, said: queue.SimpleQueue[_Said], stop: threading.Event) -> None:
    """The thread."""
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told > 0.05 or done == total:
            told = now
            said.put((done, total))

    try:
        end = _End(work(tell, stop.is_set))
    except Exception as error:  # it is told on the window's thread
        end = _End(problem=error)
    said.put(end)


class Task(QObject):
    """One piece of work. Exactly one of `done(result)`, `failed(Message)`, `canceled()` comes."""

    done = Signal(object)
    failed = Signal(object)
    canceled = Signal()
    progress = Signal(int, int)

    def __init__(self, title: str, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._work = work
        self._stop = threading.Event()
        self.destroyed.connect(self._stop.set)
        self._said: queue.SimpleQueue[_Said] = queue.SimpleQueue()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._hear)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        words = (self._work, self._said, self._stop)
        threading.Thread(target=_run, args=words, name="matrizen-loading", daemon=True).start()
        self._timer.start(LOOK_MS)

    def cancel(self) -> None:
        """Ask it to stop; `canceled` follows."""
        self._stop.set()

    def _hear(self) -> None:
        while self._timer.isActive() and not self._said.empty():
            said = self._said.get()
            if isinstance(said, _End):
                self._timer.stop()
                self._settle(said.result, said.problem)
            else:
                self.progress.emit(*said)

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
