"""A matrix in its brackets, with the numbers of the house: what is as in the identity stays quiet."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import i18n, theme, tokens
from gui.views.base import View

NOISE = 1e-12
"""Below this share of the largest number a cell is what rounding left of a zero."""

WIDEST = 7
"""Characters that a cell has room for; longer numbers give up decimals."""


class MatrixFace(View):
    """A small matrix; `differs` marks cells in the color of the calculation."""

    def __init__(self, size: int = tokens.STATUS, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points = size
        self._matrix: np.ndarray = np.eye(3)
        self._differs: np.ndarray = np.zeros((3, 3), bool)
        self.decimals = 3
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_matrix(self, matrix: np.ndarray | None, differs: np.ndarray | None = None) -> None:
        """Show a matrix, or None for none."""
        shown = np.full((3, 3), np.nan) if matrix is None else np.array(matrix, np.float64)
        with np.errstate(invalid="ignore"):
            shown[np.abs(shown) < NOISE * np.abs(shown).max()] = 0.0
        self._matrix = shown
        self._differs = np.zeros((3, 3), bool) if differs is None else differs
        told = [", ".join(self._text(v) for v in row) for row in self._matrix.tolist()]
        self.setAccessibleName("; ".join(told))
        self.update()

    def texts(self) -> list[list[str]]:
        """The numbers as they are written."""
        return [[self._text(v) for v in row] for row in self._matrix.tolist()]

    def _text(self, value: float) -> str:
        if math.isnan(value):
            return "–"
        if abs(value) >= 1e5 or 0 < abs(value) < 0.5 * 10.0**-self.decimals:
            return i18n.short(value, 2)
        texts = (i18n.number(value, d, group=False) for d in range(self.decimals, -1, -1))
        return next((text for text in texts if len(text) <= WIDEST), None) or i18n.short(value, 2)

    def _cell(self) -> float:
        return QFontMetricsF(theme.mono_font(self._points)).horizontalAdvance("0" * 7) + theme.px(6)

    def _row(self) -> float:
        return float(theme.px(self._points + (6 if self._points < 15 else 9)))

    def sizeHint(self) -> QSize:
        return QSize(math.ceil(3 * self._cell() + theme.px(18)), math.ceil(3 * self._row() + theme.px(6)))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paint(self, painter: QPainter) -> None:
        cell, row = self._cell(), self._row()
        pad = theme.px(3)
        wide, high = 3 * cell + theme.px(16), 3 * row + theme.px(4)
        painter.setPen(QPen(theme.color("text2"), 1.5))
        for x, way in ((1.0, 1), (wide, -1)):
            wing = theme.px(5) * way
            ends = (QPointF(x + wing, 1), QPointF(x, 1), QPointF(x, high), QPointF(x + wing, high))
            painter.drawPolyline(list(ends))
        strong, quiet = theme.mono_font(self._points, theme.MEDIUM), theme.mono_font(self._points)
        for i in range(3):
            for j in range(3):
                value = float(self._matrix[i, j])
                same = value == (1.0 if i == j else 0.0)
                plain = i == 2 or (same and not self._differs[i, j])
                room = QRectF(theme.px(3) + j * cell, pad + i * row, cell, row)
                if self._differs[i, j]:
                    painter.fillRect(room.adjusted(cell * 0.1, 2, 2, -2), theme.color("tracebg"))
                text = self._text(value)
                font = theme.ui_font(self._points) if "·10" in text else quiet if plain else strong
                painter.setFont(font)
                token = "text3" if plain else "text1"
                painter.setPen(theme.color(token))
                flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(room, flags, text)
