"""The matrix product as a drawing: one cell's row and column, and the tile of cells of one work-item.

The arrays are those that were measured; how a cell comes about is the engine's own rule for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QKeyEvent, QMouseEvent, QPainter, QPen

from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.base import Array, View, draw_caption, draw_empty, image_from_words, trace_ring

STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
MOST_PIXELS = 240
"""Pixels of a picture of a matrix, each way: larger ones are thinned."""


@dataclass(frozen=True)
class Product:
    """C = A · B as it was measured; `results` by device."""

    a: Array
    b: Array
    results: Mapping[str, Array] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, int, int]:
        return self.a.shape[0], self.a.shape[1], self.b.shape[1]


class TilesView(View):
    """`picked(row, column)` when a cell of C is chosen with the mouse or the arrow keys, from 0."""

    picked = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.empty_text = tr("Measure a matrix product to look into it.")
        self._product: Product | None = None
        self._tile: tuple[int, int] | None = None
        self._cell: tuple[int, int] | None = None
        self._pictures: dict[str, QImage] = {}
        self.setAccessibleName(tr("The matrix product as a drawing"))

    def set_product(self, product: Product | None, tile: tuple[int, int] | None) -> None:
        """The matrices, and rows and columns of a work-item's tile where a device says so."""
        self._product, self._tile = product, tile
        self._pictures.clear()
        if product is not None:
            m, _, n = product.sizes
            if self._cell is None:  # where row, column and tile can be told apart at once
                self._cell = (m * 2 // 5, n * 3 // 5)
            self._cell = (min(self._cell[0], m - 1), min(self._cell[1], n - 1))
        self.update()

    def set_tile(self, tile: tuple[int, int] | None) -> None:
        self._tile = tile
        self.update()

    @property
    def cell(self) -> tuple[int, int]:
        """The chosen cell of C, from 0."""
        return self._cell or (0, 0)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(300), theme.px(300))

    def restyle(self) -> None:
        self._pictures.clear()

    # ---- places --------------------------------------------------------------------------------------

    def _places(self) -> tuple[QRectF, QRectF, QRectF]:
        """A on the left, B above, C where they meet; lengths true to the sizes while that can be seen."""
        assert self._product is not None
        m, k, n = self._product.sizes
        most = max(m, k, n)
        m_, k_, n_ = (max(v, most * 0.12) for v in (m, k, n))
        gap, head = theme.px(12), theme.px(18)
        unit = min((self.width() - gap - 2) / (k_ + n_), (self.height() - gap - 2 * head) / (k_ + m_))
        a = QRectF(1, head + k_ * unit + gap + head, k_ * unit, m_ * unit)
        b = QRectF(1 + k_ * unit + gap, head, n_ * unit, k_ * unit)
        return a, b, QRectF(b.left(), a.top(), b.width(), a.height())

    def _cell_rect(
        self, place: QRectF, rows: int, columns: int, first: tuple[int, int], size: tuple[int, int]
    ) -> QRectF:
        width, height = place.width() / columns, place.height() / rows
        return QRectF(
            place.left() + first[1] * width,
            place.top() + first[0] * height,
            size[1] * width,
            size[0] * height,
        ).intersected(place)

    # ---- painting ------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        if self._product is None:
            draw_empty(self, painter, self.empty_text)
            return
        m, k, n = self._product.sizes
        i, j = self.cell
        a, b, c = self._places()
        result = next(iter(self._product.results.values()), None)
        for name, place, array, rows, columns in (
            ("A", a, self._product.a, m, k), ("B", b, self._product.b, k, n), ("C", c, result, m, n),
        ):  # fmt: skip
            self._paint_matrix(painter, name, place, array)
            spot = QPointF(place.left(), place.top() - theme.px(5))
            text = f"{name}  {i18n.integer(rows)} × {i18n.integer(columns)}"
            draw_caption(painter, spot, text if self._fits(text, place) else name, "text2")
        thin = theme.px(3)
        if self._tile is not None:
            self._paint_tiles(painter, c, m, n)
            rows, columns = self._tile
            top, left = i // rows * rows, j // columns * columns
            band = QColor(theme.color("trace"))
            band.setAlphaF(0.35)
            painter.fillRect(self._cell_rect(a, m, k, (top, 0), (rows, k)), band)
            painter.fillRect(self._cell_rect(b, k, n, (0, left), (k, columns)), band)
            painter.fillRect(self._cell_rect(c, m, n, (top, left), (rows, columns)), band)
        if self._tile is not None:
            self._paint_one_tile(painter, QRectF(a.left(), b.top(), a.width(), b.height()))
        row, column = self._cell_rect(a, m, k, (i, 0), (1, k)), self._cell_rect(b, k, n, (0, j), (k, 1))
        trace_ring(painter, row.adjusted(0, -max(0.0, thin - row.height()) / 2, 0, 0), 1)
        trace_ring(painter, column.adjusted(-max(0.0, thin - column.width()) / 2, 0, 0, 0), 1)
        cell = self._cell_rect(c, m, n, (i, j), (1, 1))
        grow = max(0.0, theme.px(5) - cell.width()) / 2
        trace_ring(painter, cell.adjusted(-grow, -grow, grow, grow), 1)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1, Qt.PenStyle.DashLine))
            painter.drawRect(c.adjusted(-3, -3, 2, 2))

    def _paint_matrix(self, painter: QPainter, name: str, place: QRectF, array: Array | None) -> None:
        if array is None:
            painter.fillRect(place, theme.color("raised"))
        else:
            if name not in self._pictures:
                self._pictures[name] = _picture(array)
            painter.drawImage(place, self._pictures[name])
        painter.setPen(QPen(theme.color("border"), 1))
        painter.drawRect(place)

    @staticmethod
    def _fits(text: str, place: QRectF) -> bool:
        wide = QFontMetricsF(theme.ui_font(tokens.CAPTION)).horizontalAdvance(text)
        return bool(wide <= place.width() + theme.px(4))

    def _paint_tiles(self, painter: QPainter, c: QRectF, m: int, n: int) -> None:
        """The grid of tiles, as far as its lines can be told apart."""
        assert self._tile is not None
        color = theme.color("text1")
        color.setAlphaF(0.4)
        painter.setPen(QPen(color, 1))
        rows, columns = self._tile
        height, width = c.height() / m * rows, c.width() / n * columns
        if width >= 4:
            for x in range(columns, n, columns):
                at = c.left() + x / n * c.width()
                painter.drawLine(QPointF(at, c.top()), QPointF(at, c.bottom()))
        if height >= 4:
            for y in range(rows, m, rows):
                at = c.top() + y / m * c.height()
                painter.drawLine(QPointF(c.left(), at), QPointF(c.right(), at))

    def _paint_one_tile(self, painter: QPainter, room: QRectF) -> None:
        """The chosen cell's tile enlarged, in the corner that a product leaves free."""
        assert self._tile is not None and self._product is not None
        rows, columns = self._tile
        m, _, n = self._product.sizes
        top, left = self.cell[0] // rows * rows, self.cell[1] // columns * columns
        rows, columns = min(rows, m - top), min(columns, n - left)
        head = theme.px(18)
        side = min(theme.px(14), (room.width() - 2) / columns, (room.height() - 2 * head) / rows)
        if side < 3:
            return
        caption = tr("one work-item: {rows} × {columns}").format(rows=rows, columns=columns)
        if not self._fits(caption, room):
            caption = f"{rows} × {columns}"
        draw_caption(painter, QPointF(room.left(), room.top() - theme.px(5)), caption, "text2")
        place = QRectF(room.left(), room.top(), side * columns, side * rows)
        fill = QColor(theme.color("trace"))
        fill.setAlphaF(0.35)
        painter.fillRect(place, fill)
        painter.setPen(QPen(theme.color("canvas"), 1))
        for x in range(1, columns):
            painter.drawLine(
                QPointF(place.left() + x * side, place.top()),
                QPointF(place.left() + x * side, place.bottom()),
            )
        for y in range(1, rows):
            painter.drawLine(
                QPointF(place.left(), place.top() + y * side), QPointF(place.right(), place.top() + y * side)
            )
        row, column = self.cell[0] - top, self.cell[1] - left
        trace_ring(painter, QRectF(place.left() + column * side, place.top() + row * side, side, side), 1)

    # ---- hands ---------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pick_at(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pick_at(event.position())

    def _pick_at(self, spot: QPointF) -> None:
        if self._product is None:
            return
        m, _, n = self._product.sizes
        _, _, c = self._places()
        row, column = int((spot.y() - c.top()) / c.height() * m), int((spot.x() - c.left()) / c.width() * n)
        self._pick(min(max(row, 0), m - 1), min(max(column, 0), n - 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEPS.get(Qt.Key(event.key()))
        if step is None or self._product is None:
            super().keyPressEvent(event)
            return
        m, _, n = self._product.sizes
        row, column = self.cell
        self._pick(min(max(row + step[0], 0), m - 1), min(max(column + step[1], 0), n - 1))

    def _pick(self, row: int, column: int) -> None:
        self._cell = (row, column)
        self.update()
        self.picked.emit(row, column)


def _picture(array: Array) -> QImage:
    """A matrix as a picture, thinned to what can be seen."""
    rows, columns = (max(1, -(-s // MOST_PIXELS)) for s in array.shape)
    shown = array[::rows, ::columns]
    most = float(np.abs(shown).max(initial=0.0)) or 1.0
    places = np.clip((shown / most * 0.5 + 0.5) * 255, 0, 255).astype(np.uint8)
    return image_from_words(theme.lut32("weights")[places])


def cell_formula(row: int, column: int, k: int) -> str:
    """The cell's sum with indices from 1."""
    i, j = row + 1, column + 1
    return tr("c({i}, {j}) = Σ a({i}, l) · b(l, {j}), l = 1 … {k}").format(
        i=i18n.integer(i), j=i18n.integer(j), k=i18n.integer(k)
    )
