"""Which example of the batch is looked at: its picture, its class, and the way to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from gui import icons, theme
from gui.i18n import tr
from gui.picture_words import picture_words
from gui.views.base import image_from_words

SIDE = 20


class SampleChooser(QWidget):
    """`chosen(index)` from 0; leafs through the examples of the batch."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._at, self._count = 0, 0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(2))
        self._before = self._button("chevron-left", tr("Example before"), -1)
        self._picture = QLabel()
        self._picture.setFixedSize(theme.px(SIDE), theme.px(SIDE))
        self._text = QLabel()
        self._text.setProperty("role", "caption")
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._after = self._button("chevron-right", tr("Next example"), 1)
        for widget in (self._before, self._picture, self._text, self._after):
            row.addWidget(widget)
        self.hide()

    def show_sample(self, at: int, count: int, name: str, picture: np.ndarray[Any, Any] | None) -> None:
        """The example shown, how many there are, its class, and its picture (C, H, W) if it is one."""
        self._at, self._count = at, count
        self.setVisible(count > 1)
        text = str(at + 1)
        if self._text.text() != text:
            self._text.setText(text)
            # room for two digits, so that leafing does not move the arrows
            self._text.setMinimumWidth(self._text.fontMetrics().horizontalAdvance("00") + theme.px(4))
        tip = tr("Example {n} of the batch").format(n=at + 1) + (f": {name}" if name else "")
        self.setToolTip(tip)
        self._picture.setVisible(picture is not None)
        if picture is not None:
            words = picture_words(picture[None])[0]
            made = QPixmap.fromImage(image_from_words(words))
            keep = Qt.AspectRatioMode.KeepAspectRatio
            self._picture.setPixmap(made.scaled(theme.px(SIDE), theme.px(SIDE), keep))

    def _button(self, icon: str, tip: str, step: int) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(icon, "text2"))
        button.setIconSize(QSize(theme.px(12), theme.px(12)))
        button.setFixedSize(theme.px(18), theme.px(22))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRepeat(True)
        button.clicked.connect(lambda: self._step(step))
        return button

    def _step(self, step: int) -> None:
        if self._count:
            self.chosen.emit((self._at + step) % self._count)
