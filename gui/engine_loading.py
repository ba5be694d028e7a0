"""The engine loads data in a process of its own: shown like all that is waited for, with the way out."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.session.protocol import Fault, Progress
from gui.i18n import tr
from gui.loading import Elsewhere, Tasks
from gui.runner import Runner


class EngineLoading(QObject):
    """Follows one runner; short loads are not shown."""

    lasting = Signal()
    """It takes a while, and is on the screen."""

    def __init__(self, runner: Runner, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner, self._tasks = runner, tasks
        self._shown: Elsewhere | None = None
        runner.progress.connect(self._tell)
        runner.configured.connect(self._end)
        runner.fault.connect(self._refused)
        runner.died.connect(self._end)

    def _tell(self, progress: Progress) -> None:
        if progress.generation != self._runner.generation:
            return  # of a program that is no longer wanted
        if self._shown is None:
            title = tr("Loading data")
            self._shown = self._tasks.follow("engine", title, self._runner.cancel_loading)
        if self._shown.tell(progress.done, progress.total):
            self.lasting.emit()

    def _refused(self, fault: Fault) -> None:
        if fault.kind in ("configure", "canceled"):
            self._end()

    def _end(self, *_: object) -> None:
        if self._shown is not None:
            shown, self._shown = self._shown, None
            shown.end()
