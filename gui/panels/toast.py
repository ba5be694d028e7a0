"""Toasts: one line above the time line, one action, gone after six seconds; errors stay until closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui import icons, theme, tokens
from gui.i18n import tr

Level = Literal["info", "ok", "warning", "error"]
SIGNS: dict[str, tuple[str, str]] = {
    "info": ("info", "text2"), "ok": ("check", "ok"),
    "warning": ("warning", "warning"), "error": ("problem", "danger"),
}  # fmt: skip
AT_MOST = 3
WIDEST = 620
READ_MS = 50
"""A letter's share of the time a long message stays."""


class Toast(QFrame):
    """One message with an optional action."""

    def __init__(
        self, text: str, level: Level, action: str, handler: Callable[[], object] | None, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.text, self.level = text, level
        self.topic = ""
        surface = {"warning": "warning", "error": "problem"}.get(level, "raised")
        self.setProperty("surface", surface)
        self.setAccessibleName(text)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), theme.px(8), theme.px(8), theme.px(8))
        row.setSpacing(theme.px(8))
        sign = QLabel()
        icon, tint = SIGNS[level]
        sign.setPixmap(icons.pixmap(icon, tint, theme.px(18), self.devicePixelRatioF()))
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignVCenter)
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        # long sentences (paths, engine messages) wrap instead of leaving the window
        wide = max(label.fontMetrics().horizontalAdvance(line) for line in text.split("\n"))
        label.setWordWrap(wide > theme.px(WIDEST - 160))
        if label.wordWrap():
            label.setMinimumWidth(theme.px(WIDEST - 160))
        row.addWidget(label, 1)
        if handler is not None and action:
            button = QPushButton(action)
            button.setProperty("kind", "flat")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # it goes away when it is clicked
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda: self._act(handler))
            row.addWidget(button)
        close = QToolButton()
        close.setIcon(icons.icon("close", "text2"))
        close.setIconSize(QSize(theme.px(14), theme.px(14)))
        close.setToolTip(tr("Close"))
        close.setAccessibleName(tr("Close"))
        close.clicked.connect(self.dismiss)
        row.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        if level != "error":
            self._timer.start(max(tokens.TOAST_MS, READ_MS * len(text)))

    def _act(self, handler: Callable[[], object]) -> None:
        self.dismiss()
        handler()

    def dismiss(self) -> None:
        """Take it away."""
        self._timer.stop()
        stack = self.parent()
        self.setParent(None)
        self.deleteLater()
        if isinstance(stack, Toasts):
            stack.settle()

    def enterEvent(self, event: object) -> None:
        self._timer.stop()  # who reads it does not race a clock

    def leaveEvent(self, event: object) -> None:
        if self.level != "error":
            self._timer.start(tokens.TOAST_MS // 2)


class Toasts(QWidget):
    """The stack of toasts; `corner()` is where in `host` its lower left corner belongs."""

    def __init__(self, host: QWidget, corner: Callable[[], QPoint]) -> None:
        super().__init__(host)
        self._host, self._corner = host, corner
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.px(8))
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.settle)
        host.installEventFilter(self)
        self.hide()

    def follow(self, widget: QWidget) -> None:
        """The corner depends on where `widget` is: move along with it."""
        widget.installEventFilter(self)

    def show_message(
        self, text: str, level: Level = "info", action: str = "", handler: Callable[[], object] | None = None
    ) -> Toast:
        """Show one sentence. The same sentence again replaces the first."""
        for shown in self.toasts():
            if shown.text == text:
                shown.dismiss()
        while len(self.toasts()) >= AT_MOST:
            self.toasts()[0].dismiss()
        toast = Toast(text, level, action, handler, self)
        self._column.addWidget(toast, 0, Qt.AlignmentFlag.AlignLeft)
        toast.show()
        self.settle()
        return toast

    def toasts(self) -> list[Toast]:
        """Those on the screen, oldest first."""
        found = (self._column.itemAt(i) for i in range(self._column.count()))
        return [w for item in found if item is not None and isinstance(w := item.widget(), Toast)]

    def dismiss(self, topic: str) -> None:
        """Take those about something away that are no longer true."""
        for toast in self.toasts():
            if toast.topic == topic:
                toast.dismiss()

    def settle(self) -> None:
        """Take the place the toasts need."""
        if not self.toasts():
            self.hide()
            return
        self.show()
        self._column.invalidate()
        size = self._column.sizeHint()
        corner = self._corner()
        size.setWidth(min(size.width(), self._host.width() - corner.x() - theme.px(12)))
        if self._column.hasHeightForWidth():
            size.setHeight(self._column.heightForWidth(size.width()))
        self.resize(size)
        self.move(corner - QPoint(0, size.height()))
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide):
            self._later.start(0)  # once everything inside has its place too
        return False
