"""The still part of the canvas - grid, links, bodies, ports - kept as one picture.

New numbers change pictures inside nodes and nothing else. So what stands still is painted once, and again
only where it changed; what lives (see `CanvasView.paintEvent`) is drawn over it in every frame.

While the zoom moves, the last picture is drawn larger or smaller, and the next one comes into being a few
items a frame: all of them at once, sixty times a second, would leave no time for anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QPainter, QPixmap, QRegion, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from gui.canvas import backdrop, block_sync

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

SCRAPS = 12
"""More spoilt rectangles than this are painted as the one around them."""
SEAM = 2
"""Pixels around what changed: antialiased edges reach a little further."""
JUMP = 1.5
"""A zoom that changes by more than this in one frame is a jump: everything is painted anew at once."""
SLICES, LEAST = 12, 6
"""In how many frames the next picture comes into being, and the fewest items a frame."""


class Sheet:
    """A picture of the viewport at one zoom and place."""

    def __init__(self, size: QSize, ratio: float, transform: QTransform) -> None:
        self.size, self.ratio, self.transform = size, ratio, transform
        self.picture = QPixmap(size * ratio)
        self.picture.setDevicePixelRatio(ratio)

    def room(self) -> QRect:
        return QRect(QPoint(), self.size)

    def move(self, shift: QPoint, spoilt: list[QRect]) -> list[QRect] | None:
        """Move the picture by device pixels: what is spoilt then, seams too; None where nothing is left."""
        room = self.picture.rect()
        kept = room.translated(shift).intersected(room)
        if kept.isEmpty():
            return None
        self.picture.scroll(shift.x(), shift.y(), room)
        left = QRectF(QPointF(kept.topLeft()) / self.ratio, QRectF(kept).size() / self.ratio).toRect()
        left, whole = left.adjusted(1, 1, -1, -1), self.room()
        step = (shift / self.ratio).x(), (shift / self.ratio).y()
        moved = [scrap.translated(*step).intersected(whole) for scrap in spoilt]
        seams = (
            QRect(whole.topLeft(), QPoint(left.left() - 1, whole.bottom())),
            QRect(QPoint(left.right() + 1, 0), whole.bottomRight()),
            QRect(whole.topLeft(), QPoint(whole.right(), left.top() - 1)),
            QRect(QPoint(0, left.bottom() + 1), whole.bottomRight()),
        )
        return [rect for rect in (*moved, *seams) if not rect.isEmpty()]


class Paper:
    """A picture of the view's still part, brought up to date when it is drawn."""

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self._sheet = Sheet(QSize(), 0.0, QTransform())
        self._spoilt: list[QRect] = []
        self._scale = 0.0
        """Of the last frame, which is not the sheet's while the zoom moves."""
        self._next: Sheet | None = None
        self._work: Iterator[None] = iter(())
        self._late: list[QRectF] = []
        """Rectangles of the scene that changed since the next sheet was begun."""
        self._option = QStyleOptionGraphicsItem()

    def spoil(self, rect: QRectF) -> None:
        """What lies in this rectangle of the scene changed."""
        if self._next is not None:
            self._late.append(rect)
        place = self._sheet.transform.mapRect(rect).toAlignedRect().adjusted(-SEAM, -SEAM, SEAM, SEAM)
        place = place.intersected(self._view.viewport().rect())
        if not place.isEmpty():
            self._spoilt.append(place)
        if len(self._spoilt) > SCRAPS:
            around = QRect()
            for scrap in self._spoilt:
                around = around.united(scrap)
            self._spoilt = [around]

    def draw(self, painter: QPainter) -> None:
        """Draw the picture over the whole viewport.

        Where an older one stands in for it, the painter is clipped to the part it covers - pictures without
        bodies would look odd - and the view is asked for one more frame.
        """
        now = self._view.viewportTransform()
        self._follow(now)
        if self._next is not None:
            self._go_on(now)
        if now.m11() != self._sheet.transform.m11():
            self._draw_stretched(painter, now)
            self._view.viewport().update()
            return
        if self._spoilt:
            spoilt, self._spoilt = self._spoilt, []
            self._paint(spoilt)
        painter.drawPixmap(0, 0, self._sheet.picture)

    def _follow(self, now: QTransform) -> None:
        """Take over size, zoom and place of the view; what was only moved is kept."""
        size, ratio = self._view.viewport().size(), self._view.devicePixelRatioF()
        before, self._scale = self._scale, now.m11()
        sheet = self._sheet
        if size != sheet.size or ratio != sheet.ratio:
            self._anew(Sheet(size, ratio, now))
        elif now.m11() == sheet.transform.m11():
            self._next = None
            self._move(now)
        elif not 1 / JUMP <= now.m11() / before <= JUMP:
            sheet.transform = now
            self._anew(sheet)
        elif self._next is None:
            self._begin(now)

    def _anew(self, sheet: Sheet) -> None:
        self._sheet, self._next = sheet, None
        self._spoilt = [sheet.room()]

    def _move(self, now: QTransform) -> None:
        sheet = self._sheet
        before, sheet.transform = sheet.transform, now
        shift = QPointF(now.dx() - before.dx(), now.dy() - before.dy()) * sheet.ratio
        if shift.isNull():
            return
        whole = shift.toPoint()
        left = sheet.move(whole, self._spoilt) if QPointF(whole) == shift else None
        self._spoilt = [sheet.room()] if left is None else left

    # ---- while the zoom moves ---------------------------------------------------------------------------

    def _begin(self, now: QTransform) -> None:
        self._next = Sheet(self._sheet.size, self._sheet.ratio, now)
        self._late = []
        self._work = self._slices(self._next)

    def _go_on(self, now: QTransform) -> None:
        """One more slice; the finished sheet takes the place of the old one."""
        if next(self._work, self) is not self or self._next is None:
            return
        self._sheet, self._next, self._spoilt = self._next, None, []
        for rect in self._late:
            self.spoil(rect)
        if now.m11() == self._sheet.transform.m11():
            self._move(now)

    def _slices(self, sheet: Sheet) -> Iterator[None]:
        """Paints a sheet, and stops after each slice."""
        canvas = self._view.canvas
        seen = sheet.transform.inverted()[0].mapRect(QRectF(sheet.room()))
        painter = QPainter(sheet.picture)
        backdrop.paint_grid(painter, sheet.room(), sheet.transform, sheet.ratio)
        painter.setTransform(sheet.transform)
        block_sync.paint_frames(canvas, painter, [seen])
        painter.end()
        links = [k for k in canvas.links.values() if k.isVisible() and seen.intersects(k.boundingRect())]
        nodes = [n for n in canvas.visible_nodes() if seen.intersects(n.sceneBoundingRect())]
        items = [*links, *nodes]
        size = max(LEAST, -(-len(items) // SLICES))
        for first in range(0, len(items), size):
            yield
            painter = QPainter(sheet.picture)
            painter.setTransform(sheet.transform)
            for link in links[first : first + size]:
                link.paint(painter, self._option)
            for node in nodes[max(0, first - len(links)) : max(0, first + size - len(links))]:
                node.paint_still(painter, self._option, sheet.transform)
            painter.end()

    def _draw_stretched(self, painter: QPainter, now: QTransform) -> None:
        place = self._sheet.transform.inverted()[0] * now
        room = self._sheet.room()
        covered = place.mapRect(QRectF(room))
        if not covered.contains(QRectF(room)):
            backdrop.paint_grid(painter, room, now, self._sheet.ratio)
        painter.setTransform(place)
        painter.drawPixmap(0, 0, self._sheet.picture)
        painter.resetTransform()
        painter.setClipRect(covered)

    # ---- what changed --------------------------------------------------------------------------------

    def _paint(self, spoilt: list[QRect]) -> None:
        canvas, sheet = self._view.canvas, self._sheet
        painter = QPainter(sheet.picture)
        region = QRegion()
        for rect in spoilt:
            region += rect
        painter.setClipRegion(region)
        for rect in spoilt:  # not the whole room: the clip alone does not make that cheap
            backdrop.paint_grid(painter, rect, sheet.transform, sheet.ratio)
        back = sheet.transform.inverted()[0]
        parts = [back.mapRect(QRectF(rect)) for rect in spoilt]

        def seen(rect: QRectF) -> bool:
            return any(rect.intersects(part) for part in parts)

        painter.setTransform(sheet.transform)
        block_sync.paint_frames(canvas, painter, parts)
        for link in canvas.links.values():
            if link.isVisible() and seen(link.boundingRect()):
                link.paint(painter, self._option)
        for node in canvas.nodes.values():
            if node.isVisible() and seen(node.sceneBoundingRect()):
                node.paint_still(painter, self._option, sheet.transform)
        painter.end()
