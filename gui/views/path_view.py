"""The way of two numbers through their plane: one line for each, from a common start, named at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from gui import theme, tokens
from gui.i18n import tr
from gui.views.axes import Axes, draw_axes
from gui.views.base import Array, View, draw_caption, draw_empty


@dataclass(frozen=True, eq=False)
class Path:
    """One line: `points` (k, 2), finite."""

    text: str
    token: str
    points: Array


class PathView(View):
    """Paths in one plane; y up, the start a ring, each end a dot with its name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.empty_text = tr("Paths appear with the first step.")
        self._paths: tuple[Path, ...] = ()
        self._names = ("", "")

    def set_paths(self, paths: tuple[Path, ...], x_name: str, y_name: str) -> None:
        """Show these; the names stand at the ends of the axes."""
        self._paths, self._names = tuple(p for p in paths if len(p.points)), (x_name, y_name)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(340), theme.px(220))

    def axes(self) -> Axes:
        """The axes as they are drawn now: all points inside, with room."""
        points = np.concatenate([p.points for p in self._paths])
        low, high = points.min(0), points.max(0)
        # a path of one point still needs a plane around it
        room = np.maximum((high - low) * 0.08, 1e-3 * np.maximum(np.abs(high), 1e-3))
        low, high = low - room, high + room
        area = QRectF(
            theme.px(52), theme.px(22),
            max(20.0, self.width() - theme.px(52 + 84)), max(20.0, self.height() - theme.px(46)),
        )  # fmt: skip
        return Axes(area, float(low[0]), float(high[0]), float(low[1]), float(high[1]))

    def paint(self, painter: QPainter) -> None:
        if not self._paths:
            draw_empty(self, painter, self.empty_text)
            return
        axes = self.axes()
        draw_axes(painter, axes, x_name=self._names[0])
        draw_caption(painter, QPointF(axes.area.left(), theme.px(14)), self._names[1])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ends: list[tuple[float, QPointF, Path]] = []
        for path in self._paths:
            line = QPolygonF([QPointF(axes.x(float(x)), axes.y(float(y))) for x, y in path.points])
            pen = QPen(theme.color(path.token), tokens.LINE_CURVE)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(line)
            end = QPointF(line.at(line.size() - 1))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(path.token))
            painter.drawEllipse(end, 3.5, 3.5)
            ends.append((end.y(), end, path))
        x, y = self._paths[0].points[0]
        painter.setPen(QPen(theme.color("text1"), tokens.LINE_RING))
        painter.setBrush(theme.color("canvas"))
        painter.drawEllipse(QPointF(axes.x(float(x)), axes.y(float(y))), 4.5, 4.5)
        self._paint_names(painter, ends)

    def _paint_names(self, painter: QPainter, ends: list[tuple[float, QPointF, Path]]) -> None:
        """In a column beside the plane, at the height of the ends, pushed apart so that none overlap."""
        font = theme.ui_font(tokens.STATUS, theme.SEMIBOLD)
        painter.setFont(font)
        metrics, line = painter.fontMetrics(), theme.px(16)
        left = self.axes().area.right() + theme.px(10)
        floor = -1e9
        for y, _, path in sorted(ends, key=lambda e: e[0]):
            floor = max(y, floor)
            painter.setPen(theme.color(path.token))
            painter.drawText(QPointF(left, floor + metrics.capHeight() / 2), path.text)
            floor += line
