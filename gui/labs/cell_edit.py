"""Numbers typed by hand. A weight is written into the run, and undo writes the old number at the step it has
come to; an input is another one for the step shown only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QUndoCommand
from PySide6.QtWidgets import QWidget

from engine.errors import Message
from engine.session.protocol import Explanation
from engine.values import Program, Role
from gui import i18n, theme
from gui.i18n import tr, tr_message
from gui.labs.pane import Pane
from gui.labs.sheet import Cell
from gui.labs.stroke import CellsEdit
from gui.number_field import NumberField
from gui.panels.terms_view import index_text
from gui.workbench import Workbench


class InputEdit(QUndoCommand):
    """Inputs of the step shown: `show` is given those that differ from the data."""

    def __init__(self, show: Callable[[Mapping[Cell, float]], None], old: Mapping[Cell, float],
                 new: Mapping[Cell, float], text: str) -> None:
        super().__init__(text)
        self._show, self._old, self._new = show, old, new

    def redo(self) -> None:
        self._show(self._new)

    def undo(self) -> None:
        self._show(self._old)


def is_input(program: Program, value: str) -> bool:
    """Whether a value is the batch as it comes from the data."""
    made = program.producers.get(value)
    return made is not None and program.ops[made].kind == "gather" and program.values[value].axes != ("N",)


def _listed(cells: Mapping[Cell, float], axes: int) -> tuple[Any, Any]:
    where = np.array(list(cells), np.intp).reshape(-1, axes)
    return where, np.array(list(cells.values()), np.float32)


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
    """Opens a field over a cell, and writes what is typed as an undoable command.

    `written` follows every writing, undo and redo. `say(text, level)` tells the person.
    """

    written = Signal()

    def __init__(self, parent: QWidget, bench: Workbench, say: Callable[..., object],
                 name_of: Callable[[str], str]) -> None:
        super().__init__(parent)
        self._parent, self.bench, self.say, self.name_of = parent, bench, say, name_of
        self.field: CellField | None = None
        self.inputs: dict[str, dict[Cell, float]] = {}
        """Inputs of the step shown that differ from the data."""

    def edit(self, pane: Pane, index: int, row: int, column: int) -> None:
        """A field over a cell; what is typed is written between two steps."""
        configured = self.bench.configured
        found = pane.source(index, row, column)
        program = configured.program if configured is not None else None
        value = program.values.get(found[0]) if program is not None and found else None
        if program is None or found is None or value is None:
            return
        weight = value.role is Role.PARAM and value.id.endswith("@old")
        if self.bench.running and not weight:  # a weight is written between two steps, whoever trains
            self.bench.runner.pause()
        place = (pane, index, row, column)
        if pane.matrices[index].locked_at(row, column):
            self.say(tr("This weight is locked. The tool Lock (L) unlocks it."), "info")
        elif weight:
            old = pane.matrices[index].value_at(row, column)
            if old is not None and pane.matrices[index].part().exact:
                self._open(place, old, lambda new: self._write(value.id, found[1], float(old), new))
            else:
                self.say(tr("Zoom in until every number is a cell of its own."), "info")
        elif is_input(program, value.id):
            self._edit_input(place, value.id, found[1])
        else:
            text = tr("Only weights, biases and inputs can be typed; everything else follows from them.")
            self.say(text, "info")

    def _edit_input(self, place: tuple[Pane, int, int, int], value: str, cell: Cell) -> None:
        """The step to come is shown, the one whose inputs can still be others; then the field opens."""
        runner = self.bench.runner

        def shown(explanation: Explanation | None, _error: Message | None) -> None:
            if explanation is not None:
                self._open(place, explanation.number, lambda new: self._type_input(value, cell, new))

        def ready(_old: Any, error: Message | None) -> None:
            if error is not None:
                self.say(tr_message(error), "warning")
            else:
                runner.explain(value, cell, shown)

        runner.edit_input(value, *_listed(self.inputs.get(value, {}), len(cell)), ready)

    def _open(self, place: tuple[Pane, int, int, int], old: float, take: Callable[[float], None]) -> None:
        pane, index, row, column = place
        if index >= len(pane.matrices):
            return
        at, size = pane.corner_of(index, row, column)
        field = CellField(float(f"{old:.7g}"), pane)
        wide = max(size.width(), theme.px(86))
        field.setFixedSize(QSize(wide, max(size.height(), theme.px(26))))
        field.move(at - QPoint((wide - size.width()) // 2, 0))
        field.taken.connect(take)
        field.refused.connect(lambda text: self.say(text, "warning"))
        field.gone.connect(self._gone)
        self.field = field
        field.show()
        field.setFocus()

    def _type_input(self, value: str, cell: Cell, new: float) -> None:
        before = dict(self.inputs.get(value, {}))
        text = tr("type {name} {index} = {number}").format(
            name=self.name_of(value), index=index_text(cell), number=i18n.short(new, 4)
        )
        self.bench.document.undo_stack.push(
            InputEdit(partial(self.show_inputs, value), before, {**before, cell: new}, text)
        )
        self.say(tr("What a typed input changes is seen until the next step."), "info")

    def show_inputs(self, value: str, cells: Mapping[Cell, float]) -> None:
        """Show the step to come with these inputs instead of those of the data."""
        configured = self.bench.configured
        if configured is None or value not in configured.program.values:
            return
        self.inputs[value] = dict(cells)
        axes = len(configured.program.values[value].axes)
        self.bench.runner.edit_input(value, *_listed(cells, axes), self._told)

    def forget_inputs(self) -> None:
        """Another step: it computes with the data."""
        self.inputs.clear()

    def _told(self, _payload: Any, error: Message | None) -> None:
        if error is not None:
            self.say(tr_message(error), "warning")
        self.written.emit()

    def _gone(self) -> None:
        self.field = None
        self._parent.setFocus()

    def _write(self, value: str, cell: tuple[int, ...], old: float, new: float) -> None:
        bench = self.bench
        node = bench.configured.program.values[value].owner if bench.configured is not None else ""
        name = bench.document.node(node).name if bench.document.graph.has(node) else node
        text = tr("type {name} {index} = {number}").format(
            name=f"{name} {self.name_of(value)}", index=index_text(cell), number=i18n.short(new, 4)
        )

        key = value.removesuffix("@old")
        told = partial(self.follow, weights=True)
        edit = CellsEdit(bench.runner, key, {cell: old}, {cell: new}, text, told, moving=True)
        bench.document.undo_stack.push(edit)

    def follow(self, error: Message | None, weights: bool) -> None:
        """Something was written: with weights the engine has put the data back."""
        for name, cells in self.inputs.items() if weights else ():
            if cells:
                self.show_inputs(name, cells)
        self._told(None, error)
