"""Ramps from numbers to colors, as arrays that need no other package."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gui import resources
from gui.tokens import Theme

Role = Literal["weights", "gradients", "activations", "pictures"]
ROLES: tuple[Role, ...] = ("weights", "gradients", "activations", "pictures")
SIGNED: frozenset[str] = frozenset({"weights", "gradients"})


@lru_cache(maxsize=1)
def catalog() -> dict[str, NDArray[np.uint8]]:
    """All bundled ramps by name, each (256, 3) u8 and read-only."""
    with np.load(resources.path("colormaps", "colormaps.npz"), allow_pickle=False) as file:
        maps = {name: np.ascontiguousarray(file[name]) for name in file.files}
    maps["gray"] = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    for ramp in maps.values():
        ramp.flags.writeable = False
    return maps


def lut_of(theme: Theme, role: str) -> NDArray[np.uint8]:
    """The (256, 3) u8 ramp of `role` in `theme`. Raises KeyError for an unknown role."""
    return catalog()[theme.colormaps[role]]


@lru_cache(maxsize=16)
def lut32_of(theme: Theme, role: str) -> NDArray[np.uint32]:
    """The same ramp as 256 words 0xFFRRGGBB, the pixels of QImage.Format_RGB32."""
    red, green, blue = (lut_of(theme, role)[:, i].astype(np.uint32) for i in range(3))
    return np.asarray(0xFF000000 | (red << 16) | (green << 8) | blue, dtype=np.uint32)
