"""Philox4x32-10: random numbers as a function of (seed, stream, step, sample, feature).

Counter-based, so two layers differ, evaluation consumes nothing, and every device gives the same
numbers whatever its padding. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
(SC 2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def philox(counter: Array, key: tuple[int, int]) -> Array:
    """Ten rounds on counters of shape (..., 4) uint32; returns uint32 of the same shape."""
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = key
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (
            (p1 >> _SHIFT) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _SHIFT) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.stack((c0, c1, c2, c3), -1).astype(np.uint32)


BLOCK = 1 << 16
"""So many counters at once: the rounds need some two hundred bytes for each."""


def words(seed: int, stream: int, step: int, features: int, samples: int, first: int = 0) -> Array:
    """Random 32-bit words, uint32, shape (features, samples), of the samples from `first` on.

    Counter = (feature // 4, sample, stream, step), word feature % 4; key = the seed's two halves.
    """
    groups = -(-features // 4)
    counter = np.empty((groups, samples, 4), np.uint32)
    counter[..., 0] = np.arange(groups, dtype=np.uint32)[:, None]
    counter[..., 1] = np.arange(first, first + samples, dtype=np.uint32)[None, :]
    counter[..., 2] = stream & 0xFFFFFFFF
    counter[..., 3] = step & 0xFFFFFFFF
    made = philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    return made.transpose(0, 2, 1).reshape(groups * 4, samples)[:features]


def uniform(seed: int, stream: int, step: int, features: int, samples: int) -> Array:
    """Float64 in [0, 1) with 24 bits of `words`, shape (features, samples)."""
    block = max(1, BLOCK // -(-max(features, 1) // 4))
    if samples <= block:
        return _shares(words(seed, stream, step, features, samples))
    out = np.empty((features, samples))
    for first in range(0, samples, block):
        last = min(first + block, samples)
        out[:, first:last] = _shares(words(seed, stream, step, features, last - first, first))
    return out


def _shares(bits: Array) -> Array:
    return (bits >> np.uint32(8)).astype(np.float64) * 2.0**-24


def normal(seed: int, stream: int, count: int) -> Array:
    """Float64 standard normal numbers, shape (count,), by Box and Muller."""
    out = np.empty(count)
    for first in range(0, count, BLOCK):
        u = _shares(words(seed, stream, 0, 2, min(BLOCK, count - first), first))
        out[first : first + BLOCK] = np.sqrt(-2.0 * np.log1p(-u[0])) * np.cos(2.0 * np.pi * u[1])
    return out


def permutation(seed: int, stream: int, epoch: int, count: int) -> Array:
    """The order of `count` examples in one epoch, int32."""
    bits = philox(
        np.stack(
            [
                np.arange(count, dtype=np.uint32),
                np.full(count, 1, np.uint32),
                np.full(count, stream & 0xFFFFFFFF, np.uint32),
                np.full(count, epoch & 0xFFFFFFFF, np.uint32),
            ],
            -1,
        ),
        (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF),
    )
    keys = bits[:, 0].astype(np.uint64) << _SHIFT | bits[:, 1]
    return np.argsort(keys, kind="stable").astype(np.int32)
