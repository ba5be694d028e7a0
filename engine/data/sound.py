"""Sound as numbers: another rate, and the spectrogram with its formula.

A frame of F samples x, every H samples, is weighted with Hann's window and transformed:

    X[k, m] = sum over n of x[m H + n] w[n] exp(-2 pi i k n / F),   w[n] = 0.5 - 0.5 cos(2 pi n / F)

Its amplitudes |X| 2 / sum(w) (a sine of amplitude 1 has 1) are gathered into bands by triangles whose centers
lie evenly on a scale of pitch: mel(f) = 2595 log10(1 + f / 700) (O'Shaughnessy, Speech Communication, 1987,
p. 150; also that of HTK) or f itself. A band is told in decibels, 20 log10 of it; 0..1 stands for -80..0 dB.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

DECIBELS = 80.0
"""What is quieter than full scale by more is 0."""
_REACH = 24
"""Zero crossings of the interpolating sinc on each side."""
_BETA = 8.6
_KEPT = 0.94
"""Share of the lower half rate that passes; the rest is the slope of the filter."""
_ROWS = 16_384


def mel(frequency: Any) -> Any:
    """Pitch of a frequency in Hz."""
    return 2595.0 * np.log10(1.0 + np.asarray(frequency, np.float64) / 700.0)


def hertz(pitch: Any) -> Any:
    """The inverse of `mel`."""
    return 700.0 * (10.0 ** (np.asarray(pitch, np.float64) / 2595.0) - 1.0)


@lru_cache(maxsize=8)
def filters(bands: int, frame: int, rate: int, scale: str) -> Floats:
    """(bands, frame // 2 + 1): triangles of height 1 from 0 Hz to half the rate, the lowest band first.

    A triangle reaches to the centers of its neighbors, and at least one line of the transform to each
    side, so that no band is empty.
    """
    top = rate / 2
    if scale == "mel":
        edges = hertz(np.linspace(0.0, mel(top), bands + 2))
    else:
        edges = np.linspace(0.0, top, bands + 2)
    lines = np.arange(frame // 2 + 1) * (rate / frame)
    least = rate / frame
    left = np.maximum(edges[1:-1] - edges[:-2], least)[:, None]
    right = np.maximum(edges[2:] - edges[1:-1], least)[:, None]
    off = lines[None, :] - edges[1:-1, None]
    made: Floats = np.maximum(0.0, 1.0 - np.where(off < 0, -off / left, off / right))
    made.setflags(write=False)
    return made


def centers(bands: int, rate: int, scale: str) -> Floats:
    """The frequency in Hz each band is centered on, the lowest first."""
    if scale == "mel":
        return np.asarray(hertz(np.linspace(0.0, mel(rate / 2), bands + 2)[1:-1]))
    return np.asarray(np.linspace(0.0, rate / 2, bands + 2)[1:-1])


def frames_of(samples: int, frame: int, hop: int) -> int:
    """How many whole frames fit."""
    return max(0, (samples - frame) // hop + 1)


def spectrogram(
    x: Floats, rate: int, frame: int, hop: int, bands: int, scale: str
) -> npt.NDArray[np.float32]:
    """(N, T) samples -> (N, bands, frames) in 0..1, the HIGHEST band in the first row, as it is drawn."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    gather = filters(bands, frame, rate, scale)[::-1] * (2.0 / window.sum())
    out = np.empty((len(x), bands, frames_of(x.shape[1], frame, hop)), np.float32)
    block = max(1, (1 << 21) // max(1, out.shape[2] * frame))
    for start in range(0, len(x), block):
        part = np.lib.stride_tricks.sliding_window_view(x[start : start + block], frame, axis=1)[:, ::hop]
        amplitudes = np.abs(np.fft.rfft(part * window, axis=-1))
        banded = np.maximum(amplitudes @ gather.T, 10.0 ** (-DECIBELS / 20))
        told = np.clip(1.0 + 20.0 / DECIBELS * np.log10(banded), 0.0, 1.0)
        out[start : start + block] = told.transpose(0, 2, 1)
    return out


def resample(x: npt.NDArray[np.float32], before: int, after: int) -> npt.NDArray[np.float32]:
    """The same sound with `after` samples in a second instead of `before`.

    Each new sample is a sum of old ones weighted by a sinc under Kaiser's window; what lies above half the
    lower rate is filtered out.
    """
    if before == after or not len(x):
        return x
    shared = gcd(before, after)
    up, down = after // shared, before // shared
    count = -(-len(x) * up // down)
    cut = _KEPT * min(1.0, after / before)
    half = int(np.ceil(_REACH / cut))
    taps = np.arange(-half, half + 1)
    padded = np.concatenate([np.zeros(half, np.float32), x, np.zeros(half + 1, np.float32)])
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    out = np.empty(count, np.float32)
    for phase in range(min(up, count)):
        first, rest = divmod(phase * down, up)
        at = (taps - rest / up) * cut
        weights = np.sinc(at) * np.i0(_BETA * np.sqrt(np.maximum(0.0, 1.0 - (at / (cut * (half + 1))) ** 2)))
        weights = (weights / weights.sum()).astype(np.float32)
        wanted = len(range(phase, count, up))
        rows = views[first::down][:wanted]
        for start in range(0, wanted, _ROWS):
            stop = start + _ROWS
            out[phase + start * up : phase + min(stop, wanted) * up : up] = rows[start:stop] @ weights
    return out
