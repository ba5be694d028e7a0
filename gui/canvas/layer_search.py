"""The search at the cursor: type a few letters, Enter adds the layer there."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPixmap
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from engine.layers import LAYERS, Layer
from gui import icons, theme
from gui.canvas.texts import CATEGORIES, icon_of
from gui.i18n import tr


def matches(cls: type[Layer], text: str) -> bool:
    """Whether a layer is meant by `text`: every word is in its name, kind, category or help."""
    category = dict(CATEGORIES).get(cls.category, cls.category)
    words = " ".join((cls.kind, cls.label, tr(cls.label), category, tr(category))).lower()
    return all(word in words for word in text.lower().split())


def ranked(text: str, kinds: Iterable[str] | None = None) -> list[type[Layer]]:
    """Layers that match, those whose name begins with the text first."""
    found = [LAYERS[k] for k in (kinds if kinds is not None else LAYERS) if matches(LAYERS[k], text)]
    start = text.lower()
    return sorted(
        found, key=lambda cls: not (tr(cls.label).lower().startswith(start) or cls.kind.startswith(start))
    )


def tile(cls: type[Layer], ratio: float, size: int = 22) -> QPixmap:
    """The tile of a kind for lists."""
    return icons.kind_tile(cls.category, icon_of(cls), theme.px(size), ratio)


class LayerSearch(QFrame):
    """A floating list with a filter. `chosen(kind)` or nothing, then it is gone."""

    chosen = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget, kinds: Iterable[str] | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self._kinds = list(kinds) if kinds is not None else None
        self._done = False
        self.field = QLineEdit(self)
        self.field.setAcceptDrops(False)  # a file let go here is for the window
        self.field.setPlaceholderText(tr("Find a layer"))
        self.field.setAccessibleName(tr("Find a layer"))
        self.list = QListWidget(self)
        self.list.setIconSize(QSize(theme.px(22), theme.px(22)))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(8),) * 4)
        column.setSpacing(theme.px(6))
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.resize(theme.px(260), theme.px(320))
        self.field.textChanged.connect(self._fill)
        self.list.itemClicked.connect(self._choose)
        self.field.installEventFilter(self)
        self._fill("")

    def open_at(self, pixel: QPoint) -> None:
        """Show it with its corner at a point of the parent, pushed inside."""
        parent = self.parentWidget()
        assert parent is not None
        room = parent.rect().adjusted(8, 8, -8, -8)
        x = min(max(pixel.x(), room.left()), max(room.left(), room.right() - self.width()))
        y = min(max(pixel.y(), room.top()), max(room.top(), room.bottom() - self.height()))
        self.move(x, y)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def _fill(self, text: str) -> None:
        self.list.clear()
        for cls in ranked(text, self._kinds):
            item = QListWidgetItem(tile(cls, self.devicePixelRatioF()), tr(cls.label))
            item.setData(Qt.ItemDataRole.UserRole, cls.kind)
            item.setToolTip(tr(cls.help))
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None and not self._done:
            self._done = True
            kind = item.data(Qt.ItemDataRole.UserRole)
            self._close()
            self.chosen.emit(kind)

    def _close(self) -> None:
        self._done = True
        if self.isVisible():
            self.hide()
            self.closed.emit()
            self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if key == Qt.Key.Key_Down else -1
                rows = max(1, self.list.count())
                self.list.setCurrentRow((self.list.currentRow() + step) % rows)
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentItem())
                return True
            if key == Qt.Key.Key_Escape:
                self._close()
                return True
        if (
            watched is self.field
            and isinstance(event, QFocusEvent)
            and event.type() == QEvent.Type.FocusOut
            and event.reason()
            not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
        ):
            self._close()
        return False
