"""Where the cells and heads of a matrix lie in a widget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetrics

from gui import theme, tokens


@dataclass(frozen=True)
class CellBox:
    """Where cell (0, 0) lies and how large cells are, in logical pixels of the widget."""

    x: float
    y: float
    width: float
    height: float

    def rect(self, row: float, column: float, rows: float = 1, columns: float = 1) -> QRectF:
        """The rectangle of a block of cells."""
        return QRectF(
            self.x + column * self.width, self.y + row * self.height, columns * self.width, rows * self.height
        )

    def cell_at(self, x: float, y: float) -> tuple[int, int]:
        """(row, column) under a point; may lie outside the matrix."""
        return math.floor((y - self.y) / self.height), math.floor((x - self.x) / self.width)


@dataclass(frozen=True)
class Heads:
    """Names of rows and columns and the room they need: `left` and `top` beside the cells."""

    rows: Sequence[str]
    columns: Sequence[str]
    left: float
    top: float
    widest_column: float


def heads(shape: tuple[int, ...], rows: Sequence[str] | None, columns: Sequence[str] | None) -> Heads:
    """Heads for a matrix of `shape`: the names given if they are as many, else numbers from 1."""
    metrics = QFontMetrics(theme.ui_font(tokens.CAPTION, theme.SEMIBOLD))
    given_rows = rows if rows and len(rows) == shape[0] else None
    given_columns = columns if columns and len(columns) == shape[1] else None
    row_names = given_rows or [str(i + 1) for i in range(shape[0])]
    column_names = given_columns or [str(i + 1) for i in range(shape[1])]
    # of numbers the last is the widest, tabular figures being equally wide
    widest_row = max((metrics.horizontalAdvance(n) for n in given_rows or row_names[-1:]), default=0)
    widest_column = max((metrics.horizontalAdvance(n) for n in given_columns or column_names[-1:]), default=0)
    lines = 2 if given_columns and any(" " in name for name in given_columns) else 1
    top = lines * metrics.height() + theme.px(6)
    return Heads(row_names, column_names, widest_row + theme.px(10), top, widest_column)


def area_beside(head: Heads, width: int, height: int) -> QRectF:
    """Where cells may be drawn in a widget of this size."""
    left = min(head.left, width * 0.4)
    return QRectF(left, head.top, max(1.0, width - left - 4), max(1.0, height - head.top - 4))


def place_cells(
    area: QRectF,
    shape: tuple[int, ...],
    largest: tuple[float, float],
    *,
    square: bool,
    zoom: float,
    offset: QPointF,
    stretch: tuple[float, float] = (2.2, 1.6),
) -> CellBox:
    """Cells that fill `area` as far as `largest` allows; zoomed and moved by `offset` where it is set.

    `stretch`: how many times as wide as high and as high as wide a cell may be.
    """
    rows, columns = max(1, shape[0]), max(1, shape[1])
    most_w, most_h = (v * theme.scale() for v in largest)
    width, height = min(most_w, area.width() / columns), min(most_h, area.height() / rows)
    if square:
        width = height = min(width, height)
    else:
        width, height = min(width, height * stretch[0]), min(height, width * stretch[1])
    if zoom == 1.0:
        # whole pixels where there are some, so that all cells are the same size
        width, height = (float(int(v)) if v >= 4 else v for v in (width, height))
        x = area.left() + max(0.0, (area.width() - columns * width) / 2)
        return CellBox(float(int(x)), float(int(area.top())), width, height)
    width, height = width * zoom, height * zoom
    x = _held(area.left(), area.width(), columns * width, offset.x(), center=True)
    y = _held(area.top(), area.height(), rows * height, offset.y(), center=False)
    return CellBox(x, y, width, height)


def _held(start: float, room: float, size: float, offset: float, *, center: bool) -> float:
    """An origin that never leaves the matrix outside its area."""
    if size <= room:
        return start + ((room - size) / 2 if center else 0.0)
    return start - min(max(offset, 0.0), size - room)
