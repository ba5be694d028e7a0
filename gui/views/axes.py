"""Ticks for plots: round numbers, drawn the same way in every view that has axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen

from gui import i18n, theme, tokens
from gui.views.base import crisp, draw_caption


@dataclass(frozen=True)
class Axes:
    """A rectangle on the screen and the numbers it stands for; y grows upwards.

    With `log_y` the vertical axis is logarithmic and its limits are positive.
    """

    area: QRectF
    x0: float
    x1: float
    y0: float
    y1: float
    log_y: bool = False

    def x(self, value: float) -> float:
        """Screen position of a number on the horizontal axis."""
        return self.area.left() + (value - self.x0) / ((self.x1 - self.x0) or 1.0) * self.area.width()

    def y(self, value: float) -> float:
        """Screen position of a number on the vertical axis."""
        low, high = self.y0, self.y1
        if self.log_y:
            value, low, high = (math.log10(max(v, 1e-12)) for v in (value, low, high))
        return self.area.bottom() - (value - low) / ((high - low) or 1.0) * self.area.height()

    def value_x(self, position: float) -> float:
        """The number at a screen position."""
        return self.x0 + (position - self.area.left()) / max(1.0, self.area.width()) * (self.x1 - self.x0)

    def value_y(self, position: float) -> float:
        """The number at a screen position."""
        share = (self.area.bottom() - position) / max(1.0, self.area.height())
        if self.log_y:
            low, high = math.log10(self.y0), math.log10(self.y1)
            return float(10 ** (low + share * (high - low)))
        return self.y0 + share * (self.y1 - self.y0)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between `low` and `high`, at most about `most` of them."""
    span = high - low
    if not math.isfinite(span) or span <= 0 or most < 1:
        return []
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * f for f in (1, 2, 5, 10) if power * f >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two positive numbers; 2 and 5 times them where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    found = [f * 10.0**e for e in range(first, last + 1) for f in factors]
    every = max(1, len(found) // 8)
    return [v for v in found[::every] if low * 0.999 <= v <= high * 1.001]


def tick_text(value: float, spacing: float) -> str:
    """A tick's number with just the decimals its spacing needs."""
    if spacing > 0 and (spacing < 1e-4 or abs(value) >= 1e6):
        return i18n.short(value, 2)
    decimals = max(0, -math.floor(math.log10(spacing) + 1e-9)) if spacing > 0 else 2
    return i18n.number(value, decimals)


def draw_axes(
    painter: QPainter,
    axes: Axes,
    *,
    x_text: Callable[[float, float], str] = tick_text,
    y_text: Callable[[float, float], str] = tick_text,
    x_name: str = "",
    whole_x: bool = False,
) -> None:
    """Horizontal grid lines with numbers on the left, numbers below, the name of x at its right end."""
    area = axes.area
    line = theme.px(tokens.CAPTION)
    vertical = (
        log_ticks(axes.y0, axes.y1)
        if axes.log_y
        else ticks(axes.y0, axes.y1, max(2, int(area.height() / theme.px(38))))
    )
    spacing = abs(vertical[1] - vertical[0]) if len(vertical) > 1 else abs(axes.y1 - axes.y0)
    for value in vertical:
        y = crisp(painter, axes.y(value))
        painter.setPen(QPen(theme.color("hair"), 1))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        text = y_text(value, value if axes.log_y else spacing)
        draw_caption(painter, QPointF(area.left() - theme.px(6), y + line * 0.36), text, align="right")
    horizontal = ticks(axes.x0, axes.x1, max(2, int(area.width() / theme.px(64))))
    if whole_x:
        horizontal = [v for v in horizontal if abs(v - round(v)) < 1e-9]
    spacing = horizontal[1] - horizontal[0] if len(horizontal) > 1 else 1.0
    name_left = area.right() - (len(x_name) + 2) * line * 0.6 if x_name else area.right() + 99
    for value in horizontal:
        if axes.x(value) > name_left - theme.px(10):
            continue
        spot = QPointF(axes.x(value), area.bottom() + line + theme.px(4))
        draw_caption(painter, spot, x_text(value, spacing), align="center")
    if x_name:
        draw_caption(
            painter, QPointF(area.right(), area.bottom() + line + theme.px(4)), x_name, align="right"
        )
