"""A node on the canvas: body and ports stand still, picture and footer live; each is painted by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPainter, QPen, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from engine.graph import LinkSpec, Uid
from gui import icons, theme
from gui.canvas import node_paint
from gui.canvas.acting import NO_TOUCH
from gui.canvas.canvas_item import CanvasItem
from gui.canvas.geometry import FOOTER, HEADER, PICTURE_HEIGHT, PICTURE_TOP, PORT, PORT_HIT, PORT_HOVER
from gui.canvas.guard import guarded
from gui.canvas.kept_picture import KeptPicture
from gui.canvas.look import NodeLook, detail_at
from gui.canvas.node_paint import draw_text, font
from gui.i18n import number, tr

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene

MARGIN = 14.0
PICTURE_PAD = 7


class NodeItem(CanvasItem):
    """Paints a `NodeLook`; knows where its ports are. States are set by the scene."""

    def __init__(self, scene: CanvasScene, uid: Uid, look: NodeLook) -> None:
        super().__init__(scene)
        self.uid = uid
        self.look = look
        self.selected = self.focused = self.hovered = self.armed = False
        self.illegal = self.warned = False
        self.dropping = False
        self.acting = ""
        self.touch = NO_TOUCH
        self.progress = 0.0
        self.zooming = False
        """Whether older pictures of the node serve for the moment: the zoom moves."""
        self.covers = False
        """Whether it lies over another node's picture and is painted once more above that."""
        self.setZValue(10)
        self.picture = PictureItem(self)
        self.ports = PortsItem(self)
        self._kept = KeptPicture()

    def set_look(self, look: NodeLook) -> None:
        if look == self.look:
            return
        if look.size != self.look.size:
            self.prepareGeometryChange()
            self.picture.prepareGeometryChange()
            self.ports.prepareGeometryChange()
        self.look = look
        self.refresh()

    def show_details(self, near: bool) -> None:
        """From far away pictures and ports are not even asked to paint."""
        self.picture.setVisible(near)
        self.ports.setVisible(near)

    def refresh(self) -> None:
        """Paint everything again."""
        self.update()
        self.picture.update()

    def set_state(self, **states: object) -> None:
        """Set selected, focused, hovered, armed, illegal, dropping, acting, touch, progress."""
        changed = False
        for name, value in states.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                changed = True
        if changed:
            self.refresh()

    # ---- where things are, in scene coordinates ----------------------------------------------------

    def rect(self) -> QRectF:
        return QRectF(self.pos().x(), self.pos().y(), self.look.size.width, self.look.size.height)

    def input_port(self, port: int = 0) -> QPointF:
        """The middle of an input port; several share the height of the picture."""
        count = max(1, self.look.inputs)
        middle = self.look.size.port_y
        step = min(26.0, 96.0 / max(1, count - 1))
        return self.pos() + QPointF(0, middle + (port - (count - 1) / 2) * step)

    def output_port(self) -> QPointF:
        return self.pos() + QPointF(self.look.size.width, self.look.size.port_y)

    def entries(self) -> list[tuple[Uid, int, QPointF]]:
        """The input ports: whose they are, their number there, their middle."""
        return [(self.uid, n, self.input_port(n)) for n in range(self.look.inputs)]

    def exits(self) -> list[tuple[Uid, QPointF]]:
        """The output ports: whose numbers come out, their middle."""
        return [(self.uid, self.output_port())] if self.look.has_output else []

    def entry(self, link: LinkSpec) -> QPointF:
        """Where a link ends that leads here."""
        return self.input_port(link.port)

    def exit(self, link: LinkSpec) -> QPointF:
        """Where a link starts that leads away from here."""
        return self.output_port()

    def port_at(self, point: QPointF) -> tuple[Uid, str, int] | None:
        """(uid, "in", n) or (uid, "out", 0) under a point of the scene."""
        reach = PORT_HIT / 2
        if not self.look.flush_right:
            outs = [(abs(at.y() - point.y()), u) for u, at in self.exits() if _near(at, point, reach)]
            if outs:
                return min(outs)[1], "out", 0
        if self.look.flush_left:
            return None
        ins = [(abs(at.y() - point.y()), n, u) for u, n, at in self.entries() if _near(at, point, reach)]
        return (min(ins)[2], "in", min(ins)[1]) if ins else None

    def neuron_rect(self, unit: int) -> QRectF:
        """The map of one neuron of an unfolded layer, in the node's own coordinates."""
        unfold = self.look.size.unfold
        assert unfold is not None
        return QRectF((self.look.size.width - unfold.side) / 2, unfold.top(unit), unfold.side, unfold.side)

    def neuron_at(self, point: QPointF) -> int | None:
        """The neuron under a point of the scene."""
        unfold = self.look.size.unfold
        if unfold is None:
            return None
        local = point - self.pos()
        return next((n for n in range(unfold.units) if self.neuron_rect(n).contains(local)), None)

    def picture_rect(self) -> QRectF:
        """Where the mosaic lies, in the node's own coordinates."""
        size = self.look.size
        if size.unfold is not None:
            last = self.neuron_rect(size.unfold.units - 1)
            return self.neuron_rect(0).united(last)
        return QRectF(PICTURE_PAD, PICTURE_TOP + 5, size.width - 2 * PICTURE_PAD, PICTURE_HEIGHT - 10)

    # ---- Qt ----------------------------------------------------------------------------------------

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self.look.size.width, self.look.size.height).adjusted(
            -MARGIN, -MARGIN, MARGIN, MARGIN
        )

    def forget_pictures(self) -> None:
        """Out of sight: the memory of the kept pictures is given back."""
        self._kept.forget()
        self.picture.kept.forget()
        self.picture.kept_bars.forget()

    def paint_still(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, transform: QTransform
    ) -> None:
        """Body and ports, on a painter that has the view's `transform`."""
        painter.setTransform(QTransform.fromTranslate(self.pos().x(), self.pos().y()) * transform)
        self.paint(painter, option)
        if self.ports.isVisible():
            self.ports.paint(painter, option)
        painter.setTransform(transform)

    def paint_live(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, transform: QTransform
    ) -> None:
        """Picture and footer; all of it where it lies over the picture of another node."""
        if self.covers:
            self.paint_still(painter, option, transform)
        if self.picture.isVisible():
            painter.setTransform(QTransform.fromTranslate(self.pos().x(), self.pos().y()) * transform)
            self.picture.paint(painter, option)
            if self.covers:
                self.ports.paint(painter, option)
            painter.setTransform(transform)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        key = (
            self.look, detail_at(self.canvas.zoom), self.selected, self.focused, self.hovered, self.illegal,
            self.warned, self.dropping, self.acting, self.progress, theme.theme(),
        )  # fmt: skip
        budget = self.canvas.budget if self.zooming else None
        self._kept.draw(painter, self.boundingRect(), key, self._paint, budget)

    def _paint(self, painter: QPainter) -> None:
        detail = detail_at(self.canvas.zoom)
        if self.illegal:
            painter.setOpacity(0.38)
        node_paint.paint_body(painter, self.look, detail, self.hovered, self.warned, bool(self.acting))
        if self.acting and detail == "all":
            self._paint_progress(painter)
        if detail == "block" and not (self.selected or self.acting):
            return
        if self.acting:
            node_paint.paint_ring(painter, self.look, "trace")
        elif self.selected or self.dropping:
            node_paint.paint_ring(painter, self.look, "accent", dashed=self.focused)
        elif self.focused:
            node_paint.paint_ring(painter, self.look, "focus", dashed=True)
        if self.look.merged_icon and detail in ("all", "name"):
            icons.paint(
                painter, self.look.merged_icon, QRectF(self.look.size.width - 20, 29, 12, 12), "activation"
            )

    def _paint_progress(self, painter: QPainter) -> None:
        width = self.look.size.width - 2
        painter.fillRect(QRectF(1, HEADER - 1, width, 2.5), theme.color("tracebg"))
        painter.fillRect(QRectF(1, HEADER - 1, width * min(1.0, self.progress), 2.5), theme.color("trace"))


