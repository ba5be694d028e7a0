"""36 turns of 10 degrees against the picture as it was: resampling is not without loss."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.errors import Message
from engine.session.protocol import Turned
from gui import i18n, theme
from gui.i18n import tr, tr_message
from gui.labs.affine_engine import while_alive
from gui.labs.affine_face import image_of
from gui.runner import Runner
from gui.views.base import View

SIDE = 192
"""The middle of the picture, this many pixels wide, is turned."""
TIMES, DEGREES = 36, 10.0


def middle_of(pixels: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The square in the middle of a picture, at most `side` wide."""
    h, w = pixels.shape[:2]
    side = min(side, h, w)
    top, left = (h - side) // 2, (w - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


class Pair(View):
    """Before and after, with the disc that is compared."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: list[QImage | None] = [None, None]

    def set_images(self, before: QImage | None, after: QImage | None) -> None:
        self._images = [before, after]
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(204), theme.px(112))

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def paint(self, painter: QPainter) -> None:
        gap, words = theme.px(8), theme.px(16)
        side = min((self.width() - gap) / 2, float(self.height() - words))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for k, (image, word) in enumerate(zip(self._images, (tr("before"), tr("after")), strict=True)):
            box = QRectF(k * (side + gap), 0, side, side)
            if image is None:
                painter.setPen(QPen(theme.color("hair"), 1, Qt.PenStyle.DashLine))
                painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
            else:
                # only what was compared: the largest square inside the disc
                cut = image.width() * (1 - math.sqrt(0.5)) / 2 if image.width() > 8 else 0
                part = QRectF(image.rect()).adjusted(cut, cut, -cut, -cut)
                painter.drawImage(box, image, part)
            painter.setFont(theme.ui_font(12))
            painter.setPen(theme.color("text2"))
            painter.drawText(QRectF(box.left(), side, side, words), Qt.AlignmentFlag.AlignLeft, word)


class TurnsPanel(QWidget):
    """`asked()` by its button, then `run`; `refused(why)`."""

    asked = Signal()
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(14), theme.px(8), theme.px(14), theme.px(8))
        column.setSpacing(theme.px(4))
        head = QHBoxLayout()
        title = QLabel(tr("36 turns of 10°"))
        title.setProperty("role", "title")
        self.button = QPushButton(tr("Turn"))
        self.button.clicked.connect(self.asked)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.button)
        column.addLayout(head)
        self._pair = Pair()
        column.addWidget(self._pair, 1)
        self._number = QLabel()
        self._number.setTextFormat(Qt.TextFormat.RichText)
        column.addWidget(self._number)
        self._words = QLabel(tr("Every turn reads between pixels."))
        self._words.setProperty("role", "status")
        self._words.setWordWrap(True)
        column.addWidget(self._words)
        self.psnr: float | None = None
        self._serial = 0

    def clear(self) -> None:
        """Another picture or another way of reading it: the old answer is no longer true."""
        self.psnr = None
        self._serial += 1
        self._pair.set_images(None, None)
        self._number.setText(f"<span style='color:{theme.theme().text3}'>PSNR –</span>")
        self.button.setEnabled(True)

    def run(self, runner: Runner, pixels: np.ndarray, border: str, interpolation: str) -> None:
        """Have the middle of a picture turned; the answer to an older question is dropped."""
        part = middle_of(pixels)
        self._serial += 1
        serial = self._serial
        self.button.setEnabled(False)

        def answered(found: Turned | None, error: Message | None) -> None:
            if serial != self._serial:
                return
            if found is not None:
                self.show_turned(part, found)
            else:
                self.clear()
                if error is not None:
                    self.refused.emit(tr_message(error))

        runner.turn(part, DEGREES, TIMES, border, interpolation, while_alive(self, answered))

    def show_turned(self, before: np.ndarray, found: Turned) -> None:
        """Both pictures and what is left of the first."""
        self.psnr = found.psnr
        self.button.setEnabled(True)
        self._pair.set_images(image_of(np.rint(before).astype(np.uint8)), image_of(found.pixels))
        number = i18n.number(found.psnr, 1)
        size = theme.px(17)
        self._number.setText(
            f"PSNR <span style='font-size:{size}px; font-family:JetBrains Mono'>{number} dB</span>"
        )
