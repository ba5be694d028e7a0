"""The plane of the affine lab: the picture where the engine puts it, its frame, handles, axes and points.

Coordinates are those of the matrices: x to the right, y down, from the origin. Blue is dragged, yellow is
the pixel that is being traced.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QWidget

from engine import affine
from gui import i18n, theme, tokens
from gui.labs.affine_state import HANDLES, AffineState, Handle, Point
from gui.labs.affine_text import halo, low_index, point_text
from gui.views.base import View, trace_ring

GHOST = 400
"""Pixels of the longer side of what is shown outside the frame: it only says where the picture went."""
KNOB = 30
"""How far the knob that turns stands off its edge, in logical pixels."""


def image_of(pixels: np.ndarray) -> QImage:
    """(H, W, 1 or 3) bytes as a picture for the screen."""
    h, w, c = pixels.shape
    kind = QImage.Format.Format_Grayscale8 if c == 1 else QImage.Format.Format_RGB888
    part = np.ascontiguousarray(pixels if c == 1 else pixels[..., :3])
    # converted by Qt into a picture that owns its pixels and is quick to draw
    image = QImage(part.data, w, h, w * part.shape[2], kind)
    return image.convertToFormat(QImage.Format.Format_RGB32)


class PlaneFace(View):
    """What is seen; the hands are in gui/labs/affine_plane.py."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = AffineState()
        self.size_ = (0, 0)
        self.points: tuple[Point, ...] = ()
        self.show_other = False
        self.pixel: tuple[int, int] | None = None
        self._original: QImage | None = None
        self._ghost = QImage()
        self._result: QImage | None = None
        self._factor = 1
        self._zoom, self._pan = 1.0, QPointF()
        self._held: Handle | int | None = None
        self._over: Handle | int | None = None
        self.paints = 0

    # ---- what is shown ------------------------------------------------------------------------------

    def set_picture(self, pixels: np.ndarray) -> None:
        """The picture as it came, (H, W, C) bytes."""
        self._original = image_of(pixels)
        side = theme.px(GHOST)
        small = max(pixels.shape[:2]) > side
        keep = Qt.AspectRatioMode.IgnoreAspectRatio
        size = QSize(pixels.shape[1], pixels.shape[0]).scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
        size = size.expandedTo(QSize(1, 1))
        smooth = Qt.TransformationMode.SmoothTransformation
        self._ghost = self._original.scaled(size, keep, smooth) if small else self._original
        self._result = None
        self.size_ = (pixels.shape[0], pixels.shape[1])
        self.pixel = None
        self.fit()

    def set_result(self, pixels: np.ndarray, factor: int) -> None:
        """What the engine made of it; one of these pixels is `factor` pixels of the picture wide."""
        self._result, self._factor = image_of(pixels), factor
        self.update()

    def result_size(self) -> tuple[int, int]:
        """Width and height of what the engine made, (0, 0) while there is none."""
        return (self._result.width(), self._result.height()) if self._result is not None else (0, 0)

    def clear_result(self) -> None:
        """There is none: the map is singular."""
        self._result = None
        self.update()

    def set_state(self, state: AffineState) -> None:
        refit = state.origin != self.state.origin
        self.state = state
        if refit:
            self.fit()
        self.update()

    def set_points(self, points: tuple[Point, ...]) -> None:
        """Points instead of a picture; () shows the picture again."""
        self.points = points
        self.fit()

    def fit(self) -> None:
        """Picture or points with room around them, the origin where it belongs."""
        low, high = self._bounds()
        span = max(high[0] - low[0], 1e-6), max(high[1] - low[1], 1e-6)
        share = 0.62 if self.points else 0.60
        self._zoom = max(1e-4, min(self.width() * share / span[0], self.height() * share / span[1], 400.0))
        middle = QPointF((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
        self._pan = QPointF(self.width() / 2, self.height() / 2) - middle * self._zoom
        self.update()

    def _bounds(self) -> tuple[Point, Point]:
        if self.points:
            both = np.array([*self.points, *affine.apply(self.state.matrix(), self.points).tolist(), (0, 0)])
            both = np.clip(np.nan_to_num(both), -1e5, 1e5)
            low, high = both.min(axis=0), both.max(axis=0)
            least = max(float((high - low).max()), 1.0) / 2
            middle = (low + high) / 2
            half = np.maximum((high - low) / 2, least)
            low, high = (middle - half).tolist(), (middle + half).tolist()
            return (low[0], low[1]), (high[0], high[1])
        rect = self._frame()
        return (rect.left(), rect.top()), (rect.right(), rect.bottom())

    def _frame(self) -> QRectF:
        """The picture's own place: pixel centers are whole, so it begins half a pixel before the first."""
        h, w = self.size_
        x, y = self.state.origin_of(h, w)
        return QRectF(-0.5 - x, -0.5 - y, w, h)

    def to_screen(self, point: Point | np.ndarray) -> QPointF:
        x, y = (max(-1e7, min(1e7, float(v))) for v in point)
        return QPointF(x * self._zoom, y * self._zoom) + self._pan

    def to_plane(self, place: QPointF) -> Point:
        there = (place - self._pan) / self._zoom
        return there.x(), there.y()

    def point_of(self, handle: Handle) -> Point:
        """Where a handle sits before the steps."""
        rect = self._frame()
        c = rect.center()
        return c.x() + handle.at[0] * rect.width() / 2, c.y() + handle.at[1] * rect.height() / 2

    def place_of(self, handle: Handle) -> QPointF:
        """Where a handle sits on the screen."""
        place = self.to_screen(affine.apply(self.state.matrix(), self.point_of(handle)))
        if handle.kind != "rotate":
            return place
        middle = self.to_screen(affine.apply(self.state.matrix(), self._middle()))
        way = place - middle
        length = math.hypot(way.x(), way.y())
        way = QPointF(1, 0) if length < 1 else way / length
        return place + way * theme.px(KNOB)

    def _middle(self) -> Point:
        c = self._frame().center()
        return c.x(), c.y()

    # ---- painting -----------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        self.paints += 1
        painter.fillRect(self.rect(), theme.color("canvas"))
        self._paint_grid(painter)
        if self.points:
            self._paint_points(painter)
        elif self._original is not None:
            self._paint_picture(painter)
        self._paint_axes(painter)

    def _step(self) -> float:
        """The distance of grid lines: 1, 2 or 5 times a power of ten, about 100 pixels."""
        rough = theme.px(90) / self._zoom
        power = 10.0 ** math.floor(math.log10(rough))
        return next(k * power for k in (1, 2, 5, 10) if k * power >= rough)

    def _paint_grid(self, painter: QPainter) -> None:
        step = self._step()
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        left, top = self.to_plane(QPointF(0, 0))
        right, bottom = self.to_plane(QPointF(self.width(), self.height()))
        painter.setPen(QPen(theme.color("grid"), 1))
        xs = [k * step for k in range(math.ceil(left / step), math.floor(right / step) + 1)]
        ys = [k * step for k in range(math.ceil(top / step), math.floor(bottom / step) + 1)]
        for x in xs:
            at = round(self.to_screen((x, 0)).x()) + 0.5
            painter.drawLine(QPointF(at, theme.px(22)), QPointF(at, self.height()))
        for y in ys:
            at = round(self.to_screen((0, y)).y()) + 0.5
            painter.drawLine(QPointF(theme.px(44), at), QPointF(self.width(), at))
        painter.setFont(theme.mono_font(tokens.CAPTION))
        painter.setPen(theme.color("text2"))
        flags = Qt.AlignmentFlag.AlignCenter
        for x in xs:
            at = self.to_screen((x, 0)).x()
            if at > theme.px(60) and at < self.width() - theme.px(30):
                room = QRectF(at - 50, theme.px(3), 100, theme.px(18))
                painter.drawText(room, flags, i18n.number(x, decimals))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for y in ys:
            at = self.to_screen((0, y)).y()
            if at > theme.px(34):
                room = QRectF(0, at - theme.px(9), theme.px(40), theme.px(18))
                painter.drawText(room, flags, i18n.number(y, decimals))

    def _paint_axes(self, painter: QPainter) -> None:
        """The origin and where x and y grow."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        o = self.to_screen((0, 0))
        pen = QPen(theme.color("link"), 1.5)
        painter.setPen(pen)
        painter.setBrush(theme.color("link"))
        length = theme.px(54)
        for way, name in ((QPointF(1, 0), "x"), (QPointF(0, 1), "y")):
            tip = o + way * length
            across = QPointF(way.y(), way.x())
            painter.drawLine(o, tip)
            wing = theme.px(4)
            painter.drawPolygon(
                QPolygonF([tip + way * wing * 2, tip + across * wing, tip - across * wing])
            )
            painter.setFont(theme.ui_font(tokens.STATUS, theme.SEMIBOLD))
            spot = tip + way * theme.px(16) - QPointF(theme.px(4), -theme.px(4))
            halo(painter, spot, name, theme.color("text1"))
            painter.setPen(pen)
        painter.setBrush(theme.color("text1"))
        painter.setPen(QPen(theme.color("canvas"), 1.5))
        painter.drawEllipse(o, theme.px(4), theme.px(4))

    def _paint_picture(self, painter: QPainter) -> None:
        m = self.state.matrix()
        frame = self._frame()
        to_screen = QTransform.fromTranslate(self._pan.x(), self._pan.y()).scale(self._zoom, self._zoom)
        painter.save()
        painter.setTransform(to_screen, False)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._zoom < 1)
        # outside the frame nothing is computed: there the picture only shows where it went
        if not wild(m):
            own = QTransform(m[0, 0], m[1, 0], m[0, 1], m[1, 1], m[0, 2], m[1, 2])
            painter.save()
            if self._result is not None:
                whole = self.rect()
                first, last = (self.to_plane(QPointF(p)) for p in (whole.topLeft(), whole.bottomRight()))
                around = QPainterPath()
                around.addRect(QRectF(QPointF(*first), QPointF(*last)))
                around.addRect(frame)  # twice inside is outside
                painter.setClipPath(around)
            painter.setOpacity(0.28)
            painter.setTransform(own * to_screen, False)
            painter.drawImage(frame, self._ghost)
            painter.restore()
        if self._result is not None:
            shown = QRectF(
                frame.left(), frame.top(),
                self._result.width() * self._factor, self._result.height() * self._factor,
            )  # fmt: skip
            painter.setRenderHint(
                QPainter.RenderHint.SmoothPixmapTransform, self._zoom * self._factor < 1 or self._factor > 1
            )
            painter.setClipRect(frame)
            painter.drawImage(shown, self._result)
        painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ends = [self.to_screen((frame.left(), frame.top())), self.to_screen((frame.right(), frame.bottom()))]
        rect = QRectF(*ends)
        # dashes that stand upright look the same without, and take a tenth of the time
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        dark, dashed = theme.color("canvas", 150), theme.color("text1", 190)
        for pen in (QPen(dark, 1), QPen(dashed, 1, Qt.PenStyle.DashLine)):
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.show_other:
            self._outline(painter, self.state.other(), QPen(theme.color("warning"), 2, Qt.PenStyle.DashLine))
        if not wild(m):
            self._outline(painter, m, QPen(theme.color("accent"), 2))
            self._paint_turn(painter)
            self._paint_handles(painter)
        if self.pixel is not None:
            self._paint_pixel(painter)

    def _outline(self, painter: QPainter, m: np.ndarray, pen: QPen) -> None:
        r = self._frame()
        corners = [(r.left(), r.top()), (r.right(), r.top()), (r.right(), r.bottom()), (r.left(), r.bottom())]
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolygon(QPolygonF([self.to_screen(p) for p in affine.apply(m, corners)]))

    def _paint_turn(self, painter: QPainter) -> None:
        """The angle at the middle of the picture, from the direction of x to where it points now."""
        angle = self.state.angle
        if not angle:
            return
        middle = self.to_screen(affine.apply(self.state.matrix(), self._middle()))
        radius = theme.px(96)
        painter.setPen(QPen(QColor("#FFFFFF"), 1.5, Qt.PenStyle.DotLine))
        painter.drawLine(middle, middle + QPointF(radius * 1.2, 0))
        painter.setPen(QPen(QColor("#FFFFFF"), 2))
        shown = (angle + 180) % 360 - 180
        box = QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)
        painter.drawArc(box, 0, -round(shown * 16))
        half = math.radians(shown / 2)
        spot = middle + QPointF(math.cos(half), math.sin(half)) * (radius + theme.px(34))
        text = i18n.number(angle, 0 if angle == round(angle) else 1, sign=True) + "°"
        painter.setFont(theme.mono_font(tokens.STATUS, theme.MEDIUM))
        wide = painter.fontMetrics().horizontalAdvance(text) + theme.px(12)
        label = QRectF(spot.x() - wide / 2, spot.y() - theme.px(10), wide, theme.px(20))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("raised", 235))
        painter.drawRoundedRect(label, 4, 4)
        painter.setPen(theme.color("text1"))
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_handles(self, painter: QPainter) -> None:
        accent = theme.color("accent")
        edge = self.to_screen(affine.apply(self.state.matrix(), self.point_of(Handle("wide", (1, 0)))))
        painter.setPen(QPen(accent, 2))
        painter.drawLine(edge, self.place_of(HANDLES[8]))
        m = self.state.matrix()
        tilt = math.degrees(math.atan2(m[1, 0], m[0, 0]))
        for handle in HANDLES:
            place = self.place_of(handle)
            lit = handle in (self._held, self._over)
            painter.setPen(QPen(accent, 2))
            painter.setBrush(accent if lit else QColor("#FFFFFF"))
            painter.save()
            painter.translate(place)
            if handle.kind == "rotate":
                painter.drawEllipse(QPointF(), theme.px(6.5), theme.px(6.5))
            elif handle.kind == "shift":
                painter.drawEllipse(QPointF(), theme.px(5), theme.px(5))
            else:
                painter.rotate(tilt)
                half = theme.px(5 if handle.kind == "corner" else 4)
                painter.drawRect(QRectF(-half, -half, 2 * half, 2 * half))
            painter.restore()

    def _pixel_box(self) -> QRectF:
        """The pixel that is traced, large enough to be seen."""
        assert self.pixel is not None
        (row, column), frame = self.pixel, self._frame()
        corner = self.to_screen((frame.left() + column, frame.top() + row))
        side = max(self._zoom, float(theme.px(9)))
        c = corner + QPointF(self._zoom / 2, self._zoom / 2)
        return QRectF(c.x() - side / 2, c.y() - side / 2, side, side)

    def update_pixel(self) -> None:
        """Only where the mark of the pixel is must be painted."""
        if self.pixel is not None:
            reach = theme.px(12)
            self.update(self._pixel_box().adjusted(-reach, -reach, reach, reach).toAlignedRect())

    def _paint_pixel(self, painter: QPainter) -> None:
        box = self._pixel_box()
        c, side = box.center(), box.width()
        pen = QPen(theme.color("trace"), 2)
        painter.setPen(pen)
        for way in (QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1)):
            painter.drawLine(c + way * (side / 2 + 2), c + way * (side / 2 + theme.px(9)))
        trace_ring(painter, box)

    def _paint_points(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        m = self.state.matrix()
        where = affine.apply(m, self.points)
        taken: list[QRectF] = []
        for number, (point, image) in enumerate(zip(self.points, where, strict=True)):
            start, end = self.to_screen(point), self.to_screen(image)
            painter.setPen(QPen(theme.color("accent"), 2, Qt.PenStyle.DotLine))
            painter.drawLine(start, end)
            for place, filled in ((start, False), (end, True)):
                painter.setPen(QPen(theme.color("accent"), 2))
                lit = not filled and number in (self._held, self._over)
                painter.setBrush(theme.color("accent") if filled or lit else theme.color("canvas"))
                painter.drawEllipse(place, theme.px(6), theme.px(6))
            painter.setFont(theme.mono_font(tokens.BASE))
            labels = ((start, "P", point), (end, "P′", image))
            for place, name, value in labels:
                text = f"{name}{'' if len(self.points) == 1 else low_index(number + 1)} = {point_text(value)}"
                spot = QPointF(place.x() + theme.px(12), place.y() + theme.px(22 if name == "P′" else -10))
                while any(box.contains(spot) for box in taken):
                    spot += QPointF(0, theme.px(34))
                taken.append(QRectF(spot.x() - 20, spot.y() - theme.px(14), theme.px(150), theme.px(28)))
                halo(painter, spot, text, theme.color("text1"))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(320), theme.px(240))


def wild(m: np.ndarray) -> bool:
    """Whether drawing it would leave the numbers a painter can take."""
    return not np.isfinite(m).all() or np.abs(m[:2, :2]).max() > 1e3 or bool(np.abs(m[:2, 2]).max() > 1e5)
