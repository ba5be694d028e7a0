"""A kept block dragged over the canvas: a ghost of its card shows where it would lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui import icons, theme
from gui.canvas.block_edits import passes, with_piece
from gui.canvas.block_look import CATEGORY
from gui.canvas.canvas_item import CanvasItem
from gui.canvas.clipboard import Fragment
from gui.canvas.edits import snap
from gui.canvas.geometry import MAGNET, NODE_HEIGHT, NODE_WIDTH, TILE, Size
from gui.canvas.gestures.drop_layer import paint_ghost
from gui.canvas.guard import guarded
from gui.canvas.landing import Landing, show_landing
from gui.canvas.node_paint import draw_text, font
from gui.canvas.state import DocumentState

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene
    from gui.canvas.view import CanvasView

MIME = "application/x-matrizen-block"


class BlockGhost(CanvasItem):
    """A dashed card with the block's name."""

    still = False

    def __init__(self, canvas: CanvasScene, name: str) -> None:
        super().__init__(canvas)
        self.name = name
        self.size = Size(NODE_WIDTH, NODE_HEIGHT, 0)
        self.setZValue(50)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self.size.width, self.size.height).adjusted(-3, -3, 3, 3)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        rect = QRectF(0, 0, self.size.width, self.size.height)
        paint_ghost(painter, rect)
        icons.paint_kind_tile(painter, QRectF(10, 10, TILE, TILE), CATEGORY, "block")
        box = QRectF(44, 8, rect.width() - 50, 30)
        draw_text(painter, self.name, font(13, theme.SEMIBOLD), "text1", box)


class DropBlock:
    """Lives from the moment the drag enters the canvas until it is dropped or leaves."""

    def __init__(self, view: CanvasView, name: str, piece: Fragment) -> None:
        self.view, self.canvas, self.piece = view, view.canvas, piece
        alone = with_piece(DocumentState(), piece, (), (0.0, 0.0))
        self.passes, self.landing = passes(alone[0], alone[1][0]), Landing()
        self.ghost = BlockGhost(self.canvas, name)
        self.canvas.addItem(self.ghost)
        self.canvas.ghost = self.ghost

    def move(self, point: QPointF) -> None:
        size = self.ghost.size
        self.ghost.setPos(*snap((point.x() - size.width / 2, point.y() - size.height / 2)))
        self.landing = Landing(link=self.canvas.link_at(point, (), MAGNET) if self.passes else None)
        show_landing(self.canvas, self.landing)

    def drop(self, point: QPointF) -> None:
        """Add the block where the ghost is."""
        self.move(point)
        at, link = self.ghost.pos(), self.landing.link
        self.leave()
        self.view.insert_block(self.piece, (at.x(), at.y()), link)

    def leave(self) -> None:
        self.canvas.removeItem(self.ghost)
        self.canvas.ghost = None
        show_landing(self.canvas, Landing())
