"""The key to the colors: a ramp that carries the histogram of what it colors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.at_most import AtMost
from gui.views.base import Array, View, image_from_words
from gui.views.histogram import heights, paint_bars, paint_ends
from gui.views.scale import Scale

_BARS, _RAMP, _ENDS = 20, 7, 17
COUNT_MS = 220
"""The histogram is counted anew at most so often."""


class ColorBar(View):
    """Histogram (root scale), ramp and end labels, 46 px high; a tick marks the value under the pointer."""

    def __init__(self, role: str = "weights", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._role = role
        self._scale: Scale | None = None
        self._bars: NDArray[np.float64] | None = None
        self._value: float | None = None
        self._ramp: tuple[QPixmap, str] | None = None
        self._values: Array = np.zeros(0, np.float32)
        self._counting = AtMost(COUNT_MS, self._count, self)

    def set_role(self, role: str) -> None:
        """Another ramp."""
        self._role = role
        self.update()

    def set_values(self, values: Array, scale: Scale) -> None:
        """The values that are shown and the scale they are shown with; an empty array clears the bar."""
        first = self._scale is None or not values.size
        self._values, self._scale = values, scale if values.size else None
        if first:
            self._counting.now()
        else:
            self._counting.soon()

    def _count(self) -> None:
        self._bars = heights(self._values, self._scale) if self._scale is not None else None
        self.update()

    def set_value(self, value: float | None) -> None:
        """Mark one value on the ramp, None for none."""
        if value != self._value:
            self._value = value
            self.update()

    def restyle(self) -> None:
        self._ramp = None

    def _ramp_picture(self, ramp: QRectF) -> QPixmap:
        """The ramp with round corners, kept: clipping to them costs more than all else here."""
        ratio = self.devicePixelRatioF()
        size = (QSizeF(self.width(), ramp.height() + 2) * ratio).toSize()
        if self._ramp is None or self._ramp[1] != self._role or self._ramp[0].size() != size:
            picture = QPixmap(size)
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            painter.translate(0, 1 - ramp.top())
            path = QPainterPath()
            path.addRoundedRect(ramp, 2, 2)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipPath(path)
            painter.drawImage(ramp, image_from_words(theme.lut32(self._role)[None, :]))
            painter.setClipping(False)
            painter.setPen(QPen(theme.color("border"), 1))
            painter.drawPath(path)
            painter.end()
            self._ramp = (picture, self._role)
        return self._ramp[0]

    def sizeHint(self) -> QSize:
        return QSize(theme.px(200), theme.px(_BARS + _RAMP + _ENDS + 2))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(80), self.sizeHint().height())

    def paint(self, painter: QPainter) -> None:
        if self._scale is None or self._bars is None:
            return
        width = self.width() - 4
        bars = QRectF(2, 0, width, theme.px(_BARS))
        paint_bars(painter, bars, self._bars, theme.color("histogram"))
        ramp = QRectF(2, bars.bottom() + 1, width, theme.px(_RAMP))
        painter.drawPixmap(QPointF(0, ramp.top() - 1), self._ramp_picture(ramp))
        if self._value is not None and np.isfinite(self._value):
            share = (self._value - self._scale.low) / (self._scale.high - self._scale.low)
            x = ramp.left() + min(max(share, 0.0), 1.0) * ramp.width()
            painter.setPen(QPen(theme.color("text1"), 2))
            painter.drawLine(QPointF(x, ramp.top() - 3), QPointF(x, ramp.bottom() + 2))
        paint_ends(painter, QRectF(2, ramp.bottom() + 1, width, theme.px(_ENDS)), self._scale)
