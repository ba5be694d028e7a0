"""How many weights of a layer are locked, with a button that unlocks them. Hidden while none is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from gui import icons, theme
from gui.i18n import integer, tr, trn


class LockRow(QWidget):
    """`unlock_wanted(keys)`: the parameters of the layer shown that have locked cells."""

    unlock_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: Mapping[str, int] = {}
        self._owner, self._total = "", 0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        self._sign = QLabel(self)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.button = QToolButton(self)
        self.button.setText(tr("Unlock"))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(lambda: self.unlock_wanted.emit(self._keys()))
        row.addWidget(self._sign)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self.hide()

    def show_layer(self, owner: str, total: int) -> None:
        """The layer that owns the weights, "" for none, and how many it has."""
        self._owner, self._total = owner, total
        self._show()

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """Parameter "<node>.<name>" -> how many of its cells are locked."""
        if counts != self._counts:
            self._counts = dict(counts)
            self._show()

    def _keys(self) -> Sequence[str]:
        return [key for key in self._counts if key.rpartition(".")[0] == self._owner]

    def _show(self) -> None:
        locked = sum(self._counts[key] for key in self._keys())
        self.setVisible(bool(locked))
        if locked:
            self._sign.setPixmap(icons.pixmap("lock", "text2", theme.px(16)))
            words = trn("{locked} of {n} weight locked", "{locked} of {n} weights locked", self._total)
            self.text.setText(words.format(locked=integer(locked), n=integer(self._total)))
