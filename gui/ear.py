"""The engine is heard as soon as it speaks, where the system can wake a window for a pipe."""

from __future__ import annotations

import os
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier


class Ear:
    """Calls `heard` whenever there is something to read; on Windows never: a timer has to look."""

    def __init__(self, parent: QObject, heard: Callable[[], object], patience_ms: float) -> None:
        self._parent, self._heard, self._patience = parent, heard, patience_ms
        self._notifier: QSocketNotifier | None = None
        self._handle = -1

    @property
    def patience(self) -> float:
        """Milliseconds that a timer may wait for an answer meanwhile; none where it has to look itself."""
        return self._patience if self._notifier is not None else 0.0

    def listen(self, handle: int | None) -> None:
        """Listen to this end of a pipe from now on; None: to none, before the pipe is closed."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
            os.close(self._handle)
        if handle is not None and os.name == "posix":
            self._handle = os.dup(handle)  # one that nobody closes meanwhile, nor gives to another file
            self._notifier = QSocketNotifier(self._handle, QSocketNotifier.Type.Read, self._parent)
            self._notifier.activated.connect(lambda *_: self._heard())
