"""A field for any count of numbers: 1; 2; 0.5."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from gui import theme
from gui.i18n import format_number, tr
from gui.number_field import parse


class ListField(QLineEdit):
    """Numbers with semicolons between them, in the notation of the language; spaces will do. May be empty."""

    chosen = Signal(object)
    problem_changed = Signal(str)

    def __init__(self, minimum: float | None, maximum: float | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("number", True)
        self.setAcceptDrops(False)  # a file let go here is for the window
        self.setPlaceholderText(tr("1; 2; 0.5"))
        self.setMinimumWidth(theme.px(220))
        self._limits = (minimum, maximum)
        self._value: tuple[float, ...] = ()
        self.editingFinished.connect(self._commit)

    def set_value(self, value: Sequence[float]) -> None:
        """Show numbers, silently."""
        self._value = tuple(value)
        if not (self.hasFocus() and self.isModified()):
            self._show()

    def _show(self) -> None:
        self.setText("; ".join(format_number(n) for n in self._value))
        self.setCursorPosition(0)  # a long list is read from its beginning
        self.setModified(False)
        self.problem_changed.emit("")

    def _commit(self) -> None:
        if not self.isModified():
            return
        try:
            numbers = tuple(parse(part) for part in re.split(r"[;\s]+", self.text().strip()) if part)
        except ValueError:
            self.problem_changed.emit(tr("Needs numbers such as {example}.").format(example=tr("1; 2; 0.5")))
            return
        low, high = self._limits
        if any((low is not None and n < low) or (high is not None and n > high) for n in numbers):
            limits = (format_number(low or 0.0), format_number(high or 0.0))
            text = tr("Each number must lie between {low} and {high}.")
            self.problem_changed.emit(text.format(low=limits[0], high=limits[1]))
            return
        changed = numbers != self._value
        self._value = numbers
        self._show()
        if changed:
            self.chosen.emit(numbers)
