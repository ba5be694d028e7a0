"""Forms made from declarations: what a layer says about its settings becomes labels and fields.

A form holds no truth of its own. It shows values, speaks with `edited(name, value)` when the person
changed one, and waits for `set_values` to be told what became of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from engine.errors import N_
from engine.layers.base import Layer
from engine.ops.convolution import extent
from gui import theme
from gui.i18n import tr
from gui.list_field import ListField
from gui.number_field import NumberField

SIDES = (N_("top"), N_("left"), N_("bottom"), N_("right"))
ENDS = (N_("before"), N_("after"))


@dataclass(frozen=True)
class Field:
    """One line of a form. Texts are English; `choices` are (value, text).

    `kind`: "int", "float", "bool", "choice", "pair", "pads", "ends", "shape", "list" or "text". `actions` are
    small buttons below the field: (text, function from all values of the form to the new value).
    """

    name: str
    label: str
    kind: str = "int"
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    choices: tuple[tuple[Any, str], ...] = ()
    default: Any = None
    actions: tuple[tuple[str, Callable[[Mapping[str, Any]], Any]], ...] = ()


def keep_size(values: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """The padding (top, left, bottom, right) with which a kernel at stride 1 keeps the size."""
    down, across = extent(values["kernel"], values.get("dilation", (1, 1)))
    top, left = (down - 1) // 2, (across - 1) // 2
    return top, left, down - 1 - top, across - 1 - left


def keep_length(values: Mapping[str, Any]) -> tuple[int, int]:
    """The padding (before, after) with which a kernel at stride 1 keeps the length."""
    more = (values["kernel"] - 1) * values["dilation"]
    return more // 2, more - more // 2


def only_before(values: Mapping[str, Any]) -> tuple[int, int]:
    """The same, all of it before: a position sees earlier ones only."""
    return sum(keep_length(values)), 0


def fields_of(layer: type[Layer] | Layer) -> list[Field]:
    """The fields of a layer's inspector form, in the order of its declaration."""
    settings = layer.settings()
    made = []
    for name, (facts, default) in settings.items():
        actions: tuple[tuple[str, Callable[[Mapping[str, Any]], Any]], ...] = ()
        if facts.kind == "pads" and "kernel" in settings:
            actions = ((N_("Keep size"), keep_size), (N_("None"), lambda _values: (0, 0, 0, 0)))
        if facts.kind == "ends":
            actions = ((N_("Keep length"), keep_length), (N_("Causal"), only_before),
                       (N_("None"), lambda _values: (0, 0)))
        made.append(
            Field(
                name, facts.label, facts.kind, facts.help, facts.minimum, facts.maximum, facts.unit,
                tuple(facts.choices), default, actions,
            )
        )  # fmt: skip
    return made


