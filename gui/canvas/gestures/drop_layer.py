"""A layer dragged from the palette over the canvas: a ghost shows where it would land."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from engine.graph import Uid
from engine.layers import LAYERS
from gui import icons, theme
from gui.canvas.canvas_item import CanvasItem
from gui.canvas.edits import snap
from gui.canvas.geometry import TILE, size_of
from gui.canvas.guard import guarded
from gui.canvas.landing import Landing, landing, show_landing
from gui.canvas.node_paint import draw_text, font, outline
from gui.canvas.texts import icon_of
from gui.i18n import tr

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene
    from gui.canvas.view import CanvasView

MIME = "application/x-matrizen-layer"


class Ghost(CanvasItem):
    """A dashed outline with the layer's name."""

    still = False

    def __init__(self, canvas: CanvasScene, kind: str) -> None:
        super().__init__(canvas)
        self.layer = LAYERS[kind]
        self.size = size_of(self.layer())
        self.setZValue(50)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self.size.width, self.size.height).adjusted(-3, -3, 3, 3)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        rect = QRectF(0, 0, self.size.width, self.size.height)
        paint_ghost(painter, rect)
        narrow = self.size.width < 100
        if not narrow:
            icons.paint_kind_tile(
                painter, QRectF(10, 10, TILE, TILE), self.layer.category, icon_of(self.layer)
            )
        box = QRectF(4, 8, rect.width() - 8, 30) if narrow else QRectF(44, 8, rect.width() - 50, 30)
        draw_text(painter, tr(self.layer.label), font(13, theme.SEMIBOLD), "text1", box, center=narrow)


def paint_ghost(painter: QPainter, rect: QRectF) -> None:
    """The dashed outline of what would land."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(outline(rect), theme.color("raised", 190))
    pen = QPen(theme.color("accent"), 1.6)
    pen.setDashPattern([4.0, 3.0])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(outline(rect))


class DropLayer:
    """Lives from the moment the drag enters the canvas until it is dropped or leaves."""

    def __init__(self, view: CanvasView, kind: str) -> None:
        self.view, self.kind = view, kind
        self.canvas = view.canvas
        self.ghost = Ghost(self.canvas, kind)
        self.landing = Landing()
        self.canvas.addItem(self.ghost)
        self.canvas.ghost = self.ghost

    def move(self, point: QPointF) -> None:
        size = self.ghost.size
        corner = QPointF(*snap((point.x() - size.width / 2, point.y() - size.height / 2)))
        found = self.landing = landing(self.canvas, self.ghost.layer, corner, point)
        if found.host is not None:
            host = self.canvas.nodes[found.host].rect()
            corner = QPointF(host.right(), host.top())
        self.ghost.setPos(corner)
        show_landing(self.canvas, found)

    def drop(self, point: QPointF) -> Uid | None:
        """Add the layer where the ghost is; its uid."""
        self.move(point)
        found, at = self.landing, self.ghost.pos()
        self.leave()
        document = self.view.document
        if found.host is not None:
            host = found.host
            uid = self.view.attempt(lambda: document.add_docked(self.kind, host))
        else:
            uid = self.view.attempt(lambda: document.add_layer(self.kind, (at.x(), at.y()), link=found.link))
        if isinstance(uid, str):
            self.canvas.select([uid])
            return uid
        return None

    def leave(self) -> None:
        self.canvas.removeItem(self.ghost)
        self.canvas.ghost = None
        show_landing(self.canvas, Landing())
