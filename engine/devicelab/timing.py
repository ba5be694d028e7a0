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


def in_turn(calls: Sequence[tuple[Callable[[], object], int]], seconds: float) -> list[Timing]:
    """Warm up, then repeat the calls in turn for about `seconds`, at least LEAST times each.

    In turn, so that what else the computer does meanwhile meets all of them. Each comes with how often it
    does its work.
    """
    for _ in range(WARM):
        for call, _times in calls:
            call()
    samples: list[list[float]] = [[] for _ in calls]
    stop = perf_counter() + seconds
    while len(samples[0]) < LEAST or (perf_counter() < stop and len(samples[0]) < MOST):
        for kept, (call, _times) in zip(samples, calls, strict=True):
            kept.append(once(call))
    return [timing(kept, times) for kept, (_, times) in zip(samples, calls, strict=True)]
