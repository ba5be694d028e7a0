"""Rename a node or block in place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolTip, QWidget

from engine.errors import GraphError
from gui.i18n import tr, tr_message


class RenameField(QLineEdit):
    """`renamed(name)` on Return or when the field is left with a good name; Escape gives up."""

    renamed = Signal(str)
    finished = Signal()

    def __init__(self, parent: QWidget, name: str, check: Callable[[str], object], place: QRect) -> None:
        """`check` raises GraphError for a name that cannot be."""
        super().__init__(name, parent)
        self.old, self.check = name, check
        self._done = False
        self.setAccessibleName(tr("Name"))
        self.setGeometry(place)
        self.setAcceptDrops(False)  # a file let go here is for the window
        self.selectAll()
        self.textEdited.connect(self._check)
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def problem(self) -> str:
        """Why the text cannot be the name, or ""."""
        try:
            self.check(self.text().strip())
        except GraphError as error:
            return tr_message(error)
        return ""

    def give_up(self) -> None:
        """Close without a new name: the node is no longer where the field is."""
        self._finish(False)

    def _check(self) -> None:
        problem = self.problem()
        self.setProperty("invalid", bool(problem))
        self.setToolTip(problem)
        # said at once: nobody waits with the pointer over a field while typing
        QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), problem, self)
        self.setAccessibleDescription(problem)
        self.style().unpolish(self)
        self.style().polish(self)

    def _finish(self, take: bool) -> None:
        if self._done:
            return
        self._done = True
        name = self.text().strip()
        self.hide()
        if take and name != self.old:
            self.renamed.emit(name)
        self.finished.emit()
        self.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not self.problem():
                self._finish(True)
        elif event.key() == Qt.Key.Key_Escape:
            self._finish(False)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
            self._finish(not self.problem())
