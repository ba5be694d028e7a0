"""Something done at most so often, and the last time for sure: what changes faster cannot be read."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

LATE_MS = 120
APART = 0.012
"""Seconds between two of them: what several ask for with one frame is spread over the next ones."""


class AtMost:
    """`soon()` does it at once if `ms` have passed since the last time.

    Otherwise the next `soon()` after that does it, or a timer a little later: what is asked for with every
    frame is done together with a frame, and costs no painting of its own.
    """

    _any = -1e9
    """When the last of all was done."""

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
        now = time.monotonic()
        late = now - self._last - self._seconds
        if late >= 0 and (now - AtMost._any >= APART or late >= self._seconds):
            self.now()
        elif not self._late.isActive():
            self._late.start()

    def now(self) -> None:
        """Do it now, whenever it was done last."""
        self._late.stop()
        self._last = AtMost._any = time.monotonic()
        self._act()
