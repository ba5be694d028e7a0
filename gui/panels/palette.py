"""The palette: layers by category, to drag onto the canvas or to add behind the selection."""

from __future__ import annotations

from collections.abc import Iterable

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
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.layers import LAYERS, Layer
from gui import icons, theme, tokens
from gui.canvas.gestures.drop_layer import MIME
from gui.canvas.layer_search import matches
from gui.canvas.texts import CATEGORIES, icon_of
from gui.i18n import integer, tr

WIDE, NARROW = 208, 52
OPEN_AT_START = ("data", "linear", "activation", "pooling")


class Entry(QAbstractButton):
    """One layer: double click or Enter adds it, a drag takes it to the canvas, arrows go on."""

    wanted = Signal(str)
    stepped = Signal(int)

    def __init__(self, cls: type[Layer], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layer = cls
        self.kind = cls.kind
        self.setText(tr(cls.label))
        self.setToolTip(tr(cls.help))
        self.setAccessibleName(tr(cls.label))
        self.setAccessibleDescription(tr(cls.help))
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
        self.wanted.emit(self.kind)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.wanted.emit(self.kind)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.stepped.emit(1 if event.key() == Qt.Key.Key_Down else -1)
        else:
            event.ignore()

    def mime(self) -> QMimeData:
        """What a drag of this layer carries."""
        made = QMimeData()
        made.setData(MIME, self.kind.encode())
        return made

    def _drag(self) -> None:
        drag = QDrag(self)
        drag.setMimeData(self.mime())
        drag.setPixmap(self._picture())
        drag.setHotSpot(QPoint(theme.px(14), theme.px(14)))
        drag.exec(Qt.DropAction.CopyAction)

    def _picture(self) -> QPixmap:
        return icons.kind_tile(
            self.layer.category, icon_of(self.layer), theme.px(28), self.devicePixelRatioF()
        )

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
        icons.paint_kind_tile(painter, tile, self.layer.category, icon_of(self.layer))
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


class GroupHead(QAbstractButton):
    """The head of a group; closed it shows the kind's tile and how many layers are inside."""

    def __init__(
        self, category: str, title: str, count: int, icon: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.category, self.count, self.icon_name = category, count, icon
        self.setText(title)
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
        left = theme.px(4)
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
            painter.drawText(self.rect().adjusted(0, 0, -theme.px(24), 0), right, integer(self.count))
            painter.setFont(theme.ui_font())
            painter.setPen(theme.color("text1"))
        room = self.width() - left - theme.px(44)
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


class Palette(QFrame):
    """`layer_chosen(kind)` on double click or Enter; entries can be dragged. Wide, or narrow with icons."""

    layer_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAccessibleName(tr("Layer palette"))
        self._compact = False
        self._flyout: QFrame | None = None
        self.filter = QLineEdit(self)
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
        column.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._icons = QWidget(self)
        self._fill_icons()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, theme.px(8), 0, 0)
        outer.setSpacing(theme.px(6))
        holder = QVBoxLayout()
        holder.setContentsMargins(theme.px(8), 0, theme.px(8), 0)
        holder.addWidget(self.filter)
        outer.addLayout(holder)
        outer.addWidget(self._scroll, 1)
        outer.addWidget(self._icons, 1)
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
        """Put the cursor into the filter; the narrow palette opens its list of all layers."""
        if self._compact:
            self._open(None, "")
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
        column = QVBoxLayout(self._icons)
        column.setContentsMargins(0, 0, 0, theme.px(8))
        column.setSpacing(theme.px(8))
        middle = Qt.AlignmentFlag.AlignHCenter
        find = KindButton("", tr("Find a layer"), "search", self._icons)
        find.clicked.connect(lambda: self._open(find, ""))
        column.addWidget(find, 0, middle)
        for category, title in CATEGORIES:
            first = next((cls for cls in LAYERS.values() if cls.category == category), None)
            if first is None:
                continue
            button = KindButton(category, tr(title), icon_of(first), self._icons)
            button.clicked.connect(lambda _=False, b=button: self._open(b, b.category))
            column.addWidget(button, 0, middle)
        column.addStretch(1)

    def _open(self, button: KindButton | None, category: str) -> None:
        """The layers of a category beside its tile; they can be dragged from there."""
        self._close_flyout()
        window = self.window()
        flyout = self._flyout = _Flyout(window)
        for cls in LAYERS.values():
            if not category or cls.category == category:
                entry = self._entry(cls, flyout)
                entry.wanted.connect(self._close_flyout)
                flyout.add(entry)
        corner = self.mapTo(window, QPoint(self.width() + theme.px(4), 0))
        top = button.mapTo(window, QPoint(0, 0)).y() if button is not None else corner.y() + theme.px(8)
        flyout.open_at(QPoint(corner.x(), top))

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
        self._nothing.setVisible(not found)

    def _shown(self) -> list[Entry]:
        return [e for e in self.entries.values() if e.isVisibleTo(self)]

    def _choose_first(self) -> None:
        shown = self._shown()
        if self.filter.text().strip() and shown:
            self.layer_chosen.emit(shown[0].kind)

    def _step(self, entry: Entry, by: int) -> None:
        row: Iterable[Entry] = (
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
        self._icons.setVisible(self._compact)
        for widget in (*self.entries.values(), *self.heads.values()):
            widget.updateGeometry()
        self.update()


class _Flyout(QFrame):
    """A small list beside the narrow palette; it closes when the focus leaves it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.entries: list[Entry] = []
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(*(theme.px(6),) * 4)
        self.column.setSpacing(0)

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.column.addWidget(entry)

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
