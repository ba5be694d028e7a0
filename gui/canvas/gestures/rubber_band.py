"""Draw a frame on the empty canvas: what it touches is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from gui import theme
from gui.canvas.gestures.base import Gesture

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


class RubberBand(Gesture):
    """With Shift or Ctrl what was selected stays selected. A click selects nothing."""

    def __init__(self, view: CanvasView, point: QPointF, pixel: QPoint, keep: bool) -> None:
        super().__init__(view, point, pixel)
        self.kept = self.canvas.selected if keep else ()
        self.end_pixel = pixel
        if not keep:
            self.canvas.select(())

    def move(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        if not self.moved_enough(pixel):
            return
        self.end_pixel = pixel
        frame = QRectF(self.start, point).normalized()
        touched = [n.uid for n in self.canvas.visible_nodes() if n.rect().intersects(frame)]
        self.canvas.select((*self.kept, *touched))
        self.view.viewport().update()

    def release(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        self.view.viewport().update()

    def cancel(self) -> None:
        self.canvas.select(self.kept)
        self.view.viewport().update()

    def paint(self, painter: QPainter) -> None:
        if not self.dragging:
            return
        painter.setPen(QPen(theme.color("accent"), 1))
        painter.setBrush(theme.color("accent", 32))
        painter.drawRect(QRect(self.start_pixel, self.end_pixel).normalized())
