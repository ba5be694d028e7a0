"""Repeated measurement and what is said of it: the median and the middle half of all repetitions.

The first call is never among them: it builds kernels, touches memory for the first time and wakes threads
up. It is measured, too, and shown apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

LEAST, MOST = 5, 200
"""Repetitions, whatever they take, and however short they are."""
WARM = 2
"""Calls after the first that are not counted either: clocks rise, caches fill."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: median, and the quartiles between which half of all repetitions lie."""

    median: float
    low: float
    high: float
    repeats: int

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def timing(samples: Sequence[float], calls: int = 1) -> Timing:
    """What repetitions of `calls` calls each say about one call."""
    low, middle, high = (float(q) / calls for q in np.quantile(np.asarray(samples), (0.25, 0.5, 0.75)))
    return Timing(middle, low, high, len(samples))


def once(call: Callable[[], object]) -> float:
    """Seconds of a call."""
    start = perf_counter()
    call()
    return perf_counter() - start


def repeated(call: Callable[[], object], seconds: float, calls: int = 1) -> Timing:
    """Warm up, then repeat for about `seconds`, at least LEAST times. `call` does the work `calls` times."""
    for _ in range(WARM):
        call()
    samples: list[float] = []
    stop = perf_counter() + seconds
    while len(samples) < LEAST or (perf_counter() < stop and len(samples) < MOST):
        samples.append(once(call))
    return timing(samples, calls)
