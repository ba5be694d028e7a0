"""The switches of the matrix lab: which layer and examples, how it is written; and the bar that plays it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.ops.over_time import time_of
from engine.product import ORDERS
from engine.values import Op
from gui import i18n, icons, theme
from gui.formulas import FormulaView
from gui.i18n import tr
from gui.labs.equation import Equation, Style
from gui.labs.pane import Sight
from gui.labs.player import PACES
from gui.number_field import NumberField
from gui.panels.docks import Switch


def _caption(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "caption")
    return label


class TopBar(QWidget):
    """Stands in the lab's title row."""

    layer_chosen = Signal(str)
    style_changed = Signal()
    example_changed = Signal(bool, int)
    channel_changed = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        self.layer = QComboBox()
        self.layer.setAccessibleName(tr("Layer"))
        self.layer.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.layer.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.layer.activated.connect(lambda i: self.layer_chosen.emit(str(self.layer.itemData(i))))
        row.addWidget(self.layer)
        row.addStretch(1)
        self._channel_text = _caption(tr("Filter"))
        self.channel = self._number()
        self._inner_text = _caption(tr("Channel"))
        self.inner = self._number()
        self._example_text = _caption(tr("Example"))
        self.example = self._number()
        self._time_text = _caption("t")
        self._time_text.setToolTip(tr("Time step"))
        self.time, self._length = self._number(), 0
        self.time.setAccessibleName(tr("Time step"))
        self.batch = Switch({
            "one": (tr("One"), tr("One example: X is a column")),
            "all": (tr("Batch"), tr("The whole batch: X has a column for each example")),
        })  # fmt: skip
        self.samples = Switch({
            "columns": (tr("Columns"), tr("Examples are columns, as in textbooks: Z = W·X + b")),
            "rows": (tr("Rows"), tr("Examples are rows, as in PyTorch, Keras and NumPy: Z = X·Wᵀ + b")),
        })  # fmt: skip
        self.bias = Switch({
            "vector": ("+ b", tr("The bias as a vector of its own")),
            "folded": ("(W | b)", tr("The bias as one more column of W, and a row of ones below X")),
        })  # fmt: skip
        self.form = Switch({
            "windows": (tr("Windows"), tr("A window that moves over the picture")),
            "matrix": (tr("Matrix"), tr("The same as one large matrix: z = M·x, the picture as a column x")),
        })  # fmt: skip
        self.copy_menu = QMenu(self)
        copy = QToolButton()
        copy.setIcon(icons.icon("duplicate", "text2"))
        copy.setIconSize(QSize(theme.px(16), theme.px(16)))
        copy.setToolTip(tr("Copy matrices and formulas"))
        copy.setAccessibleName(tr("Copy"))
        copy.setMenu(self.copy_menu)
        copy.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for widget in (self._channel_text, self.channel, self._inner_text, self.inner, self._time_text,
                       self.time, self._example_text, self.example, self.batch, self.samples, self.bias,
                       self.form, copy):  # fmt: skip
            row.addWidget(widget)
        self.example.value_changed.connect(lambda n: self.example_changed.emit(self._whole(), int(n) - 1))
        self.batch.chosen.connect(
            lambda key: self.example_changed.emit(key == "all", int(self.example.value()) - 1)
        )
        for field in (self.channel, self.inner):
            field.value_changed.connect(self._see_channels)
        self.time.value_changed.connect(lambda _n: self.style_changed.emit())
        self.samples.chosen.connect(lambda _key: self.style_changed.emit())
        self.bias.chosen.connect(lambda _key: self.style_changed.emit())
        self.form.chosen.connect(lambda _key: self.style_changed.emit())

    def _see_channels(self, _number: object) -> None:
        self.channel_changed.emit(int(self.channel.value()) - 1, int(self.inner.value()) - 1)

    def _number(self) -> NumberField:
        field = NumberField(1, minimum=1, integer=True)
        field.setFixedWidth(theme.px(52))
        return field

    def _whole(self) -> bool:
        return self.batch.value() == "all"

    def writing(self, length: int = 0) -> Style:
        """How it is written; of a recurrence over `length` positions the last is seen first."""
        for widget in (self._time_text, self.time):
            widget.setVisible(length > 1)
        self.time.set_range(1, max(length, 1))
        if length != self._length:
            self._length = length
            self.time.set_value(max(length, 1))
        rows, folded = self.samples.value() == "rows", self.bias.value() == "folded"
        return Style(rows, folded, int(self.time.value()) - 1)

    def see_time(self, op: Op) -> bool:
        """Choose the position that an op belongs to; whether that is another than the one in sight."""
        place = time_of(op)
        if place is None or place[0] + 1 == int(self.time.value()):
            return False
        self.time.set_value(place[0] + 1)
        return True

    def set_layers(self, layers: Sequence[tuple[str, str]], uid: str) -> None:
        """The layers to choose from."""
        self.layer.clear()
        for key, name in layers:
            self.layer.addItem(name, key)
        self.layer.setCurrentIndex(next((i for i, (key, _) in enumerate(layers) if key == uid), -1))

    def set_sight(self, sight: Sight, lanes: int, maps: bool, channels: int, inner: int,
                  transposed: bool = False) -> None:
        """What is in sight, and what can be. `inner`: channels of the kernels, 0 where there are none.

        `transposed`: a kernel is of a channel that goes in, and its own channels are maps that come out.
        """
        self._channel_text.setText(tr("Filter") if inner and not transposed else tr("Channel"))
        self._inner_text.setText(tr("Map") if transposed else tr("Channel"))
        self.batch.set_value("all" if sight.whole else "one")
        self.batch.setVisible(not maps and lanes > 1)
        single = lanes > 1 and (maps or not sight.whole)
        for widget in (self._example_text, self.example):
            widget.setVisible(single)
        self.example.set_range(1, max(lanes, 1))
        self.example.set_value(sight.example + 1)
        for text, field, value, count in ((self._channel_text, self.channel, sight.channel, channels),
                                          (self._inner_text, self.inner, sight.channel_in, inner)):
            text.setVisible(maps and count > 1)
            field.setVisible(maps and count > 1)
            field.set_range(1, max(count, 1))
            field.set_value(min(value, max(count, 1) - 1) + 1)
        self.samples.setVisible(not maps)
        self.bias.setVisible(not maps)


