"""A matrix as colors and numbers: the view everything else in Matrizen refers to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from gui import i18n, theme
from gui.i18n import tr
from gui.views import matrix_paint
from gui.views.base import Array, Bytes, draw_caption, draw_empty, ring, trace_ring, words_from_rgb
from gui.views.lock_marks import draw_locks
from gui.views.matrix_hands import MatrixHands
from gui.views.matrix_layout import CellBox, Heads, area_beside, heads, place_cells
from gui.views.matrix_paint import Digits
from gui.views.matrix_part import Part
from gui.views.scale import Scale, StableScale

_LARGEST = (72.0, 44.0)  # cells grow no larger than this; in a high view up to twice
_DIM = 0.8  # share of canvas in a cell at rest


class MatrixView(MatrixHands):
    """Heat map of a 2-D array, with heads, digits, hover cross, selection, highlights, zoom and pan.

    Of a large matrix it may hold a part, or means of blocks; places are always those of the whole matrix,
    and digits are drawn where every entry is one cell. Rows and columns count from 0 here and from 1 on the
    screen.
    """

    def __init__(self, role: str = "weights", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.empty_text = tr("No numbers yet")
        self.max_decimals = 2
        self.square = False  # cells as wide as high: pictures and kernels
        self.largest_cell = _LARGEST
        self.stretch = (2.2, 1.6)  # how much wider than high and higher than wide a cell may be
        self.head_gap = 6.0  # between the names of rows and the cells
        self._role = role
        self._stable = StableScale(role)
        self._values: Array = np.zeros((0, 0), dtype=np.float32)
        self._part = Part((0, 0))
        self._colors: NDArray[np.uint32] | None = None
        self._scale = Scale(-1.0, 1.0)
        self._row_names: tuple[str, ...] | None = None
        self._column_names: tuple[str, ...] | None = None
        self._rows: frozenset[int] = frozenset()
        self._columns: frozenset[int] = frozenset()
        self._cells: frozenset[tuple[int, int]] = frozenset()
        self._dim_rest = False
        self._locked: NDArray[np.bool_] | None = None
        self._cache: QPixmap | None = None
        self._heads: Heads | None = None
        self._head_cache: tuple[QPixmap, object] | None = None

    # -- what is shown ----------------------------------------------------------------------------

    def set_values(self, values: Array, scale: Scale | None = None, part: Part | None = None) -> None:
        """Show a 2-D array (copied by reference). `scale` overrides the view's own stable scale.

        `part` says which part of a larger matrix the array is. Raises ValueError for other than two axes.
        """
        if values.ndim != 2:
            raise ValueError(f"a matrix has two axes, got {values.shape}")
        part = part or Part((values.shape[0], values.shape[1]))
        another = part.shape != self._part.shape
        if another:
            self._hover = None
            self._heads = None
            self._rows, self._columns, self._cells = frozenset(), frozenset(), frozenset()
            self._zoom, self._offset = 1.0, QPointF(0, 0)
        self._values, self._part = values, part
        if another:
            self._part_soon.soon()  # may be at once, so everything must be as it will be
        if self._selected is not None and not self._inside(*self._selected):
            self._selected = None
        self._scale = scale or self._stable.update(values)
        self._changed()

    def set_role(self, role: str) -> None:
        """Another ramp: "weights", "gradients", "activations" or "pictures"."""
        if role != self._role:
            self._role, self._stable = role, StableScale(role)
            if self._values.size:
                self._scale = self._stable.update(self._values)
            self._changed()

    def set_colors(self, rgb: Bytes | None) -> None:
        """Paint the cells in (rows, columns, 3) u8 colors instead of the ramp; None: the ramp again."""
        self._colors = None if rgb is None else words_from_rgb(rgb)
        self._changed()

    def set_names(self, rows: Sequence[str] | None = None, columns: Sequence[str] | None = None) -> None:
        """Names of real things for the heads; None counts from 1."""
        found = None if rows is None else tuple(rows), None if columns is None else tuple(columns)
        if found == (self._row_names, self._column_names):
            return
        self._row_names, self._column_names = found
        self._heads = None
        self._changed()

    def set_highlight(
        self,
        rows: Iterable[int] = (),
        columns: Iterable[int] = (),
        cells: Iterable[tuple[int, int]] = (),
        *,
        dim_rest: bool = False,
    ) -> None:
        """Ring rows, columns and cells of the calculation in yellow; the rest may sink back.

        What lies outside the matrix is left out; a matrix of another shape clears it.
        """
        height, width = self._part.shape
        self._rows = frozenset(row for row in rows if 0 <= row < height)
        self._columns = frozenset(column for column in columns if 0 <= column < width)
        self._cells = frozenset(cell for cell in cells if self._inside(*cell))
        self._dim_rest = dim_rest and bool(self._rows or self._columns or self._cells)
        self._changed()

    def set_locked(self, locked: NDArray[np.bool_] | None) -> None:
        """Mark cells of the array shown that nothing changes; None: there are none."""
        if locked is not None and not locked.any():
            locked = None
        before, self._locked = self._locked, locked
        if before is not None or locked is not None:
            self._changed()

    def set_selected(self, cell: tuple[int, int] | None) -> None:
        """The opened cell, ringed in yellow; None for no cell."""
        self._selected = cell if cell is not None and self._inside(*cell) else None
        self.update()

    def set_hovered(self, cell: tuple[int, int] | None) -> None:
        """Show the hover of another view at the same place; emits nothing."""
        cell = cell if cell is not None and self._inside(*cell) else None
        if cell != self._hover:
            self._hover = cell
            self.update()

    def reset_scale(self) -> None:
        """Let the next values set the scale afresh: another layer or another run."""
        self._stable.reset()

    # -- what can be asked ------------------------------------------------------------------------

    @property
    def role(self) -> str:
        """The role that decides the ramp."""
        return self._role

    def values(self) -> Array:
        """The array shown."""
        return self._values

    def scale(self) -> Scale:
        """The scale in use."""
        return self._scale

    def unit_text(self) -> str:
        """ "in units of 10⁻⁴" when the digits are shown that way, else ""."""
        digits = self._digits(self._box())
        if digits is None or digits.exponent == 0:
            return ""
        return tr("in units of {unit}").format(unit="10" + i18n.superscript(digits.exponent))

    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole matrix."""
        return self._part.shape

    def part(self) -> Part:
        """Which part of it the array shown is."""
        return self._part

    def value_at(self, row: int, column: int) -> float | None:
        """The number of a cell, or the mean of those it is shown with; None where nothing is known yet."""
        block = self._part.block(row, column, self._values.shape)
        return None if block is None else float(self._values[block])

    def locked_at(self, row: int, column: int) -> bool:
        """Whether a cell is marked as locked."""
        block = self._part.block(row, column, self._values.shape)
        fits = self._locked is not None and self._locked.shape == self._values.shape and block is not None
        return fits and bool(self._locked[block])  # type: ignore[index]

    def cell_text(self, row: int, column: int) -> str:
        """ "row 2, column 4", with names where there are names; the cells of a mean."""
        head = self._head()
        if not self._part.exact:
            top, bottom, left, right = self._part.cells(row, column)
            return tr("mean of rows {top}–{bottom}, columns {left}–{right}").format(
                top=top + 1, bottom=bottom + 1, left=left + 1, right=right + 1
            )
        return tr("row {row}, column {column}").format(row=head.rows[row], column=head.columns[column])

    def sizeHint(self) -> QSize:
        rows, columns = self._part.shape
        head = self._head()
        wide = min(max(columns, 1) * 40, 480)
        return QSize(int(wide + head.left + 8), int(min(max(rows, 1) * 24, 360) + head.top + 8))

    # -- geometry ---------------------------------------------------------------------------------

    def _head(self) -> Heads:
        if self._heads is None:
            self._heads = heads(self._part.shape, self._row_names, self._column_names)
        return self._heads

    def _area(self) -> QRectF:
        """Where cells may be drawn."""
        return area_beside(self._head(), self.width(), self.height())

    def _box(self) -> CellBox:
        grow = min(max(self.height() / 200, 1.0), 2.0)
        return place_cells(
            self._area(), self._part.shape, (grow * self.largest_cell[0], grow * self.largest_cell[1]),
            square=self.square, zoom=self._zoom, offset=self._offset, stretch=self.stretch,
        )  # fmt: skip

    def _biggest(self) -> float:
        return max(abs(self._scale.low), abs(self._scale.high))

    def _digits(self, box: CellBox) -> Digits | None:
        if not self._values.size or not self._part.exact:
            return None
        whole = self._values.dtype.kind in "iu" or (self._role == "pictures" and self._scale.high == 255.0)
        signed = self._scale.low < 0
        return matrix_paint.choose_digits(
            box.width, box.height, self._biggest(), whole, self.max_decimals, signed
        )

    # -- painting ---------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._cache = None
        self.update()

    def restyle(self) -> None:
        self._cache = None
        self._heads = None
        self._head_cache = None

    def paint(self, painter: QPainter) -> None:
        if not self._values.size:
            draw_empty(self, painter, self.empty_text)
            return
        ratio = self.devicePixelRatioF()
        if self._cache is None or self._cache.size() != self.size() * ratio:
            self._cache = self._paint_cells(ratio)
        painter.drawPixmap(0, 0, self._cache)
        box, area = self._box(), self._area()
        taken = 0.0
        if unit := self.unit_text():
            power = "×" + unit.rsplit(" ", 1)[-1]
            draw_caption(painter, QPointF(2, theme.px(11)), power)
            taken = painter.fontMetrics().horizontalAdvance(power) + theme.px(8)
        painter.drawPixmap(0, 0, self._head_picture(ratio, box, area, taken))
        painter.setClipRect(area.adjusted(-4, -4, 4, 4))
        self._paint_rings(painter, box)

    def _head_picture(self, ratio: float, box: CellBox, area: QRectF, taken: float) -> QPixmap:
        """The heads, kept while the numbers change: they depend on place and hover alone."""
        key = (box, area, self._hover, self._head(), taken)
        kept = self._head_cache
        if kept is None or kept[1] != key or kept[0].size() != self.size() * ratio:
            made = QPixmap(self.size() * ratio)
            made.setDevicePixelRatio(ratio)
            made.fill(Qt.GlobalColor.transparent)
            painter = QPainter(made)
            try:
                matrix_paint.draw_heads(painter, box, area, self._head(), self._hover, self.head_gap, taken)
            finally:
                painter.end()
            self._head_cache = kept = (made, key)
        return kept[0]

    def _paint_cells(self, ratio: float) -> QPixmap:
        """The part that changes only with the numbers; hover and rings are drawn on top of it."""
        made = QPixmap(self.size() * ratio)
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        try:
            cells, area = self._box(), self._area()
            rows, columns = self._part.shape
            area = area.intersected(cells.rect(0, 0, rows, columns))
            box = self._part.box(cells)
            painter.setClipRect(area)
            indices = self._scale.indices(self._values)
            words = self._colors if self._colors is not None else theme.lut32(self._role)[indices]
            resting = self._resting()
            if resting is not None:
                dimmed = matrix_paint.mixed_words(words, theme.theme().canvas, _DIM)
                words = np.where(resting, dimmed, words)
            if self._values.dtype.kind == "f" and not np.isfinite(self._values.sum()):
                danger = np.uint32(0xFF000000 | int(theme.theme().danger[1:], 16))
                words = np.where(np.isfinite(self._values), words, danger)
            matrix_paint.draw_heat(painter, words, box, area)
            digits = self._digits(box)
            locked = self._locked if self._locked is not None and self._locked.shape == words.shape else None
            if digits is not None or locked is not None:
                black = self._black_ink(words, indices)
            if locked is not None:
                draw_locks(painter, locked, black, box, area)
            if digits is not None:
                matrix_paint.draw_digits(painter, self._values, black, box, area, digits, resting)
        finally:
            painter.end()
        return made

    def _black_ink(self, words: NDArray[np.uint32], indices: Bytes) -> NDArray[np.bool_]:
        if self._colors is not None:
            return matrix_paint.black_ink_on(words)
        return np.asarray(matrix_paint.ink_table(theme.theme(), self._role)[indices], dtype=np.bool_)

    def _resting(self) -> NDArray[np.bool_] | None:
        if not self._dim_rest or self._part != Part((self._values.shape[0], self._values.shape[1])):
            return None
        resting = np.ones((self._values.shape[0], self._values.shape[1]), dtype=np.bool_)
        resting[sorted(self._rows), :] = False
        resting[:, sorted(self._columns)] = False
        for cell in self._cells:
            resting[cell] = False
        return resting

    def _paint_rings(self, painter: QPainter, box: CellBox) -> None:
        rows, columns = self._part.shape
        for row in self._rows:
            trace_ring(painter, box.rect(row, 0, 1, columns))
        for column in self._columns:
            trace_ring(painter, box.rect(0, column, rows, 1))
        for cell in self._cells | ({self._selected} if self._selected else set()):
            trace_ring(painter, box.rect(*cell))
        if self._hover is not None:
            top, bottom, left, right = self._part.cells(*self._hover)
            place = box.rect(top, left, bottom - top + 1, right - left + 1)
            ring(painter, place, theme.color("text1"), 2.0, 2.0)
        if self.hasFocus() and self._selected is None and self._hover is None:
            ring(painter, box.rect(0, 0, rows, columns), QColor(theme.theme().focus), 1.0, 3.0)

    # -- for the hands ----------------------------------------------------------------------------

    def _stride(self) -> tuple[int, int]:
        return self._part.step

    def _tip(self, row: int, column: int) -> str:
        value = self.value_at(row, column)
        text = self.cell_text(row, column)
        if self.locked_at(row, column):
            text += ", " + tr("locked")
        return text if value is None else f"{text}\n{i18n.short(value, 5)}"
