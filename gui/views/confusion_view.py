"""A confusion matrix: rows are what an example is, columns what it was taken for; a click opens a cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.base import Array, View, draw_empty, ring, trace_ring

LARGEST = 64
SMALLEST_TEXT = 15
"""Cells smaller than this have no count in them."""
MOVES = {
    Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
}  # fmt: skip


class ConfusionView(View):
    """`cell_clicked(truth, answer)`, `cell_hovered(truth, answer)`: -1s when the pointer leaves.

    A cell's color is its share of its row, on the ramp of activations, which keeps its order for every kind
    of color vision; its count stands in it. The arrow keys move the open cell.
    """

    cell_clicked = Signal(int, int)
    cell_hovered = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Confusion matrix"))
        self._counts: Array = np.zeros((0, 0), np.int64)
        self._names: tuple[str, ...] = ()
        self._open: tuple[int, int] | None = None
        self._hover: tuple[int, int] | None = None

    def set_counts(self, counts: Array, names: Sequence[str]) -> None:
        """(classes, classes): row truth, column answer."""
        self._counts, self._names = counts, tuple(names)
        if self._open is not None and max(self._open) >= len(counts):
            self._open = None
        self.update()

    def set_open(self, cell: tuple[int, int] | None) -> None:
        """Mark the cell whose examples are shown."""
        self._open = cell
        self.update()

    def cell_rect(self, truth: int, answer: int) -> QRectF:
        """Where a cell is drawn."""
        left, top, side = self._grid()
        return QRectF(left + answer * side, top + truth * side, side, side)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(520), theme.px(520))

    # ---- places ----------------------------------------------------------------------------------------

    def _font(self) -> QFont:
        return theme.ui_font(tokens.STATUS)

    def _grid(self) -> tuple[float, float, float]:
        """Left, top, side of a cell: as large as the room allows."""
        metrics = QFontMetricsF(self._font())
        count = max(1, len(self._counts))
        widest = max((metrics.horizontalAdvance(n) for n in self._names), default=0.0)
        line = metrics.height()
        widest = max(metrics.horizontalAdvance(tr("is") + " ↓"), min(widest, 0.25 * self.width()))
        left = widest + theme.px(10)
        top = 2 * line + theme.px(12)
        room = min(self.width() - left - theme.px(4), self.height() - top - theme.px(4))
        return left, top, max(2.0, min(float(theme.px(LARGEST)), np.floor(room / count)))

    def _cell_at(self, place: QPointF) -> tuple[int, int] | None:
        left, top, side = self._grid()
        column, row = int((place.x() - left) // side), int((place.y() - top) // side)
        count = len(self._counts)
        return (row, column) if 0 <= row < count and 0 <= column < count else None

    # ---- painting --------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        counts = self._counts
        if not len(counts):
            draw_empty(self, painter, tr("The matrix appears with the first test."))
            return
        left, top, side = self._grid()
        ramp = theme.lut("activations")
        share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        font = theme.mono_font(tokens.STATUS if side < theme.px(34) else tokens.BASE)
        painter.setFont(font)
        width = QFontMetricsF(font).horizontalAdvance("0")
        for t, row in enumerate(counts):
            for g, n in enumerate(row):
                rect = self.cell_rect(t, g)
                color = QColor(*(int(v) for v in ramp[round(255 * float(share[t, g]))]))
                painter.fillRect(rect.adjusted(0, 0, -1, -1), color)
                text = i18n.integer(int(n))
                if n and side >= theme.px(SMALLEST_TEXT) and len(text) * width <= side - 3:
                    painter.setPen(QColor("#000000" if _light(color) else "#FFFFFF"))
                    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
        for i in range(len(counts)):
            ring(painter, self.cell_rect(i, i).adjusted(1, 1, -2, -2), theme.color("text3"), 1.0)
        self._heads(painter, left, top, side)
        if self._hover is not None:
            ring(painter, self.cell_rect(*self._hover).adjusted(0, 0, -1, -1), theme.color("focus"))
        if self._open is not None:
            trace_ring(painter, self.cell_rect(*self._open).adjusted(0, 0, -1, -1))

    def _heads(self, painter: QPainter, left: float, top: float, side: float) -> None:
        font = self._font()
        metrics = QFontMetricsF(font)
        line = metrics.height()
        painter.setFont(font)
        painter.setPen(theme.color("text2"))
        every = max(1, int(np.ceil(line / side)))
        for i, name in enumerate(self._names):
            if i % every:
                continue
            room = QRectF(0, top + i * side, left - theme.px(6), side)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)
            head = QRectF(left + i * side, top - line - theme.px(4), side * every - 2, line)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, head.width())
            across = Qt.AlignmentFlag.AlignHCenter if every == 1 else Qt.AlignmentFlag.AlignLeft
            painter.drawText(head, int(across), text)
        painter.setFont(theme.ui_font(tokens.STATUS, theme.SEMIBOLD))
        painter.setPen(theme.color("text1"))
        whole = QRectF(left, 0, max(len(self._counts) * side, theme.px(160)), line)
        painter.drawText(whole, int(Qt.AlignmentFlag.AlignLeft), tr("taken for") + " →")
        corner = QRectF(0, top - line - theme.px(4), left - theme.px(6), line)
        painter.drawText(corner, int(Qt.AlignmentFlag.AlignRight), tr("is") + " ↓")

    # ---- hands -----------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if cell != self._hover:
            self._hover = cell
            self.cell_hovered.emit(*(cell or (-1, -1)))
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        if self._hover is not None:
            self._hover = None
            self.cell_hovered.emit(-1, -1)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if cell is not None and event.button() is Qt.MouseButton.LeftButton:
            self.cell_clicked.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = MOVES.get(Qt.Key(event.key()))
        if move is None or not len(self._counts):
            super().keyPressEvent(event)
            return
        row, column = self._open or (0, 0)
        if self._open is not None:
            last = len(self._counts) - 1
            row, column = (min(last, max(0, a + b)) for a, b in zip((row, column), move, strict=True))
        self.cell_clicked.emit(row, column)


def _light(color: QColor) -> bool:
    """Whether black is read better on it."""
    return 0.299 * color.red() + 0.587 * color.green() + 0.114 * color.blue() > 140
