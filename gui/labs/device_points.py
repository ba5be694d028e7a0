"""Measured points over sizes or cores, joined by lines, with spread; dashed lines are no measurement."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPen, QPolygonF

from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.axes import log_ticks, ticks
from gui.views.base import View, crisp, draw_caption, draw_empty
from gui.views.reading import paint_reading


@dataclass(frozen=True)
class Line:
    """One device, or a line that is only computed (`dashed`). Points as (x, y, low, high), x rising."""

    name: str
    token: str
    points: tuple[tuple[float, float, float, float], ...]
    dashed: bool = False


@dataclass(frozen=True)
class Frame:
    """What the axes show. `log` acts on both."""

    x_name: str
    y_name: str
    y_text: Callable[[float], str]
    log: bool = True
    tick_text: Callable[[float], str] | None = None
    """What stands beside the axis, where it is shorter than `y_text`."""


class PointsView(View):
    """`set_lines` as results arrive; the pointer reads the nearest place."""

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.empty_text = tr("Measure shows here what each device does.")
        self._lines: tuple[Line, ...] = ()
        self._frame = Frame("", "", i18n.short)
        self._pointer: QPointF | None = None

    def set_lines(self, lines: Sequence[Line], frame: Frame) -> None:
        self._lines = tuple(line for line in lines if line.points)
        self._frame = frame
        self.setMinimumHeight(theme.px(240))
        said = [f"{n.name} {frame.y_text(n.points[-1][1])}" for n in self._lines if not n.dashed]
        self.setAccessibleName(", ".join(said) or self.empty_text)
        self.update()

    def lines(self) -> tuple[Line, ...]:
        return self._lines

    def sizeHint(self) -> QSize:
        return QSize(theme.px(520), theme.px(340))

    # ---- places --------------------------------------------------------------------------------------

    def _places(self) -> list[float]:
        return sorted({p[0] for line in self._lines if not line.dashed for p in line.points})

    def _area(self) -> QRectF:
        names = QFontMetricsF(theme.ui_font(tokens.STATUS, theme.SEMIBOLD))
        widest = max((names.horizontalAdvance(line.name) for line in self._lines), default=0.0)
        left, right = theme.px(64), min(widest + theme.px(28), self.width() * 0.35)
        return QRectF(
            left,
            theme.px(28),
            max(20.0, self.width() - left - right),
            max(20.0, self.height() - theme.px(72)),
        )

    def _limits(self) -> tuple[float, float, float, float]:
        places = self._places()
        xs = [p[0] for line in self._lines for p in line.points]
        ys = [y for line in self._lines for p in line.points for y in (p[1:] if not line.dashed else p[1:2])]
        x0, x1 = (min(places), max(places)) if places else (min(xs), max(xs))
        if self._frame.log:
            return x0, x1 if x1 > x0 else x0 * 2, min(ys) / 1.5, max(ys) * 1.5
        return min(x0, 1.0), x1 if x1 > x0 else x0 + 1, 0.0, max(ys) * 1.1

    def _spot(self, area: QRectF, limits: tuple[float, float, float, float], x: float, y: float) -> QPointF:
        x0, x1, y0, y1 = limits
        if self._frame.log:
            x, x0, x1, y, y0, y1 = (math.log10(max(v, 1e-15)) for v in (x, x0, x1, y, y0, y1))
        across, up = (x - x0) / ((x1 - x0) or 1.0), (y - y0) / ((y1 - y0) or 1.0)
        return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

    # ---- painting ------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        if not self._lines:
            draw_empty(self, painter, self.empty_text)
            return
        area, limits = self._area(), self._limits()
        self._paint_axes(painter, area, limits)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ends = []
        for line in self._lines:
            ends.append((self._paint_line(painter, area, limits, line), line))
        self._paint_names(painter, area, ends)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if self._pointer is not None and area.contains(self._pointer):
            self._paint_reading(painter, area, limits)

    def _paint_axes(self, painter: QPainter, area: QRectF, limits: tuple[float, float, float, float]) -> None:
        _, _, y0, y1 = limits
        found = (
            log_ticks(y0, y1) if self._frame.log else ticks(y0, y1, max(2, int(area.height() / theme.px(38))))
        )
        for value in found:
            y = crisp(painter, self._spot(area, limits, limits[0], value).y())
            painter.setPen(QPen(theme.color("hair"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            spot = QPointF(area.left() - theme.px(8), y + theme.px(4))
            draw_caption(painter, spot, (self._frame.tick_text or self._frame.y_text)(value), align="right")
        draw_caption(painter, QPointF(area.left(), area.top() - theme.px(12)), self._frame.y_name, "text2")
        last = -1e9
        for place in self._places():
            x = self._spot(area, limits, place, limits[2] or 1.0).x()
            text = i18n.integer(int(place))
            half = QFontMetricsF(theme.ui_font(tokens.CAPTION)).horizontalAdvance(text) / 2
            painter.setPen(QPen(theme.color("border"), 1))
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + theme.px(4)))
            if x - half > last + theme.px(8):
                draw_caption(painter, QPointF(x, area.bottom() + theme.px(18)), text, align="center")
                last = x + half
        spot = QPointF(area.right(), area.bottom() + theme.px(36))
        draw_caption(painter, spot, self._frame.x_name, "text2", "right")

    def _paint_line(
        self, painter: QPainter, area: QRectF, limits: tuple[float, float, float, float], line: Line
    ) -> QPointF:
        color = theme.color(line.token)
        spots = [self._spot(area, limits, x, y) for x, y, _, _ in line.points]
        pen = QPen(color, tokens.LINE_CURVE)
        if line.dashed:
            pen = QPen(color, 1.5, Qt.PenStyle.CustomDashLine)
            pen.setDashPattern([4, 4])
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(spots))
        if not line.dashed:
            for (x, _, low, high), spot in zip(line.points, spots, strict=True):
                painter.setPen(QPen(color, 1.5))
                painter.drawLine(self._spot(area, limits, x, low), self._spot(area, limits, x, high))
                painter.setPen(QPen(theme.color("canvas"), 1))
                painter.setBrush(color)
                painter.drawEllipse(spot, theme.px(4), theme.px(4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        return spots[-1]

    def _paint_names(self, painter: QPainter, area: QRectF, ends: list[tuple[QPointF, Line]]) -> None:
        """Beside the lines' ends, pushed apart."""
        font = theme.ui_font(tokens.STATUS, theme.SEMIBOLD)
        painter.setFont(font)
        height = theme.px(18)
        floor = -1e9
        placed = []
        for end, line in sorted(ends, key=lambda item: item[0].y()):
            floor = max(end.y(), floor + height)
            placed.append((floor, end, line))
        over = max(0.0, floor - area.bottom()) if placed else 0.0
        right = max((end.x() for end, _ in ends), default=0.0)
        for y, _, line in placed:
            painter.setPen(theme.color(line.token))
            baseline = y - over + QFontMetricsF(font).capHeight() / 2
            painter.drawText(QPointF(right + theme.px(12), baseline), line.name)

    def _paint_reading(
        self, painter: QPainter, area: QRectF, limits: tuple[float, float, float, float]
    ) -> None:
        assert self._pointer is not None
        pointer = self._pointer
        places = self._places()
        if not places:
            return
        at = min(places, key=lambda p: abs(self._spot(area, limits, p, limits[3]).x() - pointer.x()))
        x = crisp(painter, self._spot(area, limits, at, limits[3]).x())
        painter.setPen(QPen(theme.color("link"), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        said = [(self._frame.x_name, i18n.integer(int(at)), theme.color("text2"))]
        for line in self._lines:
            for px, y, low, high in line.points:
                if px == at:
                    text = self._frame.y_text(y)
                    if not line.dashed and high > low:
                        text += f"  ({self._frame.y_text(low)} – {self._frame.y_text(high)})"
                    said.append((line.name, text, theme.color(line.token)))
        paint_reading(painter, QRectF(self.rect()), QPointF(x, area.bottom()), said, upwards=True)

    # ---- hands ---------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()
