"""What a drop would do, said while the files still hang on the pointer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from gui import theme


class DropMark(QFrame):
    """A dashed frame over the canvas with a sentence or two; shown while files are dragged over the window.

    `text` is what a drop does, `what` names the files or says why they cannot be used.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("drop_mark")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QVBoxLayout(self)
        self._text, self._what = QLabel(), QLabel()
        self._text.setObjectName("drop_text")
        self._text.setProperty("role", "heading")
        self._what.setObjectName("drop_what")
        self._what.setProperty("role", "muted")
        self._what.setWordWrap(True)
        plate = QFrame()
        plate.setProperty("surface", "raised")
        inside = QVBoxLayout(plate)
        inside.setContentsMargins(theme.px(20), theme.px(12), theme.px(20), theme.px(12))
        inside.setSpacing(theme.px(4))
        for label in (self._text, self._what):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            inside.addWidget(label)
        column.addWidget(plate, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_over(self, text: str, what: str = "", *, refused: bool = False) -> None:
        """Cover the parent and say what dropping would do, or why it would do nothing."""
        host = self.parentWidget() or self
        margin = theme.px(8)
        self.setGeometry(host.rect().adjusted(margin, margin, -margin, -margin))
        self._text.setText(text)
        self._what.setText(what)
        self._what.setVisible(bool(what))
        # a wrapped label alone would be as narrow as its longest word
        wide = self._what.fontMetrics().horizontalAdvance(what) + theme.px(8)
        self._what.setMinimumWidth(min(wide, theme.px(420), self.width() - theme.px(80)))
        if bool(self.property("refused")) != refused:
            self.setProperty("refused", refused)
            self.style().unpolish(self)
            self.style().polish(self)
        self.show()
        self.raise_()
