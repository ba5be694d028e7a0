"""What every painted view shares: a guarded paint method, the theme, and pixels from arrays."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme, tokens
from gui.i18n import tr

Array = NDArray[Any]  # float32, float64 or u8
Bytes = NDArray[np.uint8]
_log = logging.getLogger("matrizen.views")


class View(QWidget):
    """A widget that paints itself in `paint(painter)`.

    An exception while painting would be raised again at every frame: it is logged once and the view
    says so instead. `restyle()` is called when the theme changes; override it to drop cached pictures.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._failure = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._on_theme)

    def paint(self, painter: QPainter) -> None:
        """Draw the view; logical pixels, antialiasing off."""
        raise NotImplementedError

    def restyle(self) -> None:
        """The theme changed: forget what was painted with the old one."""

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(80), theme.px(60))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            self.paint(painter)
        except Exception as error:  # whatever it is, the window must go on
            text = f"{type(error).__name__}: {error}"
            if text != self._failure:
                self._failure = text
                _log.exception("painting %s failed", type(self).__name__)
            painter.setPen(theme.color("danger"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("This view cannot be drawn."))
        finally:
            painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.EnabledChange:
            self.update()
        super().changeEvent(event)

    def _on_theme(self) -> None:
        self.restyle()
        self.updateGeometry()
        self.update()


def image_from_words(words: NDArray[np.uint32]) -> QImage:
    """An (h, w) array of 0xFFRRGGBB as a QImage that owns its pixels."""
    words = np.ascontiguousarray(words)
    height, width = words.shape
    # the copy matters: Qt would go on reading memory that Python has given back
    return QImage(words.data, width, height, width * 4, QImage.Format.Format_RGB32).copy()


def words_from_rgb(rgb: Bytes) -> NDArray[np.uint32]:
    """(h, w, 3) u8 as (h, w) words 0xFFRRGGBB."""
    wide = rgb.astype(np.uint32)
    return np.asarray(0xFF000000 | (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2], dtype=np.uint32)


def pixels_of(image: QImage) -> NDArray[np.uint32]:
    """The pixels of a 32-bit QImage as a writable (h, w) array sharing its memory.

    The image must not be detached (copied and painted) while the array is in use. Raises ValueError
    for other formats.
    """
    if image.depth() != 32:
        raise ValueError("needs a 32-bit image")
    stride = image.bytesPerLine() // 4
    flat = np.frombuffer(image.bits(), dtype=np.uint32)
    return flat.reshape(image.height(), stride)[:, : image.width()]


def ring(painter: QPainter, rect: QRectF, color: QColor, width: float = 2.0, radius: float = 2.0) -> None:
    """A ring just outside `rect`, the way selection, hover and trace are marked everywhere."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half = width / 2
    outside = rect.adjusted(-half, -half, half, half)
    painter.setPen(QPen(color, width))
    painter.drawRoundedRect(outside, radius, radius)
    painter.restore()


def trace_ring(painter: QPainter, rect: QRectF, radius: float = 3.0) -> None:
    """The ring of the calculation: yellow on dark, a dark line in a yellow halo on light."""
    current = theme.theme()
    if not current.is_dark:
        ring(painter, rect.adjusted(-1, -1, 1, 1), QColor(current.tracebg), 4.5, radius + 1.5)
    ring(painter, rect, QColor(current.trace), tokens.LINE_TRACE, radius)


def crisp(painter: QPainter, value: float) -> float:
    """`value` moved to the middle of the nearest device pixel, so a 1 px line stays sharp."""
    ratio = painter.device().devicePixelRatio()
    return (round(value * ratio) + 0.5) / ratio


def draw_caption(
    painter: QPainter, point: QPointF, text: str, token: str = "text3", align: str = "left"
) -> None:
    """Small text whose baseline starts, ends or is centered at `point`."""
    font = theme.ui_font(tokens.CAPTION)
    painter.setFont(font)
    painter.setPen(theme.color(token))
    width = painter.fontMetrics().horizontalAdvance(text)
    shift = {"left": 0.0, "right": float(width), "center": width / 2}[align]
    painter.drawText(QPointF(point.x() - shift, point.y()), text)


def draw_empty(view: QWidget, painter: QPainter, text: str) -> None:
    """What a view says when it has nothing to show."""
    painter.setFont(theme.ui_font())
    painter.setPen(theme.color("text3"))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    room = view.rect().adjusted(12, 8, -12, -8)
    painter.drawText(room, int(flags), text)
