"""A way in steps: small buttons with arrows between them, each a place to go to."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from gui import theme


class Chips(QWidget):
    """`clicked(key)`. Without chips it is hidden."""

    clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.px(4))
        self._shown: list[tuple[str, str]] = []

    def set_chips(self, chips: list[tuple[str, str]], head: str = "") -> None:
        """(key, text) in order, the text before them."""
        self.setVisible(bool(chips))
        if chips == self._shown:
            return
        self._shown = list(chips)
        while (item := self._row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if head:
            label = QLabel(head)
            label.setProperty("role", "caption")
            self._row.addWidget(label)
        for number, (key, text) in enumerate(chips):
            if number:
                arrow = QLabel("←")
                arrow.setProperty("role", "caption")
                self._row.addWidget(arrow)
            button = QToolButton()
            button.setText(text)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _checked=False, key=key: self.clicked.emit(key))
            self._row.addWidget(button)
        self._row.addStretch(1)

    def texts(self) -> list[str]:
        """What the chips say."""
        return [text for _, text in self._shown]
