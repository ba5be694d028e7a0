"""Affine maps: the worked numbers of the text, their inverses, and whole pictures against OpenCV."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import affine
from engine.data.pictures import read_picture, warp_affine
from engine.data.samples import sample_picture
from engine.errors import DataError
from tests.engine.backends.opencl_help import device_ids

DEVICES = ["numpy", *device_ids()]


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    return np.ascontiguousarray(read_picture(sample_picture("chelsea")).array[60:180, 90:250])


def test_a_quarter_turn_takes_1_0_to_0_1() -> None:
    r = affine.rotation(90)
    assert r[:2, :2].tolist() == [[0, -1], [1, 0]]
    assert affine.apply(r, (1, 0)).tolist() == [0, 1]
    for degrees in (-450, -90, 180, 270, 360):
        assert set(np.abs(affine.rotation(degrees)).ravel()) == {0.0, 1.0}


def test_larger_and_to_the_right_in_both_orders() -> None:
    s, t = affine.scaling(1.1, 1.1), affine.shift(5, 0)
    m = affine.compose([s, t])
    assert np.array_equal(m, t @ s)
    assert np.round(m, 3).tolist() == [[1.1, 0, 5], [0, 1.1, 0], [0, 0, 1]]
    assert np.round(affine.apply(m, [(0, 0), (10, 10)]), 9).tolist() == [[5, 0], [16, 11]]
    assert round(float(affine.compose([t, s])[0, 2]), 9) == 5.5
    back = affine.inverse(m)
    assert np.round(back, 3).tolist() == [[0.909, 0, -4.545], [0, 0.909, 0], [0, 0, 1]]
    assert np.allclose(back @ m, np.eye(3))


def test_about_keeps_the_origin_and_a_shear_its_axis() -> None:
    x, y = affine.center(7, 10)
    assert (x, y) == (4.5, 3)
    m = affine.about(affine.rotation(33) @ affine.shear(0.5, 0.25), (x, y))
    assert np.allclose(affine.apply(m, (x, y)), (x, y))
    assert affine.apply(affine.shear(0.5, 0), [(1, 0), (0, 1)]).tolist() == [[1, 0], [0.5, 1]]
    assert affine.determinant(affine.shear(0.5, 0.25)) == 0.875


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (affine.scaling(0, 1), "determinant is 0"),
        (affine.scaling(0, 0), "one point"),
        (affine.shear(1, 1), "determinant is 0"),
        (affine.rotation(30) @ affine.scaling(3, 0), "determinant is 0"),
        (affine.scaling(1e-14, 1e-14), "too small"),
        (affine.shift(1e9, 0), "too large"),
        (affine.shift(math.nan, 0), "too large"),
        (affine.scaling(1, 1)[:2], "3 × 3"),
        (np.ones((3, 3)), "last row"),
    ],
)  # fmt: skip
def test_what_has_no_way_back_is_refused_with_the_reason(matrix: np.ndarray, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        affine.inverse(matrix)
    with pytest.raises(DataError, match=reason):
        affine.warp(np.ones((3, 4)), matrix)


def test_a_tiny_but_regular_matrix_has_a_way_back() -> None:
    m = affine.scaling(1e-4, 1e-4) @ affine.rotation(10)
    assert np.allclose(affine.inverse(m) @ m, np.eye(3))


@pytest.mark.parametrize("shape", [(0, 5, 3), (4, 0), (2,)])
def test_an_empty_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="at least one pixel"):
        affine.warp(np.zeros(shape), np.eye(3))


@pytest.mark.parametrize("device", DEVICES)
def test_one_pixel_and_unknown_words(device: str) -> None:
    for border, found in (("zero", 0), ("edge", 7), ("reflect", 7)):
        y = affine.warp(np.full((1, 1), 7), affine.shift(3, 2), border, device=device)
        assert y.tolist() == [[[found]]]
    with pytest.raises(DataError, match="bicubic"):
        affine.warp(np.ones((2, 2)), np.eye(3), interpolation="lanczos", device=device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("border", ["zero", "edge", "reflect"])
@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic"])
def test_a_picture_agrees_with_opencv(cat: np.ndarray, device: str, border: str, method: str) -> None:
    state = [affine.scaling(1.15, 0.9), affine.shear(0.1, -0.05), affine.rotation(18), affine.shift(36, -12)]
    m = affine.about(affine.compose(state), affine.center(*cat.shape[:2]))
    ours = affine.warp(cat, m, border, method, device)
    assert ours.shape == cat.shape and ours.dtype == np.float32
    mode = {"zero": "constant", "edge": "replicate", "reflect": "reflect"}[border]
    theirs = warp_affine(cat.astype(np.float32), m, border=mode, interpolation=method)
    # OpenCV rounds source points to 1/32 pixel: some nearest pixels are others, and steep edges differ
    error = np.abs(ours - theirs)
    assert error.mean() < (1.0 if method == "nearest" else 0.5)
    assert np.quantile(error, 0.9) < (1e-3 if method == "nearest" else 1.5)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic"])
def test_the_terms_of_a_pixel_add_up_to_the_engine(cat: np.ndarray, method: str) -> None:
    m = affine.about(affine.rotation(18) @ affine.scaling(1.15, 0.9), affine.center(*cat.shape[:2]))
    y = affine.warp(cat, m, "reflect", method)
    for row, column, channel in [(0, 0, 0), (60, 80, 1), (119, 159, 2)]:
        engine = float(y[row, column, channel])
        found = affine.terms(cat, m, (row, column, channel), engine, "reflect", method)
        assert len(found.terms) == {"nearest": 1, "bilinear": 4, "bicubic": 16}[method]
        assert sum(float(t.label) for t in found.terms) == pytest.approx(1, abs=1e-3)
        assert found.engine == engine and abs(found.difference) < 2e-3
        px, py = affine.source(m, column, row)
        assert affine.apply(m, (px, py)) == pytest.approx((column, row), abs=1e-3)


def test_whole_shifts_are_exact_and_the_held_picture_is_not_mixed_up(cat: np.ndarray) -> None:
    from engine.backends.opening import open_backend

    warper = affine.Warper(open_backend("numpy"))
    first = warper.warp(cat, affine.shift(2, 1))
    assert np.array_equal(first[1:, 2:], cat[:-1, :-2])
    other = 255 - cat
    assert np.array_equal(warper.warp(other, affine.shift(2, 1))[1:, 2:], other[:-1, :-2])
    for size in range(5, 12):  # more pictures than are held
        assert np.array_equal(warper.warp(cat[:size], np.eye(3)), cat[:size])


def test_36_turns_lose_something_and_less_with_bicubic(cat: np.ndarray) -> None:
    from engine.backends.opening import open_backend

    warper = affine.Warper(open_backend("numpy"))
    part = cat[:100, :100]
    inside = affine.disc(100, 100)
    lost = {
        m: affine.psnr(warper.turns(part, 10, 36, "zero", m), part, inside) for m in ("bilinear", "bicubic")
    }
    assert 20 < lost["bilinear"] < 35
    assert lost["bicubic"] > lost["bilinear"]
    # quarter turns only move pixels
    assert affine.psnr(warper.turns(part, 90, 4), part) == math.inf
    assert affine.psnr(np.zeros(2), np.full(2, 255.0)) == 0
