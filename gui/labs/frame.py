"""What every lab stands in: a page over the working area with a title, what it is about, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from gui import icons, theme
from gui.i18n import tr


class Lab(Protocol):
    """What a lab must have besides being a QWidget, and a signal `closed` for closing itself."""

    def title(self) -> str:
        """What stands in the title row."""

    def open(self, **what: Any) -> None:
        """Come into sight, about something."""

    def close_lab(self) -> None:
        """Out of sight: stop timers, watch nothing."""


class LabFrame(QFrame):
    """The title row and a lab below it. `left` when the person goes back, by the button or by Escape.

    A lab may have `header`, a widget that stands in the title row at the right.
    """

    left = Signal()

    def __init__(self, lab: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "canvas")
        self.lab = lab
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        bar = QFrame()
        bar.setProperty("surface", "panel")
        row = QHBoxLayout(bar)
        row.setContentsMargins(theme.px(8), theme.px(5), theme.px(12), theme.px(5))
        row.setSpacing(theme.px(8))
        self.back = QToolButton()
        self.back.setIcon(icons.icon("chevron-left", "text2"))
        self.back.setIconSize(QSize(theme.px(16), theme.px(16)))
        self.back.setText(tr("Network"))
        self.back.setToolTip(tr("Back to the network (Esc)"))
        self.back.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.back.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.back.clicked.connect(self.left)
        row.addWidget(self.back)
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        row.addWidget(self._title)
        header = getattr(lab, "header", None)
        if isinstance(header, QWidget):
            row.addWidget(header, 1)
        else:
            row.addStretch(1)
        column.addWidget(bar)
        line = QFrame()
        line.setProperty("surface", "line")
        column.addWidget(line)
        column.addWidget(lab, 1)
        lab.closed.connect(self.left)  # type: ignore[attr-defined]
        self.show_title()

    def show_title(self) -> None:
        """The title again: it may name what the lab is about."""
        self._title.setText(cast(Lab, self.lab).title())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class LabHost(QStackedWidget):
    """The working area, or one lab over it. Labs are made when they are first opened.

    `opened(name)`: "" when the working area is in sight again.
    """

    opened = Signal(str)

    def __init__(self, working: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._working = working
        self.addWidget(working)
        self._makers: dict[str, Callable[[], QWidget]] = {}
        self._passing: set[str] = set()
        self._frames: dict[str, LabFrame] = {}
        self._name = ""
        self._what: dict[str, Any] = {}

    def add(self, name: str, make: Callable[[], QWidget], *, keep: bool = True) -> None:
        """Make a lab known; it is made when it is opened, and again each time where it is not to `keep`."""
        self._makers[name] = make
        if not keep:
            self._passing.add(name)

    def names(self) -> tuple[str, ...]:
        """The labs there are."""
        return tuple(self._makers)

    @property
    def name(self) -> str:
        """The lab in sight, "" for none."""
        return self._name

    def title(self) -> str:
        """What the lab in sight is called, "" for none."""
        return cast(Lab, self._frames[self._name].lab).title() if self._name else ""

    def lab(self, name: str) -> QWidget | None:
        """A lab that was opened before."""
        return self._frames[name].lab if name in self._frames else None

    def open(self, name: str, **what: Any) -> None:
        """Bring a lab into sight. Raises KeyError for one that does not exist."""
        if self._name and self._name != name:
            self._close()
        if name not in self._frames:
            frame = LabFrame(self._makers[name]())
            frame.left.connect(self.leave)
            self._frames[name] = frame
            self.addWidget(frame)
        frame = self._frames[name]
        self._name, self._what = name, what
        self.setCurrentWidget(frame)
        cast(Lab, frame.lab).open(**what)
        frame.show_title()
        frame.lab.setFocus()
        self.opened.emit(name)

    def leave(self) -> None:
        """Back to the working area."""
        if self._name:
            self._close()
            self.setCurrentWidget(self._working)
            self.opened.emit("")

    def _close(self) -> None:
        # first the name: a lab may say `closed` while it is being closed
        name, self._name = self._name, ""
        cast(Lab, self._frames[name].lab).close_lab()
        if name in self._passing:
            frame = self._frames.pop(name)
            self.removeWidget(frame)
            frame.deleteLater()

    def memory(self) -> tuple[str, dict[str, Any]]:
        """What a rebuilt window opens again."""
        lab = self.lab(self._name) if self._name else None
        remember = getattr(lab, "memory", None)
        return self._name, dict(remember()) if remember is not None else dict(self._what)
