"""Click the button in a bubble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt

from gui.canvas.bubble import BubbleItem
from gui.canvas.gestures.base import Gesture

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


class PressRepair(Gesture):
    """The repair is done when the button is released where it was pressed."""

    cursor = Qt.CursorShape.PointingHandCursor

    def __init__(self, view: CanvasView, point: QPointF, pixel: QPoint, bubble: BubbleItem) -> None:
        super().__init__(view, point, pixel)
        self.bubble = bubble
        self._press(True)

    def _press(self, down: bool) -> None:
        self.bubble.pressed = down
        self.bubble.update()

    def move(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        self._press(self.bubble.on_button(point))

    def release(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        repair = self.bubble.repair
        self._press(False)
        if repair is not None and self.bubble.on_button(point):
            self.view.attempt(lambda: self.document.apply_repair(repair))

    def cancel(self) -> None:
        self._press(False)
