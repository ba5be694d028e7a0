"""A matrix of an equation: in brackets, with as many decimals as its numbers need, cells known or not yet."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QImage, QMouseEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.views import matrix_paint
from gui.views.base import Array, ring, trace_ring
from gui.views.matrix_layout import CellBox
from gui.views.matrix_paint import Digits
from gui.views.matrix_part import Part
from gui.views.matrix_view import MatrixView

BRACKET = 8
"""Room for a bracket at each side."""
MOST_DECIMALS = 4
GUIDE = 8.0
"""Closer together lines between blocks are left out."""
FLAT = 7.0
"""Several flatter cells are not ringed one by one."""
GRID = 9.0
"""From this size on empty cells have an edge."""


class LabMatrix(MatrixView):
    """`edit_wanted(row, column)`: a cell was clicked twice. `menu_wanted`: the right button."""

    edit_wanted = Signal(int, int)
    menu_wanted = Signal(object)

    def __init__(self, role: str = "weights", parent: QWidget | None = None) -> None:
        super().__init__(role, parent)
        self.head_gap = 14.0
        self.largest_cell = (90.0, 48.0)
        self.max_decimals = MOST_DECIMALS
        self._unknown: NDArray[np.bool_] | None = None
        self._empty: NDArray[np.bool_] | None = None
        self._guides: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
        self._pointed: tuple[tuple[int, int, int, int], ...] = ()
        self._held: tuple[int, int] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys belong to the lab

    def show_values(self, values: Array) -> None:
        """Choose the decimals: as many as the numbers have, of long ones three."""
        self.max_decimals = decimals_of(values)

    def set_unknown(self, unknown: NDArray[np.bool_] | None) -> None:
        """Cells that are not computed yet: empty, without a number. None: all are known."""
        self._unknown = unknown
        self._changed()

    def set_empty(self, empty: NDArray[np.bool_] | None) -> None:
        """Cells of the array shown that hold nothing at all: neither a color nor a number."""
        self._empty = empty
        self._changed()

    def set_guides(self, rows: tuple[int, int], columns: tuple[int, int]) -> None:
        """Thin and thicker lines after so many rows and columns: where blocks of a matrix end. 0: none."""
        self._guides = (rows, columns)
        self._changed()

    def set_pointed(self, blocks: Iterable[tuple[int, int, int, int]]) -> None:
        """Ring blocks (row, column, rows, columns) that belong to what is pointed at elsewhere."""
        blocks = tuple(blocks)
        if blocks != self._pointed:
            self._pointed = blocks
            self.update()

    def expect(self, shape: tuple[int, int]) -> None:
        """What is to come has this shape: the heads take their room before the first numbers."""
        if not self._values.size and shape != self._part.shape:
            self._part, self._heads = Part(shape), None

    def set_held(self, cell: tuple[int, int] | None) -> None:
        """The cell that is being dragged, ringed in blue."""
        self._held = cell
        self.update()

    def cells(self) -> QRectF:
        """Where the cells lie in the widget."""
        rows, columns = self.shape()
        return self._box().rect(0, 0, max(rows, 1), max(columns, 1)).intersected(self._area())

    def room(self) -> tuple[float, float]:
        """What is needed beside and above the cells: heads and brackets."""
        head = self._head()
        return head.left + theme.px(2 * BRACKET) + 4, head.top + 4

    def _area(self) -> QRectF:
        return super()._area().adjusted(theme.px(BRACKET), 0, -theme.px(BRACKET), 0)

    def _box(self) -> CellBox:
        """A fitted matrix fills its room, whatever its shape; zoomed in, cells are as everywhere."""
        if self.square or self._zoom != 1.0:
            return super()._box()
        area, scale = self._area(), theme.scale()
        rows, columns = (max(n, 1) for n in self.shape())
        width = min(self.largest_cell[0] * scale, area.width() / columns)
        height = min(self.largest_cell[1] * scale, area.height() / rows)
        width, height = (float(int(v)) if v >= 4 else v for v in (width, height))
        x = area.left() + max(0.0, (area.width() - columns * width) / 2)
        return CellBox(float(int(x)), float(int(area.top())), width, height)

    def _digits(self, box: CellBox) -> Digits | None:
        if not self._values.size or not self._part.exact:
            return None
        whole = self.max_decimals == 0
        return matrix_paint.choose_digits(
            box.width, box.height, self._biggest(), whole, self.max_decimals, self._scale.low < 0
        )

    def paint(self, painter: QPainter) -> None:
        super().paint(painter)
        painter.setClipping(False)
        if not self._values.size:
            return
        # a ring in the last column or row lies half outside of the cells
        cells = self.cells().adjusted(-4, -2, 4, 2)
        painter.setPen(QPen(theme.color("text2"), 1.5))
        for x, inward in ((cells.left() - 1, 5), (cells.right() + 1, -5)):
            painter.drawLine(QPointF(x, cells.top() - 1), QPointF(x, cells.bottom() + 1))
            for y in (cells.top() - 1, cells.bottom() + 1):
                painter.drawLine(QPointF(x, y), QPointF(x + inward, y))

    def _paint_cells(self, ratio: float) -> QPixmap:
        made = super()._paint_cells(ratio)
        if self._empty is not None and self._empty.shape == self._values.shape:
            self._clear(made, self._empty)
        if any(any(every) for every in self._guides):
            self._guide(made)
        unknown = self._unknown
        if unknown is None or unknown.shape != self._values.shape or not unknown.any():
            return made
        painter = QPainter(made)
        try:
            box = self._part.box(self._box())
            painter.setClipRect(self._area())
            painter.setPen(QPen(theme.color("hair"), 1))
            painter.setBrush(theme.color("canvas"))
            for row, column in np.argwhere(unknown):
                painter.drawRect(box.rect(int(row), int(column)).adjusted(0, 0, -1, -1))
        finally:
            painter.end()
        return made

    def _clear(self, made: QPixmap, empty: NDArray[np.bool_]) -> None:
        """Empty cells show the ground; large ones keep a hairline so that they can be counted."""
        box, area = self._part.box(self._box()), self._area()
        painter = QPainter(made)
        try:
            painter.setClipRect(area.intersected(self.cells()))
            ground = theme.color("panel")
            if box.width < GRID or box.height < GRID:
                words = np.where(empty, np.uint32(ground.rgba()), np.uint32(0))
                height, width = words.shape
                form = QImage.Format.Format_ARGB32_Premultiplied
                image = QImage(words.data, width, height, 4 * width, form)
                target = box.rect(0, 0, height, width)
                if min(box.width, box.height) < 1:  # a pixel is as empty as the cells it stands for
                    image = image.scaled(target.size().toSize(), Qt.AspectRatioMode.IgnoreAspectRatio,
                                         Qt.TransformationMode.SmoothTransformation)
                painter.drawImage(target, image)
                return
            painter.setPen(QPen(theme.color("canvas"), 1))
            painter.setBrush(ground)
            top, left = (max(0, v) for v in box.cell_at(area.left(), area.top()))
            bottom, right = (v + 1 for v in box.cell_at(area.right(), area.bottom()))
            for row, column in np.argwhere(empty[top:bottom, left:right]):
                painter.drawRect(box.rect(int(row) + top, int(column) + left).adjusted(0, 0, -1, -1))
        finally:
            painter.end()

    def _guide(self, made: QPixmap) -> None:
        box, cells = self._box(), self.cells()
        painter = QPainter(made)
        try:
            for across, (every, size) in enumerate(zip(self._guides, (box.height, box.width), strict=True)):
                count = self.shape()[across]
                for step, color in ((every[0], "hair"), (every[1], "link")):
                    if step and step * size >= GUIDE and step < count:
                        painter.setPen(QPen(theme.color(color), 1))
                        for at in range(step, count, step):
                            line = box.rect(0, at) if across else box.rect(at, 0)
                            x, y = round(line.left()) - 0.5, round(line.top()) - 0.5
                            if across:
                                painter.drawLine(QPointF(x, cells.top()), QPointF(x, cells.bottom()))
                            else:
                                painter.drawLine(QPointF(cells.left(), y), QPointF(cells.right(), y))
        finally:
            painter.end()

    def _paint_rings(self, painter: QPainter, box: CellBox) -> None:
        cells = self._cells
        rows, columns = {c[0] for c in cells}, {c[1] for c in cells}
        area = (max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1) if cells else 0
        if len(cells) > 1 and area == len(cells):  # a window: one ring around all of it
            self._cells = frozenset()
            trace_ring(painter, box.rect(min(rows), min(columns), max(rows) - min(rows) + 1,
                                         max(columns) - min(columns) + 1))
        if len(self._cells) > 1 and box.height < FLAT:
            self._cells = frozenset()
            self._bars(painter, [box.rect(*cell) for cell in cells], "trace")
        super()._paint_rings(painter, box)
        self._cells = cells
        pointed = [box.rect(*block) for block in self._pointed]
        if len(pointed) > 1 and box.height < FLAT:
            self._bars(painter, pointed, "text1")
        else:
            for place in pointed:
                ring(painter, place, theme.color("text1"), 2.0, 2.0)
        if self._rows and self._columns:  # where row and column meet
            for row in self._rows:
                for column in self._columns:
                    trace_ring(painter, box.rect(row, column))
        if self._held is not None and self._inside(*self._held):
            ring(painter, box.rect(*self._held), theme.color("accent"))

    @staticmethod
    def _bars(painter: QPainter, places: list[QRectF], color: str) -> None:
        """Cells too flat for rings get a bar at each end."""
        for place in places:
            for x in (place.left(), place.right() - 4):
                painter.fillRect(QRectF(x, place.top(), 4, max(1.0, place.height())), theme.color(color))

    # ---- hands ----------------------------------------------------------------------------------------

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.edit_wanted.emit(*cell)
        else:
            super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())


def decimals_of(values: Array) -> int:
    """The decimals that show numbers of a book as they are printed; of long numbers two or three."""
    some = values.reshape(-1)[:4096].astype(np.float64)
    some = some[np.isfinite(some)]
    biggest = float(np.abs(some).max(initial=0.0))
    if biggest == 0.0:
        return 0
    for decimals in range(MOST_DECIMALS + 1):
        if np.abs(np.round(some, decimals) - some).max(initial=0.0) < 1e-6 * max(biggest, 0.01):
            return decimals
    return 2 if biggest >= 1.0 else 3
