"""Numbers changed with the mouse in the matrix lab: dragged, painted over, locked. One gesture, one undo.

What a gesture changes goes to the engine at once; everything behind it follows with the next frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QUndoCommand
from PySide6.QtWidgets import QWidget

from engine.errors import Message
from engine.session.protocol import Explanation
from engine.values import Program
from gui import i18n
from gui.i18n import tr, tr_message, trn
from gui.labs.cell_edit import CellEditor, InputEdit, is_input
from gui.labs.lab_matrix import LabMatrix
from gui.labs.pane import Pane
from gui.labs.sheet import Cell
from gui.labs.stroke import Answered, CellsEdit, LockEdit, Numbers, Stroke, listed, lock_whole
from gui.labs.tool_bar import KEYS, ToolBar
from gui.panels.lock_wishes import parameter_of
from gui.panels.terms_view import index_text

FULL = 240.0
"""Pixels of a drag over the largest number of a matrix."""
FINE = 0.1
THRESHOLD = 3.0
CURSORS = {"drag": Qt.CursorShape.SizeVerCursor, "paint": Qt.CursorShape.CrossCursor,
           "lock": Qt.CursorShape.PointingHandCursor}  # fmt: skip
Place = tuple[int, int]


@dataclass
class Gesture:
    """What the mouse is doing. `start` is the number a drag began with, once it is known."""

    tool: str
    pane: Pane
    matrix: LabMatrix
    value: str
    key: str
    """Of the parameter; "" for an input."""
    stroke: Stroke
    at: QPointF
    place: Place
    cell: Cell
    number: float = 0.0
    start: float | None = None
    per_pixel: float = 0.01
    inputs: Numbers = field(default_factory=dict)
    """Inputs that differed from the data before it."""
    moved: bool = False
    canceled: bool = False


class Hands(QObject):
    """Watches the matrices of the panes, and has the bar that says what the mouse does with them."""

    def __init__(self, editor: CellEditor, panes: Sequence[Pane]) -> None:
        lab = cast(QWidget, editor.parent())
        super().__init__(lab)
        lab.installEventFilter(self)  # its keys
        self._editor, self._bench, self._say, self._name_of = editor, editor.bench, editor.say, editor.name_of
        self._panes = panes
        self.bar = bar = ToolBar()
        self.gesture: Gesture | None = None
        for pane in panes:
            pane.matrix_made.connect(lambda matrix: matrix.installEventFilter(self))
        bar.chosen.connect(self._show_tool)
        bar.all_wanted.connect(self.lock_all)

    # ---- the mouse ------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and watched is self.parent():
            return event.type() == QEvent.Type.KeyPress and self._key(event)
        if not isinstance(watched, LabMatrix) or not isinstance(event, QMouseEvent):
            if event.type() == QEvent.Type.Hide and self.gesture is not None \
                    and self.gesture.matrix is watched:
                self.end()  # another equation, or the lab was left
            return False
        left = event.button() == Qt.MouseButton.LeftButton
        tool = self.bar.tool()
        match event.type():
            case QEvent.Type.MouseButtonPress if left:
                alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
                return self._press(watched, event, "drag" if tool == "open" and alt else tool)
            case QEvent.Type.MouseButtonDblClick if left and tool in ("paint", "lock"):
                return self._press(watched, event, tool)
            case QEvent.Type.MouseMove:
                if self.gesture is not None:
                    self._move(self.gesture, event)
                elif tool != "open":
                    watched.setCursor(self._cursor(watched, event.position(), tool))
            case QEvent.Type.MouseButtonRelease if left and self.gesture is not None:
                self.end()
                return True
        return False

    def _found(self, matrix: LabMatrix, at: QPointF) -> tuple[Pane, Place, str, Cell] | None:
        pane = next((p for p in self._panes if matrix in p.matrices), None)
        place = matrix.cell_at(at)
        found = pane.source(matrix.property("index"), *place) if pane and place is not None else None
        return (pane, place, *found) if pane and place is not None and found else None

    def _program(self) -> Program | None:
        configured = self._bench.configured
        return configured.program if configured is not None else None

    def _cursor(self, matrix: LabMatrix, at: QPointF, tool: str) -> Qt.CursorShape:
        found, program = self._found(matrix, at), self._program()
        if found is None or program is None:
            return Qt.CursorShape.ArrowCursor
        can = bool(parameter_of(program, found[2])) or (tool != "lock" and is_input(program, found[2]))
        return CURSORS[tool] if can else Qt.CursorShape.ForbiddenCursor

    def _show_tool(self, tool: str) -> None:
        self.end()
        for pane in self._panes:
            for matrix in pane.matrices:
                matrix.unsetCursor()

    def _key(self, event: QKeyEvent) -> bool:
        """A key of the tools, or Escape while something is being dragged; whether it was one."""
        if event.key() == Qt.Key.Key_Escape and self.gesture is not None:
            self.cancel()
            return True
        if event.key() == Qt.Key.Key_Escape and self.bar.tool() != "open":
            self.bar.choose("open")
            return True
        if event.modifiers():
            return False
        tool = next((tool for tool, key in KEYS.items() if key == event.text().upper()), None)
        if tool is not None:
            self.bar.choose(tool)
        return tool is not None

    # ---- a gesture ------------------------------------------------------------------------------------

    def _press(self, matrix: LabMatrix, event: QMouseEvent, tool: str) -> bool:
        if tool == "open":
            return False
        cast(QWidget, self.parent()).setFocus()  # a field that was open is left
        self.end()
        found, program = self._found(matrix, event.position()), self._program()
        if found is None or program is None:
            return True
        pane, place, value, cell = found
        key = parameter_of(program, value)
        if tool == "paint" and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            number = matrix.value_at(*place)
            if number is not None:
                self.bar.value.set_value(float(f"{number:.4g}"))
            return True
        if refusal := self._refusal(matrix, place, tool, bool(key), is_input(program, value)):
            self._say(refusal, "info")
            return True
        if self._bench.running:
            self._bench.runner.pause()
        before = dict(self._editor.inputs.get(value, {}))
        made: list[Gesture] = []
        stroke = Stroke(lambda numbers, told: self._write(made[0], numbers, told),
                        lambda _stroke: self._finish(made[0]))
        gesture = Gesture(tool, pane, matrix, value, key, stroke, event.position(), place, cell,
                          inputs=before)
        made.append(gesture)
        self.gesture = gesture
        matrix.set_held(place if tool == "drag" else None)
        self._bench.runner.hurry(True)
        self._begin(gesture, event)
        return True

    def _refusal(self, matrix: LabMatrix, place: Place, tool: str, weight: bool, given: bool) -> str:
        """Why nothing can be done here, "" when it can."""
        if not matrix.part().exact:
            return tr("Zoom in until every number is a cell of its own.")
        if tool == "lock":
            return "" if weight else tr("Only weights and biases can be locked.")
        if not weight and not given:
            return tr("Only weights, biases and inputs can be changed; everything else follows from them.")
        if tool == "drag" and matrix.locked_at(*place):
            return tr("This weight is locked. The tool Lock (L) unlocks it.")
        return ""

    def _begin(self, g: Gesture, event: QMouseEvent) -> None:
        if g.tool == "drag":
            scale = g.matrix.scale()
            g.per_pixel = max(abs(scale.low), abs(scale.high), 1e-6) / FULL
            if g.key:
                g.start = g.matrix.value_at(*g.place)
            else:
                self._read_input(g)
            return
        if g.tool == "paint":
            g.number = 0.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier \
                else float(self.bar.value.value())
        else:
            g.number = 0.0 if g.matrix.locked_at(*g.place) else 1.0
        self._touch(g, g.place, event.modifiers())

    def _read_input(self, g: Gesture) -> None:
        """Inputs can be changed in the step to come: it is shown, and its number is where the drag begins."""
        runner = self._bench.runner

        def shown(explanation: Explanation | None, _error: Message | None) -> None:
            if explanation is not None:
                g.start = explanation.number

        def ready(_old: object, error: Message | None) -> None:
            if error is None:
                runner.explain(g.value, g.cell, shown)

        runner.edit_input(g.value, listed(g.inputs), np.array(list(g.inputs.values()), np.float32), ready)

    def _move(self, g: Gesture, event: QMouseEvent) -> None:
        if g.tool != "drag":
            place = g.matrix.cell_at(event.position())
            if place is not None and place != g.place:
                for step in between(g.place, place):
                    self._touch(g, step, event.modifiers())
                g.place = place
            return
        way = event.position() - g.at
        if g.start is None or (not g.moved and max(abs(way.x()), abs(way.y())) < THRESHOLD):
            return
        g.moved = True
        fine = FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        # from here on: a key pressed on the way changes the pace, not what was reached
        g.start += (way.x() - way.y()) * g.per_pixel * fine
        g.at = event.position()
        g.stroke.put({g.cell: rounded(g.start, g.per_pixel * fine)})

    def _touch(self, g: Gesture, place: Place, keys: Qt.KeyboardModifier) -> None:
        """The cells under the brush; for locks perhaps a whole row or column."""
        rows, columns = g.matrix.shape()
        row, column = place
        if g.tool == "paint":
            size = self.bar.brush_size()
            first = (row - (size - 1) // 2, column - (size - 1) // 2)
            places = [(first[0] + i, first[1] + j) for i in range(size) for j in range(size)]
        elif keys & Qt.KeyboardModifier.ShiftModifier:
            places = [(row, each) for each in range(columns)]
        elif keys & Qt.KeyboardModifier.ControlModifier:
            places = [(each, column) for each in range(rows)]
        else:
            places = [place]
        index = g.matrix.property("index")
        inside = (each for each in places if 0 <= each[0] < rows and 0 <= each[1] < columns)
        found = (g.pane.source(index, *each) for each in inside)
        g.stroke.put({each[1]: g.number for each in found if each is not None and each[0] == g.value})

    def end(self) -> None:
        """The mouse is let go."""
        g, self.gesture = self.gesture, None
        if g is not None:
            self._bench.runner.hurry(False)
            g.matrix.set_held(None)
            g.stroke.end()

    def cancel(self) -> None:
        """As it was before the gesture."""
        g = self.gesture
        if g is not None:
            g.canceled = True
            g.stroke.drop()
            self.end()

    # ---- what comes of it -----------------------------------------------------------------------------

    def _write(self, g: Gesture, numbers: Numbers, told: Answered) -> None:
        runner = self._bench.runner
        values = np.array(list(numbers.values()), np.float32)

        def answered(old: object, error: Message | None) -> None:
            told(old, error)
            self._editor.follow(None, weights=bool(g.key))

        if g.tool == "lock":
            runner.lock_cells(g.key, listed(numbers), values > 0, answered)
        elif g.key:
            runner.edit_cells(g.key, listed(numbers), values, answered)
        else:
            whole = {**g.inputs, **g.stroke.new}
            self._editor.inputs[g.value] = dict(whole)

            def taken(_old: object, error: Message | None) -> None:
                answered(None if error is not None else np.zeros(len(numbers)), error)

            runner.edit_input(g.value, listed(whole), np.array(list(whole.values()), np.float32), taken)

    def _finish(self, g: Gesture) -> None:
        """The gesture as one step of undo."""
        stroke = g.stroke
        if stroke.error is not None:
            self._say(tr_message(stroke.error), "warning")
        if not stroke.old:
            return
        new = {cell: stroke.new[cell] for cell in stroke.old}
        told = partial(self._editor.follow, weights=bool(g.key))
        runner, name = self._bench.runner, self._label(g.value)
        edit: QUndoCommand
        if not g.key:
            show = partial(self._editor.show_inputs, g.value)
            edit = InputEdit(show, g.inputs, {**g.inputs, **new}, self._words(g, name, new))
        elif g.tool == "lock":
            words = self._lock_words(bool(g.number), len(new), name)
            edit = LockEdit(runner, g.key, new, list(stroke.old.values()), list(new.values()), words, told)
        else:
            edit = CellsEdit(runner, g.key, stroke.old, new, self._words(g, name, new), told)
        if g.canceled:
            edit.undo()
            return
        self._bench.document.undo_stack.push(edit)
        if not g.key and not g.inputs:
            self._say(tr("What a changed input changes is seen until the next step."), "info")

    def _label(self, value: str) -> str:
        program, document = self._program(), self._bench.document
        owner = program.values[value].owner if program is not None and value in program.values else ""
        layer = document.node(owner).name + " " if document.graph.has(owner) else ""
        return layer + (self._name_of(value) or value.split(".", 1)[-1].split("@")[0])

    def _words(self, g: Gesture, name: str, new: Numbers) -> str:
        if g.tool == "drag":
            return tr("drag {name} {index} to {number}").format(
                name=name, index=index_text(g.cell), number=i18n.short(new[g.cell], 4)
            )
        n = len(new)
        return trn("paint {n} cell of {name}", "paint {n} cells of {name}", n).format(
            n=i18n.integer(n), name=name
        )

    @staticmethod
    def _lock_words(locked: bool, n: int, name: str) -> str:
        words = trn("lock {n} cell of {name}", "lock {n} cells of {name}", n) if locked else \
            trn("unlock {n} cell of {name}", "unlock {n} cells of {name}", n)
        return words.format(n=i18n.integer(n), name=name)

    def lock_all(self, locked: bool) -> None:
        """Every weight of the equations in sight, as one step of undo."""
        program = self._program()
        values = [lens.value for pane in self._panes for sheet in pane.sheets
                  for lens in (sheet.lens, sheet.extra) if lens is not None]  # fmt: skip
        found = dict.fromkeys(key for value in values if (key := parameter_of(program, value)))
        if not found:
            self._say(tr("There are no weights in this step. W and b stand in the forward one."), "info")
            return
        lock_whole(self._bench.document.undo_stack, self._bench.runner, found, locked,
                   partial(self._editor.follow, weights=True))


def between(start: Place, end: Place) -> list[Place]:
    """Places on the way, without the start: a fast stroke leaves no gaps."""
    down, across = end[0] - start[0], end[1] - start[1]
    steps = max(abs(down), abs(across))
    return [(start[0] + round(down * k / steps), start[1] + round(across * k / steps))
            for k in range(1, steps + 1)]  # fmt: skip


def rounded(number: float, per_pixel: float) -> float:
    """In steps that some pixels make together, a power of ten: 0.01 for weights of ordinary size."""
    decimals = -math.ceil(math.log10(per_pixel) - 1e-9)
    return round(number, decimals)
