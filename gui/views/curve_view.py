"""Loss and accuracy over time: the raw values thin, their running mean on top, names at the line ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.axes import Axes, draw_axes
from gui.views.base import Array, View, crisp, draw_caption, draw_empty
from gui.views.reading import paint_reading
from gui.views.series import Series, smooth, thin


@dataclass
class _Curve:
    text: str
    token: str
    x: Series
    y: Series
    noisy: bool
    fine: bool = False

    @cached_property
    def shown(self) -> Series:
        """The running mean of a noisy curve, any other as it is."""
        return smooth(self.y, max(1, len(self.y) // 40)) if self.noisy else self.y


@dataclass(frozen=True)
class Mark:
    """A vertical dashed line at `x` with a word, in a color token: the best test, a changed rate."""

    x: float
    text: str = ""
    token: str = "test"


class CurveView(View):
    """Curves with direct labels, an optional big figure, marks, a logarithmic axis and a reading cross.

    The wheel zooms the horizontal axis about the pointer, a double click shows everything again.
    `hovered(x)` is not-a-number when the pointer leaves.
    """

    hovered = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.empty_text = tr("Curves appear with the first step.")
        self.decimals = 3
        self._curves: dict[str, _Curve] = {}
        self._marks: tuple[Mark, ...] = ()
        self._figure: tuple[str, str] | None = None
        self._x_name = ""
        self._x_limit: float | None = None
        self._whole_x = False
        self._log = False
        self._window: tuple[float, float] | None = None
        self._pointer: QPointF | None = None

    # -- what is shown ----------------------------------------------------------------------------

    def set_curve(
        self, key: str, x: Array, y: Array, *, text: str = "", token: str = "", noisy: bool | None = None,
        fine: bool = False,
    ) -> None:  # fmt: skip
        """Show `y` over `x` (equal lengths, x not falling). "train" and "test" have names and colors.

        `noisy` draws a running mean over the thin raw line, `fine` a thin one. Raises ValueError for
        unequal lengths.
        """
        if len(x) != len(y):
            raise ValueError(f"{len(x)} places for {len(y)} values")
        names = {"train": (tr("Train"), "train"), "test": (tr("Test"), "test")}
        usual = names.get(key, (key, "text2"))
        curve = _Curve(
            text or usual[0], token or usual[1],
            np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64),
            key == "train" if noisy is None else noisy, fine,
        )  # fmt: skip
        self._curves[key] = curve
        self.update()

    def keep_curves(self, keys: Collection[str]) -> None:
        """Forget all curves but these; fine ones lie below the others."""
        kept = {key: curve for key, curve in self._curves.items() if key in keys}
        self._curves = dict(sorted(kept.items(), key=lambda item: not item[1].fine))

    def clear(self) -> None:
        """No curves, marks and figure: another run."""
        self._curves.clear()
        self._marks, self._figure, self._window = (), None, None
        self.update()

    def set_x_axis(self, name: str = "", limit: float | None = None, *, whole: bool = False) -> None:
        """The word at the right end, the number the axis should reach, and whether ticks are whole."""
        self._x_name, self._x_limit, self._whole_x = name, limit, whole
        self.update()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Vertical dashed lines."""
        self._marks = tuple(marks)
        self.update()

    def set_figure(self, caption: str = "", text: str = "") -> None:
        """The one big number, such as the test accuracy; "" takes it away."""
        self._figure = (caption, text) if text else None
        self.update()

    def set_log(self, on: bool) -> None:
        """Logarithmic vertical axis."""
        self._log = on
        self.update()

    def is_log(self) -> bool:
        """Whether the vertical axis is logarithmic."""
        return self._log

    def sizeHint(self) -> QSize:
        return QSize(theme.px(340), theme.px(220))

    # -- geometry ---------------------------------------------------------------------------------

    def axes(self) -> Axes:
        """The axes as they are drawn now."""
        curves = [c for c in self._curves.values() if len(c.x)]
        x0, x1 = self._x_range(curves)
        y0, y1 = self._y_range(curves, x0, x1)
        left = theme.px(40)
        right = self._label_room(curves) if self._window is None else theme.px(12)
        area = QRectF(
            left,
            theme.px(12),
            max(20.0, self.width() - left - right),
            max(20.0, self.height() - theme.px(36)),
        )
        return Axes(area, x0, x1, y0, y1, self._log)

    def _label_room(self, curves: list[_Curve]) -> float:
        """Names and values stand inside the plot where the run is not over yet, else beside it."""
        if self._x_limit and curves and max(c.x[-1] for c in curves) < 0.72 * self._x_limit:
            return float(theme.px(16))
        return float(min(self._label_width(curves) + theme.px(18), self.width() * 0.4))

    def _label_width(self, curves: list[_Curve]) -> float:
        name = QFontMetricsF(theme.ui_font(tokens.STATUS, theme.SEMIBOLD))
        value = QFontMetricsF(theme.mono_font(tokens.STATUS))
        widest = max((name.horizontalAdvance(c.text) for c in curves), default=0.0)
        usual = value.horizontalAdvance("0" * (self.decimals + 3))
        # very small losses are written with a power of ten, and need more
        now = max((value.horizontalAdvance(self._text(float(c.shown[-1]))) for c in curves), default=0.0)
        return float(widest + theme.px(12) + max(usual, now))

    def _x_range(self, curves: list[_Curve]) -> tuple[float, float]:
        if self._window is not None:
            return self._window
        low = min((float(c.x[0]) for c in curves), default=0.0)
        high = max((float(c.x[-1]) for c in curves), default=1.0)
        if self._x_limit is not None:
            high = max(high, self._x_limit)
        return (min(low, 0.0) if low < 0.1 * high else low), high if high > low else low + 1.0

    def _y_range(self, curves: list[_Curve], x0: float, x1: float) -> tuple[float, float]:
        lows, highs = [], []
        for curve in curves:
            first, last = np.searchsorted(curve.x, (x0, x1))
            inside = curve.y[first : last + 1]
            inside = inside[:: max(1, inside.size // 5000)]
            inside = inside[np.isfinite(inside) & ((inside > 0) | (not self._log))]
            if inside.size:
                lows.append(float(inside.min()))
                # single wild batches do not press everything else to the floor
                highs.append(float(np.percentile(inside, 99.7)) if inside.size > 400 else float(inside.max()))
        low, high = min(lows, default=0.0), max(highs, default=1.0)
        if self._log:
            low, high = max(low, 1e-12), max(high, 1e-12)
            return low / 1.15, high * 1.15 if high > low else low * 10
        if low > 0 and low < 0.6 * high:
            low = 0.0
        room = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
        return (low if low == 0.0 else low - room), high + room

    # -- painting ---------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        curves = [c for c in self._curves.values() if len(c.x)]
        if not curves:
            draw_empty(self, painter, self.empty_text)
            return
        axes = self.axes()
        draw_axes(painter, axes, x_name=self._x_name, whole_x=self._whole_x)
        self._paint_marks(painter, axes)
        painter.save()
        painter.setClipRect(axes.area.adjusted(-1, -6, 1, 2))
        for curve in curves:
            if curve.noisy:
                self._paint_raw(painter, axes, curve)
        ends = [self._paint_line(painter, axes, curve) for curve in curves]
        painter.restore()
        self._paint_labels(painter, axes, curves, ends)
        if self._figure is not None:
            self._paint_figure(painter, axes)
        if self._pointer is not None and axes.area.contains(self._pointer):
            self._paint_cross(painter, axes, curves)

    def _polygon(self, axes: Axes, x: Series, y: Series) -> QPolygonF:
        """Screen points of the finite values."""
        keep = np.isfinite(y) & ((y > 0) | (not axes.log_y))
        x, y = x[keep], y[keep]
        low, high = axes.y0, axes.y1
        if axes.log_y:
            y, low, high = np.log10(y), float(np.log10(low)), float(np.log10(high))
        px = axes.area.left() + (x - axes.x0) / (axes.x1 - axes.x0) * axes.area.width()
        py = axes.area.bottom() - (y - low) / ((high - low) or 1.0) * axes.area.height()
        if not px.size:
            return QPolygonF()
        # here and not at the top: pyqtgraph takes longer to import than the window to open
        from pyqtgraph import functions

        polygon: QPolygonF = functions.arrayToQPolygonF(px, py)
        return polygon

    def _visible(self, axes: Axes, curve: _Curve, y: Series) -> tuple[Series, Series]:
        first = max(0, int(np.searchsorted(curve.x, axes.x0)) - 1)
        last = int(np.searchsorted(curve.x, axes.x1, side="right")) + 1
        return thin(curve.x[first:last], y[first:last], max(1, int(axes.area.width())))

    def _paint_raw(self, painter: QPainter, axes: Axes, curve: _Curve) -> None:
        color = theme.color(curve.token)
        color.setAlphaF(0.45)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(color, 1))
        painter.drawPolyline(self._polygon(axes, *self._visible(axes, curve, curve.y)))

    def _paint_line(self, painter: QPainter, axes: Axes, curve: _Curve) -> QPointF | None:
        x, y = self._visible(axes, curve, curve.shown)
        if (curve.noisy or curve.fine) and len(x) > axes.area.width() / 2:
            # a running mean hides nothing between its points
            step = -(-len(x) // max(1, int(axes.area.width() / 2)))
            x, y = np.append(x[:-1:step], x[-1]), np.append(y[:-1:step], y[-1])
        polygon = self._polygon(axes, x, y)
        if polygon.isEmpty():
            return None
        # a thick antialiased line through a thousand zigzags costs 40 ms; a thin one nothing
        dense = polygon.size() > axes.area.width()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not dense)
        pen = QPen(theme.color(curve.token), 1 if dense or curve.fine else tokens.LINE_CURVE)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPolyline(polygon)
        return QPointF(polygon.last())  # a copy: last() points into the polygon, which is gone after this

    def _paint_labels(
        self, painter: QPainter, axes: Axes, curves: list[_Curve], ends: list[QPointF | None]
    ) -> None:
        """A dot at each line's end, its name and value beside it, pushed apart so that none overlap."""
        line = theme.px(18)
        wanted = sorted(
            ((end.y(), curve, end) for curve, end in zip(curves, ends, strict=True) if end is not None),
            key=lambda item: item[0],
        )
        # the big figure stands above in the same column
        floor = -1e9 if self._figure is None else axes.area.top() + theme.px(14 + 12 + 28 + 16)
        spots = []
        for y, curve, end in wanted:
            y = max(y, floor)
            floor = y + line
            spots.append((y, curve, end))
        lowest = axes.area.bottom() - theme.px(8)
        overflow = max(0.0, floor - line - lowest) if spots else 0.0
        # names stand in one column behind the line that reaches furthest
        right = max((end.x() for _, _, end in spots), default=0.0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for y, curve, end in spots:
            color = theme.color(curve.token)
            if axes.area.adjusted(-2, -6, 2, 6).contains(end):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color)
                painter.drawEllipse(end, 3.5, 3.5)
            self._paint_label(painter, curve, curves, QPointF(right + theme.px(12), y - overflow), color)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_label(
        self, painter: QPainter, curve: _Curve, curves: list[_Curve], spot: QPointF, color: QColor
    ) -> None:
        name_font = theme.ui_font(tokens.STATUS, theme.SEMIBOLD)
        names = QFontMetricsF(name_font)
        widest = max(names.horizontalAdvance(c.text) for c in curves)
        value = self._text(float(curve.shown[-1]))
        value_font = theme.value_font(value, tokens.STATUS)
        room = widest + theme.px(12) + QFontMetricsF(value_font).horizontalAdvance(value)
        left = min(spot.x(), self.width() - room - theme.px(4))
        baseline = spot.y() + names.capHeight() / 2
        painter.setFont(name_font)
        painter.setPen(color)
        painter.drawText(QPointF(left, baseline), curve.text)
        painter.setFont(value_font)
        painter.setPen(theme.color("text1"))
        painter.drawText(QPointF(left + widest + theme.px(12), baseline), value)

    def _text(self, value: float) -> str:
        if value != 0 and abs(value) < 10.0**-self.decimals:
            return i18n.short(float(value), 3)
        return i18n.number(float(value), self.decimals)

    def _paint_figure(self, painter: QPainter, axes: Axes) -> None:
        assert self._figure is not None
        caption, text = self._figure
        big = theme.ui_font(tokens.FIGURE, theme.SEMIBOLD)
        small = theme.ui_font(tokens.STATUS)
        width = max(
            QFontMetricsF(big).horizontalAdvance(text), QFontMetricsF(small).horizontalAdvance(caption)
        )
        left = max(axes.area.left() + theme.px(8), self.width() - theme.px(20) - width)
        top = axes.area.top() + theme.px(14)
        painter.setFont(small)
        painter.setPen(theme.color("text2"))
        painter.drawText(QPointF(left, top + theme.px(12)), caption)
        painter.setFont(big)
        painter.setPen(theme.color("text1"))
        painter.drawText(QPointF(left - 1, top + theme.px(12 + 28)), text)

    def _paint_marks(self, painter: QPainter, axes: Axes) -> None:
        for mark in self._marks:
            if not axes.x0 <= mark.x <= axes.x1:
                continue
            x = crisp(painter, axes.x(mark.x))
            pen = QPen(theme.color(mark.token), 1, Qt.PenStyle.CustomDashLine)
            pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.drawLine(QPointF(x, axes.area.top()), QPointF(x, axes.area.bottom()))
            if mark.text:
                spot = QPointF(x + 4, axes.area.top() + theme.px(tokens.CAPTION))
                draw_caption(painter, spot, mark.text, "text2")

    def _paint_cross(self, painter: QPainter, axes: Axes, curves: list[_Curve]) -> None:
        assert self._pointer is not None
        at = axes.value_x(self._pointer.x())
        x = crisp(painter, self._pointer.x())
        painter.setPen(QPen(theme.color("link"), 1))
        painter.drawLine(QPointF(x, axes.area.top()), QPointF(x, axes.area.bottom()))
        lines = [(self._x_name or "x", i18n.short(at, 4), theme.color("text2"))]
        for curve in curves:
            nearest = int(np.clip(np.searchsorted(curve.x, at), 0, len(curve.x) - 1))
            value = float(curve.shown[nearest])
            lines.append((curve.text, self._text(value), theme.color(curve.token)))
            if np.isfinite(value) and (value > 0 or not axes.log_y):
                painter.setBrush(theme.color(curve.token))
                painter.setPen(QPen(theme.color("panel"), 1.5))
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.drawEllipse(QPointF(axes.x(float(curve.x[nearest])), axes.y(value)), 4, 4)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        corner = QPointF(x, axes.area.bottom())
        paint_reading(painter, axes.area, corner, lines, upwards=True)

    # -- hands ------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self.hovered.emit(self.axes().value_x(event.position().x()))
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.hovered.emit(float("nan"))
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y()
        if not self._curves or not delta:
            event.ignore()
            return
        axes = self.axes()
        curves = [c for c in self._curves.values() if len(c.x)]
        whole = self._whole_axes(curves)
        factor = 0.85 ** (delta / 120)
        middle = axes.value_x(event.position().x())
        low = max(whole.x0, middle - (middle - axes.x0) * factor)
        high = min(whole.x1, middle + (axes.x1 - middle) * factor)
        everything = high - low >= 0.999 * (whole.x1 - whole.x0)
        if not everything and high - low < (whole.x1 - whole.x0) * 1e-4:
            return
        self._window = None if everything else (low, high)
        self.update()
        event.accept()

    def _whole_axes(self, curves: list[_Curve]) -> Axes:
        window, self._window = self._window, None
        x0, x1 = self._x_range(curves)
        self._window = window
        return Axes(QRectF(), x0, x1, 0.0, 1.0)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._window = None
        self.update()
