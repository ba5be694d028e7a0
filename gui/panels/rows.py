"""Lines of labels and values, and the small heads above them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from gui import theme

Row = tuple[str, str]
"""A label and its value, both in the language in use."""
MOST = 20
"""Characters of a value that stand in one line; longer ones are wrapped."""


class Rows(QWidget):
    """Labels on the left, values in the numbers' face on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.px(12))
        self._grid.setVerticalSpacing(theme.px(4))
        self._grid.setColumnStretch(0, 1)
        self._labels: list[tuple[QLabel, QLabel]] = []

    def set_rows(self, rows: Sequence[Row]) -> None:
        while len(self._labels) > len(rows):
            for label in self._labels.pop():
                label.hide()
                label.deleteLater()
        while len(self._labels) < len(rows):
            name, value = QLabel(self), QLabel(self)
            name.setProperty("role", "muted")
            name.setWordWrap(True)
            value.setProperty("role", "mono")
            value.setFont(theme.mono_font(12))
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            at = len(self._labels)
            self._grid.addWidget(name, at, 0)
            self._grid.addWidget(value, at, 1, Qt.AlignmentFlag.AlignRight)
            self._labels.append((name, value))
        for (name, value), (text, figure) in zip(self._labels, rows, strict=True):
            name.setText(text)
            value.setText(figure)
            # numbers stay in one line; words may be longer than the panel is wide
            value.setWordWrap(len(figure) > MOST)

    def texts(self) -> list[Row]:
        return [(name.text(), value.text()) for name, value in self._labels]


class Section(QWidget):
    """A hairline, a small head, and what belongs under it."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(theme.px(6))
        line = QFrame(self)
        line.setProperty("surface", "line")
        head = QLabel(title, self)
        head.setProperty("role", "head")
        self.column.addWidget(line)
        self.column.addSpacing(theme.px(2))
        self.column.addWidget(head)
