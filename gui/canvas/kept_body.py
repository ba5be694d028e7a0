"""A node's body as a picture while the zoom moves.

Qt's own cache is thrown away at every step of a zoom, and painting 40 bodies anew takes longer than a frame.
So while it moves the last picture is drawn larger or smaller; a few are painted anew in each frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

AT_ONCE = 8
"""Bodies painted anew in one frame; those that were never painted do not count."""


class Budget:
    """How many bodies may still be painted anew in this frame."""

    def __init__(self) -> None:
        self.left = AT_ONCE

    def start_frame(self) -> None:
        self.left = AT_ONCE

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


class KeptBody:
    """One picture and what it shows."""

    def __init__(self) -> None:
        self._picture = QPixmap()
        self._scale = 0.0
        self._key: Any = None

    def draw(
        self, painter: QPainter, rect: QRectF, key: Any, budget: Budget, paint: Callable[[QPainter], None]
    ) -> None:
        """Draw `rect` of the item; `paint` is called when `key` or the size changed too much to go on."""
        t = painter.worldTransform()
        ratio = painter.device().devicePixelRatio()
        scale = t.m11() * ratio
        fits = key == self._key and 0.5 <= scale / self._scale <= 2.0
        if self._picture.isNull() or (not fits and budget.take()):
            self._render(rect, scale, paint)
            self._key = key
        place = t.mapRect(rect)
        if abs(scale - self._scale) < 1e-6:
            painter.resetTransform()
            corner = QPointF(round(place.x() * ratio) / ratio, round(place.y() * ratio) / ratio)
            self._picture.setDevicePixelRatio(ratio)
            painter.drawPixmap(corner, self._picture)
            painter.setTransform(t)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
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
