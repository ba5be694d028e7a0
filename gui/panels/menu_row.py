"""The row at the top: menus, the project's name in the middle, the search for actions at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QMenuBar, QPushButton, QSizePolicy, QWidget

from gui import icons, theme
from gui.actions import Actions, key_text, menu_titles
from gui.i18n import tr


class MenuRow(QFrame):
    """34 px high. `search_clicked` opens the command palette."""

    search_clicked = Signal()

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("menu_row")
        self.setFixedHeight(theme.px(34))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, theme.px(12), 0)
        row.setSpacing(theme.px(12))
        self.bar = QMenuBar()
        self.bar.setNativeMenuBar(False)  # one look everywhere; the title stands in the same row
        self.bar.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.menus: dict[str, QMenu] = {}
        self.submenus: dict[str, QMenu] = {}
        for name, title in menu_titles().items():
            menu = self.bar.addMenu(f"&{title}")  # Alt and the first letter
            self.menus[name] = menu
            self.submenus.update(actions.fill_menu(menu, name))
        row.addWidget(self.bar, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        self._search = QPushButton()
        self._search.setProperty("kind", "search")
        self._search.setFixedSize(theme.px(230), theme.px(24))
        self._search.setAccessibleName(tr("Search actions"))
        self._search.clicked.connect(self.search_clicked)
        inside = QHBoxLayout(self._search)
        inside.setContentsMargins(theme.px(8), 0, theme.px(5), 0)
        inside.setSpacing(theme.px(8))
        glass = QLabel()
        glass.setPixmap(icons.pixmap("search", "text3", theme.px(14)))
        words = QLabel(tr("Search actions"))
        words.setProperty("role", "caption")
        key = QLabel(key_text("Ctrl+Shift+P"))
        key.setProperty("role", "key")
        for part in (glass, words, key):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside.addWidget(glass)
        inside.addWidget(words)
        inside.addStretch(1)
        inside.addWidget(key)
        row.addWidget(self._search)
        self._glass, self._key = glass, key
        # the title floats over the row, so that it stays in the middle of the window
        self._title = QLabel(self)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setProperty("role", "title")
        self._title.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._dot = QLabel(self)
        self._dot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._dot.hide()
        theme.changed.connect(self._restyle)
        self._restyle()

    def add_recent(
        self, before: QAction, projects: Callable[[], Sequence[Path]], open_path: Callable[[Path], None]
    ) -> None:
        """Put a submenu with the recent projects into the File menu, filled whenever it opens."""
        menu = self.menus["file"]
        recent = self._recent = QMenu(tr("Open recent"), menu)
        menu.insertMenu(before, recent)

        def fill() -> None:
            recent.clear()
            for path in projects():
                action = recent.addAction(path.stem)
                action.setToolTip(str(path))
                action.triggered.connect(lambda _checked=False, path=path: open_path(path))
            if recent.isEmpty():
                recent.addAction(tr("No projects yet")).setEnabled(False)

        recent.aboutToShow.connect(fill)

    def set_title(self, name: str, modified: bool) -> None:
        """The project's name; a blue dot says that it differs from its file."""
        self._name = name
        self._title.setText(name)
        self._dot.setVisible(modified)
        self._dot.setToolTip(tr("Not saved"))
        self._settle()

    _name = ""

    def title(self) -> str:
        """The name shown."""
        return self._title.text()

    def _settle(self) -> None:
        self._title.setText(self._name)
        self._title.adjustSize()
        left = self.bar.sizeHint().width() + theme.px(12)
        right = self.width() - self._search.width() - theme.px(28)
        room = max(0, right - left - theme.px(20))
        wide = min(self._title.width(), room)
        text = self._title.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideMiddle, wide)
        self._title.setText(text)
        self._title.resize(wide, self.height() - 2)
        at = min(max(left, (self.width() - wide) // 2), max(left, right - wide - theme.px(16)))
        self._title.move(at, 0)
        size = theme.px(8)
        self._dot.setGeometry(at + wide + theme.px(6), (self.height() - size) // 2, size, size)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # in a narrow window the search shrinks to its key before the title goes
        narrow = self.width() < theme.px(1000)
        self._key.setVisible(not narrow)
        inside = self._search.layout()
        wide = inside.sizeHint().width() if narrow and inside is not None else theme.px(230)
        self._search.setFixedWidth(wide)
        self._settle()

    def _restyle(self) -> None:
        accent = theme.theme().accent
        self._dot.setStyleSheet(f"background: {accent}; border-radius: {theme.px(8) // 2}px;")
        self._glass.setPixmap(icons.pixmap("search", "text3", theme.px(14)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(400), theme.px(34))
