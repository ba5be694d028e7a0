"""Rows of samples as small pictures of their waves."""

from __future__ import annotations

from typing import Any

import numpy as np

from gui import theme, tokens

Array = np.ndarray[Any, Any]
HEIGHT, WIDTH = 64, 96


def extremes(wave: Array, columns: int) -> tuple[Array, Array]:
    """(lowest, highest) of (..., T) samples in each of at most `columns` equal parts.

    Each part begins with the last sample of the one before, so that a line through all is unbroken.
    """
    count = wave.shape[-1]
    edges = np.linspace(0, count, min(columns, count) + 1).astype(int)[:-1]
    low, high = np.minimum.reduceat(wave, edges, -1), np.maximum.reduceat(wave, edges, -1)
    before = wave[..., edges[1:] - 1]
    low[..., 1:] = np.minimum(low[..., 1:], before)
    high[..., 1:] = np.maximum(high[..., 1:], before)
    return low, high


def wave_shapes(waves: Array, height: int = HEIGHT, width: int = WIDTH) -> Array:
    """(n, T) samples -> (n, height, width) float32, 1 on the wave and 0 beside it; all on one scale."""
    scale = max(1e-6, float(np.abs(waves).max(initial=0.0)))
    low, high = extremes(np.asarray(waves, np.float32) / scale, width)
    top, bottom = (np.round((1.0 - v) * (height - 1) / 2) for v in (high, low))
    rows = np.arange(height)[None, :, None]
    made = ((rows >= top[:, None]) & (rows <= bottom[:, None])).astype(np.float32)
    if made.shape[2] < width:  # fewer samples than columns
        made = made[:, :, np.arange(width) * made.shape[2] // width]
    return made


def wave_words(waves: Array) -> Array:
    """(n, T) samples -> (n, HEIGHT, WIDTH) pixels 0xFFRRGGBB in the colors of the theme."""
    ground, line = (np.array(tokens.rgb(c), np.float32) for c in (theme.theme().canvas, theme.theme().accent))
    mask = wave_shapes(waves)[..., None]
    rgb = (ground + mask * (line - ground)).astype(np.uint32)
    return np.asarray(0xFF000000 | rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2], np.uint32)
