"""How a link is painted that the op at hand reads from or writes to: whole or dashed, an arrow, a word."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from gui import theme
from gui.canvas.acting import Flow
from gui.canvas.look import detail_at
from gui.canvas.node_paint import font
from gui.canvas.route import Route
from gui.i18n import tr

LEAST = 2.6
"""Width of a lit link at least."""
ARROW = 7.0
PLACES = (0.3, 0.72)
"""Where on the way the arrows sit: beside label and word, which stand in the middle."""


def word_of(flow: Flow) -> str:
    """What the op does with the link, in a word."""
    words = {"reads": tr("reads"), "writes": tr("writes"), "both": tr("reads and writes")}
    return words.get(flow.word, "")


def paint_flow(painter: QPainter, way: Route, flow: Flow, width: float, zoom: float) -> None:
    """The lit link: whole where it is read, dashed where it is written, arrows the way the numbers run."""
    larger = max(1.0, 1.0 / zoom)  # from far away it is as large on the screen
    width = max(width, LEAST * larger)
    if not theme.theme().is_dark:  # a dark line on white needs its yellow halo
        painter.setPen(_pen("tracebg", width + 5.0 * larger))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(way.path)
    pen = _pen("trace", width)
    if flow.word != "reads":
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([6.0 * larger / width, 4.0 * larger / width])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(way.path)
    if detail_at(zoom) in ("icon", "block"):
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("trace"))
    for place in PLACES:
        painter.drawPolygon(_arrow(way, place, flow.back, ARROW * larger + width / 2))
    _paint_word(painter, way, word_of(flow), width, larger)


def _pen(token: str, width: float) -> QPen:
    pen = QPen(theme.color(token), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _arrow(way: Route, place: float, back: bool, size: float) -> QPolygonF:
    at = way.path.pointAtPercent(place)
    angle = math.radians(-way.path.angleAtPercent(place)) + (math.pi if back else 0.0)
    ahead = QPointF(math.cos(angle), math.sin(angle))
    aside = QPointF(-ahead.y(), ahead.x())
    tail = at - ahead * size * 0.6
    return QPolygonF([at + ahead * size * 0.8, tail + aside * size * 0.7, tail - aside * size * 0.7])


def _paint_word(painter: QPainter, way: Route, word: str, width: float, larger: float) -> None:
    face = font(11 * larger, theme.SEMIBOLD)
    metrics = QFontMetricsF(face)
    room = metrics.horizontalAdvance(word)
    at = way.label
    below = (9.0 if way.inline else 4.0) * larger + width / 2
    box = QRectF(at.x() - room / 2 - 3, at.y() + below, room + 6, 14 * larger)
    painter.fillRect(box, theme.color("canvas"))
    painter.setFont(face)
    painter.setPen(theme.color("trace"))
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), word)
