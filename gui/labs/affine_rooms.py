"""The two rooms of the affine lab beside its plane: one pixel and the turns below, the steps at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.forms import Choice
from gui.i18n import tr
from gui.labs.affine_cards import StepList
from gui.labs.affine_pixel import PixelView
from gui.labs.affine_product import ProductPanel
from gui.labs.affine_turns import TurnsPanel


def title(text: str, role: str = "title") -> QLabel:
    """A head."""
    label = QLabel(text)
    label.setProperty("role", role)
    return label


class Note(QLabel):
    """A remark that lies on the plane."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        t = theme.theme()
        self.setStyleSheet(
            f"QLabel {{ background: {t.raised}; color: {t.text2}; border: 1px solid {t.border};"
            f" border-radius: {theme.px(6)}px; padding: {theme.px(4)}px {theme.px(8)}px; }}"
        )


class Lower(QFrame):
    """One pixel read backwards, and 36 turns. `channel_chosen()` when another color is wanted."""

    channel_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        traced = QVBoxLayout()
        traced.setContentsMargins(0, theme.px(6), 0, 0)
        traced.setSpacing(theme.px(4))
        head = QHBoxLayout()
        head.setContentsMargins(theme.px(12), 0, theme.px(12), 0)
        head.setSpacing(theme.px(10))
        self.channel = Choice(((0, tr("red")), (1, tr("green")), (2, tr("blue"))))
        self.channel.setAccessibleName(tr("Channel"))
        self.channel.set_value(0)
        self.channel.chosen.connect(lambda _value: self.channel_chosen.emit())
        head.addWidget(title(tr("One pixel")))
        head.addWidget(title(tr("read backward through M⁻¹"), "status"))
        head.addStretch(1)
        head.addWidget(self.channel)
        traced.addLayout(head)
        self.pixel = PixelView()
        traced.addWidget(self.pixel, 1)
        row.addLayout(traced, 1)
        rule = QFrame()
        rule.setProperty("surface", "divider")
        rule.setFixedWidth(1)
        row.addWidget(rule)
        self.turns = TurnsPanel()
        self.turns.setFixedWidth(theme.px(244))
        self.turns.clear()
        row.addWidget(self.turns)
        self.setFixedHeight(theme.px(232))


class Right(QScrollArea):
    """The steps in their order, and their product."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.px(12), theme.px(8), theme.px(14), theme.px(10))
        column.setSpacing(theme.px(6))
        head = QHBoxLayout()
        head.addWidget(title(tr("Transformation"), "heading"))
        head.addStretch(1)
        head.addWidget(title(tr("first step on top"), "status"))
        column.addLayout(head)
        self.maps = QPushButton()
        self.maps.setProperty("kind", "link")
        self.maps.hide()
        column.addWidget(self.maps)
        self.steps = StepList()
        column.addWidget(self.steps)
        self.product = ProductPanel()
        column.addWidget(self.product)
        column.addStretch(1)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
