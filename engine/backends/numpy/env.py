"""What an op sees when it is compiled: its arrays, the controls, the number of live lanes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.backends.base import Array
from engine.backends.numpy.memory import Workspace
from engine.values import Op, Value

Call = Callable[[], None]
Builder = Callable[[Op, "Env"], Call]
BUILDERS: dict[str, Builder] = {}
"""Op kind -> how it is compiled."""


def build(*kinds: str) -> Callable[[Builder], Builder]:
    """Decorator: this function compiles ops of these kinds."""

    def note(builder: Builder) -> Builder:
        for kind in kinds:
            BUILDERS[kind] = builder
        return builder

    return note


class Env:
    """Arrays by value id in logical shape; `n` and `controls` are set before each step."""

    def __init__(
        self,
        arrays: Mapping[str, Array],
        data: Mapping[str, Array],
        controls: dict[str, float],
        capacity: int,
        seed: int,
    ) -> None:
        self.arrays = arrays
        self.data = data
        """Resident data by value id; looked up at every step, because binding replaces."""
        self.controls = controls
        self.capacity = capacity
        self.n = capacity
        self.seed = seed
        self.work = Workspace()
        self.columns: dict[tuple[object, ...], object] = {}
        """Columns of convolutions kept for the way back."""

    def array(self, value: Value) -> Array:
        """The array of a value."""
        return self.arrays[value.id]

    def matrix(self, value: Value) -> Array:
        """The array as (first axis, everything else)."""
        a = self.arrays[value.id]
        return a.reshape(a.shape[0], -1)

    def clear_dead(self, array: Array) -> None:
        """Zero the lanes that do not live."""
        if self.n < array.shape[-1]:
            array[..., self.n :] = 0