class PictureItem(CanvasItem):
    """Mosaic, histogram and footer: what changes while training."""

    still = False

    def __init__(self, node: NodeItem) -> None:
        super().__init__(node.canvas, node)
        self.node = node
        self.kept, self.kept_bars = KeptPicture(), KeptPicture()

    def boundingRect(self) -> QRectF:
        return QRectF(-20, 0, self.node.look.size.width + 20, self.node.look.size.height)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        node, canvas = self.node, self.node.canvas
        detail = detail_at(canvas.zoom)
        if detail in ("icon", "block"):
            return
        if node.illegal:
            painter.setOpacity(0.38)
        look = node.look
        data = canvas.atlas.data(node.uid)
        slot = canvas.atlas.slot(node.uid)
        rect = node.picture_rect()
        if data is not None and data.bars:
            bars = data.bars
            self.kept_bars.draw(
                painter, rect, (bars, theme.theme()), lambda inside: self._paint_bars(inside, bars, rect),
                canvas.budget if node.zooming else None,
            )  # fmt: skip
        elif slot is not None and not look.problem and look.has_shape:
            _blit(painter, rect, canvas.atlas.image, slot)
        elif look.size.unfold is None:
            text = tr("no shape yet") if not look.has_shape else ""
            if text and not look.compact:
                draw_text(painter, text, font(11, mono=True), "text2", rect, center=True)
        if look.size.unfold is not None:
            self._paint_neurons(painter, slot is None or not look.has_shape)
        elif detail == "all":
            health = data.health if data is not None else ""
            caption = data.caption if data is not None else ""
            self._paint_footer(painter, caption, health)

    def _paint_footer(self, painter: QPainter, caption: str, health: str) -> None:
        node, look = self.node, self.node.look

        def paint(inside: QPainter) -> None:
            node_paint.paint_footer(inside, look, caption, health, node.acting, node.touch)

        foot = QRectF(0, look.size.height - FOOTER, look.size.width, FOOTER)
        key = (look, caption, health, node.acting, node.touch, theme.theme())
        self.kept.draw(painter, foot, key, paint, node.canvas.budget if node.zooming else None)

    def _paint_neurons(self, painter: QPainter, empty: bool) -> None:
        node = self.node
        unfold = node.look.size.unfold
        assert unfold is not None
        for unit in range(unfold.units):
            rect = node.neuron_rect(unit)
            if empty:
                painter.fillRect(rect, theme.color("canvas"))
            painter.setPen(QPen(theme.color("border"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5))
            if node.canvas.hovered_neuron == (node.uid, unit):
                painter.setPen(QPen(theme.color("text1"), 2))
                painter.drawRect(rect.adjusted(-2, -2, 2, 2))
        if unfold.units == 2 and not node.look.inputs:
            face = QFont(font(13))
            face.setItalic(True)
            for unit, letter in enumerate("xy"):
                middle = node.neuron_rect(unit).center().y()
                draw_text(painter, letter, face, "text2", QRectF(-18, middle - 10, 14, 20), center=True)
        if node.look.problem:
            at = QRectF(node.look.size.width - 22, 8, 15, 15)
            icons.paint(painter, "problem", at, "danger")

    def _paint_bars(self, painter: QPainter, bars: tuple[tuple[str, float], ...], rect: QRectF) -> None:
        """What an output says: class names, shares and bars, the largest first."""
        shown = bars[:4]
        step = rect.height() / 4
        for i, (label, share) in enumerate(shown):
            top = rect.top() + i * step
            row = QRectF(rect.left() + 5, top + 1, rect.width() - 10, step - 8)
            token, weight = ("text1", theme.MEDIUM) if i == 0 else ("text2", theme.REGULAR)
            value = number(share, 2)
            draw_text(painter, label, font(11, weight), token, row.adjusted(0, 0, -34, 0))
            face = font(11, mono=True)
            painter.setFont(face)
            painter.setPen(theme.color(token))
            painter.drawText(row, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), value)
            line = QRectF(row.left(), top + step - 7, row.width(), 3)
            painter.fillRect(line, theme.color("border"))
            line.setWidth(line.width() * min(max(share, 0.0), 1.0))
            painter.fillRect(line, theme.color("accent") if i == 0 else theme.color("text3"))


