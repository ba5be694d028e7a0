"""Links: as thick as what runs through them, with the shape above; and the link being drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from engine.graph import LinkSpec
from gui import theme
from gui.canvas.acting import NO_FLOW, Flow
from gui.canvas.canvas_item import CanvasItem
from gui.canvas.flow_paint import paint_flow
from gui.canvas.guard import guarded
from gui.canvas.look import detail_at
from gui.canvas.node_paint import font, paint_port
from gui.canvas.route import Route

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene

THIN, THICK = 1.4, 5.6
REST = 2.2
"""Width while nothing is known of the values."""
WEAK, STRONG = 0.05, 3.0
CALM, LEAST = 0.4, 0.3
"""Share of a new width that is taken over, and the change in pixels that is worth painting."""


def width_of(mean: float | None) -> float:
    """1.4 to 5.6 px: the logarithm of the mean |value|, 0.05 to 3."""
    if mean is None or not math.isfinite(mean):
        return REST
    share = math.log10(max(mean, 1e-30) / WEAK) / math.log10(STRONG / WEAK)
    return THIN + (THICK - THIN) * min(max(share, 0.0), 1.0)


class LinkItem(CanvasItem):
    """One drawn link. The scene gives it its route and label."""

    def __init__(self, scene: CanvasScene, link: LinkSpec, way: Route) -> None:
        super().__init__(scene)
        self.link, self.way = link, way
        self.label = ""
        self.width = self._usual = REST
        self.selected = self.hovered = self.dropping = False
        self.acting: Flow = NO_FLOW
        self.setZValue(2)

    def set_way(self, way: Route, label: str) -> None:
        self.prepareGeometryChange()
        self.way, self.label = way, label
        self.update()

    def set_mean(self, mean: float | None) -> None:
        """The mean |value| that passes. The width follows slowly: links must not pulse with every batch."""
        width = width_of(mean)
        known = mean is not None and self._usual != REST
        self._usual = width = self._usual + CALM * (width - self._usual) if known else width
        if abs(width - self.width) > LEAST:
            self.width = width
            self.update()

    def set_state(self, **states: object) -> None:
        for name, value in states.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                self.update()

    def near(self, point: QPointF, reach: float = 8.0) -> bool:
        """Whether a point of the scene lies on the link."""
        if not self.way.path.boundingRect().adjusted(-reach, -reach, reach, reach).contains(point):
            return False
        stroker = QPainterPathStroker()
        stroker.setWidth(2 * reach)
        return stroker.createStroke(self.way.path).contains(point)

    def boundingRect(self) -> QRectF:
        return self.way.path.boundingRect().adjusted(-60, -24, 60, 40)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        detail = detail_at(self.canvas.zoom)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        blue = self.selected or self.dropping
        token = "accent" if blue else "text2" if self.hovered else "link"
        width = self.width + (1.0 if self.dropping else 0.0)
        pen = QPen(
            theme.color(token), width if detail in ("all", "name") else max(width, 1.2 / self.canvas.zoom)
        )
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if self.acting.word:
            paint_flow(painter, self.way, self.acting, pen.widthF(), self.canvas.zoom)
        else:
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(self.way.path)
        if self.label and detail == "all":
            self._paint_label(painter, width)

    def _paint_label(self, painter: QPainter, width: float) -> None:
        face = font(11, theme.MEDIUM)
        metrics = QFontMetricsF(face)
        room = metrics.horizontalAdvance(self.label)
        at = self.way.label
        painter.setFont(face)
        if self.way.inline:
            box = QRectF(at.x() - room / 2 - 8, at.y() - 8, room + 16, 16)
            painter.fillRect(box, theme.color("canvas"))
            baseline = at.y() + metrics.capHeight() / 2
        else:
            baseline = at.y() - width / 2 - 7
        painter.setPen(theme.color("text2"))
        painter.drawText(QPointF(at.x() - room / 2, baseline), self.label)


class DraftItem(CanvasItem):
    """The link under the pointer while it is drawn: blue dashes, or grey dots where it may not end."""

    still = False

    def __init__(self, scene: CanvasScene) -> None:
        super().__init__(scene)
        self.path = QPainterPath()
        self.end = QPointF()
        self.text = ""
        self.legal = True
        self.snapped = False
        self.setZValue(40)

    def show_way(self, path: QPainterPath, end: QPointF, text: str, legal: bool, snapped: bool) -> None:
        self.prepareGeometryChange()
        self.path, self.end, self.text, self.legal, self.snapped = path, end, text, legal, snapped
        self.update()

    def boundingRect(self) -> QRectF:
        return self.path.boundingRect().united(QRectF(self.end, self.end)).adjusted(-60, -60, 600, 60)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.color("accent" if self.legal else "text3"), 2.4 if self.legal else 2.0)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap if not self.legal else Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([3.0, 2.0] if self.legal else [0.1, 2.6])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self.path)
        if self.legal:
            paint_port(painter, self.end, 16 if self.snapped else 11, "accent", True)
        else:
            self._paint_cross(painter)
        if self.text:
            self._paint_text(painter)

    def _paint_cross(self, painter: QPainter) -> None:
        paint_port(painter, self.end, 18, "text2", False)
        painter.setPen(QPen(theme.color("text2"), 1.8))
        for sign in (1, -1):
            painter.drawLine(self.end + QPointF(-4, -4 * sign), self.end + QPointF(4, 4 * sign))

    def _paint_text(self, painter: QPainter) -> None:
        face = font(11, theme.SEMIBOLD if self.legal else theme.REGULAR)
        painter.setFont(face)
        metrics = QFontMetricsF(face)
        room = metrics.horizontalAdvance(self.text)
        if self.legal:
            at = self.path.pointAtPercent(0.5)
            box = QRectF(at.x() - room / 2 - 5, at.y() - 24, room + 10, 17)
        else:
            box = QRectF(self.end.x() + 16, self.end.y() - 10, room + 12, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("canvas" if self.legal else "raised", 225))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.color("accent" if self.legal else "text1"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self.text)
