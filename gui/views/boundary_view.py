"""What a network decides on the plane: class colors, the line where it is undecided, and the points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QImage, QMouseEvent, QPainter, QPainterPath, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.axes import Axes, tick_text, ticks
from gui.views.base import Array, View, draw_caption, draw_empty, image_from_words, words_from_rgb
from gui.views.contour import chains, segments
from gui.views.markers import marker
from gui.views.reading import paint_reading
from gui.views.scale import StableScale

_SHARE = 0.5  # class colors over the canvas
_MARKER = 9.0  # size of a point in logical pixels
_FULL = 800  # more points than this are drawn smaller


class BoundaryView(View):
    """A decision field with its points; y grows upwards, the plot is square.

    Classes are shown by color and shape, training points filled, test points hollow. `hovered(x, y)` is
    not-a-number when the pointer leaves.
    """

    hovered = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.empty_text = tr("Shown for networks with two inputs.")
        self.show_line = True
        self._classes: Array | None = None  # (k, g, g) probabilities, row 0 at the bottom
        self._signed: Array | None = None
        self._stable = StableScale("weights")
        self._extent = (-1.0, 1.0, -1.0, 1.0)
        self._points: NDArray[np.float64] = np.zeros((0, 2))
        self._labels: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._is_test: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._names: tuple[str, ...] = ()
        self._field_image: QImage | None = None
        self._lines: list[list[tuple[float, float]]] = []
        self._point_layer: tuple[QPixmap, Any] | None = None
        self._pointer: QPointF | None = None

    # -- what is shown ----------------------------------------------------------------------------

    def set_field(self, values: Array, extent: tuple[float, float, float, float]) -> None:
        """Show class probabilities over `extent` = (x0, x1, y0, y1), sampled at the grid's corners.

        `values` is (k, g, g) with one map per class, or (g, g): the probability of class 1 of two.
        Row 0 is at y0. Raises ValueError for other shapes.
        """
        if values.ndim == 2:
            values = np.stack([1.0 - values, values])
        if values.ndim != 3 or values.shape[0] < 1:
            raise ValueError(f"a field has the axes (classes, rows, columns), got {values.shape}")
        self._classes, self._signed = values, None
        self._move(extent)
        self._lines = chains(_undecided(values))

    def set_signed_field(self, values: Array, extent: tuple[float, float, float, float]) -> None:
        """Show one signed value per place (g, g), such as a neuron or a regression, in the weights' ramp."""
        if values.ndim != 2:
            raise ValueError(f"a signed field has two axes, got {values.shape}")
        self._classes, self._signed = None, values
        self._move(extent)
        self._lines = chains(segments(values))

    def set_points(self, points: Array, labels: Array, is_test: Array | None = None) -> None:
        """Points (n, 2) as x, y with their class and whether they are held back for testing."""
        self._points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        self._labels = np.asarray(labels).reshape(-1).astype(np.int64)
        if is_test is None:
            is_test = np.zeros(len(self._labels), dtype=np.bool_)
        self._is_test = np.asarray(is_test, dtype=np.bool_)
        if not len(self._points) == len(self._labels) == len(self._is_test):
            raise ValueError("points, labels and marks differ in number")
        self._point_layer = None
        self.update()

    def set_names(self, names: Sequence[str]) -> None:
        """Names of the classes for the legend."""
        self._names = tuple(names)
        self.update()

    def set_extent(self, extent: tuple[float, float, float, float]) -> None:
        """The part of the plane to show before there is a field."""
        self._move(extent)

    def clear(self) -> None:
        """No field and no points."""
        self._classes = self._signed = None
        self._stable.reset()
        self._lines = []
        self.set_points(np.zeros((0, 2)), np.zeros(0))
        self._field_image = None

    def _move(self, extent: tuple[float, float, float, float]) -> None:
        if extent != self._extent:
            self._extent = extent
            self._point_layer = None
        self._field_image = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(360), theme.px(390))

    # -- geometry ---------------------------------------------------------------------------------

    def axes(self) -> Axes:
        """The square on the screen and the part of the plane it shows."""
        rows = max((row for _, row, _, _ in self._legend()), default=-1) + 1
        foot = theme.px(24 + 18 * rows)
        left, top, right = theme.px(34), theme.px(12), theme.px(12)
        side = max(20.0, min(self.width() - left - right, self.height() - top - foot))
        spare = self.width() - left - right - side
        area = QRectF(int(left + spare / 2), top, side, side)
        x0, x1, y0, y1 = self._extent
        return Axes(area, x0, x1, y0, y1)

    # -- painting ---------------------------------------------------------------------------------

    def restyle(self) -> None:
        self._field_image = None
        self._point_layer = None

    def paint(self, painter: QPainter) -> None:
        if self._classes is None and self._signed is None and not len(self._points):
            draw_empty(self, painter, self.empty_text)
            return
        axes = self.axes()
        painter.fillRect(axes.area, theme.color("canvas"))
        painter.save()
        painter.setClipRect(axes.area)
        self._paint_field(painter, axes)
        if self.show_line:
            self._paint_line(painter, axes)
        self._paint_points(painter, axes)
        painter.restore()
        self._paint_frame(painter, axes)
        self._paint_legend(painter, axes)
        if self._pointer is not None and axes.area.contains(self._pointer):
            self._paint_reading(painter, axes, self._pointer)

    def _paint_field(self, painter: QPainter, axes: Axes) -> None:
        field = self._classes[0] if self._classes is not None else self._signed
        if field is None:
            return
        if self._field_image is None:
            words = self._class_words() if self._classes is not None else self._signed_words()
            self._field_image = image_from_words(words[::-1])
        # samples sit at the corners of the extent, pixels are areas: half a pixel hangs over each edge
        rows, columns = field.shape
        over_x = axes.area.width() / max(1, columns - 1) / 2
        over_y = axes.area.height() / max(1, rows - 1) / 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(axes.area.adjusted(-over_x, -over_y, over_x, over_y), self._field_image)

    def _class_words(self) -> NDArray[np.uint32]:
        """The winning class at half strength, paler where the network is less sure."""
        assert self._classes is not None
        count = self._classes.shape[0]
        winner = np.argmax(self._classes, axis=0)
        sure = np.take_along_axis(self._classes, winner[None], axis=0)[0]
        sure = np.clip((sure - 1.0 / count) / (1.0 - 1.0 / count + 1e-9), 0.0, 1.0)
        share = (_SHARE * (0.45 + 0.55 * np.nan_to_num(sure)))[..., None]
        palette = np.array([tokens.rgb(theme.class_color(i).name()) for i in range(count)], dtype=np.float32)
        ground = np.array(tokens.rgb(theme.theme().canvas), dtype=np.float32)
        return words_from_rgb((ground + (palette[winner] - ground) * share + 0.5).astype(np.uint8))

    def _signed_words(self) -> NDArray[np.uint32]:
        assert self._signed is not None
        scale = self._stable.update(self._signed)
        return np.asarray(theme.lut32("weights")[scale.indices(self._signed)])

    def _paint_line(self, painter: QPainter, axes: Axes) -> None:
        field = self._classes[0] if self._classes is not None else self._signed
        if field is None or not self._lines:
            return
        rows, columns = field.shape
        step_x, step_y = axes.area.width() / max(1, columns - 1), axes.area.height() / max(1, rows - 1)
        left, bottom = axes.area.left(), axes.area.bottom()
        path = QPainterPath()
        for run in self._lines:
            path.addPolygon(QPolygonF([QPointF(left + x * step_x, bottom - y * step_y) for x, y in run]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # a ground below the line keeps it apart from points and colors; opaque, so that ends do not bead
        for token, width in (("canvas", 4.0), ("text1", 2.0)):
            pen = QPen(theme.color(token), width)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPath(path)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_points(self, painter: QPainter, axes: Axes) -> None:
        if not len(self._points):
            return
        ratio = self.devicePixelRatioF()
        key = (axes, ratio, theme.theme().name)
        if self._point_layer is None or self._point_layer[1] != key:
            layer = QPixmap(self.size() * ratio)
            layer.setDevicePixelRatio(ratio)
            layer.fill(Qt.GlobalColor.transparent)
            inner = QPainter(layer)
            try:
                self._draw_points(inner, axes, ratio)
            finally:
                inner.end()
            self._point_layer = (layer, key)
        painter.drawPixmap(0, 0, self._point_layer[0])

    def _draw_points(self, painter: QPainter, axes: Axes, ratio: float) -> None:
        size = theme.px(_MARKER if len(self._points) <= _FULL else 7.0)
        xs = axes.area.left() + (self._points[:, 0] - axes.x0) / (axes.x1 - axes.x0) * axes.area.width()
        ys = axes.area.bottom() - (self._points[:, 1] - axes.y0) / (axes.y1 - axes.y0) * axes.area.height()
        name = theme.theme().name
        for x, y, label, test in zip(
            xs.tolist(), ys.tolist(), self._labels.tolist(), self._is_test.tolist(), strict=True
        ):
            mark = marker(int(label), bool(test), float(size), ratio, name)
            half = mark.width() / ratio / 2
            painter.drawPixmap(QPointF(x - half, y - half), mark)

    def _paint_frame(self, painter: QPainter, axes: Axes) -> None:
        painter.setPen(QPen(theme.color("border"), 1))
        painter.drawRect(axes.area.adjusted(-1, -1, 0, 0))
        line = theme.px(tokens.CAPTION)
        for low, high, horizontal in ((axes.x0, axes.x1, True), (axes.y0, axes.y1, False)):
            found = ticks(low, high, 5)
            spacing = found[1] - found[0] if len(found) > 1 else 1.0
            for value in found:
                text = tick_text(value, spacing)
                if horizontal:
                    spot = QPointF(axes.x(value), axes.area.bottom() + line + theme.px(4))
                    draw_caption(painter, spot, text, align="center")
                else:
                    spot = QPointF(axes.area.left() - theme.px(6), axes.y(value) + line * 0.36)
                    draw_caption(painter, spot, text, align="right")

    def _entries(self) -> list[tuple[int, bool, str]]:
        """(class, is test, text) of every kind of point there is."""
        entries = []
        for label in np.unique(self._labels).tolist():
            name = self._names[label] if label < len(self._names) else str(label + 1)
            of_class = self._is_test[self._labels == label]
            if not of_class.all():
                entries.append((label, False, tr("{name}, train").format(name=name)))
            if of_class.any():
                alone = bool(of_class.all())
                entries.append((label, True, tr("{name}, test").format(name=name) if alone else tr("test")))
        return entries

    def _legend(self) -> list[tuple[float, int, tuple[int, bool, str] | None, float]]:
        """Every entry as (x from the left, row, entry or None for the line, width), wrapped to the width."""
        metrics = QFontMetricsF(theme.ui_font(tokens.STATUS))
        entries: list[tuple[int, bool, str] | None] = list(self._entries())
        if self.show_line and self._classes is not None and self._classes.shape[0] == 2:
            entries.append(None)
        placed = []
        x, row = 0.0, 0
        for entry in entries:
            text = entry[2] if entry else self._line_text()
            width = theme.px(14 if entry else 30) + metrics.horizontalAdvance(text)
            if x and x + width > self.width() - theme.px(24):
                x, row = 0.0, row + 1
            placed.append((x, row, entry, width))
            x += width + theme.px(16)
        return placed

    @staticmethod
    def _line_text() -> str:
        return "p = " + i18n.number(0.5, 1)

    def _paint_legend(self, painter: QPainter, axes: Axes) -> None:
        font = theme.ui_font(tokens.STATUS)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        ratio, size = self.devicePixelRatioF(), float(theme.px(_MARKER))
        placed = self._legend()
        widest = max((x + width for x, _, _, width in placed), default=0.0)
        start = min(
            max(theme.px(12), axes.area.left()), max(theme.px(12), self.width() - theme.px(12) - widest)
        )
        for offset, row, entry, _ in placed:
            x, y = start + offset, axes.area.bottom() + theme.px(36 + 18 * row)
            middle = y - metrics.capHeight() / 2
            if entry is None:
                painter.setPen(QPen(theme.color("text1"), 2))
                painter.drawLine(QPointF(x, middle), QPointF(x + theme.px(22), middle))
            else:
                mark = marker(entry[0], entry[1], size, ratio, theme.theme().name)
                half = mark.width() / ratio / 2
                painter.drawPixmap(QPointF(x + size / 2 - half, middle - half), mark)
            painter.setPen(theme.color("text2"))
            text = entry[2] if entry else self._line_text()
            painter.drawText(QPointF(x + theme.px(14 if entry else 30), y), text)

    def _paint_reading(self, painter: QPainter, axes: Axes, at: QPointF) -> None:
        x, y = axes.value_x(at.x()), axes.value_y(at.y())
        ink = theme.color("text2")
        lines = [("x", i18n.number(x, 2), ink), ("y", i18n.number(y, 2), ink)]
        field = self._classes if self._classes is not None else self._signed
        if field is not None:
            rows, columns = field.shape[-2:]
            row = round((y - axes.y0) / (axes.y1 - axes.y0) * (rows - 1))
            column = round((x - axes.x0) / (axes.x1 - axes.x0) * (columns - 1))
            row, column = min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
            if self._classes is not None:
                best = int(np.argmax(self._classes[:, row, column]))
                name = self._names[best] if best < len(self._names) else str(best + 1)
                lines.append((f"p({name})", i18n.number(float(self._classes[best, row, column]), 2), ink))
            else:
                lines.append((tr("value"), i18n.short(float(field[row, column]), 3), ink))
        paint_reading(painter, axes.area, at, lines)

    # -- hands ------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        axes = self.axes()
        if axes.area.contains(self._pointer):
            self.hovered.emit(axes.value_x(self._pointer.x()), axes.value_y(self._pointer.y()))
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.hovered.emit(float("nan"), float("nan"))
        self.update()


def _undecided(classes: Array) -> NDArray[np.float64]:
    """Where two classes are equally likely and no third is likelier."""
    count = classes.shape[0]
    if count == 2:
        return segments(classes[1] - classes[0])
    if count == 1:
        return segments(classes[0], 0.5)
    found = []
    for index in range(count):
        others = np.delete(classes, index, axis=0).max(axis=0)
        found.append(segments(classes[index] - others))
    return np.concatenate(found)
