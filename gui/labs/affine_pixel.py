"""One output pixel of the affine lab: where it comes from, its source pixels, weights, products and sum."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QWidget

from engine.ops.base import Terms
from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.labs.affine_text import point_text
from gui.views.base import View, draw_empty, trace_ring

CELL, ROW = 36, 26
"""A source pixel in logical pixels."""
Tap = tuple[int, int, float, float, float]
"""(row, column, weight, number, product) of a term."""


class PixelView(View):
    """Paints `show_pixel(...)`; the picture is (H, W, C) numbers 0..255."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.terms: Terms | None = None
        self._picture: np.ndarray | None = None
        self._channel, self._channel_name = 0, ""
        self._output = self._source = (0.0, 0.0)
        self._place = (0.0, 0.0)
        self._reason = ""

    def show_pixel(self, picture: np.ndarray, terms: Terms, output: tuple[float, float],
                   source: tuple[float, float], place: tuple[float, float], channel: int, name: str) -> None:
        """`output` and `source` counted from the origin (x, y); `place` the source in pixels."""
        self._picture, self.terms = picture, terms
        self._output, self._source, self._place = output, source, place
        self._channel, self._channel_name, self._reason = channel, name, ""
        self.update()

    def show_reason(self, text: str) -> None:
        """Why there is nothing to show."""
        self.terms, self._reason = None, text
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(420), theme.px(186))

    def sizeHint(self) -> QSize:
        return QSize(theme.px(820), theme.px(196))

    # ---- painting -----------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        if self.terms is None or self._picture is None:
            draw_empty(self, painter, self._reason or tr("Point at a pixel of the picture."))
            return
        columns = 8 if self.width() >= theme.px(800) else 6
        left = float(theme.px(12))
        self._paint_source(painter, left, theme.px(6), columns)
        left += columns * theme.px(CELL) + theme.px(20)
        words = theme.px(220 if self.width() >= theme.px(800) else 170)
        self._paint_words(painter, QRectF(left, 0, words, self.height()))
        left += words + theme.px(8)
        self._paint_sum(painter, QRectF(left, theme.px(2), self.width() - left - theme.px(12), self.height()))

    def _taps(self) -> list[Tap]:
        assert self.terms is not None
        out = []
        for term in self.terms.terms:
            _, (_, row, column, _), number = term.factors[0]
            weight = term.value / number if number else float(term.label)
            out.append((row, column, weight, number, term.value))
        return out

    def _paint_source(self, painter: QPainter, left: float, top: float, columns: int) -> None:
        taps = self._taps()
        rows, cell, row_high = 6, theme.px(CELL), theme.px(ROW)
        r0 = math.floor(sum(t[0] for t in taps) / len(taps)) - rows // 2 + 1
        c0 = math.floor(sum(t[1] for t in taps) / len(taps)) - columns // 2 + 1
        assert self._picture is not None
        h, w = self._picture.shape[:2]
        painter.setFont(theme.mono_font(tokens.CAPTION))
        for i in range(rows):
            for j in range(columns):
                box = QRectF(left + j * cell, top + i * row_high, cell - 1, row_high - 1)
                r, c = r0 + i, c0 + j
                if not (0 <= r < h and 0 <= c < w):
                    painter.setPen(QPen(theme.color("hair"), 1, Qt.PenStyle.DotLine))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
                    continue
                used = any(t[0] == r and t[1] == c for t in taps)
                ground = self._color(self._picture[r, c])
                painter.fillRect(box, ground)
                painter.setPen(QColor(tokens.ink_on(ground.name())))
                painter.setFont(theme.mono_font(tokens.CAPTION, theme.BOLD if used else theme.REGULAR))
                text = i18n.number(float(self._picture[r, c, self._channel]), 0)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        first, last = taps[0], taps[-1]
        ring = QRectF(
            left + (first[1] - c0) * cell, top + (first[0] - r0) * row_high,
            (last[1] - first[1] + 1) * cell - 1, (last[0] - first[0] + 1) * row_high - 1,
        )  # fmt: skip
        trace_ring(painter, ring)
        # the point itself: pixel centers are whole numbers
        x, y = self._place
        spot = QPointF(left + (x - c0 + 0.5) * cell, top + (y - r0 + 0.5) * row_high)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("canvas"), 1.5))
        painter.setBrush(theme.color("trace"))
        painter.drawEllipse(spot, theme.px(3.5), theme.px(3.5))

    @staticmethod
    def _color(pixel: np.ndarray) -> QColor:
        found = [max(0, min(255, int(v))) for v in pixel.tolist()]
        return QColor(*(found if len(found) == 3 else found[:1] * 3))

    def _paint_words(self, painter: QPainter, room: QRectF) -> None:
        taps = self._taps()
        y = room.top() + theme.px(4)

        def line(text: str, font: QFont, token: str, high: int) -> None:
            nonlocal y
            painter.setFont(font)
            painter.setPen(theme.color(token))
            flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            box = QRectF(room.left(), y, room.width(), room.bottom() - y)
            y += max(float(theme.px(high)), painter.boundingRect(box, int(flags), text).height())
            painter.drawText(box, int(flags), text)

        small, mono = theme.ui_font(tokens.STATUS), theme.mono_font(tokens.TITLE)
        line(tr("output pixel"), small, "text2", 19)
        line(point_text(self._output), mono, "text1", 22)
        line(tr("comes from"), small, "text2", 19)
        line(point_text(self._source, 3), mono, "trace", 24)
        rows, columns = (_span(t[k] for t in taps) for k in (0, 1))
        line(tr("row {rows}, column {columns}").format(rows=rows, columns=columns), small, "text2", 18)
        if len(taps) == 4:
            fx, fy = self._place[0] - taps[0][1], self._place[1] - taps[0][0]
            shares = tr("shares {down} down, {right} right").format(
                down=i18n.number(fy, 3), right=i18n.number(fx, 3)
            )
            line(shares, small, "text2", 18)
        else:
            one = tr("the nearest pixel, as it is")
            line(one if len(taps) == 1 else tr("16 pixels, some weigh less than 0"), small, "text2", 18)

    def _paint_sum(self, painter: QPainter, room: QRectF) -> None:
        """weight · pixel = product, in one column or in four."""
        assert self.terms is not None
        taps = self._taps()
        if len(taps) <= 4:
            self._paint_rows(painter, room, taps)
        else:
            self._paint_square(painter, room, taps)
        difference = self.terms.difference
        base = room.top() + theme.px(160)
        right = min(room.right(), room.left() + theme.px(320))
        painter.setPen(QPen(theme.color("link"), 1))
        painter.drawLine(QPointF(room.left(), base - theme.px(26)), QPointF(right, base - theme.px(26)))
        painter.setFont(theme.mono_font(tokens.HEADING, theme.MEDIUM))
        painter.setPen(theme.color("trace"))
        text = i18n.number(self.terms.total, 2)
        wide = painter.fontMetrics().horizontalAdvance(text)
        painter.drawText(QPointF(right - wide, base - theme.px(4)), text)
        painter.setFont(theme.ui_font(tokens.STATUS))
        painter.setPen(theme.color("text2"))
        name = painter.fontMetrics().horizontalAdvance(self._channel_name)
        painter.drawText(QPointF(right - wide - name - theme.px(12), base - theme.px(6)), self._channel_name)
        if math.isfinite(self.terms.engine):
            text = tr("engine {value}, difference {difference}").format(
                value=i18n.number(self.terms.engine, 2), difference=i18n.short(difference, 1)
            )
        else:
            text = tr("asking the engine …")
        painter.setFont(theme.ui_font(tokens.CAPTION))
        painter.setPen(theme.color("text3"))
        wide = painter.fontMetrics().horizontalAdvance(text)
        painter.drawText(QPointF(right - wide, base + theme.px(14)), text)

    def _paint_rows(self, painter: QPainter, room: QRectF, taps: list[Tap]) -> None:
        high = theme.px(31)
        wide, gap, chip = (66, 24, 54) if room.width() >= theme.px(280) else (54, 14, 46)
        end = min(room.right(), room.left() + theme.px(320))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for k, (row, column, weight, number, product) in enumerate(taps):
            x, y = room.left(), room.top() + theme.px(4) + k * high
            painter.setFont(theme.mono_font(tokens.BASE))
            for text, token, width, flags in (
                (i18n.number(weight, 4), "text1", wide, right),
                ("·", "text3", gap, Qt.AlignmentFlag.AlignCenter),
            ):  # fmt: skip
                painter.setPen(theme.color(token))
                painter.drawText(QRectF(x, y, theme.px(width), high - 4), flags, text)
                x += theme.px(width)
            self._chip(painter, QRectF(x, y, theme.px(chip), high - 5), row, column, number)
            x += theme.px(chip)
            painter.setFont(theme.mono_font(tokens.BASE))
            painter.setPen(theme.color("text3"))
            painter.drawText(QRectF(x, y, theme.px(gap), high - 4), Qt.AlignmentFlag.AlignCenter, "=")
            painter.setPen(theme.color("text1"))
            x += theme.px(gap)
            painter.drawText(QRectF(x, y, end - x, high - 4), right, i18n.number(product, 2))

    def _chip(self, painter: QPainter, box: QRectF, row: int, column: int, number: float) -> None:
        assert self._picture is not None
        h, w = self._picture.shape[:2]
        inside = 0 <= row < h and 0 <= column < w
        ground = self._color(self._picture[row, column]) if inside else theme.color("field")
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(ground)
        painter.drawRect(box)
        painter.setFont(theme.mono_font(tokens.STATUS))
        painter.setPen(QColor(tokens.ink_on(ground.name())))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, i18n.number(number, 0))

    def _paint_square(self, painter: QPainter, room: QRectF, taps: list[Tap]) -> None:
        """Sixteen taps where they lie: the pixel, and its weight under it."""
        wide, high = min(theme.px(80), room.width() / 4), theme.px(32)
        for k, (row, column, weight, number, _product) in enumerate(taps):
            x, y = room.left() + k % 4 * wide, room.top() + k // 4 * high
            self._chip(painter, QRectF(x, y, wide - theme.px(4), theme.px(15)), row, column, number)
            painter.setFont(theme.mono_font(tokens.CAPTION))
            painter.setPen(theme.color("text2" if weight >= 0 else "warning"))
            text = f"· {i18n.number(weight, 4 if wide >= theme.px(64) else 3)}"
            below = QRectF(x, y + theme.px(15), wide, theme.px(15))
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft, text)


def _span(numbers: object) -> str:
    """Rows or columns counted from 1, as everywhere on the screen."""
    found = sorted({int(n) + 1 for n in numbers})  # type: ignore[attr-defined]
    if len(found) == 1:
        return str(found[0])
    if len(found) == 2:
        return tr("{a} and {b}").format(a=found[0], b=found[1])
    return tr("{a} to {b}").format(a=found[0], b=found[-1])
