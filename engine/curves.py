"""The loss curve: every step up to a number of points, then minimum, mean and maximum of equal stretches."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Curve:
    """Numbers by step. Holds at most `limit` points (an even number); then neighbors are merged in pairs."""

    def __init__(self, limit: int = 8192) -> None:
        self.limit = max(2, limit - limit % 2)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.stride = 1
        """Steps in one point."""
        self._first: int | None = None
        self._points: list[tuple[float, float, float]] = []
        self._open: list[float] = []

    def append(self, step: int, values: Array) -> None:
        """Add the values of consecutive steps starting at `step`.

        An earlier step cuts the curve there; one that leaves a gap begins it anew.
        """
        if self._first is not None and step < self.end:
            self.truncate(step)
        if self._first is None or step > self.end:
            self.clear()
            self._first = step
        for v in np.asarray(values, np.float64).ravel():
            self._open.append(float(v))
            if len(self._open) == self.stride:
                self._close()

    @property
    def end(self) -> int:
        """The step after the last one."""
        return (self._first or 0) + len(self._points) * self.stride + len(self._open)

    def truncate(self, step: int) -> None:
        """Forget everything from `step` on (to the resolution kept)."""
        if step >= self.end:
            return
        if self._first is None or step <= self._first:
            self.clear()
            return
        keep = step - self._first
        whole = keep // self.stride
        rest = keep - whole * self.stride
        if whole < len(self._points):
            mean = self._points[whole][1]
            self._open = [mean] * rest
            del self._points[whole:]
        else:
            del self._open[rest:]

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Steps, minima, means, maxima, float64, equal lengths."""
        points = list(self._points)
        if self._open:
            points.append((min(self._open), sum(self._open) / len(self._open), max(self._open)))
        data = np.array(points, np.float64).reshape(-1, 3)
        steps = (self._first or 0) + np.arange(len(points)) * self.stride
        return steps.astype(np.float64), data[:, 0], data[:, 1], data[:, 2]

    def _close(self) -> None:
        self._points.append((min(self._open), sum(self._open) / len(self._open), max(self._open)))
        self._open = []
        if len(self._points) == self.limit:
            pairs = zip(self._points[::2], self._points[1::2], strict=True)
            self._points = [(min(a[0], b[0]), (a[1] + b[1]) / 2, max(a[2], b[2])) for a, b in pairs]
            self.stride *= 2
