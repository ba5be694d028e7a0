"""What a drop would do, said while the files still hang on the pointer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.i18n import tr


class DropMark(QFrame):
    """A dashed frame over the canvas with one sentence; shown while files are dragged over the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("drop_mark")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QVBoxLayout(self)
        self._text = QLabel(tr("Drop to open"))
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text.setProperty("role", "heading")
        plate = QFrame()
        plate.setProperty("surface", "raised")
        inside = QVBoxLayout(plate)
        inside.setContentsMargins(theme.px(20), theme.px(12), theme.px(20), theme.px(12))
        inside.addWidget(self._text)
        column.addWidget(plate, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_over(self, text: str) -> None:
        """Cover the parent and say what dropping would do."""
        self._text.setText(text)
        host = self.parentWidget() or self
        margin = theme.px(8)
        self.setGeometry(host.rect().adjusted(margin, margin, -margin, -margin))
        self.show()
        self.raise_()
