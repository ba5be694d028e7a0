"""Every action by name: type a few letters, Return does it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gui import theme, tokens
from gui.actions import Actions, ActionSpec, answers, key_text, menu_titles
from gui.i18n import tr

ROW = 34
ROWS = 9
_SPEC = Qt.ItemDataRole.UserRole


class _Delegate(QStyledItemDelegate):
    """Icon, name, menu it stands in, and its shortcut at the right."""

    def __init__(self, actions: Actions, parent: QObject) -> None:
        super().__init__(parent)
        self._actions = actions
        self._menus = menu_titles()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, theme.px(ROW))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        spec: ActionSpec = index.data(_SPEC)
        action = self._actions[spec.id]
        box: QRect = option.rect
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accentbg"))
            painter.drawRoundedRect(box.adjusted(theme.px(6), 1, -theme.px(6), -1), 5, 5)
        at = box.left() + theme.px(16)
        side = theme.px(16)
        if spec.icon:
            action.icon().paint(painter, QRect(at, box.center().y() - side // 2, side, side))
        at += theme.px(26)
        enabled = action.isEnabled()
        painter.setFont(theme.ui_font(tokens.BASE, theme.MEDIUM))
        painter.setPen(theme.color("text1" if enabled else "text3"))
        text = action.text().rstrip(" …")
        painter.drawText(QRect(at, box.top(), box.width(), box.height()), Qt.AlignmentFlag.AlignVCenter, text)
        at += painter.fontMetrics().horizontalAdvance(text) + theme.px(10)
        painter.setFont(theme.ui_font(tokens.CAPTION))
        painter.setPen(theme.color("text3"))
        where = self._menus.get(spec.menu, "")
        painter.drawText(
            QRect(at, box.top(), box.width(), box.height()), Qt.AlignmentFlag.AlignVCenter, where
        )
        if spec.shortcut:
            painter.setFont(theme.mono_font(tokens.CAPTION))
            right = box.adjusted(0, 0, -theme.px(16), 0)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(right, flags, key_text(spec.shortcut))
        painter.restore()


class CommandPalette(QFrame):
    """A popup under the top edge of the window. Disabled actions are shown, but do nothing."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("command_palette")
        self.setProperty("surface", "raised")
        self._actions = actions
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(10), theme.px(10), theme.px(10), theme.px(10))
        column.setSpacing(theme.px(8))
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("What to do?"))
        self.field.setAccessibleName(tr("Search actions"))
        self.field.setMinimumHeight(theme.px(32))
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        column.addWidget(self.field)
        self._model = QStandardItemModel(self)
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Delegate(actions, self.list))
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setStyleSheet("background: transparent;")
        self.list.clicked.connect(self._run)
        column.addWidget(self.list)
        self._nothing = QLabel(tr("No action is called that."))
        self._nothing.setProperty("role", "muted")
        column.addWidget(self._nothing)
        self.setFixedWidth(theme.px(520))
        self._filter("")

    def popup(self) -> None:
        """Show it in the upper middle of its window."""
        host = self.parentWidget() or self
        self.adjustSize()
        corner = host.mapToGlobal(host.rect().topLeft())
        self.move(corner.x() + (host.width() - self.width()) // 2, corner.y() + theme.px(60))
        self.show()
        self.field.setFocus()

    def found(self) -> list[str]:
        """The ids listed, best first."""
        return [self._model.item(row).data(_SPEC).id for row in range(self._model.rowCount())]

    def _filter(self, query: str) -> None:
        ranked: list[tuple[int, int, ActionSpec]] = []
        for order, spec in enumerate(self._actions):
            if spec.id == "search":
                continue
            name = self._actions[spec.id].text().rstrip(" …")
            best = answers(query, name, spec.words)
            if best is not None:
                on = self._actions[spec.id].isEnabled()
                ranked.append((best + (2 if on else -4), -order, spec))
        ranked.sort(reverse=True, key=lambda each: each[:2]) if query.strip() else None
        self._model.clear()
        for _, _, spec in ranked:
            item = QStandardItem()
            item.setData(spec, _SPEC)
            item.setData(self._actions[spec.id].text(), Qt.ItemDataRole.AccessibleTextRole)
            self._model.appendRow(item)
        self._nothing.setVisible(not ranked)
        self.list.setVisible(bool(ranked))
        self.list.setFixedHeight(theme.px(ROW) * min(ROWS, len(ranked)) + 4)
        self.adjustSize()
        if ranked:
            self.list.setCurrentIndex(self._model.index(0, 0))

    def _run(self, index: QModelIndex) -> None:
        if not index.isValid():
            return
        action: QAction = self._actions[index.data(_SPEC).id]
        if not action.isEnabled():
            return
        self.close()
        action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = Qt.Key(event.key())
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentIndex())
                return True
            steps = {
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_PageDown: ROWS,
                Qt.Key.Key_PageUp: -ROWS,
            }
            if key in steps and self._model.rowCount():
                count = self._model.rowCount()
                row = self.list.currentIndex().row() + steps[key]
                row = row % count if abs(steps[key]) == 1 else min(max(row, 0), count - 1)
                self.list.setCurrentIndex(self._model.index(row, 0))
                return True
        return False
