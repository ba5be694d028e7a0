"""Arrays as small tiles, written straight into the pixels of one atlas picture.

300 nodes with live thumbnails cost a few milliseconds this way: one array lookup per node and no
painter at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage

from gui import theme
from gui.colormaps import lut32_of
from gui.tokens import Theme
from gui.views.base import Array, pixels_of
from gui.views.scale import Scale, scale_of

NEAREST = 1.5
"""Up to so many cells on a pixel one of them is shown, more are averaged."""


@dataclass(frozen=True)
class Grid:
    """Where `count` equal tiles lie: all lengths in the pixels of the rectangle they were fitted to."""

    count: int
    columns: int
    rows: int
    x: int
    y: int
    width: int
    height: int
    gap: int

    def tile(self, index: int) -> QRect:
        """The rectangle of a tile, border not included."""
        row, column = divmod(index, self.columns)
        return QRect(
            self.x + column * (self.width + self.gap),
            self.y + row * (self.height + self.gap),
            self.width,
            self.height,
        )

    def at(self, x: float, y: float) -> tuple[int, float, float] | None:
        """(tile, share across, share down) under a point, or None between tiles."""
        column, inside_x = divmod(x - self.x, self.width + self.gap)
        row, inside_y = divmod(y - self.y, self.height + self.gap)
        index = int(row * self.columns + column)
        if not (0 <= column < self.columns and 0 <= row < self.rows and index < self.count):
            return None
        if inside_x >= self.width or inside_y >= self.height:
            return None
        return index, inside_x / self.width, inside_y / self.height


def fit_grid(
    rect: QRect | QRectF,
    count: int,
    height: int,
    width: int,
    *,
    gap: int = 4,
    largest: int = 0,
    columns: int = 0,
) -> Grid:
    """The grid of `count` tiles of `height` x `width` cells that fills `rect` best, centered.

    Cells become whole pixels where there is room, so that every cell of a tile is the same size.
    `largest` limits a tile's longer side, `columns` fixes the number of columns (0: free).
    """
    room = int(rect.x()), int(rect.y()), max(1, int(rect.width())), max(1, int(rect.height()))
    return _fit(room, max(1, count), height, width, gap, largest, columns)


@lru_cache(maxsize=2048)
def _fit(
    room: tuple[int, int, int, int], count: int, height: int, width: int, gap: int, largest: int, columns: int
) -> Grid:
    left, top, room_w, room_h = room

    def factor_of(across: int) -> float:
        down = math.ceil(count / across)
        return min(
            (room_w - gap * (across - 1)) / (across * width), (room_h - gap * (down - 1)) / (down * height)
        )

    if not columns:
        # the same number of maps gets the same arrangement everywhere, so that map 4 is found in the same
        # place in every panel; only a room of quite another form changes it
        columns = usual_columns(count, width / height)
        best = max(range(1, min(count, 128) + 1), key=factor_of)
        if factor_of(columns) < 0.55 * factor_of(best):
            columns = best
    across, down = columns, math.ceil(count / columns)
    factor = max(factor_of(across), 1 / max(width, height))
    if largest:
        factor = min(factor, largest / max(width, height))
    if factor >= 2:
        factor = math.floor(factor)
    tile_w, tile_h = max(1, int(width * factor)), max(1, int(height * factor))
    used_w = across * tile_w + gap * (across - 1)
    used_h = down * tile_h + gap * (down - 1)
    return Grid(
        count, across, down, left + max(0, (room_w - used_w) // 2), top + max(0, (room_h - used_h) // 2),
        tile_w, tile_h, gap,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def usual_columns(count: int, aspect: float = 1.0) -> int:
    """Columns for `count` tiles of this width to height: full rows, a little wider than high."""

    def worth(across: int) -> float:
        down = math.ceil(count / across)
        missing = (across * down - count) / (across * down)
        return abs(math.log(across * aspect / down / 1.5)) + (0.3 + 4.0 * missing if missing else 0.0)

    return min(range(1, min(count, 128) + 1), key=worth)


def resize(tiles: Array, height: int, width: int) -> Array:
    """(k, h, w) at another size: cells repeated when growing, averaged when shrinking."""
    tiles = _resize_axis(tiles, 1, height)
    return _resize_axis(tiles, 2, width)


def _resize_axis(tiles: Array, axis: int, size: int) -> Array:
    have = tiles.shape[axis]
    if size == have:
        return tiles
    if size > have:
        return np.asarray(np.take(tiles, (np.arange(size) * have) // size, axis=axis))
    edges = (np.arange(size) * have) // size
    counts = np.diff(np.append(edges, have))
    shape = [1, 1, 1]
    shape[axis] = size
    wide = tiles.astype(np.float32, copy=False)
    mean = np.add.reduceat(wide, edges, axis=axis) / counts.reshape(shape).astype(np.float32)
    return mean.astype(tiles.dtype) if tiles.dtype == np.uint8 else mean


def paint_tiles(
    image: QImage,
    rect: QRect,
    tiles: Array,
    role: str,
    border: bool = True,
    *,
    scale: Scale | None = None,
    gap: int = 4,
    of: Theme | None = None,
    pixels: Array | None = None,
) -> Grid:
    """Write tiles into `rect` of a 32-bit `image` (its own pixels), and say where they lie.

    `tiles` is (k, h, w): u8 are places on the ramp of `role`, floats are scaled by `scale` or by their
    own range. The rest of `rect` becomes canvas. `pixels` are those of `image`, if they are at hand.
    Raises ValueError for other shapes or formats.
    """
    if tiles.ndim != 3:
        raise ValueError(f"tiles need three axes (k, h, w), got {tiles.shape}")
    current = of or theme.theme()
    area = rect.intersected(image.rect())
    whole = pixels_of(image) if pixels is None else pixels
    shown = whole[area.top() : area.bottom() + 1, area.left() : area.right() + 1]
    count, height, width = tiles.shape
    room = rect.adjusted(1, 1, -1, -1) if border else rect
    grid = fit_grid(room, count, height, width, gap=gap)
    if tiles.size == 0:
        shown[:] = _word(current.canvas)
        return grid
    indices = tiles if tiles.dtype == np.uint8 else (scale or scale_of(tiles, role)).indices(tiles)
    place = Grid(
        grid.count, grid.columns, grid.rows, grid.x - area.x(), grid.y - area.y(),
        grid.width, grid.height, grid.gap,
    )  # fmt: skip
    shown[:] = mosaics(indices[None], (area.width(), area.height()), place, role, current, border)[0]
    return grid


def mosaics(
    indices: Array, size: tuple[int, int], grid: Grid, role: str, of: Theme, border: bool = True
) -> Array:
    """(g, k, h, w) u8 places on a ramp as g pictures (g, size[1], size[0]) of 32-bit pixels, all at once."""
    height, width = indices.shape[2:]
    if height > NEAREST * grid.height or width > NEAREST * grid.width:
        flat = indices.reshape(-1, height, width)
        flat = resize(flat, min(grid.height, height), min(grid.width, width))
        indices = flat.reshape(*indices.shape[:2], *flat.shape[1:])
    cells = indices.reshape(len(indices), -1)
    colors = np.empty((len(cells), cells.shape[1] + 2), np.uint32)
    colors[:, :-2] = lut32_of(of, role).take(cells, mode="clip")
    colors[:, -2:] = _words(of)
    sources = _sources(size, grid, indices.shape[2], indices.shape[3], border)
    return np.asarray(colors.take(sources, axis=1, mode="clip"))


@lru_cache(maxsize=64)
def _sources(size: tuple[int, int], grid: Grid, height: int, width: int, border: bool) -> Array:
    """For every pixel of a mosaic the cell it shows: one lookup paints all tiles. Then come ground and edge.

    Tiles of `height` x `width` cells, pixels (size[1], size[0]).
    """
    ground = grid.count * height * width
    out = np.full((size[1], size[0]), ground, np.intp)
    area = QRect(0, 0, *size)
    rows = (np.arange(grid.height) * height) // grid.height
    columns = (np.arange(grid.width) * width) // grid.width
    cell = rows[:, None] * width + columns[None, :]
    for index in range(grid.count):
        place = grid.tile(index)
        if not area.contains(place.adjusted(-1, -1, 1, 1) if border else place):
            continue
        x, y = place.x(), place.y()
        if border:
            out[y - 1 : y + grid.height + 1, x - 1 : x + grid.width + 1] = ground + 1
        out[y : y + grid.height, x : x + grid.width] = index * height * width + cell
    out.flags.writeable = False
    return out


@lru_cache(maxsize=8)
def _words(of: Theme) -> tuple[np.uint32, np.uint32]:
    """Ground and edge of tiles."""
    return _word(of.canvas), _word(of.border)


def _word(color: str) -> np.uint32:
    return np.uint32(0xFF000000 | int(color.lstrip("#")[-6:], 16))
