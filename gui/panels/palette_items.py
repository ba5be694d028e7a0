"""What the palette consists of: entries that can be dragged, heads that fold, tiles of a category."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDrag,
    QEnterEvent,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QSizePolicy, QWidget

from engine.layers import Layer
from gui import icons, theme, tokens
from gui.canvas.gestures.drop_layer import MIME
from gui.canvas.texts import icon_of
from gui.i18n import integer, tr


class DragRow(QAbstractButton):
    """What can be added: double click or Enter adds it, a drag takes it to the canvas, arrows go on."""

    wanted = Signal(str)
    """Its `key`."""
    stepped = Signal(int)

    def __init__(
        self, key: str, text: str, tip: str, category: str, icon: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.key, self.category, self.icon_name = key, category, icon
        self.setText(text)
        self.setToolTip(tip)
        self.setAccessibleName(text)
        self.setAccessibleDescription(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._pressed_at: QPoint | None = None

    def sizeHint(self) -> QSize:
        return QSize(
            theme.px(46) + QFontMetrics(theme.ui_font()).horizontalAdvance(self.text()), theme.px(26)
        )

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(80), theme.px(26))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.position().toPoint()
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed_at is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        if (
            event.position().toPoint() - self._pressed_at
        ).manhattanLength() >= QApplication.startDragDistance():
            self._pressed_at = None
            self._drag()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.wanted.emit(self.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.wanted.emit(self.key)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.stepped.emit(1 if event.key() == Qt.Key.Key_Down else -1)
        else:
            event.ignore()

    def mime(self) -> QMimeData | None:
        """What a drag of it carries; None: it cannot be dragged now."""
        raise NotImplementedError

    def _drag(self) -> None:
        mime = self.mime()
        if mime is None:
            return
        drag = QDrag(self)
        drag.setMimeData(mime)
        drag.setPixmap(self._picture())
        drag.setHotSpot(QPoint(theme.px(14), theme.px(14)))
        drag.exec(Qt.DropAction.CopyAction)

    def _picture(self) -> QPixmap:
        return icons.kind_tile(self.category, self.icon_name, theme.px(28), self.devicePixelRatioF())

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.underMouse():
            now = theme.theme()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.mix(now.raised, now.text1, 0.06)))
            painter.drawRoundedRect(rect, 5, 5)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect, 5, 5)
        side = theme.px(20)
        tile = QRectF(theme.px(4), (self.height() - side) / 2, side, side)
        icons.paint_kind_tile(painter, tile, self.category, self.icon_name)
        painter.setFont(theme.ui_font())
        painter.setPen(theme.color("text1"))
        left = int(tile.right()) + theme.px(8)
        text = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width() - left - 4
        )
        painter.drawText(
            QRectF(left, 0, self.width() - left, self.height()),
            int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter),
            text,
        )
        painter.end()


class Entry(DragRow):
    """One kind of layer."""

    def __init__(self, cls: type[Layer], parent: QWidget | None = None) -> None:
        super().__init__(cls.kind, tr(cls.label), tr(cls.help), cls.category, icon_of(cls), parent)
        self.layer, self.kind = cls, cls.kind

    def mime(self) -> QMimeData:
        made = QMimeData()
        made.setData(MIME, self.kind.encode())
        return made


class GroupHead(QAbstractButton):
    """The head of a group; closed it shows the kind's tile and how many layers are inside."""

    def __init__(
        self, category: str, title: str, count: int, icon: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.category, self.count, self.icon_name = category, count, icon
        self.setText(title)
        self.setToolTip(title)
        self.setCheckable(True)
        self.setAccessibleName(title)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.toggled.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(120), theme.px(24 if self.isChecked() else 28))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        side = theme.px(12)
        chevron = QRectF(self.width() - side - theme.px(6), (self.height() - side) / 2, side, side)
        is_open = self.isChecked()
        icons.paint(painter, "chevron" if is_open else "chevron-right", chevron, "text3")
        left, taken = theme.px(4), theme.px(24)
        if is_open:
            painter.setFont(theme.ui_font(11, theme.SEMIBOLD))
            painter.setPen(theme.color("text2"))
        else:
            tile = theme.px(20)
            icons.paint_kind_tile(
                painter, QRectF(left, (self.height() - tile) / 2, tile, tile), self.category, self.icon_name
            )
            left += tile + theme.px(8)
            painter.setFont(theme.ui_font(11))
            painter.setPen(theme.color("text3"))
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(self.rect().adjusted(0, 0, -taken, 0), right, integer(self.count))
            taken += painter.fontMetrics().horizontalAdvance(integer(self.count)) + theme.px(4)
            painter.setFont(theme.ui_font())
            painter.setPen(theme.color("text1"))
        room = self.width() - left - taken
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(left, 0, self.width() - left, self.height()), middle, text)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.end()


class KindButton(QAbstractButton):
    """A category as one tile, for the narrow palette."""

    def __init__(self, category: str, title: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.category, self.icon_name = category, icon
        self.setToolTip(title)
        self.setAccessibleName(title)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(theme.px(32), theme.px(32))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.category:
            icons.paint_kind_tile(painter, rect, self.category, self.icon_name)
        else:
            icons.paint(painter, self.icon_name, rect.adjusted(6, 6, -6, -6), "text2")
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(theme.color("focus" if self.hasFocus() else "link"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect, 6, 6)
        painter.end()
