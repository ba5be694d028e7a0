"""Tiles written into an atlas: the right pixels at the right place, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage

from gui import colormaps
from gui.tokens import DARK, LIGHT
from gui.views.base import pixels_of
from gui.views.scale import Scale
from gui.views.thumbs import fit_grid, paint_tiles, resize


def _word(color: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    """A row of a ramp as 0xRRGGBB."""
    return int(color[0]) << 16 | int(color[1]) << 8 | int(color[2])


def _atlas(width: int = 200, height: int = 160) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#123456"))
    return image


def test_a_tile_has_the_colors_of_its_ramp_and_a_border() -> None:
    image = _atlas()
    tiles = np.array([[[0, 255], [128, 64]]], dtype=np.uint8)
    grid = paint_tiles(image, QRect(10, 20, 60, 60), tiles, "weights", of=DARK)
    place = grid.tile(0)
    ramp = colormaps.lut_of(DARK, "weights")
    corners = {(0, 0): 0, (1, 0): 255, (0, 1): 128, (1, 1): 64}
    for (column, row), index in corners.items():
        x = place.x() + (4 * column + 1) * place.width() // 6
        y = place.y() + (4 * row + 1) * place.height() // 6
        assert image.pixelColor(x, y).rgb() & 0xFFFFFF == _word(ramp[index])
    assert image.pixelColor(place.x() - 1, place.y()).name().upper() == DARK.border
    assert image.pixelColor(5, 5).name() == "#123456"
    assert image.pixelColor(70, 85).name() == "#123456"


def test_floats_are_scaled_and_both_themes_differ() -> None:
    values = np.linspace(-1, 1, 64).reshape(1, 8, 8).astype(np.float32)
    middles = []
    for of in (DARK, LIGHT):
        image = _atlas()
        grid = paint_tiles(image, QRect(0, 0, 100, 100), values, "weights", scale=Scale(-1.0, 1.0), of=of)
        tile = grid.tile(0)
        middles.append(image.pixelColor(tile.x() + 1, tile.y() + tile.height() // 2).lightness())
    assert middles[0] < 60 < 180 < middles[1]


def test_wrong_arrays_and_images_are_refused() -> None:
    with pytest.raises(ValueError, match="three axes"):
        paint_tiles(_atlas(), QRect(0, 0, 10, 10), np.zeros((2, 2)), "weights")
    with pytest.raises(ValueError, match="32-bit"):
        paint_tiles(
            QImage(9, 9, QImage.Format.Format_Grayscale8), QRect(0, 0, 9, 9), np.zeros((1, 2, 2)), "weights"
        )


@pytest.mark.parametrize("count", [1, 3, 8, 64, 500])
@pytest.mark.parametrize("shape", [(5, 5), (28, 28), (1, 784), (10, 3)])
def test_every_tile_lies_inside_and_none_overlap(count: int, shape: tuple[int, int]) -> None:
    image = _atlas(300, 200)
    rect = QRect(20, 30, 136, 112)
    before = pixels_of(image).copy()
    grid = paint_tiles(image, rect, np.random.default_rng(0).normal(size=(count, *shape)), "weights", gap=2)
    taken = np.zeros((200, 300), dtype=int)
    for index in range(count):
        tile = grid.tile(index)
        taken[tile.y() : tile.y() + tile.height(), tile.x() : tile.x() + tile.width()] += 1
    assert taken.max() == 1
    after = pixels_of(image)
    outside = np.ones((200, 300), dtype=bool)
    outside[30:142, 20:156] = False
    assert np.array_equal(before[outside], after[outside])


def test_the_same_number_of_maps_is_arranged_the_same_everywhere() -> None:
    for count, columns in (
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 2),
        (6, 3),
        (8, 4),
        (10, 5),
        (16, 4),
        (32, 8),
        (64, 8),
    ):
        for room in (QRect(0, 0, 130, 130), QRect(0, 0, 310, 170), QRect(0, 0, 136, 92)):
            for side in (5, 28):
                assert fit_grid(room, count, side, side, gap=2).columns == columns
    assert fit_grid(QRect(0, 0, 40, 400), 16, 1, 1).columns < 4  # a tall room changes it


def test_a_grid_finds_its_tiles_again() -> None:
    grid = fit_grid(QRect(0, 0, 300, 150), 8, 5, 5)
    for index in range(8):
        tile = grid.tile(index)
        found = grid.at(tile.x() + 0.3 * tile.width(), tile.y() + 0.7 * tile.height())
        assert found is not None
        assert found[0] == index
        assert found[1] == pytest.approx(0.3) and found[2] == pytest.approx(0.7)
    assert grid.at(grid.tile(0).right() + 2, grid.tile(0).y() + 1) is None
    assert grid.at(-5, -5) is None


def test_growing_repeats_and_shrinking_averages() -> None:
    tile = np.arange(4, dtype=np.float32).reshape(1, 2, 2)
    grown = resize(tile, 4, 4)
    assert grown[0, :2, :2].tolist() == [[0, 0], [0, 0]] and grown[0, 3, 3] == 3
    assert resize(grown, 2, 2).tolist() == tile.tolist()
    assert resize(tile, 1, 1)[0, 0, 0] == pytest.approx(1.5)
