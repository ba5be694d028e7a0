"""State and resident data in main memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.backends.base import Array, state_key
from engine.backends.numpy.memory import aligned
from engine.errors import N_, DeviceError
from engine.values import Value

CHUNK = 16
"""State arrays start at multiples of this many numbers (one cache line)."""


class NumpyStore:
    """All state in one buffer, so that saving, restoring and checking are one pass each."""

    def __init__(self, values: Sequence[Value], seed: int) -> None:
        self.seed = seed
        self.data: dict[str, Array] = {}
        places: dict[str, tuple[int, tuple[int, ...]]] = {}
        size = 0
        for v in values:
            key = state_key(v)
            if key not in places:
                places[key] = (size, v.shape)
                size += -(-max(v.size, 1) // CHUNK) * CHUNK
        self._all = aligned((size,))
        self._saved = aligned((size,))
        self.arrays: dict[str, Array] = {
            key: self._all[at : at + int(np.prod(shape))].reshape(shape)
            for key, (at, shape) in places.items()
        }

    @property
    def bytes(self) -> int:
        """State, its saved copy, and the data bound."""
        return 2 * self._all.nbytes + sum(a.nbytes for a in self.data.values())

    def load(self, state: Mapping[str, Array]) -> None:
        """Set state by key. Raises DeviceError for an unknown key or another shape; nothing is set then."""
        for key, array in state.items():
            found = np.shape(array)
            expected = self.arrays[key].shape if key in self.arrays else None
            if found != expected:
                raise DeviceError(
                    N_("{key} has shape {found}, the network needs {expected}."),
                    key=key,
                    found=found,
                    expected=expected,
                )
        for key, array in state.items():
            self.arrays[key][...] = array

    def state(self) -> dict[str, Array]:
        """Exact copies of all state."""
        return {key: a.copy() for key, a in self.arrays.items()}

    def bind(self, name: str, array: Array) -> None:
        """Make data resident; a contiguous array is used in place, without a copy."""
        if array.dtype not in (np.uint8, np.int32):
            array = np.asarray(array, np.int32 if array.dtype.kind in "iu" else np.float32)
        old = self.data.get(name)
        if old is not None and (old.shape, old.dtype) != (array.shape, array.dtype):
            raise DeviceError(
                N_("{key} has shape {found}, the network needs {expected}."),
                key=name,
                found=array.shape,
                expected=old.shape,
            )
        self.data[name] = np.ascontiguousarray(array)

    def save(self) -> None:
        """Keep a copy of the state."""
        np.copyto(self._saved, self._all)

    def restore(self) -> None:
        """Back to the copy."""
        np.copyto(self._all, self._saved)

    def finite(self) -> bool:
        """Whether every number of the state is finite."""
        with np.errstate(all="ignore"):
            # one number that is not finite makes the sum so; a sum may also overflow by itself
            return bool(np.isfinite(self._all.sum()) or np.isfinite(self._all).all())
