"""Behind and over the nodes: the dotted grid, the empty canvas, arrows to what is out of sight."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF, QTransform

from gui import icons, theme
from gui.canvas.node_paint import draw_text
from gui.i18n import tr

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

PITCH = 32.0
ARROW = 16.0
TILE = 256


@lru_cache(maxsize=16)
def _dots(pitch: int, color: str, ground: str, ratio: float) -> QPixmap:
    """A tile of many dots with their ground: copying few large tiles is a fraction of blending many."""
    count = max(1, TILE // pitch)
    made = QPixmap(round(pitch * count * ratio), round(pitch * count * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(QColor(ground))
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    for x, y in itertools.product(range(count), range(count)):
        painter.drawEllipse(QPointF((x + 0.5) * pitch, (y + 0.5) * pitch), 1.1, 1.1)
    painter.end()
    return made


def paint_grid(painter: QPainter, part: QRect, transform: QTransform, ratio: float) -> None:
    """Dots every 32 px of the scene that `transform` maps to pixels, in a part of the viewport."""
    pitch = PITCH * transform.m11()
    while pitch < 18:
        pitch *= 2
    step = max(1, round(pitch))
    x, y = step / 2 - round(transform.dx()) + part.x(), step / 2 - round(transform.dy()) + part.y()
    now = theme.theme()
    dots = _dots(step, now.grid, now.canvas, ratio)
    painter.drawTiledPixmap(QRectF(part), dots, QPointF(x % step, y % step))


def paint_empty(view: CanvasView, painter: QPainter) -> None:
    """What an empty canvas says."""
    face = theme.ui_font(15)
    painter.setFont(face)
    text = tr("Drop pictures here or press Shift+A")
    width = painter.fontMetrics().horizontalAdvance(text) + theme.px(96)
    height = theme.px(150)
    center = QRectF(view.viewport().rect()).center()
    frame = QRectF(center.x() - width / 2, center.y() - height / 2, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(theme.color("link"), 1.5)
    pen.setDashPattern([5.0, 4.0])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(frame, 10, 10)
    side = theme.px(28)
    icons.paint(
        painter, "picture", QRectF(center.x() - side / 2, frame.top() + theme.px(34), side, side), "text3"
    )
    box = QRectF(frame.left(), frame.top() + theme.px(76), width, theme.px(28))
    draw_text(painter, text, face, "text2", box, center=True)


def paint_arrows(view: CanvasView, painter: QPainter) -> None:
    """A triangle at the edge for every selected node and every problem that is out of sight."""
    room = QRectF(view.viewport().rect())
    inner = room.adjusted(ARROW, ARROW, -ARROW, -ARROW)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for node in view.canvas.visible_nodes():
        if not (node.selected or node.look.problem):
            continue
        rect = QRectF(view.mapFromScene(node.rect()).boundingRect())
        if rect.intersects(room):
            continue
        at = QPointF(
            min(max(rect.center().x(), inner.left()), inner.right()),
            min(max(rect.center().y(), inner.top()), inner.bottom()),
        )
        angle = math.atan2(rect.center().y() - at.y(), rect.center().x() - at.x())
        painter.setBrush(theme.color("danger" if node.look.problem else "accent"))
        half = ARROW / 2
        corners = [(half, 0.0), (-half, -half), (-half, half)]
        painter.drawPolygon(
            QPolygonF(
                [
                    at
                    + QPointF(
                        x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
                    )
                    for x, y in corners
                ]
            )
        )
