"""What would make the first curve or formula wait is imported once the window stands."""

from __future__ import annotations

import importlib
import threading

SLOW_IMPORTS = ("pyqtgraph.functions", "ziamath")
_one_at_a_time = threading.Lock()
"""Of modules that import each other, a second thread would find one half done."""


def start() -> threading.Thread:
    """Import in the background; the thread ends by itself and never holds up the end of the program."""
    thread = threading.Thread(target=_import, name="matrizen-warm-up", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    for name in SLOW_IMPORTS:
        whole(name)


def whole(name: str) -> None:
    """Import a module; where another thread is at it, wait until it is whole."""
    with _one_at_a_time:
        importlib.import_module(name)
