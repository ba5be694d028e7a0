"""Where the number labs stand: over the working area of the window, one at a time, until the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QObject, Qt, SignalInstance
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QWidget


class LabPage(Protocol):
    """What a page must be able to do besides being a widget."""

    closed: SignalInstance

    def open(self, **what: Any) -> None:
        """Show this."""

    def close_lab(self) -> None:
        """Stop what it does."""


class LabPlace(QObject):
    """Keeps a page exactly over the central widget of the window."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.page: QWidget | None = None
        self._again: tuple[Callable[[QWidget], QWidget], dict[str, Any]] | None = None
        window.installEventFilter(self)

    def show(self, make: Callable[[QWidget], QWidget], **what: Any) -> QWidget:
        """Open a page made by `make`, instead of the one before."""
        self.close()
        page = make(self._window)
        page.closed.connect(self.close)  # type: ignore[attr-defined]
        back = QShortcut(QKeySequence(Qt.Key.Key_Escape), page)
        back.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        back.activated.connect(self.close)
        self.page, self._again = page, (make, what)
        self._arrange()
        page.show()
        page.raise_()
        page.setFocus()
        page.open(**what)  # type: ignore[attr-defined]
        return page

    def close(self) -> None:
        """Back to the network."""
        page, self.page, self._again = self.page, None, None
        if page is not None:
            page.close_lab()  # type: ignore[attr-defined]
            page.hide()
            page.deleteLater()

    def rebuilt(self) -> None:
        """The window has new words: so has the page."""
        if self._again is not None:
            make, what = self._again
            self.show(make, **what)

    def _arrange(self) -> None:
        central = self._window.centralWidget()
        if self.page is not None and central is not None:
            self.page.setGeometry(central.geometry())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._arrange()
        return False
