"""One gesture over cells: sent as fast as the engine answers, of one cell only the newest number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from PySide6.QtGui import QUndoCommand, QUndoStack

from engine.errors import Message
from gui.i18n import tr
from gui.labs.sheet import Cell

Numbers = dict[Cell, float]
Answered = Callable[[Any, Message | None], None]
Write = Callable[[Numbers, Answered], None]


def listed(cells: Iterable[Cell]) -> Any:
    """Cells (k, axes) as the engine takes them."""
    found = list(cells)
    return np.array(found, np.intp).reshape(len(found), len(found[0]) if found else 0)


class Stroke:
    """`put` numbers, then `end`: `done(stroke)` once the last answer is there.

    `old` are the numbers before the gesture, `new` those put last.
    """

    def __init__(self, write: Write, done: Callable[[Stroke], None]) -> None:
        self.old: Numbers = {}
        self.new: Numbers = {}
        self.error: Message | None = None
        self.sent = 0
        self._write, self._done = write, done
        self._waiting: Numbers = {}
        self._busy = self._ended = False

    def put(self, numbers: Mapping[Cell, float]) -> None:
        """Other numbers; those that are as they were put last cost nothing."""
        for cell, number in numbers.items():
            if self.new.get(cell) != number:
                self.new[cell] = self._waiting[cell] = number
        self._send()

    def end(self) -> None:
        """Nothing more is put."""
        self._ended = True
        self._send()

    def drop(self) -> None:
        """What was put and not sent is no longer wanted."""
        self._waiting.clear()

    def _send(self) -> None:
        if self._busy or self.error is not None:
            return
        if self._waiting:
            sent, self._waiting = self._waiting, {}
            self._busy = True
            self.sent += 1
            self._write(sent, lambda old, error: self._answered(sent, old, error))
        elif self._ended:
            self._ended = False
            self._done(self)

    def _answered(self, sent: Numbers, old: Any, error: Message | None) -> None:
        self._busy = False
        if error is not None:
            self.error = error
            self._done(self)
            return
        for cell, number in zip(sent, np.asarray(old).ravel(), strict=True):
            self.old.setdefault(cell, float(number))
        self._send()


class Writer(Protocol):
    """The part of the runner that writes cells and locks them."""

    def edit_cells(self, key: str, cells: Any, values: Any, answer: Any = None) -> None:
        """Write cells of a parameter."""

    def lock_cells(self, key: str, cells: Any, locked: Any, answer: Any = None) -> None:
        """Lock cells of a parameter, or unlock them; no cells mean all."""


class CellsEdit(QUndoCommand):
    """Writes cells of "<node>.<parameter>". `written(error)` is called after every writing.

    `moving`: the numbers seen may be those of an earlier step; what was there, the engine says.
    """

    def __init__(self, writer: Writer, key: str, old: Numbers, new: Numbers, text: str,
                 written: Callable[[Message | None], None], *, moving: bool = False) -> None:
        super().__init__(text)
        self._moving = moving
        self._writer, self._key, self._old, self._new, self._written = writer, key, old, new, written

    def redo(self) -> None:
        def told(old: Any, error: Message | None) -> None:
            if self._moving and error is None and old is not None:
                self._old = dict(zip(self._new, map(float, np.asarray(old).ravel()), strict=True))
            self._written(error)

        self._write(self._new, told)

    def undo(self) -> None:
        self._write(self._old, lambda _old, error: self._written(error))

    def _write(self, numbers: Numbers, told: Callable[[Any, Message | None], None]) -> None:
        values = np.array(list(numbers.values()), np.float32)
        self._writer.edit_cells(self._key, listed(numbers), values, told)


class LockEdit(QUndoCommand):
    """Locks cells, or unlocks them. Without cells all are meant, and the engine says what they were."""

    def __init__(self, writer: Writer, key: str, cells: Iterable[Cell] | None, old: Any, new: Any, text: str,
                 written: Callable[[Message | None], None]) -> None:
        super().__init__(text)
        self._writer, self._key, self._old, self._written = writer, key, old, written
        self._new = np.asarray(new, np.bool_).ravel()
        self._cells = None if cells is None else listed(cells)

    def redo(self) -> None:
        def told(old: Any, error: Message | None) -> None:
            if self._old is None and old is not None:
                self._old = np.asarray(old, np.bool_)
            self._written(error)

        self._writer.lock_cells(self._key, self._cells, self._new, told)

    def undo(self) -> None:
        if self._old is not None:
            self._writer.lock_cells(self._key, self._cells, np.asarray(self._old, np.bool_),
                                    lambda _old, error: self._written(error))


def lock_whole(stack: QUndoStack, writer: Writer, keys: Iterable[str], locked: bool,
               written: Callable[[Message | None], None]) -> None:
    """Lock or unlock whole parameters, as one step of undo."""
    stack.beginMacro(tr("lock all weights") if locked else tr("unlock all weights"))
    for key in keys:
        stack.push(LockEdit(writer, key, None, None, locked, "", written))
    stack.endMacro()
