"""Points of a class: told apart by shape and color, filled for training and hollow for testing."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from gui import theme, tokens


@lru_cache(maxsize=256)
def marker(label: int, test: bool, size: float, ratio: float, theme_name: str) -> QPixmap:
    """One point as a picture: shape and color of its class, hollow for test points."""
    side = size + 4
    made = QPixmap(round(side * ratio), round(side * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    color = theme.class_color(label)
    of = tokens.THEMES[theme_name]
    outline = QColor("#0B0D10") if of.is_dark else QColor("#FFFFFF")
    line = 2.0 if size >= 8 else 1.5
    path = shape_path(label, QPointF(side / 2, side / 2), size / 2 - (line / 2 if test else 0.4))
    if test:
        ground = QColor(of.canvas)
        painter.setPen(QPen(outline, line + 2.0))
        painter.drawPath(path)
        painter.setBrush(ground)
        painter.setPen(QPen(color, line))
    else:
        painter.setPen(QPen(outline, 1.2))
        painter.setBrush(color)
    painter.drawPath(path)
    painter.end()
    return made


def shape_path(label: int, middle: QPointF, radius: float) -> QPainterPath:
    """The shape of class `label`: square, disc, triangle, diamond, then the same turned over."""
    path = QPainterPath()
    kind = label % 5
    if kind == 1:
        path.addEllipse(middle, radius, radius)
        return path
    if kind == 0:
        side = radius * 0.9
        path.addRect(QRectF(middle.x() - side, middle.y() - side, 2 * side, 2 * side))
        return path
    turns = {2: (3, -90.0, 1.2), 3: (4, -90.0, 1.2), 4: (3, 90.0, 1.2)}[kind]
    count, start, grow = turns
    angles = np.deg2rad(start + np.arange(count) * 360.0 / count)
    corners = [
        QPointF(middle.x() + radius * grow * float(np.cos(a)), middle.y() + radius * grow * float(np.sin(a)))
        for a in angles
    ]
    path.addPolygon(QPolygonF(corners))
    path.closeSubpath()
    return path
