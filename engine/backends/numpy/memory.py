"""Arrays for a plan: values in the slots of the memory plan, work space shared between ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.backends.base import Array

DTYPES: dict[str, type] = {"f32": np.float32, "i32": np.int32, "u8": np.uint8}
COLUMN_BUDGET = 256 << 20
"""Bytes a plan may spend on keeping the columns of convolutions for the way back."""


def aligned(shape: tuple[int, ...], dtype: Any = np.float32) -> Array:
    """Zeros that start at a multiple of 64 bytes: products then take the same path in every plan."""
    kind = np.dtype(dtype)
    count = 1
    for n in shape:
        count *= n
    raw = np.zeros(count * kind.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    array: Array = raw[start : start + count * kind.itemsize].view(kind).reshape(shape)
    return array


class Workspace:
    """Memory besides values. `bytes` counts all of it."""

    def __init__(self) -> None:
        self.bytes = 0
        self.kept = 0
        self._shared: dict[tuple[int, int], Array] = {}

    def own(self, shape: tuple[int, ...], dtype: Any = np.float32) -> Array:
        """An array of zeros nobody else uses."""
        array = aligned(shape, dtype)
        self.bytes += array.nbytes
        return array

    def keep(self, shape: tuple[int, ...]) -> Array | None:
        """An array that stays through the step, or None when the budget for such arrays is spent."""
        need = 4 * int(np.prod(shape))
        if self.kept + need > COLUMN_BUDGET:
            return None
        self.kept += need
        return self.own(shape)

    def shared(self, slot: int, shape: tuple[int, ...], dtype: Any = np.float32) -> Array:
        """Scratch for one op at a time; ops that need several arrays ask for different slots."""
        need = int(np.prod(shape)) * np.dtype(dtype).itemsize
        size = max(4096, 1 << max(need - 1, 0).bit_length())
        if (slot, size) not in self._shared:
            self._shared[slot, size] = self.own((size,), np.uint8)
        array: Array = self._shared[slot, size][:need].view(dtype).reshape(shape)
        return array