class PlayBar(QWidget):
    """Above the equation: what it is, the order of the product, and the walk through it."""

    play_clicked = Signal()
    stop_clicked = Signal()
    walk_clicked = Signal(int)
    order_chosen = Signal(str)
    pace_chosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        self._column.addLayout(row)
        row.setSpacing(theme.px(8))
        self._part = QLabel()
        self._part.setProperty("role", "heading")
        self._formula = FormulaView("", 16)
        self._formula.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        row.addWidget(self._part)
        row.addWidget(self._formula)
        row.addStretch(1)
        self.order = QComboBox()
        names = {"cells": tr("Row by column"), "columns": tr("Column by column"),
                 "rows": tr("Row by row"), "outer": tr("Outer products")}  # fmt: skip
        for key in ORDERS:
            self.order.addItem(names[key], key)
        self.order.setToolTip(tr("The order in which the product is computed: the result is the same."))
        self.order.setAccessibleName(tr("Order of the product"))
        self.order.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.order.activated.connect(lambda i: self.order_chosen.emit(str(self.order.itemData(i))))
        row.addWidget(self.order)
        self.before = self._button("chevron-left", tr("Back (←)"), lambda: self.walk_clicked.emit(-1))
        self.play = self._button("play", tr("Play the calculation (P)"), self.play_clicked.emit)
        self.after = self._button("chevron-right", tr("On (→)"), lambda: self.walk_clicked.emit(1))
        for button in (self.before, self.play, self.after):
            row.addWidget(button)
        self._count = QLabel()
        self._count.setProperty("role", "mono")
        self._count.setFont(theme.mono_font(11))
        row.addWidget(self._count)
        self.pace = QComboBox()
        for pace in PACES:
            text = i18n.number(pace, 1) if pace < 1 else i18n.integer(round(pace))
            self.pace.addItem(tr("{n} / s").format(n=text), pace)
        self.pace.setCurrentIndex(PACES.index(2.0))
        self.pace.setToolTip(tr("Pace of the calculation"))
        self.pace.setAccessibleName(tr("Pace of the calculation"))
        self.pace.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.pace.activated.connect(lambda i: self.pace_chosen.emit(float(self.pace.itemData(i))))
        row.addWidget(self.pace)
        self.stop = self._button("close", tr("Show all numbers (Esc)"), self.stop_clicked.emit)
        row.addWidget(self.stop)

    def _button(self, icon: str, tip: str, act: object) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(icon, "text2"))
        button.setIconSize(QSize(theme.px(16), theme.px(16)))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(act)
        return button

    def add_below(self, bar: QWidget) -> None:
        """Another row of tools, which comes and goes with this one."""
        self._column.addWidget(bar)

    def show_equation(self, part: str, equation: Equation) -> None:
        """Another equation."""
        self._part.setText(part)
        self._formula.set_formula(equation.title)

    def show_state(self, playing: bool, at: int, count: int, product: bool) -> None:
        """Where the walk stands."""
        self.play.setIcon(icons.icon("pause" if playing else "play", "text2"))
        self.order.setVisible(product)
        self._count.setText(f"{i18n.integer(at + 1)} / {i18n.integer(count)}" if at >= 0 else "")
        self._count.setMinimumWidth(theme.px(64))
        self.stop.setEnabled(at >= 0)
        self.before.setEnabled(at >= 0)
        self.after.setEnabled(at < count - 1)
