"""The bubble under a node with a problem: what is wrong, and the repair as a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from engine.layers.base import Repair
from engine.problems import Problem
from gui import icons, theme
from gui.canvas.canvas_item import CanvasItem
from gui.canvas.guard import guarded
from gui.canvas.node_paint import font
from gui.i18n import tr_message

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene

WIDTH, TEXT_WIDTH = 330.0, 190.0
PAD = 10.0


class BubbleItem(CanvasItem):
    """Sits below its node; keeps its size down to 70 % and hides below 40 %."""

    still = False

    def __init__(self, scene: CanvasScene, problem: Problem) -> None:
        super().__init__(scene)
        self.problem = problem
        said = tr_message(problem.message)
        if scene.blocks.holder(problem.node) is not None:  # it hangs on the card of a block
            said = f"{scene.document.node(problem.node).name}: {said}"
        # shapes are not torn apart at the end of a line
        self.text = said.replace(" × ", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}")
        self.repair: Repair | None = problem.repairs[0] if problem.repairs else None
        self.button_text = tr_message(self.repair.label) if self.repair else ""
        self.pressed = self.hovered = False
        self.setZValue(30)
        self._measure()

    def _measure(self) -> None:
        body = QFontMetricsF(font(12))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap)
        lines = body.boundingRect(QRectF(0, 0, TEXT_WIDTH, 400), flags, self.text)
        bold = QFontMetricsF(font(12, theme.SEMIBOLD))
        button = bold.horizontalAdvance(self.button_text) + 20 if self.repair else 0.0
        height = max(lines.height(), 28.0 if self.repair else 0.0) + 2 * 8
        text_width = lines.width() + 2
        width = 38 + text_width + (16 + button if button else 0) + 12
        self.box = QRectF(-width / 2, 12, width, height)
        self.text_rect = QRectF(self.box.left() + 38, self.box.top(), text_width, height)
        self.button = (
            QRectF(self.box.right() - 10 - button, self.box.center().y() - 14, button, 28)
            if self.repair
            else QRectF()
        )

    def scene_box(self) -> QRectF:
        """Where it lies in the scene."""
        return self.mapRectToScene(self.box)

    def contains_point(self, scene_point: QPointF) -> bool:
        return self.isVisible() and self.box.contains(self.mapFromScene(scene_point))

    def on_button(self, scene_point: QPointF) -> bool:
        return self.isVisible() and self.button.contains(self.mapFromScene(scene_point))

    def boundingRect(self) -> QRectF:
        return self.box.adjusted(-2, -14, 2, 2)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink, ground = ("warning", "warnbg") if self.problem.warning else ("danger", "dangerbg")
        painter.setPen(QPen(theme.color(ink), 1))
        painter.setBrush(theme.color(ground))
        painter.drawRoundedRect(self.box, 8, 8)
        top = self.box.top()
        painter.drawPolygon(QPolygonF([QPointF(-7, top + 1), QPointF(0, top - 6), QPointF(7, top + 1)]))
        painter.setPen(QPen(theme.color(ground), 2))
        painter.drawLine(QPointF(-6, top + 1), QPointF(6, top + 1))
        sign = "warning" if self.problem.warning else "problem"
        icons.paint(painter, sign, QRectF(self.box.left() + 13, self.box.center().y() - 8, 16, 16), ink)
        painter.setFont(font(12))
        painter.setPen(theme.color("text1"))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap)
        painter.drawText(self.text_rect, flags, self.text)
        if self.repair is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            tint = theme.color(ink)
            painter.setBrush(
                tint.lighter(112) if self.hovered else tint.darker(115) if self.pressed else tint
            )
            painter.drawRoundedRect(self.button, 6, 6)
            painter.setFont(font(12, theme.SEMIBOLD))
            painter.setPen(theme.color("canvas" if theme.theme().is_dark else "onaccent"))
            painter.drawText(self.button, int(Qt.AlignmentFlag.AlignCenter), self.button_text)
