"""The steps of the affine map as cards: numbers to type or pull, and an order to drag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import icons, theme
from gui.formulas import FormulaView
from gui.i18n import tr
from gui.labs.affine_matrix import MatrixFace
from gui.labs.affine_state import LETTERS, MOST, STEPS, AffineState
from gui.number_field import NumberField

TICKS = 200
"""Steps of a slider to either side."""


def titles() -> dict[str, str]:
    """Step -> its name."""
    return {"scale": tr("Scale"), "shear": tr("Shear"), "rotate": tr("Rotate"), "shift": tr("Shift")}


def fields() -> dict[str, tuple[tuple[str, str, float, str, float], ...]]:
    """Step -> its numbers: (name, label, reach of the slider, unit, step)."""
    return {
        "scale": (("wide", tr("wide"), 2.0, "×", 0.05), ("high", tr("high"), 2.0, "×", 0.05)),
        "shear": (("across", tr("right"), 1.0, "", 0.05), ("along", tr("down"), 1.0, "", 0.05)),
        "rotate": (("angle", tr("angle"), 180.0, "°", 1.0),),
        "shift": (("right", tr("right"), 100.0, "px", 1.0), ("low", tr("down"), 100.0, "px", 1.0)),
    }


class StepCard(QFrame):
    """One step: its matrix, its numbers. `edited(changes, still moving)`, `dragged(y)`, `dropped()`."""

    edited = Signal(object, bool)
    refused = Signal(str)
    grabbed = Signal(int)
    dropped = Signal()
    earlier = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.setProperty("surface", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(10), theme.px(3), theme.px(10), theme.px(5))
        column.setSpacing(0)
        self.header = QWidget()
        self.header.setCursor(Qt.CursorShape.OpenHandCursor)
        self.header.setToolTip(tr("Drag to change the order"))
        self.header.installEventFilter(self)
        head = QHBoxLayout(self.header)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(theme.px(6))
        self._number = QLabel()
        self._number.setProperty("role", "key")
        title = QLabel(titles()[name])
        title.setProperty("role", "title")
        letter = FormulaView(LETTERS[name], 14)
        letter.setFixedWidth(theme.px(26))
        grip = QLabel()
        grip.setPixmap(icons.pixmap("grid", "text3", theme.px(12)))
        self._earlier = QToolButton()
        self._earlier.setObjectName(f"earlier_{name}")
        self._earlier.setIcon(icons.icon("chevron-up", "text2", 14))
        self._earlier.setFixedHeight(theme.px(22))
        self._earlier.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._earlier.setToolTip(tr("One place earlier"))
        self._earlier.clicked.connect(self.earlier)
        for part in (self._number, title, letter):
            head.addWidget(part)
        head.addStretch(1)
        head.addWidget(self._earlier)
        head.addWidget(grip)
        column.addWidget(self.header)
        body = QHBoxLayout()
        body.setSpacing(theme.px(8))
        self.face = MatrixFace(12)
        body.addWidget(self.face, 0, Qt.AlignmentFlag.AlignVCenter)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(6))
        grid.setVerticalSpacing(theme.px(3))
        self.editors: dict[str, NumberField] = {}
        self._sliders: dict[str, tuple[QSlider, float]] = {}
        for row, (field, label, reach, unit, step) in enumerate(fields()[name]):
            words = QLabel(label)
            words.setProperty("role", "status")
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(-TICKS, TICKS)
            slider.setMinimumSize(theme.px(34), theme.px(20))
            slider.setAccessibleName(f"{titles()[name]}: {label}")
            editor = NumberField(0.0, minimum=-MOST, maximum=MOST, unit=unit, step=step)
            editor.setFixedWidth(theme.px(80))
            editor.setAccessibleName(f"{titles()[name]}: {label}")
            slider.valueChanged.connect(self._pulled(field))
            slider.sliderReleased.connect(lambda: self.edited.emit({}, False))
            editor.value_changed.connect(self._typed(field))
            editor.refused.connect(self.refused)
            for at, widget in enumerate((words, slider, editor)):
                grid.addWidget(widget, row, at)
            self.editors[field], self._sliders[field] = editor, (slider, reach)
        grid.setColumnStretch(1, 1)
        body.addLayout(grid, 1)
        column.addLayout(body)
        self._grab: QPoint | None = None

    def _typed(self, field: str) -> Callable[[object], None]:
        return lambda value: self.edited.emit({field: float(str(value))}, False)

    def _pulled(self, field: str) -> Callable[[int], None]:
        def pulled(ticks: int) -> None:
            slider, reach = self._sliders[field]
            value = round(ticks / TICKS * reach, 2)
            self.edited.emit({field: value}, slider.isSliderDown())

        return pulled

    def show_state(self, state: AffineState) -> None:
        """The numbers of a state, silently."""
        self._number.setText(str(state.order.index(self.name) + 1))
        self._earlier.setEnabled(state.order[0] != self.name)
        self.face.set_matrix(state.step(self.name))
        for field, editor in self.editors.items():
            value = float(getattr(state, field))
            editor.set_value(value)
            slider, reach = self._sliders[field]
            if not slider.isSliderDown():
                slider.blockSignals(True)
                slider.setValue(round(max(-1.0, min(1.0, value / reach)) * TICKS))
                slider.blockSignals(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The header is what the card is dragged by."""
        if isinstance(event, QMouseEvent):
            kind = event.type()
            if kind == QEvent.Type.MouseButtonPress:
                self._grab = event.globalPosition().toPoint()
                self.header.setCursor(Qt.CursorShape.ClosedHandCursor)
            elif kind == QEvent.Type.MouseMove and self._grab is not None:
                self.grabbed.emit(event.globalPosition().toPoint().y())
            elif kind == QEvent.Type.MouseButtonRelease and self._grab is not None:
                self._grab = None
                self.header.setCursor(Qt.CursorShape.OpenHandCursor)
                self.dropped.emit()
        return super().eventFilter(watched, event)


