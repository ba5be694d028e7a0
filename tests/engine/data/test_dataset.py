"""`Dataset`: values, normalization, inline arrays, samples, and what is kept from importing."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.data.dataset import make_dataset
from engine.data.loading import load
from engine.data.samples import PICTURES, SAMPLES, sample_picture
from engine.data.source import SourceSpec
from engine.data.split import split_by_content
from engine.errors import DataError


def test_one_layer_example_is_a_regression_of_rows() -> None:
    data = load(SourceSpec.array([[1, 0.5, 2]], [[1, 0]], feature_names=["a", "b", "c"]))
    assert data.shape == (3,) and data.is_regression and data.n_targets == 2 and data.n_test == 0
    np.testing.assert_array_equal(data.train_inputs(), np.float32([[1, 0.5, 2]]))
    np.testing.assert_array_equal(data.y_train, np.float32([[1, 0]]))
    assert data.test_inputs().shape == (0, 3) and data.y_test.shape == (0, 2)


def test_inline_classes() -> None:
    data = load(SourceSpec.array([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], class_names=["even", "odd"]))
    assert data.kind == "points" and data.class_names == ("even", "odd")
    assert load(SourceSpec.array([[0.0], [1.0]], [0, 1])).class_names == ("0", "1")
    assert load(SourceSpec.array([[0.0], [1.0]], [0.5, 1])).is_regression


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        ([[1, 2], [3]], [0, 1], "rows of different length"),
        ([[1, 2], [3, 4]], [0, 1, 1], "2 examples but 3 labels"),
        ([], [], "no training example"),
        ([[[1]]], [0], "has 3 axes"),
        ([[1e300, 1], [0, 1]], [0.5, 1], "example 1 holds NaN, infinity or a number too large"),
        ([[1, 2], [3, 4]], [0.5, 1e300], "a target is NaN or infinite"),
        ([[1, 2], [3, 4]], [0, 5000], "label 5000 is too large"),
    ],
)
def test_inline_refusals(x: Any, y: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        load(SourceSpec.array(x, y))


@pytest.mark.parametrize("name", list(SAMPLES))
def test_samples(name: str) -> None:
    data = load(SourceSpec.sample(name))
    assert data.n_classes == 10 and data.x_train.dtype == np.uint8 and data.kind == "pictures"
    values = data.train_inputs(slice(0, 100))
    assert values.dtype == np.float32 and values.min() == 0 and values.max() == 1
    sizes = {"fashion": (2000, 500), "digits": (1438, 359), "turned": (1438, 359)}
    assert sizes[name] == (data.n_train, data.n_test)
    counts = np.bincount(data.y_test, minlength=10)
    assert counts.min() > 25 and counts.max() < 60
    if name == "fashion":
        assert data.class_names[0] == "T-shirt/top" and data.shape == (1, 28, 28)


def test_sample_names_are_checked() -> None:
    with pytest.raises(DataError, match="no sample data set “x”; choose one of fashion, digits"):
        load(SourceSpec.sample("x"))
    for name in PICTURES:
        assert 0 < sample_picture(name).stat().st_size < 200_000
    with pytest.raises(DataError, match="no sample picture"):
        sample_picture("x")


def test_normalization_of_pictures_is_per_channel() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (5000, 3, 4, 4)).astype(np.uint8)
    x[:, 1] = x[:, 1] // 4 + 100
    y = np.arange(5000) % 2
    data = make_dataset(
        x, y, x[:9], y[:9], kind="pictures", class_names=("a", "b"), scale=1 / 255, normalize=True
    )
    assert data.mean is not None and data.mean.shape == (3, 1, 1)
    values = data.train_inputs().astype(np.float64)
    np.testing.assert_allclose(values.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(values.std(axis=(0, 2, 3)), 1, atol=1e-5)
    expected = (x[:9] / 255 - x.mean(axis=(0, 2, 3), keepdims=True) / 255) / (
        x.std(axis=(0, 2, 3), keepdims=True) / 255
    )
    np.testing.assert_allclose(data.test_inputs(), expected, atol=1e-4)


def test_case_53_constant_feature_is_only_shifted() -> None:
    x = np.c_[np.arange(10.0), np.full(10, 7.0)]
    spec = SourceSpec.array(x.tolist(), [0, 1] * 5)
    data = load(replace(spec, normalize=True))
    assert "1 of 2 inputs never change" in str(data.notes[0])
    np.testing.assert_allclose(data.train_inputs()[:, 1], 0, atol=1e-6)
    np.testing.assert_allclose(data.train_inputs()[:, 0].std(), 1, atol=1e-6)


def test_arrays_are_frozen_and_hash_tells_changes() -> None:
    data = load(SourceSpec.toy("xor", 50))
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0, 0] = 5
    x, y = np.ones((4, 2)), np.array([0, 1, 0, 1])
    kinds: dict[str, Any] = {"kind": "points", "class_names": ("a", "b")}
    one = make_dataset(x, y, x, y, **kinds)
    hashes = {
        one.sha256,
        make_dataset(x * 2, y, x, y, **kinds).sha256,
        make_dataset(x, 1 - y, x, y, **kinds).sha256,
        make_dataset(x, y, x, y, **{**kinds, "class_names": ("a", "c")}).sha256,
        make_dataset(x, y, x, y, scale=0.5, **kinds).sha256,
        make_dataset(x, y, x, y, normalize=True, **kinds).sha256,
    }
    assert len(hashes) == 6 and make_dataset(x.copy(), y, x, y, **kinds).sha256 == one.sha256


def test_travels_between_processes() -> None:
    data = load(SourceSpec.sample("digits"))
    again = pickle.loads(pickle.dumps(data))
    assert again.sha256 == data.sha256 and again.notes == data.notes and again.spec == data.spec
    np.testing.assert_array_equal(again.x_train, data.x_train)


def test_split_shares_every_class_and_keeps_one_for_training() -> None:
    keys = [bytes([k]) for k in range(101)]
    labels = [0] * 50 + [1] * 50 + [2]
    train, test = split_by_content(keys, labels, 0.2, 0)
    assert sorted([*train, *test]) == list(range(101))
    assert np.bincount(np.asarray(labels)[test], minlength=3).tolist() == [10, 10, 0]
    moved = split_by_content(keys[::-1], labels[::-1], 0.2, 0)[1]
    assert {keys[::-1][k] for k in moved} == {keys[k] for k in test}
    assert len(split_by_content(keys, labels, 0.0, 0)[1]) == 0
    assert len(split_by_content([b"same"] * 9, [0] * 9, 0.5, 0)[1]) == 0


def test_points_and_samples_need_no_opencv() -> None:
    code = (
        "import sys; from engine import SourceSpec; from engine.data.loading import load;"
        "load(SourceSpec.toy('xor')); load(SourceSpec.sample('digits'));"
        "import engine.data.drop; sys.exit('cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_opencv_leaves_qt_paths_alone() -> None:
    code = (
        "import os; os.environ['QT_QPA_FONTDIR'] = 'mine'; import engine.data.pictures;"
        "assert os.environ['QT_QPA_FONTDIR'] == 'mine', os.environ['QT_QPA_FONTDIR'];"
        "assert 'QT_QPA_PLATFORM_PLUGIN_PATH' not in os.environ;"
        "assert int(os.environ['OPENCV_IO_MAX_IMAGE_PIXELS']) >= engine.data.pictures.MAX_PIXELS"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
