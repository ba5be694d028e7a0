"""A weight typed by hand: a command whose undo writes the old number at the step the run stands at then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QUndoCommand
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.number_field import NumberField


class Writer(Protocol):
    """The part of the runner that writes cells."""

    def edit_cells(self, key: str, cells: Any, values: Any, answer: Any = None) -> None:
        """Write cells of a parameter."""


class CellEdit(QUndoCommand):
    """Writes one cell of "<node>.<parameter>". `written` is called after every writing."""

    def __init__(self, writer: Writer, key: str, cell: tuple[int, ...], old: float, new: float, text: str,
                 written: Callable[[Any], None]) -> None:
        super().__init__(text)
        self._writer, self._key, self._cell = writer, key, cell
        self._old, self._new, self._written = old, new, written

    def redo(self) -> None:
        self._write(self._new)

    def undo(self) -> None:
        self._write(self._old)

    def _write(self, value: float) -> None:
        def told(_old: Any, error: Any) -> None:
            self._written(error)

        self._writer.edit_cells(self._key, np.array([self._cell]), np.array([value]), told)


class CellField(NumberField):
    """A number field over one cell. `taken(number)`; it goes away by Return, Escape or when it is left."""

    taken = Signal(float)
    gone = Signal()

    def __init__(self, value: float, parent: QWidget) -> None:
        super().__init__(value, parent=parent)
        self.setFont(theme.mono_font(12))
        self.value_changed.connect(lambda number: self.taken.emit(float(number)))
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self.problem():
            self.leave()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.leave()

    def leave(self) -> None:
        """Go away; nothing more is taken."""
        if not self.isHidden():
            self.hide()
            self.gone.emit()
            self.deleteLater()
