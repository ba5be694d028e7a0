"""Amdahl's law: what n cores can gain where a share s of the work is serial, S(n) = 1 / (s + (1 - s) / n)."""

from __future__ import annotations

from collections.abc import Sequence


def speedup(serial: float, cores: float) -> float:
    """How many times faster `cores` cores are when the share `serial` (0..1) cannot be divided."""
    return 1.0 / (serial + (1.0 - serial) / cores)


def serial_share(measured: Sequence[tuple[int, float]]) -> float | None:
    """The serial share that fits measured (cores, speed-up) best; None from one core alone.

    1 / S(n) - 1 / n = s · (1 - 1 / n) is a line through the origin: least squares, kept within 0..1.
    """
    points = [(1 - 1 / n, 1 / s - 1 / n) for n, s in measured if n > 1 and s > 0]
    if not points:
        return None
    share = sum(x * y for x, y in points) / sum(x * x for x, _ in points)
    return min(1.0, max(0.0, share))
