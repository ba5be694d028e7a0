"""What a kind of layer does: its help, formula and settings, from its own declaration."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.layers import LAYERS
from gui import icons, theme, tokens
from gui.canvas.texts import icon_of
from gui.formulas import FormulaView
from gui.i18n import tr


class LayerHelp(QDialog):
    """Not modal; Escape closes it."""

    def __init__(self, kind: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layer = LAYERS[kind]
        self.setWindowTitle(tr(layer.label))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(24), theme.px(20), theme.px(24), theme.px(24))
        column.setSpacing(theme.px(12))
        head = QHBoxLayout()
        head.setSpacing(theme.px(12))
        tile = QLabel()
        tile.setPixmap(icons.kind_tile(layer.category, icon_of(layer), theme.px(36)))
        head.addWidget(tile)
        name = QLabel(tr(layer.label))
        name.setProperty("role", "large")
        head.addWidget(name, 1)
        column.addLayout(head)
        if layer.formula:
            frame = QFrame()
            frame.setProperty("surface", "raised")
            inner = QVBoxLayout(frame)
            inner.addWidget(FormulaView(layer.formula, tokens.HEADING))
            column.addWidget(frame)
        text = QLabel(tr(layer.help))
        text.setWordWrap(True)
        column.addWidget(text)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(16))
        grid.setVerticalSpacing(theme.px(6))
        grid.setColumnStretch(1, 1)
        for row, (facts, _) in enumerate(layer.settings().values()):
            label = QLabel(tr(facts.label))
            label.setProperty("role", "muted")
            help_text = QLabel(tr(facts.help))
            help_text.setWordWrap(True)
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(help_text, row, 1)
        column.addLayout(grid)
        self.setFixedWidth(theme.px(460))
