"""What may be dropped on the canvas: a layer or a kept block. Files are left to the window around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from engine.errors import MatrizenError
from engine.layers import LAYERS
from gui.block_library import read_text
from gui.canvas.gestures import DropLayer
from gui.canvas.gestures.drop_block import MIME as BLOCK
from gui.canvas.gestures.drop_block import DropBlock
from gui.canvas.gestures.drop_layer import MIME

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


class Drops:
    """Belongs to a view, which hands its drag events over."""

    def __init__(self, view: CanvasView) -> None:
        self.view = view
        self._layer: DropLayer | DropBlock | None = None

    def enter(self, event: QDragEnterEvent) -> None:
        mime = event.mimeData()
        self.leave()
        if mime.hasFormat(MIME):
            kind = bytes(mime.data(MIME).data()).decode("utf-8", "replace")
            if kind in LAYERS:
                self._layer = DropLayer(self.view, kind)
                self._layer.move(self.view.mapToScene(event.position().toPoint()))
                event.acceptProposedAction()
                return
        elif mime.hasFormat(BLOCK):
            try:
                name, piece = read_text(bytes(mime.data(BLOCK).data()), "")
            except MatrizenError:
                event.ignore()
                return
            self._layer = DropBlock(self.view, name, piece)
            self._layer.move(self.view.mapToScene(event.position().toPoint()))
            event.acceptProposedAction()
            return
        event.ignore()

    def move(self, event: QDragMoveEvent) -> None:
        if self._layer is not None:
            self._layer.move(self.view.mapToScene(event.position().toPoint()))
            event.acceptProposedAction()
        else:
            event.ignore()

    def leave(self) -> None:
        if self._layer is not None:
            layer, self._layer = self._layer, None
            layer.leave()

    def drop(self, event: QDropEvent) -> None:
        point = self.view.mapToScene(event.position().toPoint())
        if self._layer is not None:
            layer, self._layer = self._layer, None
            layer.drop(point)
            self.view.setFocus(Qt.FocusReason.MouseFocusReason)
            event.acceptProposedAction()
        else:
            event.ignore()
