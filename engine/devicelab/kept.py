"""Results of each device in a folder of the run, so that devices can be compared and a cell looked up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from engine.backends.base import Array

MOST_KEPT = 1 << 28
"""Bytes of one device's results that are kept."""


def path_of(folder: Path, key: str, device: str) -> Path:
    """Where a device's results of a job lie."""
    stem = "".join(c if c.isalnum() else "_" for c in key)
    return folder / f"{stem}@{device.replace(':', '-')}.npz"


def keep(folder: Path, key: str, device: str, found: Mapping[str, Array]) -> None:
    """Keep results, unless they are too large."""
    if found and sum(a.nbytes for a in found.values()) <= MOST_KEPT:
        np.savez(path_of(folder, key, device), allow_pickle=False, **dict(found))


def kept(folder: Path, key: str) -> Iterator[tuple[str, dict[str, Array]]]:
    """(device, results) of a job, as far as they were kept."""
    for path in sorted(folder.glob(path_of(folder, key, "*").name)):
        with np.load(path, allow_pickle=False) as held:
            yield path.stem.partition("@")[2].replace("-", ":"), dict(held)


def largest_difference(found: Mapping[str, Array], other: Mapping[str, Array]) -> float:
    """Over all arrays, relative to the largest number of each; infinite where shapes or numbers fail."""
    worst = 0.0
    for name, array in other.items():
        mine = found.get(name)
        if mine is None or mine.shape != array.shape or not np.isfinite(mine).all():
            return math.inf
        size = max(float(np.abs(array).max(initial=0.0)), 1e-30)
        worst = max(worst, float(np.abs(mine - array).max(initial=0.0)) / size)
    return worst


def compared(found: Mapping[str, Array], folder: Path, key: str, device: str) -> dict[str, float]:
    """How far results are from those of each device before it; they are kept for the next one."""
    others = {d: largest_difference(found, held) for d, held in kept(folder, key) if d != device}
    keep(folder, key, device, found)
    return others
