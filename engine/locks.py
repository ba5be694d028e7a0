"""Locked weights: a mask beside a parameter, as state of the run under "<node>.<parameter>.lock".

Not zero where a cell is locked. Being state, it is saved, carried and shown again like a weight, and survives
a dead engine; only the update of a parameter that has one reads it (engine/ops/updates.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
LOCK = "lock"
LOCKED = "lock"
"""Name of the live change that stands for locking and unlocking."""


def lock_key(key: str) -> str:
    """State key of the mask of a parameter "<node>.<parameter>"."""
    return f"{key}.{LOCK}"


def parameters_of(keys: Iterable[str]) -> frozenset[str]:
    """The parameters whose masks are among these state keys."""
    return frozenset(k.removesuffix(f".{LOCK}") for k in keys if k.endswith(f".{LOCK}"))


def as_mask(array: Array) -> Array:
    """1 where it is not zero."""
    return np.ascontiguousarray(np.asarray(array) != 0, np.float32)


def counts(state: Mapping[str, Array]) -> dict[str, int]:
    """Locked cells of each parameter that has some."""
    found = {key: int(np.count_nonzero(state[lock_key(key)])) for key in sorted(parameters_of(state))}
    return {key: count for key, count in found.items() if count}


def locked_at(state: Mapping[str, Array], key: str, where: tuple[Array, ...]) -> Array:
    """Which cells of a parameter are locked, as truth values."""
    mask = state.get(lock_key(key))
    return np.zeros(len(where[0]), np.bool_) if mask is None else np.asarray(mask[where] != 0)


def held(before: Mapping[str, Array], fresh: Mapping[str, Array]) -> dict[str, Array]:
    """A fresh state in which what was locked before keeps its numbers and its masks."""
    out = dict(fresh)
    for key in parameters_of(before):
        mask = before[lock_key(key)]
        if mask.any() and key in fresh and fresh[key].shape == mask.shape:
            out[key] = np.where(mask != 0, before[key], fresh[key])
            out[lock_key(key)] = mask
    return out


def complete(state: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Of a state what has a place in a program; masks that it does not know lock nothing."""
    masks = parameters_of(shapes)
    out = {lock_key(key): np.zeros(shapes[lock_key(key)], np.float32) for key in masks}
    for key, array in state.items():
        if key in shapes:
            out[key] = as_mask(array) if key in out else array
    return out
