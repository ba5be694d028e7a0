"""A matrix as colors and numbers: the view everything else in Matrizen refers to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPixmap, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui import i18n, theme
from gui.i18n import tr
from gui.views import matrix_paint
from gui.views.base import Array, Bytes, View, draw_caption, draw_empty, ring, trace_ring, words_from_rgb
from gui.views.matrix_layout import CellBox, Heads, area_beside, heads, place_cells
from gui.views.matrix_paint import Digits
from gui.views.scale import Scale, StableScale

_LARGEST = (72.0, 44.0)  # cells grow no larger than this; in a high view up to twice
_ZOOM_LIMIT = 64.0
_DIM = 0.8  # share of canvas in a cell at rest


class MatrixView(View):
    """Heat map of a 2-D array, with heads, digits, hover cross, selection, highlights, zoom and pan.

    `cell_hovered(row, column)` is (-1, -1) when the pointer leaves; `cell_clicked` comes from the mouse
    and from Return. Rows and columns count from 0 here and from 1 on the screen.
    """

    cell_hovered = Signal(int, int)
    cell_clicked = Signal(int, int)

    def __init__(self, role: str = "weights", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.empty_text = tr("No numbers yet")
        self.max_decimals = 2
        self.square = False  # cells as wide as high: pictures and kernels
        self.like_map = False
        """The plain wheel zooms and the left button drags, as on a map; cells have nothing to open."""
        self.largest_cell = _LARGEST
        self._role = role
        self._stable = StableScale(role)
        self._values: Array = np.zeros((0, 0), dtype=np.float32)
        self._colors: NDArray[np.uint32] | None = None
        self._scale = Scale(-1.0, 1.0)
        self._row_names: tuple[str, ...] | None = None
        self._column_names: tuple[str, ...] | None = None
        self._hover: tuple[int, int] | None = None
        self._selected: tuple[int, int] | None = None
        self._rows: frozenset[int] = frozenset()
        self._columns: frozenset[int] = frozenset()
        self._cells: frozenset[tuple[int, int]] = frozenset()
        self._dim_rest = False
        self._zoom = 1.0
        self._offset = QPointF(0, 0)
        self._grip: tuple[QPointF, QPointF] | None = None
        self._cache: QPixmap | None = None
        self._heads: Heads | None = None
        self._head_cache: tuple[QPixmap, object] | None = None

    # -- what is shown ----------------------------------------------------------------------------

    def set_values(self, values: Array, scale: Scale | None = None) -> None:
        """Show a 2-D array (copied by reference). `scale` overrides the view's own stable scale.

        Raises ValueError for other than two axes.
        """
        if values.ndim != 2:
            raise ValueError(f"a matrix has two axes, got {values.shape}")
        if values.shape != self._values.shape:
            self._hover = None
            self._heads = None
            self._rows, self._columns, self._cells = frozenset(), frozenset(), frozenset()
            self._zoom, self._offset = 1.0, QPointF(0, 0)
            if self._selected is not None and not self._inside(*self._selected, values.shape):
                self._selected = None
        self._values = values
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
        self._row_names = None if rows is None else tuple(rows)
        self._column_names = None if columns is None else tuple(columns)
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
        height, width = self._values.shape
        self._rows = frozenset(row for row in rows if 0 <= row < height)
        self._columns = frozenset(column for column in columns if 0 <= column < width)
        self._cells = frozenset(cell for cell in cells if self._inside(*cell))
        self._dim_rest = dim_rest and bool(self._rows or self._columns or self._cells)
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

    def fit(self) -> None:
        """The whole matrix again."""
        self._zoom, self._offset = 1.0, QPointF(0, 0)
        self._changed()

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

    def hovered(self) -> tuple[int, int] | None:
        """The cell under the pointer."""
        return self._hover

    def selected(self) -> tuple[int, int] | None:
        """The opened cell."""
        return self._selected

    def unit_text(self) -> str:
        """ "in units of 10⁻⁴" when the digits are shown that way, else ""."""
        digits = self._digits(self._box())
        if digits is None or digits.exponent == 0:
            return ""
        return tr("in units of {unit}").format(unit="10" + i18n.superscript(digits.exponent))

    def cell_text(self, row: int, column: int) -> str:
        """ "row 2, column 4", with names where there are names."""
        head = self._head()
        return tr("row {row}, column {column}").format(row=head.rows[row], column=head.columns[column])

    def cell_at(self, point: QPointF | QPoint) -> tuple[int, int] | None:
        """The cell under a point of the widget."""
        point = QPointF(point)
        if not self._values.size or not self._area().contains(point):
            return None
        row, column = self._box().cell_at(point.x(), point.y())
        return (row, column) if self._inside(row, column) else None

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is drawn, in widget coordinates."""
        return self._box().rect(row, column)

    def sizeHint(self) -> QSize:
        rows, columns = self._values.shape
        head = self._head()
        wide = min(max(columns, 1) * 40, 480)
        return QSize(int(wide + head.left + 8), int(min(max(rows, 1) * 24, 360) + head.top + 8))

    # -- geometry ---------------------------------------------------------------------------------

    def _inside(self, row: int, column: int, shape: tuple[int, ...] | None = None) -> bool:
        rows, columns = shape or self._values.shape
        return 0 <= row < rows and 0 <= column < columns

    def _head(self) -> Heads:
        if self._heads is None:
            self._heads = heads(self._values.shape, self._row_names, self._column_names)
        return self._heads

    def _area(self) -> QRectF:
        """Where cells may be drawn."""
        return area_beside(self._head(), self.width(), self.height())

    def _box(self) -> CellBox:
        grow = min(max(self.height() / 200, 1.0), 2.0)
        return place_cells(
            self._area(), self._values.shape, (grow * self.largest_cell[0], grow * self.largest_cell[1]),
            square=self.square, zoom=self._zoom, offset=self._offset,
        )  # fmt: skip

    def _biggest(self) -> float:
        return max(abs(self._scale.low), abs(self._scale.high))

    def _digits(self, box: CellBox) -> Digits | None:
        if not self._values.size:
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
        painter.drawPixmap(0, 0, self._head_picture(ratio, box, area))
        if unit := self.unit_text():
            draw_caption(painter, QPointF(2, theme.px(11)), "×" + unit.rsplit(" ", 1)[-1])
        painter.setClipRect(area.adjusted(-4, -4, 4, 4))
        self._paint_rings(painter, box)

    def _head_picture(self, ratio: float, box: CellBox, area: QRectF) -> QPixmap:
        """The heads, kept while the numbers change: they depend on place and hover alone."""
        key = (box, area, self._hover, self._head())
        kept = self._head_cache
        if kept is None or kept[1] != key or kept[0].size() != self.size() * ratio:
            made = QPixmap(self.size() * ratio)
            made.setDevicePixelRatio(ratio)
            made.fill(Qt.GlobalColor.transparent)
            painter = QPainter(made)
            try:
                matrix_paint.draw_heads(painter, box, area, self._head(), self._hover)
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
            box, area = self._box(), self._area()
            painter.setClipRect(area)
            indices = self._scale.indices(self._values)
            words = self._colors if self._colors is not None else theme.lut32(self._role)[indices]
            resting = self._resting()
            if resting is not None:
                dimmed = matrix_paint.mixed_words(words, theme.theme().canvas, _DIM)
                words = np.where(resting, dimmed, words)
            broken = ~np.isfinite(self._values) if self._values.dtype.kind == "f" else None
            if broken is not None and broken.any():
                danger = np.uint32(0xFF000000 | int(theme.theme().danger[1:], 16))
                words = np.where(broken, danger, words)
            matrix_paint.draw_heat(painter, words, box, area)
            digits = self._digits(box)
            if digits is not None:
                black = self._black_ink(words, indices)
                matrix_paint.draw_digits(painter, self._values, black, box, area, digits, resting)
        finally:
            painter.end()
        return made

    def _black_ink(self, words: NDArray[np.uint32], indices: Bytes) -> NDArray[np.bool_]:
        if self._colors is not None:
            return matrix_paint.black_ink_on(words)
        return np.asarray(matrix_paint.ink_table(theme.theme(), self._role)[indices], dtype=np.bool_)

    def _resting(self) -> NDArray[np.bool_] | None:
        if not self._dim_rest:
            return None
        resting = np.ones((self._values.shape[0], self._values.shape[1]), dtype=np.bool_)
        resting[sorted(self._rows), :] = False
        resting[:, sorted(self._columns)] = False
        for cell in self._cells:
            resting[cell] = False
        return resting

    def _paint_rings(self, painter: QPainter, box: CellBox) -> None:
        rows, columns = self._values.shape
        for row in self._rows:
            trace_ring(painter, box.rect(row, 0, 1, columns))
        for column in self._columns:
            trace_ring(painter, box.rect(0, column, rows, 1))
        for cell in self._cells | ({self._selected} if self._selected else set()):
            trace_ring(painter, box.rect(*cell))
        if self._hover is not None:
            ring(painter, box.rect(*self._hover), theme.color("text1"), 2.0, 2.0)
        if self.hasFocus() and self._selected is None and self._hover is None:
            ring(painter, box.rect(0, 0, rows, columns), QColor(theme.theme().focus), 1.0, 3.0)

    # -- hands ------------------------------------------------------------------------------------

    def _hover_to(self, cell: tuple[int, int] | None) -> None:
        if cell == self._hover:
            return
        self._hover = cell
        self.cell_hovered.emit(*(cell or (-1, -1)))
        self.setToolTip("" if cell is None else self._tip(*cell))
        self.update()

    def _tip(self, row: int, column: int) -> str:
        value = float(self._values[row, column])
        return f"{self.cell_text(row, column)}\n{i18n.short(value, 5)}"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None:
            start, offset = self._grip
            self._offset = offset - (event.position() - start)
            self._changed()
            return
        self._hover_to(self.cell_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.like_map and event.button() == Qt.MouseButton.LeftButton:
            self._grip = (event.position(), self._offset)
        elif event.button() == Qt.MouseButton.LeftButton:
            cell = self.cell_at(event.position())
            if cell is not None:
                self.cell_clicked.emit(*cell)
        elif event.button() == Qt.MouseButton.MiddleButton and self._zoom > 1.0:
            self._grip = (event.position(), self._offset)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton or self.like_map:
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_to(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer; with Shift pan sideways. A fitted matrix leaves plain scrolling alone."""
        delta = event.angleDelta()
        control = self.like_map or bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if control and delta.y():
            self.zoom_about(event.position(), 1.2 ** (delta.y() / 120))
        elif self._zoom > 1.0 and not control:
            self._clamp_offset(QPointF(self._offset.x() - delta.x(), self._offset.y() - delta.y()))
            self._changed()
        else:
            event.ignore()
            return
        event.accept()

    def zoom_about(self, point: QPointF, factor: float) -> None:
        """Zoom by `factor`, keeping the cell under `point` where it is."""
        before = self._box()
        row = (point.y() - before.y) / before.height
        column = (point.x() - before.x) / before.width
        self._zoom = min(max(self._zoom * factor, 1.0), _ZOOM_LIMIT)
        after, area = self._box(), self._area()
        self._clamp_offset(
            QPointF(
                column * after.width - (point.x() - area.left()),
                row * after.height - (point.y() - area.top()),
            )
        )
        self._changed()

    def _clamp_offset(self, offset: QPointF) -> None:
        box, area = self._box(), self._area()
        rows, columns = self._values.shape
        self._offset = QPointF(
            min(max(offset.x(), 0.0), max(0.0, columns * box.width - area.width())),
            min(max(offset.y(), 0.0), max(0.0, rows * box.height - area.height())),
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps and self._values.size:
            row, column = self._hover or self._selected or (0, 0)
            moved = (row + steps[key][0], column + steps[key][1])
            self._hover_to(moved if self._hover or self._selected else (0, 0)) if self._inside(
                *moved
            ) else None
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._hover is not None:
            self.cell_clicked.emit(*self._hover)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self.zoom_about(QPointF(self._area().center()), 1.25 if key == Qt.Key.Key_Plus else 0.8)
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)
