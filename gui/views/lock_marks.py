"""Locked cells: hatched, with a small padlock where there is room. The number stays readable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from gui import theme
from gui.views.matrix_layout import CellBox

LEAST = 4.0
"""Smaller cells are tinted: a hatching in them would be noise."""
SIGN_FROM = (36.0, 30.0)
"""In smaller cells the padlock would stand on the digits."""
MOST = 6000
"""More marks than this in sight are drawn as tints."""


def draw_locks(painter: QPainter, locked: NDArray[np.bool_], black: NDArray[np.bool_], box: CellBox,
               clip: QRectF) -> None:
    """Mark cells, in the ink that can be read on each of them."""
    rows, columns = locked.shape
    top, left = (max(0, at) for at in box.cell_at(clip.left(), clip.top()))
    bottom, right = box.cell_at(clip.right() - 1e-6, clip.bottom() - 1e-6)
    seen = locked[top : min(rows, bottom + 1), left : min(columns, right + 1)]
    places = np.argwhere(seen) + np.array((top, left))
    fine = min(box.width, box.height) < LEAST or len(places) > MOST
    sign = box.width >= SIGN_FROM[0] * theme.scale() and box.height >= SIGN_FROM[1] * theme.scale()
    inks = {True: QColor("#000000"), False: QColor("#FFFFFF")}
    for ink in inks.values():
        ink.setAlpha(90)
    for row, column in places:
        dark = bool(black[row, column])
        cell = box.rect(int(row), int(column))
        if fine:
            painter.fillRect(cell, inks[dark])
            continue
        painter.fillRect(cell.adjusted(0, 0, -1, -1), QBrush(inks[dark], Qt.BrushStyle.BDiagPattern))
        if sign:
            draw_padlock(painter, cell.left() + theme.px(3), cell.top() + theme.px(2), dark)


def draw_padlock(painter: QPainter, x: float, y: float, dark: bool) -> None:
    """A padlock 7 wide and 9 high, black or white with a rim of the other."""
    ink, rim = (QColor("#000000"), QColor("#FFFFFF")) if dark else (QColor("#FFFFFF"), QColor("#000000"))
    unit = theme.scale()
    body = QRectF(x, y + 4 * unit, 7 * unit, 5 * unit)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    rim.setAlpha(150)
    painter.fillRect(body.adjusted(-1, -1, 1, 1), rim)
    painter.setPen(QPen(ink, 1.3 * unit))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(x + 1.5 * unit, y + unit, 4 * unit, 6 * unit), 0, 180 * 16)
    painter.drawLine(QPointF(x + 1.5 * unit, y + 4 * unit), QPointF(x + 1.5 * unit, y + 4.5 * unit))
    painter.fillRect(body, ink)
    painter.restore()
