"""A sound over time, with the piece that is looked at; a click chooses another."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from gui import theme, tokens
from gui.i18n import tr
from gui.views.axes import Axes, draw_axes
from gui.views.base import Array, View
from gui.wave_words import extremes


class WaveView(View):
    """`chosen(seconds)`: the place under a click."""

    chosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: Array = np.zeros(0, np.float32)
        self._rate = 1
        self._piece = (0.0, 0.0)
        self._drawn: tuple[int, tuple[Array, Array]] | None = None
        """The extremes for a width: a sound may have millions of samples."""
        self.setFixedHeight(theme.px(132))
        self.setAccessibleName(tr("The sound over time"))

    def set_sound(self, samples: Array, rate: int) -> None:
        """(n,) samples in -1..1."""
        self._samples, self._rate, self._drawn = samples, rate, None
        self.update()

    def set_piece(self, start: float, end: float) -> None:
        """The piece that is looked at, in seconds."""
        self._piece = (start, end)
        self.update()

    def axes(self) -> Axes:
        """Seconds to the right, samples up."""
        area = QRectF(theme.px(40), theme.px(8), max(20.0, self.width() - theme.px(52.0)),
                      max(20.0, self.height() - theme.px(32.0)))  # fmt: skip
        return Axes(area, 0.0, len(self._samples) / self._rate, -1.0, 1.0)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(420), theme.px(132))

    def paint(self, painter: QPainter) -> None:
        if not len(self._samples):
            return
        axes = self.axes()
        left, right = (axes.x(min(s, axes.x1)) for s in self._piece)
        ground = QRectF(left, axes.area.top(), max(2.0, right - left), axes.area.height())
        painter.fillRect(ground, theme.color("accentbg"))
        draw_axes(painter, axes, x_name="s")
        painter.setPen(QPen(theme.color("accent"), tokens.LINE_HAIR))
        painter.drawLine(QLineF(left, axes.area.top(), left, axes.area.bottom()))
        wide = max(1, int(axes.area.width()))
        if len(self._samples) < wide:
            self._paint_line(painter, axes)
            return
        if self._drawn is None or self._drawn[0] != wide:
            self._drawn = wide, extremes(self._samples, wide)
        low, high = self._drawn[1]
        step = axes.area.width() / len(low)
        painter.setPen(QPen(theme.color("accent"), 1))
        lines = [
            QLineF(x, axes.y(float(b)) - 0.5, x, axes.y(float(a)) + 0.5)
            for x, a, b in zip(axes.area.left() + step * (np.arange(len(low)) + 0.5), low, high, strict=True)
        ]
        painter.drawLines(lines)

    def _paint_line(self, painter: QPainter, axes: Axes) -> None:
        """Few samples: a line from each to the next."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent"), tokens.LINE_CURVE))
        places = ((k + 0.5) / self._rate for k in range(len(self._samples)))
        points = [QPointF(axes.x(x), axes.y(float(y))) for x, y in zip(places, self._samples, strict=True)]
        painter.drawPolyline(QPolygonF(points))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        axes = self.axes()
        if len(self._samples) and axes.area.left() <= event.position().x() <= axes.area.right():
            self.chosen.emit(axes.value_x(event.position().x()))
