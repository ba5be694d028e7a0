"""The list of problems: where, what, and the repair as a button."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from engine.errors import MatrizenError
from engine.problems import Problem
from gui import icons, theme
from gui.document import Document
from gui.i18n import tr, tr_message, trn


def count_text(problems: int, warnings: int) -> str:
    """How many of each there are, in the same words wherever they are counted."""
    parts = []
    if problems:
        parts.append(trn("{n} problem", "{n} problems", problems).format(n=problems))
    if warnings:
        parts.append(trn("{n} warning", "{n} warnings", warnings).format(n=warnings))
    return ", ".join(parts) or tr("No problems")


class ProblemRow(QFrame):
    """One problem. A click or Enter goes to its node, the button repairs it."""

    chosen = Signal(str)

    def __init__(
        self, document: Document, problem: Problem, *, with_name: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.problem = problem
        self.setProperty("surface", "warning" if problem.warning else "problem")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if with_name else Qt.FocusPolicy.NoFocus)
        sign = QLabel(self)
        name, tint = ("warning", "warning") if problem.warning else ("problem", "danger")
        sign.setPixmap(icons.pixmap(name, tint, theme.px(16)))
        sentence = QLabel(tr_message(problem.message), self)
        sentence.setWordWrap(True)
        sentence.setMinimumWidth(theme.px(80))
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(0)
        if with_name and document.graph.has(problem.node):
            title = QLabel(document.node(problem.node).name, self)
            title.setProperty("role", "title")
            words.addWidget(title)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        words.addWidget(sentence)
        row.addLayout(words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(10), theme.px(8), theme.px(10), theme.px(8))
        column.setSpacing(theme.px(6))
        column.addLayout(row)
        self.buttons: list[QPushButton] = []
        for repair in problem.repairs:
            button = QPushButton(tr_message(repair.label), self)
            button.setProperty("kind", "danger" if not problem.warning else "")
            # pressed, it goes away, and the focus would go on to the next widget of the window
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, r=repair: self._repair(document, r))
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignRight)
            self.buttons.append(button)
        self.setAccessibleName(tr_message(problem.message))

    refused = Signal(object)

    def _repair(self, document: Document, repair: object) -> None:
        try:
            document.apply_repair(repair)  # type: ignore[arg-type]
        except MatrizenError as error:
            self.refused.emit(error)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.problem.node and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.problem.node)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.problem.node:
            self.chosen.emit(self.problem.node)
        else:
            super().keyPressEvent(event)


class ProblemsPanel(QFrame):
    """All problems of the drawn network; opens above the status bar.

    `node_chosen(uid)` for a row, `refused(error)` when a repair no longer fits, `count_changed(problems,
    warnings)` whenever the document changed.
    """

    node_chosen = Signal(str)
    refused = Signal(object)
    count_changed = Signal(int, int)
    closed = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.setAccessibleName(tr("Problems"))
        self.document = document
        self.rows: list[ProblemRow] = []
        self._shown: tuple[Problem, ...] | None = None
        self.title = QLabel(self)
        self.title.setProperty("role", "title")
        self._inside = QWidget(self)
        self._list = QVBoxLayout(self._inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(theme.px(6))
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(12),) * 4)
        column.setSpacing(theme.px(8))
        column.addWidget(self.title)
        column.addWidget(self._scroll, 1)
        document.changed.connect(self._changed)
        self._sync()

    def sizeHint(self) -> QSize:
        wide = theme.px(380)
        rows = self._inside.heightForWidth(wide - theme.px(24)) if self.rows else 0
        return QSize(wide, min(rows, theme.px(360)) + self.title.sizeHint().height() + theme.px(34))

    def counts(self) -> tuple[int, int]:
        """(problems, warnings)"""
        found = self.document.inference.problems
        return sum(not p.warning for p in found), sum(p.warning for p in found)

    def _changed(self, old: object, new: object) -> None:
        self._sync()

    def _sync(self) -> None:
        found = self.document.inference.problems
        if found == self._shown:
            return
        self._shown = found
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = []
        for problem in sorted(found, key=lambda p: p.warning):
            row = ProblemRow(self.document, problem, parent=self._inside)
            row.chosen.connect(self.node_chosen)
            row.refused.connect(self.refused)
            self._list.addWidget(row)
            row.show()  # now, not with the next event: its height is asked for at once
            self.rows.append(row)
        self._list.addStretch(1)
        self.title.setText(count_text(*self.counts()))
        self.count_changed.emit(*self.counts())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._shown = None
            self._sync()
