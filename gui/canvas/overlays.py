"""Small widgets that float over the canvas: zoom, the legend of weights, a node's tools, a neuron's card."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QToolButton, QWidget

from gui import icons, theme
from gui.canvas.thumb_data import Array
from gui.i18n import integer, number, tr


def tool(icon: str, tip: str, parent: QWidget | None = None) -> QToolButton:
    """A flat button with an icon; the tip is its name for screen readers too."""
    button = QToolButton(parent)
    button.setIcon(icons.icon(icon, "text2"))
    button.setIconSize(QSize(theme.px(16), theme.px(16)))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button


class _Card(QFrame):
    """A raised frame that gives no room away."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "raised")
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(theme.px(6), theme.px(3), theme.px(6), theme.px(3))
        self.row.setSpacing(theme.px(2))


class ZoomBar(_Card):
    """− 100 % + and fit."""

    zoom_out = Signal()
    zoom_in = Signal()
    actual = Signal()
    fit = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        minus, plus = tool("minus", tr("Zoom out"), self), tool("plus", tr("Zoom in"), self)
        fit = tool("fit", tr("Fit network"), self)
        self.value = QToolButton(self)
        self.value.setToolTip(tr("Actual size"))
        self.value.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.value.setFont(theme.mono_font(12))
        self.value.setMinimumWidth(theme.px(58))
        for widget, signal in (
            (minus, self.zoom_out),
            (self.value, self.actual),
            (plus, self.zoom_in),
            (fit, self.fit),
        ):
            widget.clicked.connect(signal)
            self.row.addWidget(widget)

    def show_zoom(self, zoom: float) -> None:
        self.value.setText(f"{round(zoom * 100)} %")


class Legend(_Card):
    """What the colors of the lines between unfolded layers mean."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.row.setSpacing(theme.px(8))
        self.row.setContentsMargins(theme.px(10), theme.px(7), theme.px(12), theme.px(7))
        for token, text in (("negative", tr("negative")), ("positive", tr("positive weight"))):
            self.row.addWidget(_Dash(token, self))
            label = QLabel(text, self)
            label.setProperty("role", "muted")
            self.row.addWidget(label)


class _Dash(QWidget):
    def __init__(self, token: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.token = token
        self.setFixedSize(theme.px(26), theme.px(12))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.color(self.token), 3)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        y = self.height() / 2
        painter.drawLine(
            QRectF(3, y, self.width() - 6, 0).topLeft(), QRectF(3, y, self.width() - 6, 0).topRight()
        )
        painter.end()


class NodeTools(_Card):
    """Under the node below the pointer: duplicate, delete, more."""

    duplicate = Signal()
    delete = Signal()
    more = Signal(QPoint)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        copy, remove = tool("duplicate", tr("Duplicate"), self), tool("delete", tr("Delete"), self)
        more = tool("more", tr("More"), self)
        copy.clicked.connect(self.duplicate)
        remove.clicked.connect(self.delete)
        more.clicked.connect(lambda: self.more.emit(more.mapToGlobal(more.rect().bottomLeft())))
        for button in (copy, remove, more):
            self.row.addWidget(button)
        self.hide()


class NeuronCard(QFrame):
    """The strongest weights of the neuron under the pointer, and its bias."""

    LINES = 4

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(theme.px(14), theme.px(10), theme.px(14), theme.px(10))
        self.grid.setHorizontalSpacing(theme.px(24))
        self.grid.setVerticalSpacing(theme.px(3))
        self.title = QLabel(self)
        self.title.setProperty("role", "title")
        self.grid.addWidget(self.title, 0, 0, 1, 2)
        self.lines: list[tuple[QLabel, QLabel]] = []
        for row in range(self.LINES):
            name, figure = QLabel(self), QLabel(self)
            name.setProperty("role", "muted")
            figure.setFont(theme.mono_font(12))
            self.grid.addWidget(name, row + 1, 0)
            self.grid.addWidget(figure, row + 1, 1, Qt.AlignmentFlag.AlignRight)
            self.lines.append((name, figure))
        self.hide()

    def show_neuron(
        self, layer: str, unit: int, weights: Array, bias: Array | None, names: tuple[str, ...]
    ) -> None:
        """Fill the card: `weights` is the neuron's row of W, `names` say where each comes from."""
        self.title.setText(tr("{layer}, neuron {n}").format(layer=layer, n=integer(unit + 1)))
        rows: list[tuple[str, float, str]] = []
        for i, j in enumerate(np.argsort(-np.abs(np.nan_to_num(weights)))[: self.LINES - 1]):
            text = tr("strongest from {name}") if i == 0 else tr("then from {name}")
            tint = "negative" if weights[j] < 0 else "positive"
            rows.append((text.format(name=names[j]), float(weights[j]), tint))
        if bias is not None:
            rows.append((tr("bias"), float(bias[unit]), "text1"))
        for n, (name, figure) in enumerate(self.lines):
            name.setVisible(n < len(rows))
            figure.setVisible(n < len(rows))
            if n < len(rows):
                text, value, token = rows[n]
                name.setText(text)
                figure.setText(number(value, 3, sign=True))
                figure.setStyleSheet(f"color: {theme.color(token).name()}")
        self.grid.activate()
        self.adjustSize()
