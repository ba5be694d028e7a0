"""The palette: layers by category, to drag onto the canvas or to add behind the selection."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.layers import LAYERS, Layer
from gui import icons, theme
from gui.canvas.block_look import CATEGORY
from gui.canvas.layer_search import LayerSearch, matches
from gui.canvas.texts import CATEGORIES, icon_of
from gui.i18n import tr
from gui.panels.block_shelf import BlockShelf
from gui.panels.palette_items import DragRow, Entry, GroupHead, KindButton

WIDE, NARROW = 208, 52
OPEN_AT_START = ("data", "linear", "activation", "pooling")


class Palette(QFrame):
    """`layer_chosen(kind)` on double click or Enter; entries can be dragged. Wide, or narrow with icons."""

    layer_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAccessibleName(tr("Layer palette"))
        self._compact = False
        self._flyout: QFrame | None = None
        self.filter = _Filter(self)
        self.filter.setAcceptDrops(False)  # a file let go here is for the window
        self.filter.setPlaceholderText(tr("Find a layer"))
        self.filter.setAccessibleName(tr("Find a layer"))
        self.filter.setClearButtonEnabled(True)
        self.filter.addAction(icons.icon("search", "text3", 16), QLineEdit.ActionPosition.LeadingPosition)
        self.filter.textChanged.connect(self._filter)
        self.filter.returnPressed.connect(self._choose_first)
        self._nothing = QLabel(tr("No layer is called that."), self)
        self._nothing.setProperty("role", "muted")
        self._nothing.setWordWrap(True)
        self._nothing.hide()
        self.entries: dict[str, Entry] = {}
        self.heads: dict[str, GroupHead] = {}
        self._bodies: dict[str, QWidget] = {}
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.px(6), 0, theme.px(6), theme.px(8))
        column.setSpacing(theme.px(2))
        column.addWidget(self._nothing)
        for category, title in CATEGORIES:
            layers = [cls for cls in LAYERS.values() if cls.category == category]
            if layers:
                self._add_group(column, category, tr(title), layers)
        self.shelf = BlockShelf(self)
        column.addWidget(self.shelf)
        column.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._icons = QWidget(self)
        self._fill_icons()
        # in a low window there are more tiles than room: the wheel reaches the rest
        self._tiles = QScrollArea(self)
        self._tiles.setWidgetResizable(True)
        for hide in (self._tiles.setHorizontalScrollBarPolicy, self._tiles.setVerticalScrollBarPolicy):
            hide(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._tiles.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._tiles.setWidget(self._icons)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, theme.px(8), 0, 0)
        outer.setSpacing(theme.px(6))
        holder = QVBoxLayout()
        holder.setContentsMargins(theme.px(8), 0, theme.px(8), 0)
        holder.addWidget(self.filter)
        outer.addLayout(holder)
        outer.addWidget(self._scroll, 1)
        outer.addWidget(self._tiles, 1)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_compact(self, compact: bool) -> None:
        """Narrow: one tile per category, its layers in a list beside it."""
        self._compact = compact
        self._restyle()

    @property
    def compact(self) -> bool:
        return self._compact

    def focus_filter(self) -> None:
        """Put the cursor into the filter; the narrow palette opens a search of all layers."""
        if self._compact:
            self._search()
        else:
            self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.filter.selectAll()

    # ---- inside --------------------------------------------------------------------------------------

    def _add_group(self, column: QVBoxLayout, category: str, title: str, layers: list[type[Layer]]) -> None:
        head = self.heads[category] = GroupHead(category, title, len(layers), icon_of(layers[0]), self)
        body = self._bodies[category] = QWidget(self)
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, theme.px(4))
        rows.setSpacing(0)
        for cls in layers:
            entry = self.entries[cls.kind] = self._entry(cls, body)
            rows.addWidget(entry)
        head.toggled.connect(body.setVisible)
        head.setChecked(category in OPEN_AT_START)
        body.setVisible(category in OPEN_AT_START)
        column.addWidget(head)
        column.addWidget(body)

    def _entry(self, cls: type[Layer], parent: QWidget) -> Entry:
        entry = Entry(cls, parent)
        entry.wanted.connect(self.layer_chosen)
        entry.stepped.connect(lambda by, at=entry: self._step(at, by))
        return entry

    def _fill_icons(self) -> None:
        column = self._tower = QVBoxLayout(self._icons)
        column.setContentsMargins(0, 0, 0, 0)
        middle = Qt.AlignmentFlag.AlignHCenter
        find = KindButton("", tr("Find a layer"), "search", self._icons)
        find.clicked.connect(self._search)
        column.addWidget(find, 0, middle)
        for category, title in CATEGORIES:
            first = next((cls for cls in LAYERS.values() if cls.category == category), None)
            if first is None:
                continue
            button = KindButton(category, tr(title), icon_of(first), self._icons)
            button.clicked.connect(lambda _=False, b=button: self._open(b, b.category))
            column.addWidget(button, 0, middle)
        own = KindButton(CATEGORY, tr("My blocks"), "block", self._icons)
        own.clicked.connect(lambda: self._open_blocks(own))
        column.addWidget(own, 0, middle)
        column.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low window the tiles move together before any of them leaves it."""
        super().resizeEvent(event)
        tiles = self._tower.count() - 1  # the last is the stretch
        room = self.height() - theme.px(8) - tiles * theme.px(32)
        self._tower.setSpacing(max(0, min(theme.px(8), room // tiles)))

    def _open_blocks(self, button: KindButton) -> None:
        """The kept blocks beside their tile."""
        self._close_flyout()
        flyout = self._flyout = _Flyout(self.window())
        for kept in self.shelf.kept:
            row = self.shelf.row(kept, flyout)
            row.wanted.connect(self._close_flyout)
            flyout.add(row)
        if not self.shelf.kept:
            flyout.say(tr("Fold layers into a block and keep it here."))
        self._place(flyout, button)

    def _search(self) -> None:
        """All layers beside the first tile, found by typing; there are more than a window is high."""
        self._close_flyout()
        window = self.window()
        for open_one in window.findChildren(LayerSearch):
            open_one.hide()
            open_one.deleteLater()
        search = LayerSearch(window)
        search.chosen.connect(self.layer_chosen)
        search.open_at(self.mapTo(window, QPoint(self.width() + theme.px(4), theme.px(8))))

    def _open(self, button: KindButton, category: str) -> None:
        """The layers of a category beside its tile; they can be dragged from there."""
        self._close_flyout()
        flyout = self._flyout = _Flyout(self.window())
        for cls in LAYERS.values():
            if cls.category == category:
                entry = self._entry(cls, flyout)
                entry.wanted.connect(self._close_flyout)
                flyout.add(entry)
        self._place(flyout, button)

    def _place(self, flyout: _Flyout, button: KindButton) -> None:
        window = self.window()
        side = self.mapTo(window, QPoint(self.width() + theme.px(4), 0)).x()
        flyout.open_at(QPoint(side, button.mapTo(window, QPoint(0, 0)).y()))

    def _close_flyout(self) -> None:
        if self._flyout is not None:
            self._flyout.hide()
            self._flyout.deleteLater()
            self._flyout = None

    def _filter(self, text: str) -> None:
        text = text.strip()
        found = 0
        for category, head in self.heads.items():
            hits = 0
            for kind, entry in self.entries.items():
                if LAYERS[kind].category != category:
                    continue
                entry.setVisible(not text or matches(LAYERS[kind], text))
                hits += not text or matches(LAYERS[kind], text)
            head.setVisible(bool(hits))
            self._bodies[category].setVisible(bool(hits) and (bool(text) or head.isChecked()))
            found += hits
        found += self.shelf.filter(text)
        self._nothing.setVisible(not found)

    def _shown(self) -> list[Entry]:
        return [e for e in self.entries.values() if e.isVisibleTo(self)]

    def _choose_first(self) -> None:
        shown = self._shown()
        if self.filter.text().strip() and shown:
            self.layer_chosen.emit(shown[0].kind)

    def _step(self, entry: DragRow, by: int) -> None:
        row: Iterable[DragRow] = (
            self._flyout.entries
            if isinstance(self._flyout, _Flyout) and entry in self._flyout.entries
            else self._shown()
        )
        entries = list(row)
        if entry in entries:
            goal = entries[(entries.index(entry) + by) % len(entries)]
            goal.setFocus(Qt.FocusReason.OtherFocusReason)
            if goal in self.entries.values():
                self._scroll.ensureWidgetVisible(goal)

    def _restyle(self) -> None:
        self.setFixedWidth(theme.px(NARROW if self._compact else WIDE))
        self.filter.setVisible(not self._compact)
        self._scroll.setVisible(not self._compact)
        self._tiles.setVisible(self._compact)
        for widget in (*self.entries.values(), *self.heads.values()):
            widget.updateGeometry()
        self.update()


class _Filter(QLineEdit):
    """Escape empties it and gives the keys back to the window."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.clearFocus()
        else:
            super().keyPressEvent(event)


class _Flyout(QFrame):
    """A small list beside the narrow palette; it closes when the focus leaves it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.entries: list[DragRow] = []
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(*(theme.px(6),) * 4)
        self.column.setSpacing(0)

    def add(self, entry: DragRow) -> None:
        self.entries.append(entry)
        self.column.addWidget(entry)

    def say(self, text: str) -> None:
        """A sentence where there is nothing to choose."""
        label = QLabel(text, self)
        label.setProperty("role", "muted")
        self.column.addWidget(label)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def open_at(self, at: QPoint) -> None:
        self.adjustSize()
        parent = self.parentWidget()
        assert parent is not None
        self.move(at.x(), max(8, min(at.y(), parent.height() - self.height() - 8)))
        self.show()
        self.raise_()
        if self.entries:
            self.entries[0].setFocus(Qt.FocusReason.PopupFocusReason)
        QApplication.instance().focusChanged.connect(self._focus)  # type: ignore[union-attr]

    def _focus(self, old: QWidget | None, new: QWidget | None) -> None:
        if self.isVisible() and (new is None or not self.isAncestorOf(new)):
            self.hide()
