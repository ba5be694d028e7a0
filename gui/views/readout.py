"""One value, large, with the place it stands at."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.panel import ElidedLabel


class Readout(QWidget):
    """ "Filter 4, row 2, column 4" and below it +0.0481 in large digits; a line of facts below that."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place = ElidedLabel()
        self._place.setProperty("role", "status")
        self._value = QLabel()
        self._fact = ElidedLabel()
        self._fact.setProperty("role", "caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for label in (self._place, self._value, self._fact):
            layout.addWidget(label)
        layout.addStretch(1)
        theme.changed.connect(self._dress)
        self._dress()
        self.clear()

    def show_value(
        self, place: str, value: float, fact: str = "", decimals: int = 4, *, sign: bool = True
    ) -> None:
        """Show a value, with its sign; very small and very large ones with a power of ten."""
        self._place.setText(place)
        plain = value == 0 or 10.0**-decimals <= abs(value) < 1e5
        text = i18n.number(value, decimals, sign=sign) if plain else i18n.short(value, decimals)
        self._value.setFont(theme.value_font(text, tokens.HEADING - 2, theme.MEDIUM))
        self._value.setText(text)
        self._fact.setText(fact)

    def clear(self, text: str | None = None) -> None:
        """Nothing under the pointer."""
        self._place.setText(tr("Point at a cell") if text is None else text)
        self._value.setText("")
        self._fact.setText("")

    def text(self) -> str:
        """The value as it is written."""
        return self._value.text()

    def _dress(self) -> None:
        self._value.setFont(theme.value_font(self._value.text(), tokens.HEADING - 2, theme.MEDIUM))
