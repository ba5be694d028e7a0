"""Points as they are written, and words that can be read on any picture."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter

from gui import i18n, theme
from gui.labs.affine_state import Point


def point_text(point: Point | np.ndarray, decimals: int | None = None) -> str:
    """(−41.5, 36): German takes a semicolon, because the comma is the decimal mark."""
    mark = "; " if i18n.decimal_point() == "," else ", "
    parts = []
    for v in point:
        value = float(v)
        shown = decimals
        if shown is None:
            shown = next((k for k in range(3) if abs(round(value, k) - value) < 5e-4), 3)
        big = abs(value) >= 1e6 or not math.isfinite(value)
        parts.append(i18n.short(value) if big else i18n.number(value, shown, group=False))
    return f"({mark.join(parts)})"


def halo(painter: QPainter, spot: QPointF, text: str, color: QColor) -> None:
    """Text that can be read on any picture."""
    painter.setPen(theme.color("canvas", 200))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(spot + QPointF(dx, dy), text)
    painter.setPen(color)
    painter.drawText(spot, text)


def low_index(n: int) -> str:
    return str(n).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


