"""Arrays of other people: which axis is what, and which range the numbers have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.data.dataset import Dataset
from engine.data.npz_data import arrange, from_arrays, to_range
from engine.data.source import SourceSpec
from engine.errors import DataError


def given(**arrays: Any) -> Dataset:
    return from_arrays({k: np.asarray(v) for k, v in arrays.items()}, SourceSpec.npz("a.npz"), "a.npz")


def told(data: Dataset) -> str:
    return " ".join(str(note) for note in data.notes)


@pytest.mark.parametrize(
    ("x", "y"), [("x", "y"), ("X", "Y"), ("images", "labels"), ("data", "target"), ("X_TRAIN", "Y_train")]
)
def test_names_of_arrays(x: str, y: str) -> None:
    data = given(**{x: np.arange(20.0).reshape(10, 2), y: np.arange(10) % 2})
    assert (data.n_train, data.n_test, data.kind) == (8, 2, "points")


def test_given_parts_keep_their_order() -> None:
    x = np.arange(24.0).reshape(8, 3)
    data = given(x_train=x[:6], y_train=[0, 1, 2, 0, 1, 2], x_test=x[6:], y_test=[0, 1])
    np.testing.assert_array_equal(data.x_train, x[:6])
    np.testing.assert_array_equal(data.y_test, [0, 1])
    assert data.kind == "vectors" and data.notes == ()


def test_channels_last_are_turned() -> None:
    x = np.arange(2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
    turned, kind, notes = arrange(x, "a.npz")
    assert turned.shape == (2, 3, 4, 5) and kind == "pictures" and "channels first" in str(notes[0])
    for channel in range(3):
        np.testing.assert_array_equal(turned[:, channel], x[..., channel])
    for shape in [(2, 3, 4, 5), (2, 1, 4, 3), (2, 4, 8, 8), (2, 3, 3, 3)]:
        kept, _, notes = arrange(np.zeros(shape), "a.npz")
        assert kept.shape == shape and notes == ()
    assert arrange(np.zeros((2, 4, 5)), "a.npz")[0].shape == (2, 1, 4, 5)
    with pytest.raises(DataError, match="5 axes 1×2×3×4×5"):
        arrange(np.zeros((1, 2, 3, 4, 5)), "a.npz")


@pytest.mark.parametrize(
    ("low", "high", "dtype", "expected", "note"),
    [
        (0, 255, "u1", (0, 1), ""),
        (0, 255, "i8", (0, 1), ""),
        (0, 16, "i8", (0, 1), "divided by 16"),
        (0, 1, "u1", (0, 1), ""),
        (0, 1, "f8", (0, 1), ""),
        (-1, 1, "f4", (-1, 1), ""),
        (0, 255, "f4", (0, 1), "divided by 255"),
        (0, 65535, "u2", (0, 1), "divided by 65535"),
        (-300, 900, "i4", (0, 1), "stretched to 0..1"),
    ],
)
def test_range_of_pictures(low: int, high: int, dtype: str, expected: tuple[int, int], note: str) -> None:
    x = np.linspace(low, high, 2 * 16).reshape(2, 1, 4, 4).astype(dtype)
    stored, stored_test, scale, notes = to_range(x, x[:1], "pictures", "a.npz")
    values = stored.astype(np.float64) * scale
    np.testing.assert_allclose((values.min(), values.max()), expected, atol=1e-6)
    np.testing.assert_array_equal(stored_test, stored[:1])
    assert note in " ".join(map(str, notes)) and bool(note) == bool(notes)
    assert stored.dtype == (np.uint8 if dtype != "u2" and "f" not in dtype and high < 256 else np.float32)


def test_vectors_are_left_alone() -> None:
    x = np.float64([[1000, -5, 3], [2, 3, 4]])
    stored, _, scale, notes = to_range(x, x[:0], "vectors", "a.npz")
    np.testing.assert_array_equal(stored, x)
    assert scale == 1 and notes == ()


def test_targets_of_a_regression() -> None:
    x = np.arange(40.0).reshape(20, 2)
    assert given(x=x, y=np.linspace(0, 1, 20)).n_targets == 1
    several = given(x=x, y=np.random.default_rng(0).normal(size=(20, 3)))
    assert several.is_regression and several.n_targets == 3
    many = given(x=np.arange(5000.0).reshape(2500, 2), y=np.arange(2500))
    assert many.is_regression


def test_class_names_name_the_numbers() -> None:
    x = np.arange(12.0).reshape(6, 2)
    data = given(x=x, y=[0, 2, 0, 2, 0, 2], class_names=["cat", "dog", "owl"])
    assert data.class_names == ("cat", "dog", "owl") and set(data.y_train) == {0, 2}
    with pytest.raises(DataError, match="labels run from 0 to 3, but 3 class names are given"):
        given(x=x, y=[0, 3, 0, 3, 0, 3], class_names=["cat", "dog", "owl"])


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, "holds no example"),
        ({"x": np.array(["a", "b"]), "y": [0, 1]}, "expected numbers with the example as first axis"),
        ({"x": 3.0, "y": 1}, "expected numbers with the example as first axis"),
        ({"x_train": np.zeros((4, 2)), "y_train": [0, 1, 0, 1], "x_test": np.zeros((2, 3)), "y_test": [0, 1]},
         "make them alike"),
        ({"x_train": np.full((4, 3, 3), 200, np.uint8), "y_train": [0, 1, 0, 1], "x_test": np.ones((2, 3, 3)),
          "y_test": [0, 1]}, "store both the same way"),
    ],
)  # fmt: skip
def test_refusals(arrays: dict[str, Any], match: str) -> None:
    with pytest.raises(DataError, match=match):
        given(**arrays)
