"""Checkpoints into the window's two slots, at most two seconds old."""

from __future__ import annotations

from collections.abc import Callable

from engine.session import slots
from engine.session.protocol import NeedSlots, RunState, Saved
from engine.session.segments import attach

INTERVAL = 1.5
"""Seconds between checkpoints; with the chunk in between they are at most two seconds old."""
SHORTEST = 0.1
"""Seconds between checkpoints even when a person drags a slider."""
LINES = 32_000_000
"""Bytes of states of other lines that go with every checkpoint; beyond it their curves do."""
SLACK = 2_000_000
"""Bytes a slot should have left for curves and logs that grow."""


class Keeper:
    """Writes `RunState`s; asks for other slots when they are too small. Without slots it keeps nothing."""

    def __init__(self, emit: Callable[[NeedSlots | Saved], None]) -> None:
        self._emit = emit
        self._writer: slots.Writer | None = None
        self._last = -1e9
        self._urgent = True
        self._asked = 0
        self._step: int | None = None

    def use(self, names: tuple[str, str]) -> None:
        """From now on these segments. Those that are gone were replaced: the next command names others."""
        sequence = self._writer.sequence if self._writer else 0
        try:
            first, second = attach(names[0]), attach(names[1])
        except FileNotFoundError:
            return
        if self._writer is not None:
            self._writer.close()
        self._writer = slots.Writer(first, second, sequence)
        self._asked = 0
        self.hurry()

    def hurry(self) -> None:
        """Something was commanded that no replay would bring back: keep it as soon as possible."""
        self._urgent = True

    def due(self, now: float, step: int, moving: bool = True) -> bool:
        """Whether a checkpoint should be written at this step boundary."""
        if self._writer is None and self._asked:
            return False  # slots are on their way
        if self._urgent:
            return now - self._last >= SHORTEST
        return step != self._step and (not moving or now - self._last >= INTERVAL)

    def pending(self, step: int) -> bool:
        """Whether the slots are behind."""
        return (self._writer is not None or not self._asked) and (self._urgent or step != self._step)

    def save(self, state: RunState, now: float) -> None:
        self._urgent, self._last, self._step = False, now, state.checkpoint.step
        parts = slots.pack(state)
        needed = slots.HEADER_BYTES + slots.packed_bytes(parts)
        if self._writer is None:
            self._ask(needed)
            return
        try:
            slot = self._writer.write(parts)
        except slots.SlotFull as full:
            self._ask(full.needed)
            return
        self._emit(Saved(state.checkpoint.step, state.serial, slot))

    def _ask(self, needed: int) -> None:
        if needed > self._asked:
            self._asked = needed + SLACK
            self._emit(NeedSlots(self._asked))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
