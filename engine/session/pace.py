"""How many steps are due: paced for the eye, or as fast as it goes; and how fast it went."""

from __future__ import annotations

from collections import deque

FRAMES = 15.0
"""Frames a second that the automatic pace counts on."""
BURST = 0.1
"""Seconds of steps that may be caught up on at once."""


class Pace:
    """Steps fall due evenly. `rate` is steps a second, None without a limit."""

    def __init__(self) -> None:
        self.rate: float | None = None
        self._credit, self._last = 1.0, 0.0

    def start(self, now: float) -> None:
        """The first step is due at once."""
        self._credit, self._last = 1.0, now

    def due(self, now: float) -> int | None:
        """Whole steps that may run now; None without a limit."""
        if self.rate is None:
            return None
        self._credit = min(self._credit + (now - self._last) * self.rate, max(1.0, self.rate * BURST))
        self._last = now
        return int(self._credit)

    def took(self, steps: int) -> None:
        self._credit -= steps

    def wait(self) -> float:
        """Seconds from the last `due` until a step is due."""
        return max(0.0, (1.0 - self._credit) / self.rate) if self.rate else 0.0


class Speed:
    """Steps a second over the last second or so."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def clear(self) -> None:
        self._marks.clear()

    def mark(self, now: float, step: int) -> None:
        self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[0][0] > 1.0:
            self._marks.popleft()

    def rate(self) -> float:
        if len(self._marks) < 2:
            return 0.0
        (t0, s0), (t1, s1) = self._marks[0], self._marks[-1]
        return (s1 - s0) / (t1 - t0) if t1 > t0 else 0.0
