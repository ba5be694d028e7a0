"""The garbage collector works on the window's thread only.

Python collects wherever an allocation happens to be due. A thread that typesets or loads would so destroy
the Qt objects it finds in the garbage, nodes of the project before for one, while the window paints.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 200


class Sweeper(QObject):
    """Collects between two events what is due, instead of Python; until `close`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._sweep)
        self._timer.start(EVERY_MS)

    def close(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.enable()

    def _sweep(self) -> None:
        ages = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [age for age, (count, limit) in enumerate(ages) if 0 < limit < count]
        if due:
            gc.collect(due[-1])
