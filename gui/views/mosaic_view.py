"""Many maps side by side: filters, activations, gradients. The same map keeps the same place in all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.base import Array, View, draw_caption, draw_empty, image_from_words, ring, trace_ring
from gui.views.lock_marks import draw_padlock
from gui.views.scale import Scale, StableScale
from gui.views.thumbs import Grid, fit_grid, resize


class MosaicView(View):
    """k maps of an array (C, H, W) in a grid with 1 px borders, one of them selected.

    Signals: `map_hovered(map)` (-1: none), `cell_hovered(map, row, column)` (-1s: none) and
    `cell_clicked(map, row, column)`. Set `labels` to show the map's number below it.
    """

    map_hovered = Signal(int)
    cell_hovered = Signal(int, int, int)
    cell_clicked = Signal(int, int, int)

    def __init__(self, role: str = "activations", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.empty_text = tr("No maps yet")
        self.labels = False
        self.largest_tile = 0
        self.gap = 6
        self._role = role
        self._stable = StableScale(role)
        self._maps: Array = np.zeros((0, 1, 1), dtype=np.float32)
        self._rgb = False
        self._scale = Scale(-1.0, 1.0)
        self._hover = -1
        self._cell: tuple[int, int, int] | None = None
        self._selected = -1
        self._trace: tuple[int, int, int] | None = None
        self._dead: frozenset[int] = frozenset()
        self._locked: frozenset[int] = frozenset()
        self._picture: tuple[QImage, tuple[Grid, float]] | None = None

    def set_maps(self, maps: Array, scale: Scale | None = None) -> None:
        """Show (maps, rows, columns), or (maps, rows, columns, 3) u8 pictures in their own colors.

        Raises ValueError for other shapes.
        """
        rgb = maps.ndim == 4 and maps.shape[3] == 3 and maps.dtype == np.uint8
        if maps.ndim != 3 and not rgb:
            raise ValueError(f"maps need three axes (k, h, w), got {maps.shape}")
        if maps.shape != self._maps.shape:
            self._hover, self._cell, self._trace = -1, None, None
            if self._selected >= maps.shape[0]:
                self._selected = -1
        self._maps, self._rgb = maps, rgb
        if not rgb:
            self._scale = scale or self._stable.update(maps)
        self._changed()

    def set_role(self, role: str) -> None:
        """Another ramp."""
        if role != self._role:
            self._role, self._stable = role, StableScale(role)
            if self._maps.size and not self._rgb:
                self._scale = self._stable.update(self._maps)
            self._changed()

    def set_selected(self, index: int) -> None:
        """The selected map, ringed in blue; -1 for none."""
        self._selected = index if 0 <= index < self._maps.shape[0] else -1
        self.update()

    def set_hovered(self, index: int) -> None:
        """Outline a map because another view hovers it; emits nothing."""
        if index != self._hover:
            self._hover = index if 0 <= index < self._maps.shape[0] else -1
            self.update()

    def set_trace(self, cell: tuple[int, int, int] | None) -> None:
        """Ring a cell (map, row, column) of the calculation in yellow."""
        self._trace = cell
        self.update()

    def set_dead(self, indices: Iterable[int]) -> None:
        """Hatch maps that never respond."""
        self._dead = frozenset(indices)
        self.update()

    def set_locked(self, indices: Iterable[int]) -> None:
        """Mark maps in which weights are locked with a padlock."""
        locked = frozenset(int(index) for index in indices)
        if locked != self._locked:
            self._locked = locked
            self.update()

    def reset_scale(self) -> None:
        """Let the next values set the scale afresh."""
        self._stable.reset()

    @property
    def role(self) -> str:
        """The role that decides the ramp."""
        return self._role

    def maps(self) -> Array:
        """The array shown."""
        return self._maps

    def scale(self) -> Scale:
        """The scale in use."""
        return self._scale

    def selected(self) -> int:
        """The selected map or -1."""
        return self._selected

    def hovered(self) -> int:
        """The map under the pointer or -1."""
        return self._hover

    def grid(self) -> Grid:
        """Where the tiles lie, in logical pixels."""
        count, height, width = self._maps.shape[:3]
        # room for rings and borders around, and for numbers below
        area = QRect(4, 4, max(1, self.width() - 8), max(1, self.height() - 8))
        foot = theme.px(16) if self.labels else 0
        gap = max(self.gap, foot) if self.labels else self.gap
        area.setHeight(max(1, area.height() - foot))
        if min(area.width(), area.height()) / max(1, count) ** 0.5 < 14:
            gap = 2
        return fit_grid(area, count, height, width, gap=gap, largest=self.largest_tile)

    def map_rect(self, index: int) -> QRectF:
        """Where a map is drawn."""
        return QRectF(self.grid().tile(index))

    def cell_at(self, point: QPointF) -> tuple[int, int, int] | None:
        """(map, row, column) under a point of the widget."""
        if not self._maps.size:
            return None
        found = self.grid().at(point.x(), point.y())
        if found is None:
            return None
        index, across, down = found
        return index, int(down * self._maps.shape[1]), int(across * self._maps.shape[2])

    def sizeHint(self) -> QSize:
        return QSize(theme.px(300), theme.px(180))

    # -- painting ---------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._picture = None
        self.update()

    def restyle(self) -> None:
        self._picture = None

    def paint(self, painter: QPainter) -> None:
        if not self._maps.size:
            draw_empty(self, painter, self.empty_text)
            return
        grid = self.grid()
        key = (grid, self.devicePixelRatioF())
        if self._picture is None or self._picture[1] != key:
            self._picture = (self._compose(grid), key)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        size = QRectF(
            grid.x - 1, grid.y - 1, grid.columns * (grid.width + grid.gap) - grid.gap + 2,
            grid.rows * (grid.height + grid.gap) - grid.gap + 2,
        )  # fmt: skip
        painter.drawImage(size, self._picture[0])
        self._paint_marks(painter, grid)

    def _compose(self, grid: Grid) -> QImage:
        """All tiles and their borders as one picture, in logical pixels times the pixel ratio."""
        ratio = self.devicePixelRatioF()
        height, width = max(1, round(grid.height * ratio)), max(1, round(grid.width * ratio))
        step_x, step_y = (grid.width + grid.gap) * ratio, (grid.height + grid.gap) * ratio
        pad = max(1, round(ratio))
        full_w = round((grid.columns - 1) * step_x) + width + 2 * pad
        full_h = round((grid.rows - 1) * step_y) + height + 2 * pad
        ground = np.uint32(0xFF000000 | int(theme.theme().panel[1:], 16))
        edge = np.uint32(0xFF000000 | int(theme.theme().border[1:], 16))
        words = np.full((full_h, full_w), ground, dtype=np.uint32)
        tiles = self._tile_words(height, width)
        for index in range(grid.count):
            row, column = divmod(index, grid.columns)
            y, x = round(row * step_y) + pad, round(column * step_x) + pad
            words[y - pad : y + height + pad, x - pad : x + width + pad] = edge
            words[y : y + height, x : x + width] = tiles[index]
        return image_from_words(words)

    def _tile_words(self, height: int, width: int) -> Array:
        if self._rgb:
            channels = [resize(self._maps[..., i], height, width).astype(np.uint32) for i in range(3)]
            return np.asarray(0xFF000000 | (channels[0] << 16) | (channels[1] << 8) | channels[2])
        indices = self._scale.indices(self._maps)
        return np.asarray(theme.lut32(self._role)[resize(indices, height, width)])

    def _paint_marks(self, painter: QPainter, grid: Grid) -> None:
        for index in self._dead:
            if index < grid.count:
                tile = QRectF(grid.tile(index))
                painter.fillRect(tile, QBrush(theme.color("warning"), Qt.BrushStyle.BDiagPattern))
                painter.setPen(QPen(theme.color("warning"), 1))
                painter.drawRect(tile.adjusted(-1, -1, 0, 0))
        if min(grid.width, grid.height) >= theme.px(16):
            for index in (each for each in self._locked if each < grid.count):
                tile = QRectF(grid.tile(index))
                draw_padlock(painter, tile.right() - theme.px(9), tile.top() + theme.px(2), False)
        if self.labels and grid.gap >= theme.px(12):
            for index in range(grid.count):
                tile = QRectF(grid.tile(index))
                strong = index in (self._hover, self._selected)
                spot = QPointF(tile.center().x(), tile.bottom() + theme.px(tokens.CAPTION) + 2)
                draw_caption(painter, spot, str(index + 1), "text1" if strong else "text3", "center")
        if self._selected >= 0:
            ring(
                painter,
                QRectF(grid.tile(self._selected)).adjusted(-2, -2, 2, 2),
                theme.color("accent"),
                2.0,
                3.0,
            )
        if 0 <= self._hover < grid.count:
            ring(
                painter, QRectF(grid.tile(self._hover)).adjusted(-1, -1, 1, 1), theme.color("text1"), 2.0, 3.0
            )
        if self._trace is not None:
            trace_ring(painter, self._cell_rect(grid, *self._trace))
        if self.hasFocus() and self._hover < 0 and self._selected < 0:
            ring(painter, QRectF(self.rect()).adjusted(2, 2, -2, -2), QColor(theme.theme().focus), 1.0, 3.0)

    def _cell_rect(self, grid: Grid, index: int, row: int, column: int) -> QRectF:
        tile = grid.tile(index)
        _, rows, columns = self._maps.shape[:3]
        width, height = tile.width() / columns, tile.height() / rows
        return QRectF(tile.x() + column * width, tile.y() + row * height, width, height)

    # -- hands ------------------------------------------------------------------------------------

    def _hover_to(self, cell: tuple[int, int, int] | None) -> None:
        if cell == self._cell:
            return
        before = self._cell
        self._cell = cell
        if (before or (-1,))[0] != (cell or (-1,))[0]:
            self._hover = cell[0] if cell else -1
            self.map_hovered.emit(self._hover)
            self.update()
        self.cell_hovered.emit(*(cell or (-1, -1, -1)))
        self.setToolTip("" if cell is None else self._tip(*cell))

    def _tip(self, index: int, row: int, column: int) -> str:
        place = tr("map {map}, row {row}, column {column}").format(
            map=index + 1, row=row + 1, column=column + 1
        )
        if self._rgb:
            return place
        return f"{place}\n{i18n.short(float(self._maps[index, row, column]), 5)}"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover_to(self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_to(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.set_selected(cell[0])
            self.cell_clicked.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns = self.grid().columns if self._maps.size else 1
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns}
        step = steps.get(Qt.Key(event.key()))
        target = max(self._selected, 0) + (step or 0) if self._selected >= 0 else 0
        if step is not None and 0 <= target < self._maps.shape[0]:
            self.set_selected(target)
            self.cell_clicked.emit(target, 0, 0)
        else:
            super().keyPressEvent(event)
