"""An item of the canvas that says itself what it spoils: Qt's scene would tell some events later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QGraphicsItem

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene


class CanvasItem(QGraphicsItem):
    """`still` items are painted on the `Paper`, the others over it in every frame."""

    still = True

    def __init__(self, canvas: CanvasScene, parent: QGraphicsItem | None = None) -> None:
        super().__init__(parent)
        self.canvas = canvas

    def spoil(self) -> None:
        """What is painted of the item is no longer right."""
        if self.still:
            self.canvas.spoil(self.sceneBoundingRect())
        else:
            self.canvas.refresh_live()

    def update(self, *_: Any) -> None:
        self.spoil()

    def prepareGeometryChange(self) -> None:
        self.spoil()
        super().prepareGeometryChange()

    def setPos(self, *place: Any) -> None:
        self.spoil()
        super().setPos(*place)
        self.spoil()

    def setVisible(self, visible: bool) -> None:
        if visible != self.isVisible():
            super().setVisible(visible)
            self.spoil()
