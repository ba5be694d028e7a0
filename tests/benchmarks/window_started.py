"""From the command to the usable window: first paint in which the circle is drawn and Play can be pressed.

Runs the real `main.main([])`; prints the moment (CLOCK_MONOTONIC, which all processes share) and ends.
Nothing but the standard library is imported before the program itself begins.
"""

from __future__ import annotations

import time
from typing import Any


def run() -> int:
    from PySide6.QtCore import QEvent, QTimer
    from PySide6.QtWidgets import QApplication

    import gui.app as app
    from main import main

    class Watched(app.MainWindow):
        """Looks at itself at the end of every paint."""

        usable = False

        def event(self, event: QEvent) -> bool:
            done = super().event(event)
            ready = event.type() == QEvent.Type.UpdateRequest and not self.usable
            if ready and self.actions_["play"].isEnabled() and len(self.canvas.canvas.nodes) >= 4:
                self.usable = True
                print(time.monotonic(), time.process_time(), flush=True)
                QTimer.singleShot(0, QApplication.quit)
            return done

    window: Any = Watched
    app.MainWindow = window  # type: ignore[misc]
    return main([])


if __name__ == "__main__":
    raise SystemExit(run())
