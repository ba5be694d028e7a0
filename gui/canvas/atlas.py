"""All node pictures in one image: 300 nodes with live pictures cost a few milliseconds a frame."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QImage

from engine.graph import Uid
from gui import theme, tokens
from gui.canvas.thumb_data import Array, ThumbData
from gui.views.base import pixels_of
from gui.views.thumbs import fit_grid, mosaics, paint_tiles, resize

HISTOGRAM = 20
"""Height of a histogram in logical pixels."""
_WIDTH = 2048
_LARGEST = 8_000_000
"""Pixels of the image at most: 32 MB."""
_HATCH = 7
BARS = 34
"""Bars of the histograms that are painted together."""
Form = tuple[int, int, tuple[int, ...], str]
"""Width and height of the slot, shape of the tiles, ramp."""


class Atlas:
    """Slots of one QImage, one per node. Sizes are logical pixels; `ratio` device pixels per logical."""

    def __init__(self) -> None:
        self.image = QImage()
        self._pixels: Array = np.zeros((0, 0), np.uint32)
        self.ratio = 1.0
        self._sizes: dict[Uid, tuple[int, int, int]] = {}  # width, height, tiles stacked (0: a mosaic)
        self._slots: dict[Uid, QRect] = {}
        self._data: dict[Uid, ThumbData] = {}
        self._stale: set[Uid] = set()
        self._screen = 1.0

    def data(self, uid: Uid) -> ThumbData | None:
        return self._data.get(uid)

    def slot(self, uid: Uid) -> QRect | None:
        """Where a node's picture lies in `image`, in device pixels; None while it has none.

        The picture is painted here, when it is asked for: nodes out of sight cost nothing.
        """
        if uid not in self._data or uid not in self._slots:
            return None
        if uid in self._stale:
            self._stale.discard(uid)
            self._paint(uid)
        return self._slots[uid]

    def refresh(self, uids: Iterable[Uid]) -> None:
        """Paint what is stale of these; pictures of one form together, which takes a fraction of the time."""
        stale = [u for u in uids if u in self._stale and u in self._slots and self._is_plain(u)]
        strips: dict[tuple[int, int], list[Uid]] = {}
        forms: dict[Form, list[Uid]] = {}
        for uid in stale:
            data, rect = self._data[uid], self._slots[uid]
            strips.setdefault((rect.width(), rect.height()), []).append(uid)
            forms.setdefault((rect.width(), rect.height(), data.tiles.shape, data.role), []).append(uid)
        self._stale.difference_update(stale)
        for (width, height), kin in strips.items():
            self._paint_strips(width, height, kin)
        for form, kin in forms.items():
            self._paint_kin(form, kin)

    def _is_plain(self, uid: Uid) -> bool:
        """Whether a picture is tiles on a ramp above a histogram, as nearly all are."""
        data = self._data[uid]
        counts = data.histogram
        if self._sizes[uid][2] or data.dead or counts is None or len(counts) != BARS:
            return False
        return counts.dtype.kind in "iu" and data.tiles.dtype == np.uint8 and data.tiles.size > 0

    def _heights(self, height: int) -> tuple[int, int, int]:
        """Of tiles, of the gap and of the histogram in a slot."""
        strip, pad = round(HISTOGRAM * self.ratio), round(6 * self.ratio)
        return max(1, height - strip - pad), pad, strip

    def _paint_strips(self, width: int, height: int, uids: list[Uid]) -> None:
        room, pad, strip = self._heights(height)
        counts = np.stack([bars for uid in uids if (bars := self._data[uid].histogram) is not None])
        for uid, bars in zip(uids, _histograms(counts, width, strip, pad), strict=True):
            place = self._slots[uid]
            self._blit(QRect(place.x(), place.y() + room, width, pad + strip), bars)

    def _paint_kin(self, form: Form, uids: list[Uid]) -> None:
        width, height, shape, role = form
        room = QRect(0, 0, width, self._heights(height)[0])
        tiles = np.stack([self._data[uid].tiles for uid in uids])
        if shape[0] == 1:
            tiles = _fitted(tiles[:, 0], room, 1)[:, None]
        inner = room.adjusted(1, 1, -1, -1)
        grid = fit_grid(inner, shape[0], tiles.shape[2], tiles.shape[3], gap=self._gap(shape[0]))
        pictures = mosaics(tiles, (room.width(), room.height()), grid, role, theme.theme())
        for uid, picture in zip(uids, pictures, strict=True):
            self._blit(QRect(self._slots[uid].topLeft(), room.size()), picture)

    def _gap(self, count: int) -> int:
        return max(2, round(4 * self.ratio)) if count <= 64 else 2

    def set_sizes(self, sizes: dict[Uid, tuple[int, int, int]]) -> None:
        """Give every node its slot: (width, height, units); with units the tiles are stacked."""
        if sizes == self._sizes:
            return
        self._sizes = dict(sizes)
        self._data = {u: d for u, d in self._data.items() if u in sizes}
        self._arrange()

    def set_ratio(self, ratio: float, screen: float = 1.0) -> None:
        """Another zoom or screen: paint everything again at that resolution.

        `screen` is the part of `ratio` that comes from the screen's pixel density.
        """
        area = sum(w * h for w, h, _ in self._sizes.values())
        ratio = min(max(ratio, 0.25), 3.0, math.sqrt(_LARGEST / max(area, 1)))
        if abs(ratio - self.ratio) > 0.001 or screen != self._screen:
            self.ratio, self._screen = ratio, screen
            self._arrange()

    def forget(self) -> None:
        """Another run: no node has a picture until it gets a new one."""
        self._data.clear()
        self._stale.clear()

    def repaint(self) -> None:
        """Paint everything again (another theme)."""
        self._stale = set(self._data)

    def set(self, uid: Uid, data: ThumbData) -> bool:
        """Paint a picture into its slot; False for a node that has none."""
        if uid not in self._slots:
            return False
        self._data[uid] = data
        self._stale.add(uid)
        return True

    def _arrange(self) -> None:
        self._slots.clear()
        x = y = shelf = 0
        for uid, (w, h, _) in sorted(self._sizes.items(), key=lambda item: -item[1][1]):
            size = QSize(max(1, round(w * self.ratio)), max(1, round(h * self.ratio)))
            if x + size.width() > _WIDTH:
                x, y, shelf = 0, y + shelf, 0
            self._slots[uid] = QRect(x, y, size.width(), size.height())
            x += size.width() + 1
            shelf = max(shelf, size.height() + 1)
        self.image = QImage(_WIDTH, max(1, y + shelf), QImage.Format.Format_RGB32)
        self.image.setDevicePixelRatio(self._screen)
        self.image.fill(theme.color("canvas"))
        # the image is drawn and never copied, so its pixels stay where they are
        self._pixels = pixels_of(self.image)
        self.repaint()

    def _paint(self, uid: Uid) -> None:
        data, rect = self._data[uid], self._slots[uid]
        stacked = self._sizes[uid][2]
        if stacked:
            self._paint_stack(rect, data, stacked)
            return
        room = QRect(rect)
        if data.histogram is not None and len(data.histogram):
            tall, _, strip = self._heights(rect.height())
            room.setHeight(tall)
            self._paint_histogram(
                QRect(rect.left(), rect.bottom() - strip + 1, rect.width(), strip), data.histogram
            )
        elif data.histogram is None:
            self._clear(rect)
        if data.tiles.size == 0:
            self._clear(room)
            return
        gap = self._gap(len(data.tiles))
        if data.tiles.dtype == np.uint32:
            self._paint_pixels(room, data.tiles, gap)
            return
        tiles = _fitted(data.tiles, room, len(data.tiles))
        grid = paint_tiles(self.image, room, tiles, data.role, gap=gap, pixels=self._pixels)
        for index in data.dead:
            if index < grid.count:
                self._hatch(grid.tile(index))

    def _paint_stack(self, rect: QRect, data: ThumbData, units: int) -> None:
        """One square map per neuron, one below the other, filling the slot."""
        self._clear(rect)
        side = rect.width()
        pitch = (rect.height() - side) / (units - 1) if units > 1 else 0.0
        for unit in range(min(units, len(data.tiles))):
            top = rect.top() + round(unit * pitch)
            place = QRect(rect.left(), top, side, side)
            tile = data.tiles[unit : unit + 1]
            if tile.dtype == np.uint32:
                self._blit(place, resize_pixels(tile[0], side, side))
            else:
                large, role = resize(tile, side, side), data.role
                paint_tiles(self.image, place, large, role, border=False, pixels=self._pixels)

    def _paint_pixels(self, room: QRect, tiles: Array, gap: int) -> None:
        self._clear(room)
        count, height, width = tiles.shape
        grid = fit_grid(room, count, height, width, gap=gap)
        for index in range(count):
            place = grid.tile(index)
            if room.contains(place):
                self._blit(place, resize_pixels(tiles[index], place.height(), place.width()))

    def _blit(self, place: QRect, words: Array) -> None:
        self._pixels[
            place.top() : place.top() + words.shape[0], place.left() : place.left() + words.shape[1]
        ] = words

    def _clear(self, rect: QRect) -> None:
        self._pixels[rect.top() : rect.bottom() + 1, rect.left() : rect.right() + 1] = _word(
            "canvas"
        )

    def _paint_histogram(self, rect: QRect, counts: Array) -> None:
        """Bars on a root scale: rare values stay visible. The strip above them becomes canvas."""
        pad = round(6 * self.ratio)
        strip = self._pixels[rect.top() - pad : rect.bottom() + 1, rect.left() : rect.right() + 1]
        strip[:] = _histograms(counts[None], rect.width(), rect.height(), pad)[0]

    def _hatch(self, place: QRect) -> None:
        area = self._pixels[place.top() : place.bottom() + 1, place.left() : place.right() + 1]
        rows, columns = np.indices(area.shape)
        area[:] = np.where((rows + columns) % _HATCH < 2, _word("warning"), _word("canvas"))


def _histograms(counts: Array, width: int, height: int, pad: int) -> Array:
    """(g, bins) counts as g strips (g, pad + height, width) of pixels, the highest bar `height` high."""
    clean = counts if counts.dtype.kind in "iu" else np.maximum(np.nan_to_num(counts), 0)
    heights = np.sqrt(clean)
    most = heights.max(axis=1, keepdims=True)
    # the last place stands for the gaps between the bars
    columns = np.zeros((len(counts), counts.shape[1] + 1))
    np.ceil(heights * (height / np.where(most > 0, most, 1.0)), out=columns[:, :-1])
    filled = _rows(height, pad) <= columns.take(_bars(width, counts.shape[1]), axis=1)[:, None, :]
    return np.asarray(_strip_words(theme.theme()).take(filled, mode="clip"))


@lru_cache(maxsize=8)
def _strip_words(_of: tokens.Theme) -> Array:
    """Ground and bars of a histogram."""
    return np.array((_word("canvas"), _word("histogram")))


@lru_cache(maxsize=64)
def _bars(width: int, bars: int) -> Array:
    """The bar of every column; `bars` for the gaps between them, where there is room for gaps."""
    bar = np.arange(width) * bars // width
    if width > 2 * bars:
        gaps = np.append(False, bar[1:] != bar[:-1])
        bar = np.where(gaps, bars, bar)
    return bar


@lru_cache(maxsize=64)
def _rows(height: int, pad: int) -> Array:
    """How high a bar must be to reach a row, from the top; none reaches the `pad` rows above."""
    rows: Array = np.arange(height, 0, -1, dtype=np.float64)
    return np.append(np.full(pad, np.inf), rows)[:, None]


def _fitted(tiles: Array, room: QRect, count: int) -> Array:
    """A single long matrix gets cells that are not square, so that it fills the field; several do not."""
    height, width = tiles.shape[1:]
    shape = width * room.height() / max(1, height * room.width())
    if count > 1 or 0.4 <= shape <= 2.5:
        return tiles
    across, down = max(1, room.width() - 8), max(1, room.height() - 8)
    if shape > 1:
        # whole pixels per row keep the rows equally high
        return resize(tiles, max(height, down // height * height), across)
    return resize(tiles, down, max(width, min(across, max(16, 4 * down // height)) // width * width))


def resize_pixels(words: Array, height: int, width: int) -> Array:
    """(h, w) pixels at another size, the nearest one taken."""
    rows = (np.arange(height) * words.shape[0]) // height
    columns = (np.arange(width) * words.shape[1]) // width
    return np.asarray(words[rows[:, None], columns[None, :]])


def _word(token: str) -> np.uint32:
    return np.uint32(theme.color(token).rgb())
