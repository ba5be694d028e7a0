"""What every gesture has: a scene, a document, and the places it is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPainter

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

CLICK = 4
"""Pixels the pointer may move before a click becomes a drag."""


class Gesture:
    """`point` is in scene coordinates, `pixel` in the viewport's."""

    cursor: Qt.CursorShape | None = None

    def __init__(self, view: CanvasView, point: QPointF, pixel: QPoint) -> None:
        self.view = view
        self.canvas = view.canvas
        self.document = view.document
        self.start, self.start_pixel = point, pixel
        self.dragging = False

    def moved_enough(self, pixel: QPoint) -> bool:
        """Whether this is a drag by now; once true it stays true."""
        self.dragging = self.dragging or (pixel - self.start_pixel).manhattanLength() >= CLICK
        return self.dragging

    def move(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """The pointer moved."""

    def release(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """The button was released: do it."""

    def cancel(self) -> None:
        """Escape, or the window lost the pointer: leave everything as it was."""

    def paint(self, painter: QPainter) -> None:
        """Draw on top of everything, in pixels of the viewport."""