class Choice(QComboBox):
    """A list of choices that the wheel changes only while it is in use."""

    chosen = Signal(object)

    def __init__(self, choices: Sequence[tuple[Any, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for value, text in choices:
            self.addItem(tr(text), value)
        self._by_mouse = False
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """As ever, but what finds no room ends in dots and not in half a letter."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, part.width() - theme.px(2)
        )
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def hidePopup(self) -> None:
        super().hidePopup()
        if self._by_mouse:  # done: Space and the wheel belong to others again
            self._by_mouse = False
            self.clearFocus()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._by_mouse = True
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._by_mouse = False
        super().keyPressEvent(event)

    def value(self) -> Any:
        """The value chosen."""
        return self.currentData()

    def set_value(self, value: Any) -> None:
        """Show a choice, silently; an unknown value shows none."""
        self.setCurrentIndex(next((i for i in range(self.count()) if self.itemData(i) == value), -1))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ShapeField(QLineEdit):
    """Whole numbers with × between them: 1 × 28 × 28. Accepts ×, x, comma, semicolon and space."""

    chosen = Signal(object)
    problem_changed = Signal(str)

    def __init__(self, minimum: float | None, maximum: float | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("number", True)
        self.setAcceptDrops(False)  # a file let go here is for the window
        self._limits = (minimum, maximum)
        self._value: tuple[int, ...] = ()
        self.editingFinished.connect(self._commit)

    def set_value(self, value: Sequence[int]) -> None:
        """Show a shape, silently."""
        self._value = tuple(value)
        if not (self.hasFocus() and self.isModified()):
            self._show()

    def _show(self) -> None:
        self.setText(" × ".join(str(n) for n in self._value))
        self.setModified(False)
        self.problem_changed.emit("")

    def _commit(self) -> None:
        if not self.isModified():
            return
        parts = [part for part in re.split(r"[\s×xX*,;]+", self.text().strip()) if part]
        low, high = self._limits
        if not parts or not all(part.isdecimal() for part in parts):
            self.problem_changed.emit(tr("Needs whole numbers such as 1 × 28 × 28."))
            return
        numbers = tuple(int(part) for part in parts)
        if any((low is not None and n < low) or (high is not None and n > high) for n in numbers):
            self.problem_changed.emit(
                tr("Each number must lie between {low} and {high}.").format(low=low, high=high)
            )
            return
        changed = numbers != self._value
        self._value = numbers
        self._show()
        if changed:
            self.chosen.emit(numbers)


class Form(QWidget):
    """Labels and fields for `fields`; `edited(name, value)` for every change by the person."""

    edited = Signal(str, object)

    def __init__(self, fields: Sequence[Field], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields = {field.name: field for field in fields}
        self._values: dict[str, Any] = {field.name: field.default for field in fields}
        self._setters: dict[str, Callable[[Any], None]] = {}
        self._editors: dict[str, QWidget] = {}
        self._problems: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.px(12))
        grid.setVerticalSpacing(theme.px(6))
        grid.setColumnStretch(0, 1)
        grid.setColumnMinimumWidth(0, theme.px(84))  # two short words in one line; long choices end in dots
        for row, field in enumerate(fields):
            self._add(grid, row * 3, field)
        self.set_values(self._values)

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show values by field name, silently; names the form does not have are ignored."""
        for name, value in values.items():
            if name in self._setters and value is not None:
                self._values[name] = value
                self._setters[name](value)

    def values(self) -> dict[str, Any]:
        """The last valid value of every field."""
        return dict(self._values)

    def editor(self, name: str) -> QWidget:
        """The widget of a field, to put the focus on. Raises KeyError."""
        return self._editors[name]

    def set_problem(self, name: str, text: str) -> None:
        """Say under a field what is wrong with it; "" for nothing. Unknown names are ignored."""
        label = self._problems.get(name)
        if label is not None:
            label.setText(text)
            label.setVisible(bool(text))

    def problem(self, name: str) -> str:
        """What stands under a field."""
        return self._problems[name].text()

    def clear_problems(self) -> None:
        """Nothing is wrong any more."""
        for name in self._problems:
            self.set_problem(name, "")

    # -- inside -----------------------------------------------------------------------------------

    def _add(self, grid: QGridLayout, row: int, field: Field) -> None:
        label = QLabel(tr(field.label))
        label.setProperty("role", "muted")
        label.setWordWrap(True)
        label.setToolTip(tr(field.help))
        editor = self._editor(field)
        editor.setToolTip(tr(field.help))
        editor.setAccessibleName(tr(field.label))
        editor.setAccessibleDescription(tr(field.help))
        label.setBuddy(editor)
        line_long = label.fontMetrics().horizontalAdvance(label.text())
        label.setMinimumWidth(min(line_long + theme.px(2), theme.px(80)))  # not a word a line
        self._editors[field.name] = editor
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if field.kind in ("pads", "ends", "text"):
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop
        if field.kind == "pads":
            # four fields with their sides need the whole width: beside a long label they would not fit
            grid.addWidget(label, row, 0, 1, 2)
            grid.addWidget(editor, row + 1, 0, 1, 2, align)
        else:
            line = QHBoxLayout()  # of its own: a short field leaves the room of a long one to its label
            line.setSpacing(theme.px(12))
            line.addWidget(label, 1)
            line.addWidget(editor, 0, align)
            grid.addLayout(line, row, 0, 1, 2)
        problem = QLabel()
        problem.setProperty("role", "problem")
        problem.setWordWrap(True)
        problem.hide()
        self._problems[field.name] = problem
        grid.addWidget(problem, row + 2, 0, 1, 2)

    def _editor(self, field: Field) -> QWidget:
        if field.kind in ("int", "float"):
            number = self._number(field)
            number.value_changed.connect(lambda value: self._edit(field.name, value))
            number.problem_changed.connect(lambda text: self.set_problem(field.name, text))
            self._setters[field.name] = number.set_value
            return number
        if field.kind == "bool":
            box = QCheckBox()
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            box.clicked.connect(lambda checked: self._edit(field.name, bool(checked)))
            self._setters[field.name] = lambda value: box.setChecked(bool(value))
            return box
        if field.kind == "choice":
            choice = Choice(field.choices)
            # in a narrow form the field gives way before the label does; its list shows all of it
            choice.view().setMinimumWidth(choice.sizeHint().width())
            choice.setMinimumWidth(theme.px(110))
            choice.chosen.connect(lambda value: self._edit(field.name, value))
            self._setters[field.name] = choice.set_value
            return choice
        if field.kind in ("pair", "pads", "ends"):
            return self._numbers(field)
        if field.kind in ("shape", "list"):
            shape = (ShapeField if field.kind == "shape" else ListField)(field.minimum, field.maximum)
            shape.chosen.connect(lambda value: self._edit(field.name, value))
            shape.problem_changed.connect(lambda text: self.set_problem(field.name, text))
            self._setters[field.name] = shape.set_value
            return shape
        if field.kind == "text":
            line = QLineEdit()
            line.setAcceptDrops(False)  # a file let go here is for the window
            line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            line.editingFinished.connect(lambda: self._edit(field.name, line.text()))
            self._setters[field.name] = lambda value: line.setText(str(value))
            return line
        raise ValueError(f"no editor for fields of kind {field.kind!r}")

    def _number(self, field: Field, unit: str | None = None) -> NumberField:
        whole = field.kind != "float"
        return NumberField(
            0 if whole else 0.0,
            minimum=field.minimum,
            maximum=field.maximum,
            integer=whole,
            unit=field.unit if unit is None else unit,
        )

    def _numbers(self, field: Field) -> QWidget:
        """Two numbers side by side (rows × columns) or four sides of a picture, with actions below."""
        holder = QWidget()
        outer = QVBoxLayout(holder)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.px(4))
        grid = QGridLayout()
        grid.setSpacing(theme.px(4))
        outer.addLayout(grid)
        units = {"pads": SIDES, "ends": ENDS}.get(field.kind, ("", ""))
        numbers = [self._number(field, tr(unit) if unit else "") for unit in units]
        # top and bottom in the first row, left and right in the second
        places = [(0, 0), (1, 0), (0, 2), (1, 2)] if len(units) == 4 else [(0, 0), (0, 2)]
        for number, (row, column) in zip(numbers, places, strict=True):
            number.setFixedWidth(theme.px(88 if units[0] else 56))
            number.value_changed.connect(
                lambda _value: self._edit(field.name, tuple(int(n.value()) for n in numbers))
            )
            number.problem_changed.connect(lambda text: self.set_problem(field.name, text))
            grid.addWidget(number, row, column)
        if not units[0]:
            grid.addWidget(QLabel("×"), 0, 1)
        if field.actions:
            outer.addLayout(self._actions(field))

        def show(value: Any) -> None:
            for number, part in zip(numbers, value, strict=True):
                number.set_value(part)

        self._setters[field.name] = show
        holder.setFocusProxy(numbers[0])
        return holder

    def _actions(self, field: Field) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.px(12))
        row.addStretch(1)
        for text, function in field.actions:
            button = QPushButton(tr(text))
            button.setProperty("kind", "link")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _checked=False, make=function: self._act(field.name, make))
            row.addWidget(button)
        return row

    def _act(self, name: str, function: Callable[[Mapping[str, Any]], Any]) -> None:
        value = function(self._values)
        self._setters[name](value)
        self._edit(name, value)

    def _edit(self, name: str, value: Any) -> None:
        if value == self._values.get(name):
            return
        self._values[name] = value
        self.set_problem(name, "")
        self.edited.emit(name, value)
