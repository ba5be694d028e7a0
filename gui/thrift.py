"""How often the window asks for new numbers: seldom enough to leave the cores to the training."""

from __future__ import annotations

import os

FASTEST, SLOWEST = 0.06, 0.2
"""Seconds between two requests for a frame: at least, and at most whatever showing them costs."""
MOST = 0.1
"""Seconds of CPU time that count for one frame; more was something else, such as opening a file."""


class Thrift:
    """The window may use a fifth of a core of two for new numbers, half a core of many.

    The cost of a frame is the CPU time of the window's thread from one request to the next, so a hand that
    pans and zooms slows the numbers down, not itself.
    """

    def __init__(self, cores: int | None = None) -> None:
        self.share = min(0.5, 0.1 * max(2, cores or os.cpu_count() or 2))
        self.interval = FASTEST
        self._cost = 0.0
        self._before: float | None = None

    def pulled(self, cpu: float) -> None:
        """A frame is asked for; `cpu` is the thread's CPU time by now, in seconds."""
        if self._before is not None:
            self._cost += 0.2 * (min(cpu - self._before, MOST) - self._cost)
            self.interval = min(max(FASTEST, self._cost / self.share), SLOWEST)
        self._before = cpu
