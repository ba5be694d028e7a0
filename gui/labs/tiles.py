"""Pieces that the number labs are made of: a matrix under its name, and small helpers for words and heads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.held_step import Spread
from gui import i18n, theme, tokens
from gui.formulas import formula_pixmap
from gui.i18n import tr
from gui.views.base import Array
from gui.views.matrix_view import MatrixView
from gui.views.scale import Scale


class Tile(QFrame):
    """One matrix: its symbol as a formula, a few words, its size, and the numbers."""

    clicked = Signal(int, int)
    """Row and column of the matrix shown."""
    hovered = Signal(int, int)

    def __init__(self, role: str, head_height: int = 24, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(12), theme.px(8), theme.px(8), theme.px(6))
        column.setSpacing(theme.px(4))
        head = QHBoxLayout()
        head.setSpacing(theme.px(8))
        self._symbol, self._words, self._size = QLabel(), QLabel(), QLabel()
        self._words.setProperty("role", "muted")
        self._size.setProperty("role", "caption")
        self._symbol.setFixedHeight(theme.px(head_height))  # matrices side by side begin at one height
        head.addWidget(self._symbol)
        head.addWidget(self._words)
        head.addStretch(1)
        head.addWidget(self._size)
        column.addLayout(head)
        self.matrix = MatrixView(role)
        self.matrix.max_decimals = 4
        self.matrix.stretch = (12.0, 12.0)  # a wide matrix is a band that can be seen
        self.matrix.cell_clicked.connect(self.clicked)
        self.matrix.cell_hovered.connect(self.hovered)
        column.addWidget(self.matrix, 1)
        self._latex = ""
        theme.changed.connect(self._restyle)

    def set_head(self, latex: str, words: str = "") -> None:
        """Its name in LaTeX and in words."""
        self._latex = latex
        self._words.setText(words)
        self._restyle()

    def set_matrix(self, array: Array, part: Spread, scale: Scale | None = None) -> None:
        """The numbers, and which rows and columns they are."""
        self._size.setText(size_text(part))
        if part.whole:
            self.matrix.set_names(None, None)
        else:
            self.matrix.set_names(names(part.rows), names(part.columns))
        self.matrix.set_values(array, scale)

    def _restyle(self) -> None:
        if self._latex:
            self._symbol.setPixmap(formula_pixmap(self._latex, tokens.TITLE))


def names(indices: Array) -> list[str]:
    """Heads of a sample: the real numbers of its rows or columns, from 1."""
    return [i18n.integer(int(i) + 1) for i in indices]


def size_text(part: Spread) -> str:
    """ "3 × 4", or how much of it is shown."""
    rows, columns = (i18n.integer(n) for n in part.shape)
    if part.whole:
        return f"{rows} × {columns}"
    return tr("{shown} of {rows} × {columns}").format(
        shown=f"{len(part.rows)} × {len(part.columns)}", rows=rows, columns=columns
    )


def cell_name(symbol: str, part: Spread, row: int, column: int) -> str:
    """w[2, 4] with the places of the whole matrix, from 1."""
    i, j = int(part.rows[row]) + 1, int(part.columns[column]) + 1
    return f"{symbol}[{i}]" if part.shape[1] == 1 else f"{symbol}[{i}, {j}]"


def side_panel(width: int = 264) -> tuple[QFrame, QVBoxLayout]:
    """The column at the left of a lab."""
    frame = QFrame()
    frame.setProperty("surface", "panel")
    frame.setFixedWidth(theme.px(width))
    column = QVBoxLayout(frame)
    column.setContentsMargins(theme.px(16), theme.px(16), theme.px(16), theme.px(16))
    column.setSpacing(theme.px(8))
    return frame, column


def label(text: str = "", role: str = "", wrap: bool = True) -> QLabel:
    """A label of a role of the style sheet."""
    made = QLabel(text)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def link_hovers(tiles: Sequence[Tile]) -> None:
    """What is pointed at in one is pointed at in all."""
    for tile in tiles:
        for other in tiles:
            if other is not tile:
                tile.hovered.connect(partial(_point, other))


def _point(tile: Tile, row: int, column: int) -> None:
    tile.matrix.set_hovered((row, column) if row >= 0 else None)
