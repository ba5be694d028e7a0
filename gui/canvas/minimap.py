"""The whole network as colored blocks, and the part that is seen; a click goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.at_most import AtMost
from gui.canvas.guard import guarded
from gui.i18n import tr

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

WIDTH, HEIGHT, PAD = 136, 60, 8
REFRESH_MS = 60


class MiniMap(QWidget):
    """Bottom right over the canvas."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view.viewport())
        self.view = view
        self.setAccessibleName(tr("Overview of the network"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.resize(self.sizeHint())
        self._picture = QPixmap()
        self._refreshing = AtMost(REFRESH_MS, self._forget, self)

    def refresh(self) -> None:
        """The network or what is seen of it changed."""
        self._refreshing.soon()

    def _forget(self) -> None:
        self._picture = QPixmap()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(WIDTH), theme.px(HEIGHT))

    def _frame(self) -> tuple[QRectF, float, QPointF]:
        """The part of the scene shown, the scale, and where it begins."""
        shown, seen = self.view.canvas.content_rect(), self.view.visible_scene_rect()
        if not seen.contains(shown):
            shown = shown.united(seen)
        room = QRectF(self.rect()).adjusted(PAD, PAD, -PAD, -PAD)
        scale = min(room.width() / max(shown.width(), 1.0), room.height() / max(shown.height(), 1.0))
        origin = QPointF(
            room.center().x() - shown.width() * scale / 2, room.center().y() - shown.height() * scale / 2
        )
        return shown, scale, origin

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture.isNull() or self._picture.deviceIndependentSize().toSize() != self.size():
            # kept: the canvas below repaints at every frame, and all widgets over it with it
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            inside = QPainter(self._picture)
            self._paint(inside)
            inside.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        painter.end()

    @guarded
    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        shown, scale, origin = self._frame()
        painter.setPen(Qt.PenStyle.NoPen)
        for node in self.view.canvas.visible_nodes():
            rect = node.rect()
            block = QRectF(origin + (rect.topLeft() - shown.topLeft()) * scale, rect.size() * scale)
            color = theme.color("danger") if node.look.problem else theme.kind_color(node.look.category)
            color.setAlpha(255 if node.selected or node.look.problem else 190)
            painter.setBrush(color)
            painter.drawRoundedRect(block.adjusted(0.5, 0.5, -0.5, -0.5), 1.5, 1.5)
        seen = self.view.visible_scene_rect()
        frame = QRectF(origin + (seen.topLeft() - shown.topLeft()) * scale, seen.size() * scale)
        if not frame.adjusted(-1, -1, 1, 1).contains(QRectF(origin, shown.size() * scale)):
            painter.setPen(QPen(theme.color("text3"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(frame)

    def _go(self, event: QMouseEvent) -> None:
        shown, scale, origin = self._frame()
        self.view.following = False
        self.view.center_on(shown.topLeft() + (event.position() - origin) / scale)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)