class StepList(QWidget):
    """The cards in their order. `changed(state, still moving)`; `refused(why)` for no number."""

    changed = Signal(object, bool)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = AffineState()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.px(6))
        self.cards = {name: StepCard(name) for name in STEPS}
        for name, card in self.cards.items():
            self._column.addWidget(card)
            card.edited.connect(partial(self._edit, card))
            card.refused.connect(self.refused)
            card.grabbed.connect(self._drag(name))
            card.dropped.connect(lambda: self.changed.emit(self.state, False))
            card.earlier.connect(self._earlier(name))
        self.set_state(self.state)

    def set_state(self, state: AffineState) -> None:
        """Show a state; the cards stand in its order."""
        reorder = state.order != self.state.order
        self.state = state
        if reorder:
            self._place()
        for card in self.cards.values():
            card.show_state(state)

    def _place(self) -> None:
        for at, name in enumerate(self.state.order):
            card = self.cards[name]
            if self._column.indexOf(card) != at:
                self._column.removeWidget(card)
                self._column.insertWidget(at, card)

    def _edit(self, card: StepCard, changes: dict[str, float], moving: bool) -> None:
        new = replace(self.state, **changes)  # type: ignore[arg-type]
        if moving:  # the other cards did not change
            self.state = new
            card.show_state(new)
        else:
            self.set_state(new)
        self.changed.emit(new, moving)

    def _move(self, name: str, place: int, moving: bool) -> None:
        new = self.state.moved(name, place)
        if new != self.state:
            self.set_state(new)
            self.changed.emit(new, moving)

    def _earlier(self, name: str) -> Callable[[], None]:
        return lambda: self._move(name, self.state.order.index(name) - 1, False)

    def _drag(self, name: str) -> Callable[[int], None]:
        def drag(y: int) -> None:
            """The card goes where the pointer is: before the first card whose middle lies below it."""
            here = self.mapFromGlobal(QPoint(0, y)).y()
            others = [step for step in self.state.order if step != name]
            place = sum(self.cards[step].geometry().center().y() < here for step in others)
            self._move(name, place, True)

        return drag
