"""Bars of time, one device below the other: solid what is computed, pale what the transfer adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from gui import icons, theme, tokens
from gui.i18n import tr
from gui.labs.device_words import duration, tick
from gui.views.axes import Axes, ticks
from gui.views.base import View, crisp, draw_caption, draw_empty

ROW, BAR = 92, 22
"""Height of a device's row and of its bar."""


@dataclass(frozen=True)
class Bar:
    """One device. Seconds; `compute` and `whole` as (median, low, high), None while they are not measured."""

    name: str
    token: str
    compute: tuple[float, float, float] | None = None
    whole: tuple[float, float, float] | None = None
    first: float | None = None
    figures: str = ""
    """Speed and share of the peak."""
    notes: str = ""
    """First call, and how long it took to get ready."""
    check: str = ""
    """Difference to the other devices."""
    agrees: bool = True
    failed: str = ""
    waiting: str = ""


class BarsView(View):
    """`set_bars` as results arrive; the scale is that of the longest bar."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: tuple[Bar, ...] = ()
        self.empty_text = tr("Measure shows here what each device does.")

    def set_bars(self, bars: Sequence[Bar]) -> None:
        self._bars = tuple(bars)
        self.setMinimumHeight(theme.px(ROW) * len(bars) + theme.px(48))
        said = [f"{b.name} {duration(b.compute[0])}" for b in bars if b.compute]
        self.setAccessibleName(", ".join(said) or self.empty_text)
        self.update()

    def bars(self) -> tuple[Bar, ...]:
        return self._bars

    def sizeHint(self) -> QSize:
        return QSize(theme.px(520), theme.px(ROW) * max(2, len(self._bars)) + theme.px(48))

    def restyle(self) -> None:
        self.set_bars(self._bars)

    def _longest(self) -> float:
        times = [t[2] for b in self._bars for t in (b.compute, b.whole) if t]
        return max(times, default=1.0) * 1.06

    def paint(self, painter: QPainter) -> None:
        if not self._bars:
            draw_empty(self, painter, self.empty_text)
            return
        row = theme.px(ROW)
        left = theme.px(2)
        area = QRectF(left, theme.px(8), self.width() - left - theme.px(16), row * len(self._bars))
        axes = Axes(area, 0.0, self._longest(), 0.0, 1.0)
        if any(b.compute for b in self._bars):
            self._paint_grid(painter, axes)
        for i, bar in enumerate(self._bars):
            self._paint_bar(painter, axes, bar, area.top() + i * row)
        self._paint_legend(painter, area)

    def _paint_grid(self, painter: QPainter, axes: Axes) -> None:
        for value in ticks(axes.x0, axes.x1, max(2, int(axes.area.width() / theme.px(110)))):
            x = crisp(painter, axes.x(value))
            painter.setPen(QPen(theme.color("hair"), 1))
            painter.drawLine(QPointF(x, axes.area.top()), QPointF(x, axes.area.bottom()))
            text = tick(value) if value else "0"
            spot = QPointF(x, axes.area.bottom() + theme.px(14))
            draw_caption(painter, spot, text, align="center" if value else "left")

    def _paint_bar(self, painter: QPainter, axes: Axes, bar: Bar, top: float) -> None:
        color = theme.color(bar.token)
        name_font = theme.ui_font(tokens.BASE, theme.SEMIBOLD)
        baseline = top + theme.px(18)
        painter.setFont(name_font)
        painter.setPen(theme.color("text1"))
        painter.drawText(QPointF(axes.area.left(), baseline), bar.name)
        after = axes.area.left() + QFontMetricsF(name_font).horizontalAdvance(bar.name) + theme.px(12)
        if bar.failed:
            painter.setFont(theme.ui_font(tokens.STATUS))
            painter.setPen(theme.color("danger"))
            room = QRectF(axes.area.left(), top + theme.px(24), axes.area.width(), theme.px(44))
            painter.drawText(room, int(Qt.TextFlag.TextWordWrap), bar.failed)
            return
        place = QRectF(axes.area.left(), top + theme.px(26), axes.area.width(), theme.px(BAR))
        if bar.compute is None:
            painter.setFont(theme.ui_font(tokens.STATUS))
            painter.setPen(theme.color("text3"))
            painter.drawText(QPointF(after, baseline), bar.waiting)
            painter.fillRect(QRectF(place.left(), place.top(), theme.px(3), place.height()), color)
            self._paint_notes(painter, bar, place)
            return
        painter.setFont(theme.mono_font(tokens.TITLE, theme.MEDIUM))
        painter.setPen(theme.color("text1"))
        text = duration(bar.compute[0])
        painter.drawText(QPointF(after, baseline), text)
        after += painter.fontMetrics().horizontalAdvance(text) + theme.px(12)
        painter.setFont(theme.ui_font(tokens.STATUS))
        painter.setPen(theme.color("text2"))
        painter.drawText(QPointF(after, baseline), bar.figures)
        if bar.whole is not None:
            pale = QColor(color)
            pale.setAlphaF(0.3)
            width = axes.x(bar.whole[0]) - place.left()
            painter.fillRect(QRectF(place.left(), place.top(), width, place.height()), pale)
        width = axes.x(bar.compute[0]) - place.left()
        painter.fillRect(QRectF(place.left(), place.top(), max(width, theme.px(2)), place.height()), color)
        self._paint_spread(painter, axes, bar.compute, place.center().y(), place.height() * 0.3)
        self._paint_notes(painter, bar, place)

    def _paint_spread(
        self, painter: QPainter, axes: Axes, times: tuple[float, float, float], y: float, half: float
    ) -> None:
        """The middle half of the repetitions, as a bracket on the bar's end."""
        left, right = axes.x(times[1]), axes.x(times[2])
        painter.setPen(QPen(theme.color("text1"), 1.5))
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        for x in (left, right):
            painter.drawLine(QPointF(x, y - half), QPointF(x, y + half))

    def _paint_notes(self, painter: QPainter, bar: Bar, place: QRectF) -> None:
        baseline = place.bottom() + theme.px(16)
        draw_caption(painter, QPointF(place.left(), baseline), bar.notes, "text2")
        if bar.check:
            at = place.left() + painter.fontMetrics().horizontalAdvance(bar.notes) + theme.px(16)
            token = "ok" if bar.agrees else "warning"
            side = theme.px(12)
            icons.paint(
                painter,
                "check" if bar.agrees else "warning",
                QRectF(at, baseline - side + 2, side, side),
                token,
            )
            draw_caption(painter, QPointF(at + side + theme.px(4), baseline), bar.check, "text2")

    def _paint_legend(self, painter: QPainter, area: QRectF) -> None:
        y = area.bottom() + theme.px(34)
        x = area.left()
        gray = theme.color("text2")
        pale = QColor(gray)
        pale.setAlphaF(0.3)
        for text, fill in ((tr("computing"), gray), (tr("with transfer there and back"), pale)):
            painter.fillRect(QRectF(x, y - theme.px(8), theme.px(14), theme.px(8)), fill)
            draw_caption(painter, QPointF(x + theme.px(20), y), text)
            x += theme.px(20) + painter.fontMetrics().horizontalAdvance(text) + theme.px(20)
        middle, half = y - theme.px(4), theme.px(4)
        painter.setPen(QPen(theme.color("text1"), 1.5))
        painter.drawLine(QPointF(x, middle), QPointF(x + theme.px(14), middle))
        for end in (x, x + theme.px(14)):
            painter.drawLine(QPointF(end, middle - half), QPointF(end, middle + half))
        draw_caption(painter, QPointF(x + theme.px(20), y), tr("half of all repetitions"))
