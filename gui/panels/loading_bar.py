"""What is being waited for, how far it is, and the way out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui import i18n, theme
from gui.i18n import tr


class LoadingBar(QFrame):
    """A card in the upper middle of the canvas; `canceled()` from its button."""

    canceled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "raised")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(16), theme.px(12), theme.px(12), theme.px(12))
        column.setSpacing(theme.px(8))
        row = QHBoxLayout()
        row.setSpacing(theme.px(16))
        self._text = QLabel()
        row.addWidget(self._text, 1)
        self._count = QLabel()
        self._count.setProperty("role", "status")
        row.addWidget(self._count)
        cancel = QPushButton(tr("Cancel"))
        cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # it goes when it was clicked, the focus would jump
        cancel.clicked.connect(self.canceled)
        row.addWidget(cancel)
        column.addLayout(row)
        self._bar = QProgressBar()
        column.addWidget(self._bar)
        self.setFixedWidth(theme.px(420))
        self.hide()

    def show_progress(self, text: str, done: int, total: int) -> None:
        """Show a task; without a total the bar runs to and fro."""
        self._text.setText(text)
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._count.setText(f"{i18n.integer(done)} / {i18n.integer(total)}" if total else "")
        self.adjustSize()
        host = self.parentWidget() or self
        self.move((host.width() - self.width()) // 2, theme.px(24))
        self.show()
        self.raise_()
