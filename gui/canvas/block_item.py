"""A block on the canvas: folded a card like a layer's, open a title with a frame around its members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEasingCurve, QPointF, QRectF, QVariantAnimation
from PySide6.QtGui import QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from engine.graph import LinkSpec, Uid
from gui import theme
from gui.canvas import block_paint, node_paint
from gui.canvas.block_look import BlockLook
from gui.canvas.geometry import PICTURE_HEIGHT, PICTURE_TOP
from gui.canvas.guard import guarded
from gui.canvas.look import detail_at
from gui.canvas.node_item import MARGIN, NodeItem

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene


class BlockItem(NodeItem):
    """Of an open block `rect` is the title: what lies in the frame is reached as if there were none."""

    def __init__(self, scene: CanvasScene, uid: Uid, look: BlockLook) -> None:
        super().__init__(scene, uid, look)
        self.look: BlockLook = look
        self.growing: QRectF | None = None
        """What is painted of it while it folds or opens, in the scene."""
        self._motion: QVariantAnimation | None = None
        self.picture.setVisible(False)
        self.setZValue(11)

    def show_details(self, near: bool) -> None:
        self.ports.setVisible(near and self.look.folded)

    def set_look(self, look: BlockLook) -> None:  # type: ignore[override]
        if look.frame_height != self.look.frame_height:
            self.prepareGeometryChange()
        super().set_look(look)
        self.ports.setVisible(look.folded and self.canvas.zoom >= 0.4)

    # ---- ports ---------------------------------------------------------------------------------------

    def entries(self) -> list[tuple[Uid, int, QPointF]]:
        if not self.look.folded:
            return []
        return [(e.uid, e.port, self.input_port(i)) for i, e in enumerate(self.look.entries)]

    def exits(self) -> list[tuple[Uid, QPointF]]:
        if not self.look.folded:
            return []
        return [(e.uid, self._output(i)) for i, e in enumerate(self.look.exits)]

    def _output(self, number: int) -> QPointF:
        count = len(self.look.exits)
        step = min(26.0, 96.0 / max(1, count - 1))
        y = self.look.size.port_y + (number - (count - 1) / 2) * step
        return self.pos() + QPointF(self.look.size.width, y)

    def entry(self, link: LinkSpec) -> QPointF:
        found = (at for uid, port, at in self.entries() if (uid, port) == (link.target, link.port))
        return next(found, self.input_port(0))

    def exit(self, link: LinkSpec) -> QPointF:
        return next((at for uid, at in self.exits() if uid == link.source), self.output_port())

    def name_of(self, uid: Uid, side: str, port: int) -> str:
        """What a port is called: the layer inside, and what passes."""
        if side == "in":
            found = (e.name for e in self.look.entries if (e.uid, e.port) == (uid, port))
        else:
            found = (e.name for e in self.look.exits if e.uid == uid)
        return next(found, "")

    # ---- painting ------------------------------------------------------------------------------------

    def frame(self) -> QRectF:
        """All of an open block, in the scene."""
        return QRectF(self.pos().x(), self.pos().y(), self.look.size.width, self.look.frame_height)

    def boundingRect(self) -> QRectF:
        height = self.look.size.height if self.look.folded else self.look.frame_height
        rect = QRectF(0, 0, self.look.size.width, height).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        return rect if self.growing is None else rect.united(self.growing.translated(-self.pos()))

    def picture_rect(self) -> QRectF:
        """Nothing in it lives."""
        return QRectF()

    def paint_frame(self, painter: QPainter) -> None:
        """The ground under the members of an open block, on a painter in scene coordinates."""
        if self.growing is not None:
            block_paint.paint_growing(painter, self.growing)
        if self.look.folded:
            return
        block_paint.paint_frame(
            painter, self.look, self.frame(), detail_at(self.canvas.zoom), self.hovered, self.selected,
            self.focused, self.canvas.zoom,
        )  # fmt: skip

    def paint_still(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, transform: QTransform
    ) -> None:
        if self.look.folded and self.growing is None:
            super().paint_still(painter, option, transform)

    def paint_live(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, transform: QTransform
    ) -> None:
        if self.covers and self.look.folded:
            self.paint_still(painter, option, transform)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        key = (
            self.look, detail_at(self.canvas.zoom), self.selected, self.focused, self.hovered, self.illegal,
            self.warned, self.dropping, self.acting, self.progress, self.touch, theme.theme(),
            self.canvas.at_work if self.acting else None,
        )  # fmt: skip
        budget = self.canvas.budget if self.zooming else None
        self._kept.draw(painter, self.boundingRect(), key, self._paint, budget)

    def _paint(self, painter: QPainter) -> None:
        detail = detail_at(self.canvas.zoom)
        if detail in ("all", "name"):
            block_paint.paint_stack(painter, self.look)
        super()._paint(painter)
        if detail in ("icon", "block"):
            return
        high = PICTURE_HEIGHT if detail == "all" else self.look.size.height - 12 - PICTURE_TOP
        line = 18 if detail == "all" and self.look.weights else 0
        room = QRectF(8, PICTURE_TOP + 6, self.look.size.width - 16, high - 12 - line)
        block_paint.paint_drawing(painter, self.look, room, self.canvas.at_work if self.acting else None)
        if detail == "all":
            row = QRectF(12, PICTURE_TOP + high - 22, self.look.size.width - 24, 18)
            node_paint.draw_text(painter, self.look.weights, node_paint.font(11), "text2", row)
            node_paint.paint_footer(painter, self.look, "", "", self.acting, self.touch)

    # ---- motion --------------------------------------------------------------------------------------

    def grow(self, start: QRectF, end: QRectF) -> None:
        """Let an outline run from one place to another, where things move at all."""
        duration = theme.duration("fold")
        if not duration or start == end:
            return
        if self._motion is not None:
            self._motion.stop()
        motion = QVariantAnimation(self.canvas)
        motion.setStartValue(0.0)
        motion.setEndValue(1.0)
        motion.setDuration(duration)
        motion.setEasingCurve(QEasingCurve.Type.OutCubic)

        def step(share: float) -> None:
            self.prepareGeometryChange()
            corner = start.topLeft() + (end.topLeft() - start.topLeft()) * share
            other = start.bottomRight() + (end.bottomRight() - start.bottomRight()) * share
            self.growing = QRectF(corner, other) if share < 1.0 else None
            self.prepareGeometryChange()
            self.update()

        motion.valueChanged.connect(step)
        self._motion = motion
        motion.start()
