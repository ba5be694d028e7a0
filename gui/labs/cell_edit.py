"""A weight typed by hand: a command whose undo writes the old number at the step the run stands at then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QUndoCommand
from PySide6.QtWidgets import QWidget

from engine.errors import Message
from engine.values import Role
from gui import i18n, theme
from gui.i18n import tr, tr_message
from gui.labs.pane import Pane
from gui.number_field import NumberField
from gui.panels.terms_view import index_text
from gui.workbench import Workbench


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


class CellEditor(QObject):
    """Opens a field over a cell of a parameter, and writes what is typed as an undoable command.

    `written` follows every writing, undo and redo. `say(text, level)` tells the person.
    """

    written = Signal()

    def __init__(self, parent: QWidget, bench: Workbench, say: Callable[..., object],
                 name_of: Callable[[str], str]) -> None:
        super().__init__(parent)
        self._parent, self._bench, self._say, self._name_of = parent, bench, say, name_of
        self.field: CellField | None = None

    def edit(self, pane: Pane, index: int, row: int, column: int) -> None:
        """A field over a cell; what is typed is written between two steps."""
        configured = self._bench.configured
        found = pane.sheets[index].cell(row, column)
        value = configured.program.values.get(found[0]) if configured is not None and found else None
        if found is None or value is None or value.role is not Role.PARAM or not value.id.endswith("@old"):
            self._say(tr("Weights and biases can be typed; everything else follows from them."), "info")
            return
        if self._bench.running:
            self._bench.runner.pause()
        old = pane.matrices[index].value_at(row, column)
        if old is None or not pane.matrices[index].part().exact:
            self._say(tr("Zoom in until every number is a cell of its own."), "info")
            return
        at, size = pane.corner_of(index, row, column)
        field = CellField(float(f"{old:.7g}"), pane)
        wide = max(size.width(), theme.px(86))
        field.setFixedSize(QSize(wide, max(size.height(), theme.px(26))))
        field.move(at - QPoint((wide - size.width()) // 2, 0))
        before = float(old)
        field.taken.connect(lambda number: self._write(value.id, found[1], before, number))
        field.refused.connect(lambda text: self._say(text, "warning"))
        field.gone.connect(self._gone)
        self.field = field
        field.show()
        field.setFocus()

    def _gone(self) -> None:
        self.field = None
        self._parent.setFocus()

    def _write(self, value: str, cell: tuple[int, ...], old: float, new: float) -> None:
        bench = self._bench
        node = bench.configured.program.values[value].owner if bench.configured is not None else ""
        name = bench.document.node(node).name if bench.document.graph.has(node) else node
        text = tr("type {name} {index} = {number}").format(
            name=f"{name} {self._name_of(value)}", index=index_text(cell), number=i18n.short(new, 4)
        )

        def told(error: Message | None) -> None:
            if error is not None:
                self._say(tr_message(error), "warning")
            self.written.emit()

        key = value.removesuffix("@old")
        bench.document.undo_stack.push(CellEdit(bench.runner, key, cell, old, new, text, told))
