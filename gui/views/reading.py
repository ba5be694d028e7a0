"""The small box that says what lies under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from gui import theme, tokens


def paint_reading(
    painter: QPainter,
    room: QRectF,
    corner: QPointF,
    lines: list[tuple[str, str, QColor]],
    *,
    upwards: bool = False,
) -> None:
    """Names in their colors and values in digits, the box beside `corner` but inside `room`.

    `upwards` puts the box above the corner instead of below it.
    """
    font, mono = theme.ui_font(tokens.CAPTION), theme.mono_font(tokens.CAPTION)
    names, values = QFontMetricsF(font), QFontMetricsF(mono)
    first = max(names.horizontalAdvance(name) for name, _, _ in lines)
    width = first + theme.px(12) + max(values.horizontalAdvance(v) for _, v, _ in lines) + theme.px(16)
    height = theme.px(16) * len(lines) + theme.px(8)
    gap = theme.px(8)
    left = corner.x() + gap
    if left + width > room.right():
        left = max(room.left(), corner.x() - gap - width)
    top = corner.y() - gap - height if upwards else corner.y() + gap
    top = min(max(top, room.top()), room.bottom() - height)
    box = QRectF(left, top, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color("border"), 1))
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(box, tokens.RADIUS_FIELD, tokens.RADIUS_FIELD)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for index, (name, value, color) in enumerate(lines):
        y = box.top() + theme.px(16) * (index + 1)
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(QPointF(box.left() + theme.px(8), y), name)
        painter.setFont(mono)
        painter.setPen(theme.color("text1"))
        painter.drawText(QPointF(box.right() - theme.px(8) - values.horizontalAdvance(value), y), value)
