"""Drag the paper: middle button, or Space and the left one."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt

from gui.canvas.gestures.base import Gesture


class Pan(Gesture):
    """Moves what is seen, not what is drawn."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def move(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        self.moved_enough(pixel)
        self.view.pan_by_hand(pixel - self.start_pixel)
        self.start_pixel = pixel
