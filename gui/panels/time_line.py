"""The time line: it shows where the run stands, and brings back what was.

The knob is dragged, or moved by keys: arrows one step, with Shift ten, page keys an epoch, Home and End.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QToolButton, QToolTip, QWidget

from gui import i18n, theme
from gui.i18n import tr
from gui.panels.time_rail import Flag, OtherLine, Rail, Reach, curve_points, nice_span, nice_step

__all__ = ["Flag", "OtherLine", "Reach", "TimeLine", "curve_points", "nice_span", "nice_step"]


class TimeLine(Rail):
    """Never hidden; says which step is wanted and knows nothing of how it is reached."""

    wanted = Signal(int)
    """The step that should be shown."""
    menu_wanted = Signal(QPoint)
    """A menu about the step shown, at this place of the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._buttons: list[QToolButton] = []

    def set_actions(self, actions: Sequence[QAction]) -> None:
        """Buttons at the right end."""
        for action in actions:
            button = QToolButton(self)
            button.setObjectName(action.objectName())
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setIconSize(QSize(theme.px(18), theme.px(18)))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setCursor(Qt.CursorShape.ArrowCursor)
            button.show()
            self._buttons.append(button)
        self._place()

    def _place(self) -> None:
        side = theme.px(30)
        self.right_margin = len(self._buttons) * side
        for k, button in enumerate(reversed(self._buttons)):
            x = self.width() - theme.px(10) - (k + 1) * side
            button.setGeometry(x, (self.height() - side) // 2 + 1, side, side)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            flag = self.flag_at(event.pos().x())
            if flag is not None:
                words = f"{tr('step {n}').format(n=i18n.integer(flag.step))}\n{flag.text}"
            else:
                words = self._past.reason if self._beyond(event.pos().x()) else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def _go(self, step: int) -> None:
        step = self._possible(step)
        if self._end and step != self.shown:
            self._wish = step
            self._patience.start()
            self.wanted.emit(step)
            self._show_now()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or event.position().x() < self._area().left() - 8:
            super().mousePressEvent(event)
            return
        self._dragging = bool(self._end)
        self._go(self.step_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position().x()
        if self._dragging:
            self._go(self.step_at(self._pointer))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging and event.button() == Qt.MouseButton.LeftButton:
            self._dragging = False
            if self._wish == self._step:
                self._forget_wish()
            else:
                self._patience.start()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        epoch = max(1, self._per_epoch)
        ways = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_Up: 1,
            Qt.Key.Key_PageDown: -epoch, Qt.Key.Key_PageUp: epoch,
            Qt.Key.Key_Home: -self._end, Qt.Key.Key_End: self._end,
        }  # fmt: skip
        way = ways.get(Qt.Key(event.key()))
        if way is None:
            super().keyPressEvent(event)
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and abs(way) == 1:
            way *= 10
        self._go(self.shown + way)
