"""A part of a node kept as a picture: painting text and curves anew takes many times as long.

While the zoom moves the last picture is drawn larger or smaller, and a few are painted anew in each frame;
at rest every picture is exact, to the pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

AT_ONCE = 4
"""Pictures painted anew in one frame of a zoom; those that were never painted do not count."""


class Budget:
    """How many pictures may still be painted anew in this frame."""

    def __init__(self) -> None:
        self.left = AT_ONCE

    def start_frame(self) -> None:
        self.left = AT_ONCE

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


class KeptPicture:
    """One picture and what it shows."""

    def __init__(self) -> None:
        self._picture = QPixmap()
        self._scale = 0.0
        self._key: Any = None

    def forget(self) -> None:
        """Give the memory back; it is painted anew when it is drawn the next time."""
        self._picture = QPixmap()

    def draw(
        self,
        painter: QPainter,
        rect: QRectF,
        key: Any,
        paint: Callable[[QPainter], None],
        zooming: Budget | None = None,
    ) -> None:
        """Draw `rect` of the item; `paint` is called when `key` or the size changed.

        With a budget (`zooming`) an older picture serves until it is this picture's turn.
        """
        t = painter.worldTransform()
        ratio = painter.device().devicePixelRatio()
        scale = t.m11() * ratio
        known = key == self._key and not self._picture.isNull()
        keep = known and abs(scale - self._scale) < 1e-6
        if not keep and zooming is not None and not self._picture.isNull():
            keep = (known and 0.5 <= scale / self._scale <= 2.0) or not zooming.take()
        if not keep:
            self._render(rect, scale, paint)
            self._key = key
        if abs(scale - self._scale) < 1e-6:
            place = t.mapRect(rect)
            painter.resetTransform()
            corner = QPointF(round(place.x() * ratio) / ratio, round(place.y() * ratio) / ratio)
            self._picture.setDevicePixelRatio(ratio)
            painter.drawPixmap(corner, self._picture)
            painter.setTransform(t)
            return
        # while it moves, the nearest pixel: smooth costs five times as much
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        self._picture.setDevicePixelRatio(1.0)
        painter.drawPixmap(rect, self._picture, QRectF(self._picture.rect()))

    def _render(self, rect: QRectF, scale: float, paint: Callable[[QPainter], None]) -> None:
        width, height = max(1, round(rect.width() * scale)), max(1, round(rect.height() * scale))
        self._picture = QPixmap(width, height)
        self._picture.fill(Qt.GlobalColor.transparent)
        inside = QPainter(self._picture)
        inside.scale(scale, scale)
        inside.translate(-rect.topLeft())
        paint(inside)
        inside.end()
        self._scale = scale
