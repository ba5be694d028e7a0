"""The list of experiments at the left of the device lab."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from gui import i18n, theme
from gui.i18n import tr
from gui.labs.device_words import experiments

LINE = 190
"""Room of a line; longer ones are broken."""


class ExperimentList(QFrame):
    """`chosen(id)` when one is clicked."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(10), theme.px(16), theme.px(10), theme.px(12))
        column.setSpacing(theme.px(6))
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.buttons: dict[str, QPushButton] = {}
        self._lines: list[QLabel] = []
        for number, (id, words) in enumerate(experiments().items(), 1):
            if number in (1, 4):
                head = QLabel(tr("This computer") if number == 1 else tr("This network"))
                head.setProperty("role", "head")
                column.addSpacing(theme.px(8) if number > 1 else 0)
                column.addWidget(head)
            column.addWidget(self._button(number, id, words.name, words.line))
        column.addStretch(1)

    def mark(self, id: str) -> None:
        self.buttons[id].setChecked(True)

    def focus(self) -> None:
        """The keys go to the chosen experiment."""
        button = self._group.checkedButton()
        if button is not None:
            button.setFocus()

    def set_compact(self, compact: bool) -> None:
        """Names only, where there is little room."""
        for line, button in zip(self._lines, self.buttons.values(), strict=True):
            line.setVisible(not compact)
            long = line.fontMetrics().horizontalAdvance(line.text()) > theme.px(LINE)
            button.setFixedHeight(theme.px(36 if compact else 64 if long else 52))

    def _button(self, number: int, id: str, name: str, line: str) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setProperty("kind", "sample")
        button.setAccessibleName(f"{name}: {line}")
        button.setToolTip(line)
        button.clicked.connect(lambda _checked=False: self.chosen.emit(id))
        row = QHBoxLayout(button)
        row.setContentsMargins(theme.px(10), theme.px(4), theme.px(8), theme.px(4))
        row.setSpacing(theme.px(10))
        digit = QLabel(i18n.integer(number))
        digit.setProperty("role", "muted")
        digit.setFont(theme.mono_font(12))
        row.addWidget(digit)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addStretch(1)
        title, caption = QLabel(name), QLabel(line)
        title.setProperty("role", "title")
        caption.setProperty("role", "caption")
        caption.setWordWrap(True)
        texts.addWidget(title)
        texts.addWidget(caption)
        texts.addStretch(1)
        row.addLayout(texts, 1)
        for part in (digit, title, caption):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._lines.append(caption)
        self._group.addButton(button)
        self.buttons[id] = button
        return button
