"""The still part of the canvas - grid, links, bodies, ports - kept as one picture.

New numbers change pictures inside nodes and nothing else. So what stands still is painted once, and again
only where it changed; what lives (see `CanvasView.paintEvent`) is drawn over it in every frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QPainter, QPixmap, QRegion, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from gui.canvas import backdrop

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

SCRAPS = 12
"""More spoilt rectangles than this are painted as the one around them."""
SEAM = 2
"""Pixels around what changed: antialiased edges reach a little further."""


class Paper:
    """A picture of the view's still part, brought up to date when it is drawn."""

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self._picture = QPixmap()
        self._spoilt: list[QRect] = []
        self._size = QSize()
        self._ratio = 0.0
        self._transform = QTransform()
        self._option = QStyleOptionGraphicsItem()

    def spoil(self, rect: QRectF) -> None:
        """What lies in this rectangle of the scene changed."""
        place = self._transform.mapRect(rect).toAlignedRect().adjusted(-SEAM, -SEAM, SEAM, SEAM)
        place = place.intersected(self._view.viewport().rect())
        if not place.isEmpty():
            self._spoilt.append(place)
        if len(self._spoilt) > SCRAPS:
            around = QRect()
            for scrap in self._spoilt:
                around = around.united(scrap)
            self._spoilt = [around]

    def draw(self, painter: QPainter) -> None:
        """Draw the picture over the whole viewport, in its pixels."""
        self._follow()
        if self._spoilt:
            spoilt, self._spoilt = self._spoilt, []
            self._paint(spoilt)
        painter.drawPixmap(0, 0, self._picture)

    def _follow(self) -> None:
        """Take over size, zoom and place of the view; what was only moved is kept."""
        view = self._view
        size, ratio, now = view.viewport().size(), view.devicePixelRatioF(), view.viewportTransform()
        before, self._transform = self._transform, now
        if size != self._size or ratio != self._ratio:
            self._size, self._ratio = size, ratio
            self._picture = QPixmap(size * ratio)
            self._picture.setDevicePixelRatio(ratio)
        elif now.m11() == before.m11():
            shift = QPointF(now.dx() - before.dx(), now.dy() - before.dy()) * ratio
            if shift.isNull():
                return
            whole = shift.toPoint()
            if QPointF(whole) == shift and self._move(whole):
                return
        self._spoilt = [QRect(QPoint(), size)]

    def _move(self, shift: QPoint) -> bool:
        """Move the picture by device pixels and spoil the seams; False where nothing of it would be left."""
        room = self._picture.rect()
        kept = room.translated(shift).intersected(room)
        if kept.isEmpty():
            return False
        self._picture.scroll(shift.x(), shift.y(), room)
        left = QRectF(QPointF(kept.topLeft()) / self._ratio, QRectF(kept).size() / self._ratio).toRect()
        left, whole = left.adjusted(1, 1, -1, -1), QRect(QPoint(), self._size)
        step = (shift / self._ratio).x(), (shift / self._ratio).y()
        moved = [scrap.translated(*step).intersected(whole) for scrap in self._spoilt]
        seams = (
            QRect(whole.topLeft(), QPoint(left.left() - 1, whole.bottom())),
            QRect(QPoint(left.right() + 1, 0), whole.bottomRight()),
            QRect(whole.topLeft(), QPoint(whole.right(), left.top() - 1)),
            QRect(QPoint(0, left.bottom() + 1), whole.bottomRight()),
        )
        self._spoilt = [rect for rect in (*moved, *seams) if not rect.isEmpty()]
        return True

    def _paint(self, spoilt: list[QRect]) -> None:
        view, canvas = self._view, self._view.canvas
        painter = QPainter(self._picture)
        region = QRegion()
        for rect in spoilt:
            region += rect
        painter.setClipRegion(region)
        backdrop.paint_grid(view, painter)
        back = self._transform.inverted()[0]
        parts = [back.mapRect(QRectF(rect)) for rect in spoilt]

        def seen(rect: QRectF) -> bool:
            return any(rect.intersects(part) for part in parts)

        painter.setTransform(self._transform)
        for link in canvas.links.values():
            if link.isVisible() and seen(link.boundingRect()):
                link.paint(painter, self._option)
        for node in canvas.nodes.values():
            if node.isVisible() and seen(node.sceneBoundingRect()):
                node.paint_still(painter, self._option, self._transform)
        painter.end()
