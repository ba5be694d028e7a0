"""Something done at most so often, and the last time for sure: what changes faster cannot be read."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class AtMost:
    """`soon()` does it at once, or as soon as `ms` have passed since the last time."""

    def __init__(self, ms: int, act: Callable[[], object], parent: QObject) -> None:
        self._act = act
        self._wanted = False
        self._rest = QTimer(parent)
        self._rest.setSingleShot(True)
        self._rest.setInterval(ms)
        self._rest.timeout.connect(self._over)

    def soon(self) -> None:
        """Ask for it."""
        if self._rest.isActive():
            self._wanted = True
        else:
            self.now()

    def now(self) -> None:
        """Do it now, whenever it was done last."""
        self._wanted = False
        self._rest.start()
        self._act()

    def _over(self) -> None:
        if self._wanted:
            self.now()
