"""The loss curve: every step up to a number of points, then minimum, mean and maximum of equal stretches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
LIMIT = 8192
"""Points of a curve at most."""


@dataclass(frozen=True, eq=False)
class CurveState:
    """A curve as a value: for checkpoints and files."""

    first: int = 0
    """Step of the first point."""
    stride: int = 1
    """Steps in one point, a power of two."""
    points: Array = field(default_factory=lambda: np.zeros((0, 3)))
    """(k, 3) minimum, mean, maximum."""
    open: tuple[int, float, float, float] = (0, 0.0, 0.0, 0.0)
    """The point that is not full yet: steps in it, minimum, sum, maximum."""
    last: float | None = None
    """The newest number; None where there is none."""

    @property
    def end(self) -> int:
        """The step after the last one."""
        return self.first + len(self.points) * self.stride + self.open[0]


class Curve:
    """Numbers by step. Holds at most `limit` points (an even number); then neighbors are merged in pairs."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = max(2, limit - limit % 2)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.stride = 1
        """Steps in one point."""
        self.last: float | None = None
        """The newest number, as exactly as it is known."""
        self._first: int | None = None
        self._points: list[tuple[float, float, float]] = []
        self._leave_open()

    def _leave_open(self, count: int = 0, low: float = 0.0, total: float = 0.0, high: float = 0.0) -> None:
        """The point that is not full yet."""
        self._count, self._low, self._total, self._high = count, low, total, high

    def append(self, step: int, values: Array) -> None:
        """Add the values of consecutive steps starting at `step`.

        An earlier step cuts the curve there; one that leaves a gap begins it anew.
        """
        if self._first is not None and step < self.end:
            self.truncate(step)
        if self._first is None or step > self.end:
            self.clear()
            self._first = step
        for v in map(float, np.asarray(values, np.float64).ravel()):
            if self._count:
                self._leave_open(self._count + 1, min(self._low, v), self._total + v, max(self._high, v))
            else:
                self._leave_open(1, v, v, v)
            self.last = v
            if self._count == self.stride:
                self._close()

    @property
    def end(self) -> int:
        """The step after the last one."""
        return (self._first or 0) + len(self._points) * self.stride + self._count

    def truncate(self, step: int) -> None:
        """Forget everything from `step` on (to the resolution kept)."""
        if step >= self.end:
            return
        if self._first is None or step <= self._first:
            self.clear()
            return
        whole, rest = divmod(step - self._first, self.stride)
        low, mean, high = self._all()[whole]
        del self._points[whole:]
        self._leave_open()
        if rest:
            self._leave_open(rest, low, mean * rest, high)
        self.last = self._all()[-1][1]

    def state(self) -> CurveState:
        """All of it, as a value that later numbers do not change."""
        return CurveState(
            self._first or 0,
            self.stride,
            np.array(self._points, np.float64).reshape(-1, 3),
            (self._count, self._low, self._total, self._high),
            self.last,
        )

    def restore(self, state: CurveState) -> None:
        """Become what a curve was; the next number belongs to `state.end`."""
        self.clear()
        if not len(state.points) and not state.open[0]:
            return
        self._first, self.stride = state.first, state.stride
        self._points = [(float(a), float(b), float(c)) for a, b, c in state.points]
        self._leave_open(*state.open)
        self.last = self._all()[-1][1] if state.last is None else state.last
        while len(self._points) >= self.limit:
            self._halve()

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Steps, minima, means, maxima, float64, equal lengths."""
        points = self._all()
        data = np.array(points, np.float64).reshape(-1, 3)
        steps = (self._first or 0) + np.arange(len(points)) * self.stride
        return steps.astype(np.float64), data[:, 0], data[:, 1], data[:, 2]

    def _all(self) -> list[tuple[float, float, float]]:
        """The points with the one that is not full yet."""
        if not self._count:
            return self._points
        return [*self._points, (self._low, self._total / self._count, self._high)]

    def _close(self) -> None:
        self._points.append((self._low, self._total / self._count, self._high))
        self._leave_open()
        if len(self._points) == self.limit:
            self._halve()

    def _halve(self) -> None:
        """Merge neighbors in pairs; an odd last one is open again."""
        if len(self._points) % 2:
            low, mean, high = self._points.pop()
            count, total = self.stride + self._count, mean * self.stride + self._total
            if self._count:
                low, high = min(low, self._low), max(high, self._high)
            self._leave_open(count, low, total, high)
        pairs = zip(self._points[::2], self._points[1::2], strict=True)
        self._points = [(min(a[0], b[0]), (a[1] + b[1]) / 2, max(a[2], b[2])) for a, b in pairs]
        self.stride *= 2
