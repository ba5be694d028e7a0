"""An activation function as a curve, with the point of one cell on it and the tangent there."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.ops.functions import FUNCTIONS, slope_at
from gui import i18n, theme, tokens
from gui.views.base import View


@dataclass(frozen=True)
class Point:
    """A place on the curve of an op kind; `slope` by its own rule."""

    kind: str
    attrs: Mapping[str, Hashable]
    z: float

    @property
    def a(self) -> float:
        return float(self.values(np.array([self.z]))[0])

    @property
    def slope(self) -> float:
        """f'(z) as the engine's rule for the way back says it."""
        return float(slope_at(self.kind, np.array([self.z]), self.attrs)[0])

    def values(self, z: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[
        tuple[int], np.dtype[np.float64]
    ]:
        """f of many numbers."""
        return np.asarray(FUNCTIONS[self.kind].f(z, self.attrs))


class CurvePoint(View):
    """Small: 176 x 118. Hidden where there is no function of one number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._point: Point | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_point(self, point: Point | None) -> None:
        """Another point; None hides the curve."""
        self._point = point
        self.setVisible(point is not None)
        self.setFixedSize(self.sizeHint())
        if point is not None:
            text = f"z = {i18n.short(point.z, 4)}, a = {i18n.short(point.a, 4)}, f′ = "
            self.setAccessibleName(text + i18n.short(point.slope, 4))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(190), theme.px(132))

    def paint(self, painter: QPainter) -> None:
        point = self._point
        if point is None or not math.isfinite(point.z):
            return
        caption = theme.px(18)
        area = QRectF(self.rect()).adjusted(4, 4, -4, -caption)
        reach = max(3.0, 1.4 * abs(point.z))
        z = np.linspace(-reach, reach, 161)
        a = point.values(z)
        low, high = float(min(a.min(), 0.0)), float(max(a.max(), 0.0))
        span = (high - low) or 1.0
        low, high = low - 0.12 * span, high + 0.12 * span

        def at(x: float, y: float) -> QPointF:
            across = (x + reach) / (2 * reach)
            return QPointF(area.left() + across * area.width(),
                           area.bottom() - (y - low) / (high - low) * area.height())

        painter.setPen(QPen(theme.color("border"), 1))
        painter.drawLine(at(-reach, 0.0), at(reach, 0.0))
        painter.drawLine(at(0.0, low), at(0.0, high))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.kind_color("activation"), 2))
        painter.drawPolyline(QPolygonF([at(float(x), float(y)) for x, y in zip(z, a, strict=True)]))
        half = 0.45 * reach
        painter.save()
        painter.setClipRect(area)
        painter.setPen(QPen(theme.color("trace"), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(at(point.z - half, point.a - half * point.slope),
                         at(point.z + half, point.a + half * point.slope))
        painter.restore()
        painter.setPen(QPen(theme.color("canvas"), 1.5))
        painter.setBrush(theme.color("trace"))
        painter.drawEllipse(at(point.z, point.a), 4.5, 4.5)
        painter.setFont(theme.ui_font(tokens.CAPTION))
        painter.setPen(theme.color("text2"))
        text = f"f({i18n.short(point.z, 3)}) = {i18n.short(point.a, 3)}   f′ = {i18n.short(point.slope, 3)}"
        room = QRectF(0, self.height() - caption, self.width(), caption)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter), text)
