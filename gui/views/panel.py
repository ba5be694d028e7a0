"""The frame of every dock: title, grey subtitle, pin and detach, content or a sentence why it is empty."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import icons, theme
from gui.i18n import tr


class ElidedLabel(QLabel):
    """A label that gives way: it shortens its text with an ellipsis and tells all of it in its tip."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        cut = self.fontMetrics().horizontalAdvance(self.text()) > self.width()
        self.setToolTip(self.text() if cut else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()


class Panel(QFrame):
    """A titled frame around one content widget. `pinned(bool)` and `detach_requested()` are its buttons.

    A pinned panel keeps the layer it shows when another is selected.
    """

    pinned = Signal(bool)
    detach_requested = Signal()

    def __init__(
        self,
        title: str,
        subtitle: str = "",
        *,
        pin: bool = True,
        detach: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self._title = QLabel(title)
        self._title.setProperty("role", "title")
        self._subtitle = ElidedLabel(subtitle)
        self._subtitle.setProperty("role", "muted")
        self._extras = QHBoxLayout()
        self._extras.setSpacing(theme.px(8))
        self._pin = self._button("pin", tr("Keep showing this layer"))
        self._pin.setCheckable(True)
        self._pin.toggled.connect(self.pinned)
        if not pin:  # shown before it has a parent, it would be a window of its own for a moment
            self._pin.hide()
        self._detach = self._button("detach", tr("Open in a window of its own"))
        self._detach.clicked.connect(self.detach_requested)
        if not detach:
            self._detach.hide()
        head = QHBoxLayout()
        head.setContentsMargins(theme.px(12), theme.px(4), theme.px(8), theme.px(4))
        head.setSpacing(theme.px(8))
        head.addWidget(self._title)
        head.addWidget(self._subtitle, 1)
        head.addLayout(self._extras)
        head.addWidget(self._pin)
        head.addWidget(self._detach)
        line = QFrame()
        line.setProperty("surface", "line")
        self._empty = QLabel()
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setContentsMargins(theme.px(24), theme.px(12), theme.px(24), theme.px(12))
        self._stack = QStackedLayout()
        self._stack.setContentsMargins(0, 0, 0, 0)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addLayout(head)
        body.addWidget(line)
        body.addLayout(self._stack, 1)
        self._stack.addWidget(self._empty)
        self._content: QWidget | None = None

    def set_title(self, title: str, subtitle: str | None = None) -> None:
        """Another title, and subtitle if given."""
        self._title.setText(title)
        if subtitle is not None:
            self.set_subtitle(subtitle)

    def set_subtitle(self, subtitle: str) -> None:
        """The grey text beside the title, shortened when there is no room."""
        if subtitle != self._subtitle.text():
            self._subtitle.setText(subtitle)

    def title(self) -> str:
        """The title shown."""
        return self._title.text()

    def subtitle(self) -> str:
        """The whole subtitle."""
        return self._subtitle.text()

    def add_header(self, widget: QWidget) -> None:
        """A small widget in the title row, left of the buttons."""
        self._extras.addWidget(widget)

    def set_content(self, widget: QWidget) -> None:
        """The widget in the frame; the one before is handed back to nobody and deleted."""
        if self._content is not None:
            self._stack.removeWidget(self._content)
            self._content.deleteLater()
        self._content = widget
        self._stack.addWidget(widget)
        self._stack.setCurrentWidget(widget)

    def content(self) -> QWidget | None:
        """The widget in the frame."""
        return self._content

    def set_empty(self, text: str | None) -> None:
        """Show a sentence instead of the content; None shows the content again."""
        if text:
            self._empty.setText(text)
        self._stack.setCurrentWidget(self._empty if text or self._content is None else self._content)

    def is_empty(self) -> bool:
        """True while the sentence is shown."""
        return self._stack.currentWidget() is self._empty

    def is_pinned(self) -> bool:
        """True while the panel keeps its layer."""
        return self._pin.isChecked()

    def set_pinned(self, pinned: bool) -> None:
        """Press or release the pin."""
        self._pin.setChecked(pinned)

    def set_detached(self, detached: bool) -> None:
        """In a window of its own the button brings the panel back."""
        self._detach.setIcon(icons.icon("dock" if detached else "detach", "text2"))
        tip = tr("Put back into the main window") if detached else tr("Open in a window of its own")
        self._detach.setToolTip(tip)
        self._detach.setAccessibleName(tip)

    @staticmethod
    def _button(name: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(name, "text2"))
        button.setIconSize(QSize(theme.px(15), theme.px(15)))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button
