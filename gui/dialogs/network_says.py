"""What the network says to a thing that was dropped on it, and what each layer makes of that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QComboBox, QLabel, QStackedWidget, QVBoxLayout, QWidget

from engine.graph import GraphSpec
from engine.session.protocol import Configured, Prediction
from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.panels.numbers import Numbers
from gui.picture_words import Array
from gui.views.base import View, image_from_words


class Shares(View):
    """Bars of the likeliest classes."""

    ROW = 34

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, float]] = []

    def set_shares(self, rows: Sequence[tuple[str, float]]) -> None:
        """(name, share), likeliest first."""
        self._rows = list(rows)[:6]
        told = (f"{name} {i18n.number(share * 100, 1)} %" for name, share in self._rows)
        self.setAccessibleName(", ".join(told))
        self.setFixedHeight(theme.px(self.ROW) * max(1, len(self._rows)))
        self.update()

    def rows(self) -> tuple[tuple[str, float], ...]:
        """What is shown."""
        return tuple(self._rows)

    def paint(self, painter: QPainter) -> None:
        row_height = theme.px(self.ROW)
        for number, (name, share) in enumerate(self._rows):
            top = number * row_height
            strong = number == 0
            painter.setFont(theme.ui_font(tokens.BASE, theme.SEMIBOLD if strong else theme.REGULAR))
            painter.setPen(theme.color("text1" if strong else "text2"))
            room = QRectF(0, top, self.width() - theme.px(64), theme.px(20))
            text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
            painter.setFont(theme.mono_font(tokens.STATUS))
            value = QRectF(0, top, self.width(), theme.px(20))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(value, flags, f"{i18n.number(share * 100, 1)} %")
            bar = QRectF(0, top + theme.px(22), self.width(), 4)
            painter.fillRect(bar, theme.color("hair"))
            bar.setWidth(self.width() * min(1.0, max(0.0, share)))
            painter.fillRect(bar, theme.color("accent" if strong else "histogram"))


class Face(QWidget):
    """A small picture with a caption."""

    SIDE = 84

    def __init__(self, caption: str) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(4))
        self._picture = QLabel()
        self._picture.setFixedSize(theme.px(self.SIDE), theme.px(self.SIDE))
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text = QLabel(caption)
        text.setProperty("role", "caption")
        column.addWidget(self._picture)
        column.addWidget(text)

    def show_words(self, words: Array, *, smooth: bool) -> None:
        """(h, w) words 0xFFRRGGBB, as large as fits."""
        how = (
            Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
        )
        made = QPixmap.fromImage(image_from_words(words))
        keep = Qt.AspectRatioMode.KeepAspectRatio
        self._picture.setPixmap(made.scaled(self._picture.size(), keep, how))


class NetworkSays(QWidget):
    """Bars of the likeliest classes, and every layer's activations, of one of several things."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prediction: Prediction | None = None
        self._names: tuple[str, ...] = ()
        self._layers: list[tuple[str, str]] = []
        self._at = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(10))
        says = QLabel(tr("What the network says"))
        says.setProperty("role", "head")
        column.addWidget(says)
        self._reason = QLabel(tr("Asking the engine …"))
        self._reason.setWordWrap(True)
        self._reason.setProperty("role", "muted")
        column.addWidget(self._reason)
        self.shares = Shares()
        self.shares.hide()
        column.addWidget(self.shares)
        self._layer = QComboBox()
        self._layer.setAccessibleName(tr("Layer"))
        self._layer.activated.connect(lambda _index: self._show_layer())
        self._layer_head = QLabel(tr("What each layer makes of it"))
        self._layer_head.setProperty("role", "head")
        column.addWidget(self._layer_head)
        column.addWidget(self._layer)
        self.maps = Numbers("activations")
        self.maps.readout.hint = tr("Point at a cell")
        self.maps.readout.clear()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.maps)
        column.addWidget(self._stack, 1)
        for widget in (self._layer_head, self._layer, self._stack):
            widget.hide()
        self._filler = QWidget()
        column.addWidget(self._filler, 1)

    def set_reason(self, text: str) -> None:
        """Why nothing is said."""
        self._reason.setText(text)

    def set_prediction(
        self, prediction: Prediction, configured: Configured, graph: GraphSpec, trained: bool
    ) -> None:
        """What the network says to all of them, and every layer's activations."""
        self._prediction, self._names = prediction, configured.data.class_names
        self._reason.setText(
            "" if trained else tr("Not trained yet: these are the answers of random weights.")
        )
        self._reason.setVisible(not trained or prediction.shares is None)
        if prediction.shares is None and prediction.made:
            self._reason.setText(tr("The network makes the picture again; its target is the input."))
        elif prediction.shares is None:
            row = ", ".join(i18n.short(float(v)) for v in prediction.values[prediction.output][0])
            self._reason.setText(tr("The network gives {numbers}.").format(numbers=row))
        self._layers = [
            (graph.node(uid).name, value)
            for uid, value in configured.outputs.items()
            if graph.has(uid) and value in prediction.values
        ]
        self._layer.clear()
        for name, _ in self._layers:
            self._layer.addItem(name)
        for widget in (self._layer_head, self._layer, self._stack):
            widget.setVisible(bool(self._layers))
        self._filler.setVisible(not self._layers)
        self._layer.setCurrentIndex(self._telling())
        self.show_at(self._at)

    def show_at(self, at: int) -> None:
        """Which of the things is looked at, from 0."""
        self._at = at
        prediction = self._prediction
        if prediction is not None and prediction.shares is not None:
            row = prediction.shares[at]
            order = np.argsort(-row, kind="stable")
            names = self._names
            self.shares.set_shares([(names[i] if i < len(names) else str(i), float(row[i])) for i in order])
            self.shares.show()
        self._show_layer()

    def best(self) -> str:
        """The likeliest class of what is shown, "" while unknown."""
        rows = self.shares.rows()
        return rows[0][0] if rows else ""

    def _telling(self) -> int:
        """The layer to begin with: the last with maps of its own, else the first with numbers of its own."""
        if self._prediction is None or not self._layers:
            return -1
        values = [np.asarray(self._prediction.values[value]) for _, value in self._layers]
        own = [i for i, array in enumerate(values) if array.size != values[0].size]
        maps = [i for i in own if values[i].ndim == 4]
        return maps[-1] if maps else own[0] if own else 0

    def _show_layer(self) -> None:
        prediction, at = self._prediction, self._layer.currentIndex()
        if prediction is None or not 0 <= at < len(self._layers):
            return
        values = np.asarray(prediction.values[self._layers[at][1]])[self._at]
        if values.ndim == 3:
            self.maps.show_maps(values)
        else:
            self.maps.show_matrix(values if values.ndim == 2 else as_rows(values))


def as_rows(vector: np.ndarray) -> np.ndarray:
    """A vector as a matrix: one column while it is short, else about twice as wide as high."""
    count = len(vector)
    if count <= 16:
        return vector.reshape(-1, 1)
    columns = int(np.ceil(np.sqrt(count * 2)))
    rows = -(-count // columns)
    out = np.full(rows * columns, np.nan, dtype=np.float32)
    out[:count] = vector
    return out.reshape(rows, columns)
