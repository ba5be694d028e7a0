"""What the mouse does in the matrix lab: open, drag, paint or lock; and what belongs to the tool in hand."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QToolButton, QWidget

from gui import icons, theme
from gui.i18n import tr
from gui.number_field import NumberField
from gui.panels.docks import Switch
from gui.views.panel import ElidedLabel

TOOLS = ("open", "drag", "paint", "lock")
KEYS = {"open": "O", "drag": "D", "paint": "B", "lock": "L"}
BRUSHES = ("1", "2", "3")


class ToolBar(QWidget):
    """`chosen(tool)`; `all_wanted(locked)`: lock or unlock every weight of the equation."""

    chosen = Signal(str)
    all_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        tools = QHBoxLayout()
        tools.setSpacing(0)
        row.addLayout(tools)
        words = {"open": (tr("Open"), tr("A click opens a number")),
                 "drag": (tr("Drag"), tr("Change a number by dragging it")),
                 "paint": (tr("Paint"), tr("Paint over numbers, or draw on the picture")),
                 "lock": (tr("Lock"), tr("Lock weights, or unlock them"))}  # fmt: skip
        self._hints = {
            "open": tr("Click opens a number, twice types it, Alt and drag changes it."),
            "drag": tr("Drag a weight, a bias or an input: up or right is more. Shift: finer steps."),
            "paint": tr("Shift paints zero, Alt takes a number from a cell."),
            "lock": tr("Click or drag over weights: nothing changes them then. Shift: rows, Ctrl: columns."),
        }
        self._group = QButtonGroup(self)
        pictures = {"open": "explain", "drag": "drag", "paint": "brush", "lock": "lock"}
        for index, tool in enumerate(TOOLS):
            button = QToolButton()
            button.setText(words[tool][0])
            button.setIcon(icons.icon(pictures[tool], "text2"))
            button.setIconSize(QSize(theme.px(16), theme.px(16)))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setToolTip(f"{words[tool][1]} ({KEYS[tool]})")
            button.setAccessibleName(words[tool][1])
            button.setCheckable(True)
            button.setProperty("kind", "segment")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(button, index)
            tools.addWidget(button)
        self._group.idClicked.connect(lambda index: self.choose(TOOLS[index]))
        self._value_text = _caption(tr("Number"))
        self.value = NumberField(1.0)
        self.value.setFixedWidth(theme.px(72))
        self.value.setAccessibleName(tr("Number to paint with"))
        self.brush = Switch({size: (size, tr("Brush {n} × {n} cells").format(n=size)) for size in BRUSHES})
        self._brush_text = _caption(tr("Brush"))
        self.lock_all = self._button(tr("Lock all"), True)
        self.unlock_all = self._button(tr("Unlock all"), False)
        self._hint = ElidedLabel()
        self._hint.setProperty("role", "caption")
        self._of = {"paint": (self._value_text, self.value, self._brush_text, self.brush),
                    "lock": (self.lock_all, self.unlock_all)}  # fmt: skip
        for widgets in self._of.values():
            for widget in widgets:
                row.addWidget(widget)
        row.addWidget(self._hint, 1)
        self.setFixedHeight(theme.px(32))
        self.choose("open")

    def _button(self, text: str, locked: bool) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setProperty("kind", "segment")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.all_wanted.emit(locked))
        return button

    def tool(self) -> str:
        """The one in hand."""
        return TOOLS[self._group.checkedId()]

    def brush_size(self) -> int:
        """Cells of the brush in each direction."""
        return int(self.brush.value())

    def choose(self, tool: str) -> None:
        """Take a tool in hand."""
        self._group.button(TOOLS.index(tool)).setChecked(True)
        for name, widgets in self._of.items():
            for widget in widgets:
                widget.setVisible(name == tool)
        self._hint.setText(self._hints[tool])
        self.chosen.emit(tool)


def _caption(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "caption")
    return label
