"""All shortcuts on one sheet, by menu, made from the registry of actions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.actions import Actions, key_text, menu_titles
from gui.i18n import tr

COLUMNS = (("file", "edit"), ("view",), ("network", "training", "help"))


def canvas_keys() -> tuple[tuple[str, str], ...]:
    """What the mouse does, and keys with it."""
    return (
        (tr("Drag a port"), tr("link two layers")),
        (tr("Double click a layer in the palette"), tr("add it behind the selection")),
        (tr("Middle button, or Space and drag"), tr("move the view")),
        (tr("Wheel"), tr("zoom")),
        (tr("Double click a layer"), tr("open its matrices large")),
        (tr("Click a number"), tr("open how it came about")),
        (tr("Ctrl and wheel over a matrix"), tr("zoom until its numbers can be read")),
    )


class ShortcutSheet(QDialog):
    """Read only; Escape closes it."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Shortcuts"))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(24), theme.px(20), theme.px(24), theme.px(20))
        column.setSpacing(theme.px(16))
        titles = menu_titles()
        columns = QHBoxLayout()
        columns.setSpacing(theme.px(40))
        for menus in COLUMNS:
            part = QVBoxLayout()
            part.setSpacing(theme.px(16))
            for menu in menus:
                specs = [spec for spec in actions if spec.menu == menu and spec.shortcut]
                rows = [(spec.text.rstrip(" …"), key_text(spec.shortcut)) for spec in specs]
                part.addLayout(self._table(titles[menu], rows, "key"))
            if menus == ("view",):
                part.addLayout(self._table(tr("With the mouse"), canvas_keys(), "muted"))
            part.addStretch(1)
            columns.addLayout(part)
        column.addLayout(columns)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)

    @staticmethod
    def _table(title: str, rows: Sequence[tuple[str, str]], role: str) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(24))
        grid.setVerticalSpacing(theme.px(6))
        head = QLabel(title)
        head.setProperty("role", "head")
        grid.addWidget(head, 0, 0, 1, 2)
        for row, (left, right) in enumerate(rows, 1):
            grid.addWidget(QLabel(left), row, 0)
            label = QLabel(right)
            label.setProperty("role", role)
            grid.addWidget(label, row, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return grid
