"""The affine warp against OpenCV, and the worked numbers of transformations."""

from __future__ import annotations

import numpy as np
import pytest

from engine.data.pictures import read_picture, warp_affine
from engine.data.samples import sample_picture
from engine.ops import REGISTRY, Context


def warp(x: np.ndarray, m: np.ndarray, border: str) -> np.ndarray:
    """One picture (C, H, W) by one matrix (2, 3)."""
    n = np.array(m, np.float32).reshape(6, 1)
    return REGISTRY["affine_warp"].reference((x[..., None], n), {"border": border}, Context(1))[0][..., 0]


def turn(degrees: float, size: int) -> np.ndarray:
    """Rotation about the picture's center."""
    c, s, k = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees)), (size - 1) / 2
    return np.array([[c, -s, k - c * k + s * k], [s, c, k - s * k - c * k]])


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    picture = read_picture(sample_picture("chelsea")).array
    return np.ascontiguousarray(picture[60:188, 90:218].transpose(2, 0, 1)).astype(np.float32) / 255


@pytest.mark.parametrize("border", ["zero", "edge", "reflect"])
@pytest.mark.parametrize(
    "matrix", [turn(17, 128), [[1.1, 0, 5], [0, 1.1, 0]], [[0.8, 0.2, -3.3], [-0.1, 1.2, 7.7]]]
)
def test_warp_agrees_with_opencv(cat, border, matrix):
    ours = warp(cat, np.array(matrix), border)
    mode = {"zero": "constant", "edge": "replicate", "reflect": "reflect"}[border]
    theirs = warp_affine(
        np.ascontiguousarray(cat.transpose(1, 2, 0)), np.array(matrix), border=mode
    ).transpose(2, 0, 1)
    # OpenCV rounds source points to 1/32 pixel: compare by mean, and tightly where it cannot matter
    assert np.abs(ours - theirs).mean() < 2e-3
    assert np.abs(ours - theirs).max() < 0.12


def test_whole_pixel_shifts_and_quarter_turns_are_exact(cat):
    small = cat[:, :9, :9]
    moved = warp(small, np.array([[1, 0, 2], [0, 1, 1]]), "zero")
    np.testing.assert_array_equal(moved[:, 1:, 2:], small[:, :-1, :-2])
    assert not moved[:, 0].any() and not moved[:, :, :2].any()
    turned = warp(small, np.array([[0, -1, 8], [1, 0, 0]]), "zero")  # +90 degrees looks clockwise: y is down
    np.testing.assert_array_equal(turned, np.rot90(small, -1, (1, 2)))


def test_points_of_the_text():
    m = np.array([[1.1, 0, 5], [0, 1.1, 0], [0, 0, 1]])
    np.testing.assert_allclose(m @ [0, 0, 1], [5, 0, 1])
    np.testing.assert_allclose(m @ [10, 10, 1], [16, 11, 1])
    np.testing.assert_allclose(np.linalg.inv(m), [[0.909, 0, -4.545], [0, 0.909, 0], [0, 0, 1]], atol=5e-4)


def test_random_maps_stay_in_their_ranges():
    controls = {"rotation": 12.0, "scale": 10.0, "shift": 3.0}
    attrs = {"height": 28, "width": 28, "capacity": 500}
    (m,) = REGISTRY["random_affine"].reference((), attrs, Context(500, controls, seed=3, step=1, stream=9))
    size, angle = np.hypot(m[0], m[3]), np.rad2deg(np.arctan2(m[3], m[0]))
    assert 0.9 <= size.min() < 0.92 and 1.08 < size.max() <= 1.1
    assert -12 <= angle.min() < -11 and 11 < angle.max() <= 12
    center = np.array([13.5, 13.5, 1])
    shift = np.stack([m[:3].T @ center, m[3:].T @ center]) - 13.5
    assert np.abs(shift).max() <= 3 + 1e-4 and np.abs(shift).max() > 2.9
    (again,) = REGISTRY["random_affine"].reference(
        (), attrs, Context(500, controls, seed=3, step=1, stream=9)
    )
    (other,) = REGISTRY["random_affine"].reference(
        (), attrs, Context(500, controls, seed=3, step=2, stream=9)
    )
    np.testing.assert_array_equal(m, again)
    assert not np.array_equal(m, other)
