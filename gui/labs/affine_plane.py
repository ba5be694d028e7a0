"""The hands in the plane of the affine lab: handles are dragged, pixels pointed at, points moved."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPolygonF, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from engine import affine
from gui import theme
from gui.labs.affine_face import PlaneFace, wild
from gui.labs.affine_state import HANDLES, Handle, dragged

GRAB = 13
"""Logical pixels around a handle in which it is caught."""


class PlaneView(PlaneFace):
    """`changed(state, still moving)` while something is dragged; `pixel_changed((row, column) or None)`."""

    changed = Signal(object, bool)
    pixel_changed = Signal(object)
    points_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._offset = (0.0, 0.0)
        self._panning: QPointF | None = None

    def handle_at(self, place: QPointF) -> Handle | int | None:
        """What is caught there: a handle of the picture, or the number of a point."""
        reach = theme.px(GRAB)
        if self.points:
            for number, point in enumerate(self.points):
                if _near(self.to_screen(point), place) <= reach:
                    return number
            return None
        if self._original is None or wild(self.state.matrix()):
            return None
        order = sorted(HANDLES, key=lambda h: _near(self.place_of(h), place))
        return order[0] if _near(self.place_of(order[0]), place) <= reach else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if event.button() in (Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton):
            self._panning = place
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.setFocus()
        self._held = self.handle_at(place)
        if self._held is None and not self.points and self._original is not None and self._inside(place):
            self._held = Handle("shift", (0, 0))  # anywhere inside takes the whole picture
        if isinstance(self._held, Handle):
            where = self.place_of(self._held)
            self._offset = (where.x() - place.x(), where.y() - place.y())
            self.changed.emit(self.state, True)
        self.update()

    def _inside(self, place: QPointF) -> bool:
        r, m = self._frame(), self.state.matrix()
        corners = [(r.left(), r.top()), (r.right(), r.top()), (r.right(), r.bottom()), (r.left(), r.bottom())]
        polygon = QPolygonF([self.to_screen(p) for p in affine.apply(m, corners)])
        return polygon.containsPoint(place, Qt.FillRule.OddEvenFill)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._panning is not None:
            self._pan += place - self._panning
            self._panning = place
            self.update()
        elif isinstance(self._held, int):
            step = self._step() / 10
            x, y = (round(v / step) * step for v in self.to_plane(place))
            points = list(self.points)
            points[self._held] = (round(x, 6), round(y, 6))
            self.points = tuple(points)
            self.points_changed.emit(self.points)
            self.update()
        elif self._held is not None:
            self._drag(place, event.modifiers())
        else:
            self._look(place)

    def _drag(self, place: QPointF, keys: Qt.KeyboardModifier) -> None:
        handle = self._held
        assert isinstance(handle, Handle)
        to = self.to_plane(place + QPointF(*self._offset))
        new = dragged(
            self.state, handle, self.point_of(handle), to,
            coarse=bool(keys & Qt.KeyboardModifier.ShiftModifier),
            skew=bool(keys & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)),
        )  # fmt: skip
        if new != self.state:
            self.state = new
            self.changed.emit(new, True)
            self.update()

    def _look(self, place: QPointF) -> None:
        over = self.handle_at(place)
        if over != self._over:
            self._over = over
            hand = Qt.CursorShape.CrossCursor if over is None else Qt.CursorShape.PointingHandCursor
            self.setCursor(hand)
            self.update()
        if self.points or self._original is None:
            return
        x, y = self.to_plane(place)
        frame = self._frame()
        row, column = math.floor(y - frame.top()), math.floor(x - frame.left())
        if 0 <= row < self.size_[0] and 0 <= column < self.size_[1]:
            self.set_pixel((row, column))

    def set_pixel(self, pixel: tuple[int, int] | None) -> None:
        """Trace this output pixel; the last one stays when the pointer leaves."""
        if pixel != self.pixel:
            self.update_pixel()
            self.pixel = pixel
            self.update_pixel()
            self.pixel_changed.emit(pixel)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._panning is not None:
            self._panning = None
        elif self._held is not None:
            held, self._held = self._held, None
            if isinstance(held, Handle):
                self.changed.emit(self.state, False)
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y() / 120
        place, before = event.position(), self.to_plane(event.position())
        self._zoom = max(1e-3, min(400.0, self._zoom * 1.2**turns))
        self._pan = place - QPointF(*before) * self._zoom
        self.update()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys walk the traced pixel."""
        ways = {
            Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
        }  # fmt: skip
        way = ways.get(Qt.Key(event.key()))
        if way is None or not self.size_[0] or self.points:
            super().keyPressEvent(event)
            return
        row, column = self.pixel or (self.size_[0] // 2, self.size_[1] // 2)
        far = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        row, column = row + way[0] * far, column + way[1] * far
        self.set_pixel((max(0, min(row, self.size_[0] - 1)), max(0, min(column, self.size_[1] - 1))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()


def _near(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())
