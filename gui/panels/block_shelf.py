"""The group “My blocks” of the palette: what the person keeps, to drag onto the canvas, to give away."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from gui import icons, theme
from gui.block_library import Kept, text_of
from gui.canvas.block_look import CATEGORY
from gui.canvas.gestures.drop_block import MIME
from gui.i18n import integer, tr, tr_message, trn
from gui.panels.palette_items import DragRow, GroupHead


class BlockRow(DragRow):
    """One kept block. What its menu asks for is told by `asked(what, kept)`."""

    asked = Signal(str, object)

    def __init__(self, kept: Kept, parent: QWidget | None = None) -> None:
        n = len(kept.piece.nodes) if kept.piece is not None else 0
        tip = trn("{n} layer", "{n} layers", n).format(n=integer(n))
        if kept.refusal is not None:
            tip = tr_message(kept.refusal)
        icon = "block" if kept.refusal is None else "problem"
        super().__init__(str(kept.path), kept.name, tip, CATEGORY, icon, parent)
        self.kept = kept

    def mime(self) -> QMimeData | None:
        """The block itself, so that it can be dropped on another window, too."""
        if self.kept.piece is None:
            self.asked.emit("refused", self.kept)
            return None
        made = QMimeData()
        made.setData(MIME, text_of(self.kept.name, self.kept.piece).encode())
        return made

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def menu(self) -> QMenu:
        """What can be done with it."""
        made = QMenu(self)
        entries = [("remove", tr("Remove …"), "delete")]
        if self.kept.piece is not None:
            entries = [
                ("insert", tr("Insert"), "add"), ("rename", tr("Rename …"), "rename"),
                ("export", tr("Save a copy …"), "export"), *entries,
            ]  # fmt: skip
        for what, text, icon in entries:
            action = made.addAction(icons.icon(icon, "text2"), text)
            action.triggered.connect(lambda _=False, what=what: self.asked.emit(what, self.kept))
        return made


class BlockShelf(QWidget):
    """`asked(what, kept)`: "insert", "rename", "export", "remove" or "refused"."""

    asked = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kept: tuple[Kept, ...] = ()
        self.rows: list[BlockRow] = []
        self.head = GroupHead(CATEGORY, tr("My blocks"), 0, "block", self)
        self._hint = QLabel(tr("Fold layers into a block and keep it here."), self)
        self._hint.setProperty("role", "muted")
        self._hint.setWordWrap(True)
        self._hint.setContentsMargins(theme.px(4), theme.px(2), theme.px(4), theme.px(2))
        self._body = QWidget(self)
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 0, theme.px(4))
        self._column.setSpacing(0)
        self._column.addWidget(self._hint)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.px(2))
        outer.addWidget(self.head)
        outer.addWidget(self._body)
        self._body.hide()
        self.head.toggled.connect(self._body.setVisible)

    def set_blocks(self, kept: Sequence[Kept]) -> None:
        """Show what the library holds now."""
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.kept = tuple(kept)
        self.rows = [self.row(each, self._body) for each in self.kept]
        for row in self.rows:
            self._column.addWidget(row)
        self._hint.setVisible(not self.rows)
        self.head.count = len(self.rows)
        self.head.update()

    def row(self, kept: Kept, parent: QWidget) -> BlockRow:
        """An entry, here or in the list beside the narrow palette."""
        made = BlockRow(kept, parent)
        made.asked.connect(self.asked)
        made.wanted.connect(lambda _key: self.asked.emit("insert" if kept.piece else "refused", kept))
        return made

    def filter(self, text: str) -> int:
        """Show those whose names contain a text; how many there are."""
        hits = 0
        for row in self.rows:
            hit = text.casefold() in row.kept.name.casefold()
            row.setVisible(hit)
            hits += hit
        self.setVisible(bool(hits) or not text)
        self._hint.setVisible(not self.rows and not text)
        self._body.setVisible(bool(hits) if text else self.head.isChecked())
        return hits
