"""Something done at most so often, and the last time for sure: what changes faster cannot be read."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

LATE_MS = 120


class AtMost:
    """`soon()` does it at once if `ms` have passed since the last time.

    Otherwise the next `soon()` after that does it, or a timer a little later: what is asked for with every
    frame is done together with a frame, and costs no painting of its own.
    """

    def __init__(self, ms: int, act: Callable[[], object], parent: QObject) -> None:
        self._seconds = ms / 1000
        self._act = act
        self._last = -1e9
        self._late = QTimer(parent)
        self._late.setSingleShot(True)
        self._late.setInterval(ms + LATE_MS if ms > LATE_MS else ms)
        self._late.timeout.connect(self.now)

    def soon(self) -> None:
        """Ask for it."""
        if time.monotonic() - self._last >= self._seconds:
            self.now()
        elif not self._late.isActive():
            self._late.start()

    def now(self) -> None:
        """Do it now, whenever it was done last."""
        self._late.stop()
        self._last = time.monotonic()
        self._act()
