"""Bringing pictures to a network's size, against averages and positions worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine.data.pictures import Picture, cv2, read_picture, to_input, to_pixels, warp_affine
from engine.data.samples import sample_picture
from engine.errors import DataError
from tests.engine.data.picture_bytes import Array, png, random_picture


def picture(array: Array) -> Picture:
    return read_picture(png(array))


def test_lossless_formats_match_the_pixels() -> None:
    for channels in (1, 3):
        array = random_picture(channels, 9, 13, channels)
        np.testing.assert_array_equal(picture(array).array, array)
    photo = read_picture(sample_picture("chelsea"))
    reference = cv2.imread(str(sample_picture("chelsea")))[..., ::-1]
    np.testing.assert_array_equal(photo.array, reference)
    # The cat is orange: red above blue says that the channels are in RGB order.
    assert photo.array[..., 0].mean() > photo.array[..., 2].mean() + 20


def test_same_size_is_untouched() -> None:
    array = random_picture(0)
    for policy in ("fit", "fill", "stretch"):
        np.testing.assert_array_equal(to_pixels(picture(array), (3, 6, 5), policy), array.transpose(2, 0, 1))


@pytest.mark.parametrize("policy", ["fit", "fill", "stretch"])
def test_shrinking_averages_areas(policy: str) -> None:
    array = random_picture(1, 12, 20, 3)
    values = to_pixels(picture(array), (3, 3, 5), policy)  # type: ignore[arg-type]
    means = array.reshape(3, 4, 5, 4, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(values - means).max() <= 1.01


def test_fit_keeps_the_whole_and_fills_with_the_border_color() -> None:
    array = np.full((20, 40, 1), 200, np.uint8)
    array[6:14, 10:30] = 20
    values = to_pixels(picture(array), (1, 20, 20), "fit")[0]
    assert (values[:5] == 200).all() and (values[15:] == 200).all()  # bars above and below
    assert (values[8:12, 6:14] == 20).all() and (values[5:15, 0] == 200).all()


def test_fill_cuts_the_middle() -> None:
    array = np.zeros((10, 30, 1), np.uint8)
    array[:, 10:20] = 255
    assert (to_pixels(picture(array), (1, 10, 10), "fill") == 255).all()
    tall = np.ascontiguousarray(array.transpose(1, 0, 2))
    assert (to_pixels(picture(tall), (1, 5, 5), "fill") == 255).all()


def test_stretch_changes_proportions() -> None:
    array = np.zeros((10, 30, 1), np.uint8)
    array[:, 15:] = 255
    values = to_pixels(picture(array), (1, 10, 10), "stretch")[0]
    assert (values[:, :5] == 0).all() and (values[:, 5:] == 255).all()


def test_color_to_grey_and_back() -> None:
    array = random_picture(2)
    grey = to_pixels(picture(array), (1, 6, 5))[0]
    assert np.abs(grey - array @ np.array([0.299, 0.587, 0.114])).max() <= 1
    repeated = to_pixels(picture(array[..., :1]), (3, 6, 5))
    assert (repeated == array[..., 0]).all()


def test_nothing_is_inverted_and_the_range_is_0_to_1() -> None:
    values = to_input(picture(np.array([[[0], [128], [255]]], np.uint8)), (1, 1, 3))
    np.testing.assert_allclose(values, [[[0, 128 / 255, 1]]], atol=1e-7)
    assert values.dtype == np.float32


def test_training_and_prediction_see_the_same_numbers() -> None:
    shot = picture(random_picture(3, 31, 17, 3, bits=16))
    stored = to_pixels(shot, (3, 8, 8)).astype(np.float32) * np.float32(1 / 255)
    np.testing.assert_array_equal(to_input(shot, (3, 8, 8)), stored)


def test_channels_that_no_picture_has() -> None:
    with pytest.raises(DataError, match="the network takes 2 channels"):
        to_pixels(picture(random_picture(4)), (2, 4, 4))


def test_warp_reference_moves_pixels_forward() -> None:
    array = random_picture(5, 8, 8, 1)[..., 0]
    moved = warp_affine(array, np.array([[1, 0, 2], [0, 1, 1]]))
    np.testing.assert_array_equal(moved[1:, 2:], array[:-1, :-2])
    assert (moved[0] == 0).all() and (moved[:, :2] == 0).all()
    assert (warp_affine(array, np.array([[1, 0, 2], [0, 1, 1]]), border="constant", value=9)[0] == 9).all()
    wrapped = warp_affine(array.astype(np.float32), np.array([[1, 0, 2], [0, 1, 0]]), border="wrap")
    np.testing.assert_array_equal(wrapped, np.roll(array, 2, axis=1))
    assert warp_affine(array, np.eye(3), size=(3, 5)).shape == (3, 5)
