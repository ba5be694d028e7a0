"""Continue a text: the network guesses letter by letter what comes next, at a temperature. Not modal."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import Message
from engine.text_writing import Written
from gui import theme
from gui.dialogs.network_says import Shares
from gui.i18n import tr, tr_message
from gui.number_field import NumberField
from gui.workbench import Workbench

PIECE, MOST = 2, 400
"""Tokens asked for at once, and in one go."""
PAUSE_MS = 40


class WriteDialog(QDialog):
    """The text is the person's to edit; Write goes on from its end until it is stopped."""

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("write_text")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Continue a text"))
        self._bench = bench
        self._left = 0
        self._seed = 1
        self._gone = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(20), theme.px(16), theme.px(20), theme.px(16))
        column.setSpacing(theme.px(10))
        self._words = QLabel(tr(
            "The network reads the end of the text and says how likely each next letter is; one of them is "
            "drawn. A low temperature takes the likely ones, at 0 always the likeliest; a high one dares "
            "more."
        ))  # fmt: skip
        self._words.setWordWrap(True)
        self._words.setProperty("role", "muted")
        column.addWidget(self._words)
        middle = QHBoxLayout()
        middle.setSpacing(theme.px(16))
        self.text = QPlainTextEdit("emma was ")
        self.text.setAccessibleName(tr("Text"))
        self.text.setFont(theme.mono_font(12))
        middle.addWidget(self.text, 3)
        side = QVBoxLayout()
        head = QLabel(tr("What may come next"))
        head.setProperty("role", "head")
        side.addWidget(head)
        self.shares = Shares()
        side.addWidget(self.shares)
        side.addStretch(1)
        middle.addLayout(side, 1)
        column.addLayout(middle, 1)
        row = QHBoxLayout()
        row.addWidget(QLabel(tr("Temperature")))
        self.temperature = NumberField(0.7, minimum=0.0, maximum=10.0)
        self.temperature.setFixedWidth(theme.px(64))
        self.temperature.setAccessibleName(tr("Temperature"))
        row.addWidget(self.temperature)
        row.addStretch(1)
        self.write = QPushButton(tr("Write"))
        self.write.setProperty("kind", "primary")
        self.write.setMinimumWidth(theme.px(110))
        self.write.clicked.connect(self._toggle)
        row.addWidget(self.write)
        column.addLayout(row)
        self.resize(theme.px(720), theme.px(460))
        self.finished.connect(self._end)

    @property
    def writing(self) -> bool:
        return self._left > 0

    def _toggle(self) -> None:
        if self.writing:
            self._rest()
            return
        self._seed += 1  # the same start goes on another way
        self._left = MOST
        self.write.setText(tr("Stop"))
        self._ask()

    def _ask(self) -> None:
        if self.writing and not self._gone:
            runner, heat = self._bench.runner, float(self.temperature.value())
            runner.write_text(self.text.toPlainText(), PIECE, heat, self._seed, self._answered)

    def _answered(self, found: Written | None, error: Message | None) -> None:
        if self._gone:
            return
        if found is None:
            self._words.setText(tr_message(error or Message("")))
            self._rest()
            return
        if not self.writing or found.text != self.text.toPlainText():  # stopped, or edited meanwhile
            self._timer.start(PAUSE_MS)
            return
        cursor = self.text.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(found.added)
        self.text.setTextCursor(cursor)
        self.shares.set_shares(found.choices)
        self._left = max(0, self._left - PIECE)
        self._timer.start(PAUSE_MS) if self._left else self._rest()

    def _rest(self) -> None:
        self._left = 0
        self._timer.stop()
        self.write.setText(tr("Write"))

    def _end(self, _result: int) -> None:
        self._gone = True
        self._rest()