class PortsItem(CanvasItem):
    """The ports of a node, above its picture."""

    def __init__(self, node: NodeItem) -> None:
        super().__init__(node.canvas, node)
        self.node = node
        self.setZValue(1)

    def boundingRect(self) -> QRectF:
        return self.node.boundingRect()

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        node = self.node
        look = node.look
        if detail_at(node.canvas.zoom) in ("icon", "block"):
            return
        if look.size.unfold is not None and not (node.hovered or node.armed) and not look.problem:
            return  # the lines of the weights say it
        if node.illegal:
            painter.setOpacity(0.38)
        token, side = "trace" if node.acting else "link", node.touch.side
        target = node.canvas.target_port
        if not look.flush_left:
            for uid, n, place in node.entries():
                at = place - node.pos()
                aimed = target == (uid, n)
                bad = bool(look.problem) and not node.acting
                tint = "accent" if aimed else "danger" if bad else "trace" if side == "in" else token
                grown = aimed or (node.armed and not node.illegal) or node.hovered
                size = PORT_HOVER if grown else PORT
                node_paint.paint_port(painter, at, size, tint, aimed, coarse=node.zooming)
        for _, place in () if look.flush_right else node.exits():
            at, live = place - node.pos(), node.hovered and not node.armed
            node_paint.paint_port(
                painter, at, PORT_HOVER if live else PORT,
                "accent" if live else "trace" if side == "out" else token, live,
                coarse=node.zooming,
            )


def _blit(painter: QPainter, rect: QRectF, image: QImage, slot: QRect) -> None:
    """Draw a picture of the atlas; pixel for pixel where it was painted for this zoom (always at rest)."""
    place = painter.worldTransform().mapRect(rect)
    ratio = image.devicePixelRatio()
    if abs(place.width() * ratio - slot.width()) > 1.5:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(rect, image, QRectF(slot))
        return
    painter.save()
    painter.resetTransform()
    corner = QPointF(round(place.x() * ratio) / ratio, round(place.y() * ratio) / ratio)
    painter.drawImage(corner, image, QRectF(slot))
    painter.restore()


def _near(a: QPointF, b: QPointF, reach: float) -> bool:
    return abs(a.x() - b.x()) <= reach and abs(a.y() - b.y()) <= reach
