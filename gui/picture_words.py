"""Pictures as a network sees them, made into pixels for the screen."""

from __future__ import annotations

from typing import Any

import numpy as np

from gui.views.base import words_from_rgb

Array = np.ndarray[Any, Any]


def picture_words(inputs: Array) -> Array:
    """(n, C, H, W) as the network sees them -> (n, H, W) words 0xFFRRGGBB; each set stretched to 0..1."""
    low, high = float(inputs.min()), float(inputs.max())
    if low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    scaled = np.clip((inputs - low) / ((high - low) or 1.0) * 255.0 + 0.5, 0, 255).astype(np.uint8)
    if scaled.shape[1] == 1:
        scaled = np.repeat(scaled, 3, axis=1)
    elif scaled.shape[1] != 3:
        scaled = np.repeat(scaled.mean(axis=1, keepdims=True).astype(np.uint8), 3, axis=1)
    n, _, height, width = scaled.shape
    flat = np.moveaxis(scaled, 1, -1).reshape(n * height, width, 3)
    return words_from_rgb(flat).reshape(n, height, width)
