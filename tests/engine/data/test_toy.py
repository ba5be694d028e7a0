"""Toy sets: reproducible, balanced, where their formula says."""

from __future__ import annotations

import numpy as np
import pytest

from engine.data.dataset import Dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.data.toy import REGRESSIONS, TOYS
from engine.errors import DataError


def everything(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])


@pytest.mark.parametrize("name", list(TOYS))
def test_shape_range_and_reproducibility(name: str) -> None:
    spec = SourceSpec.toy(name, count=300, noise=0.05, seed=3)
    data, again, other = load(spec), load(spec), load(SourceSpec.toy(name, count=300, noise=0.05, seed=4))
    assert (data.n_train, data.n_test) == (240, 60) and data.shape == (2,) and data.kind == "points"
    assert data.feature_names == ("x1", "x2") and data.x_train.dtype == np.float32
    np.testing.assert_array_equal(data.x_train, again.x_train)
    assert data.sha256 == again.sha256 != other.sha256
    x, y = everything(data)
    assert np.abs(x).max() < 4 and np.abs(x).max() > 2
    if name in REGRESSIONS:
        assert y.shape == (300, 1) and data.is_regression and data.n_targets == 1
        assert np.abs(y).max() < 1.5 and y.std() > 0.1
    else:
        assert y.dtype == np.int64 and data.class_names == ("0", "1") and data.n_targets == 2
        assert 100 <= y.sum() <= 200


def test_noiseless_sets_follow_their_formula() -> None:
    x, y = everything(load(SourceSpec.toy("circle", 500, noise=0)))
    radius = np.hypot(x[:, 0], x[:, 1])
    assert radius[y == 1].max() <= 1.5 + 1e-5 and radius[y == 0].min() >= 2.1 - 1e-5
    x, y = everything(load(SourceSpec.toy("xor", 500, noise=0)))
    np.testing.assert_array_equal(y == 1, x[:, 0] * x[:, 1] > 0)
    x, y = everything(load(SourceSpec.toy("plane", 500, noise=0)))
    np.testing.assert_allclose(y[:, 0], x.sum(axis=1) / 6, atol=1e-6)
    x, y = everything(load(SourceSpec.toy("spiral", 500, noise=0)))
    turn = np.angle(np.exp(1j * (np.arctan2(x[:, 1], x[:, 0]) - 3.5 * np.pi * np.hypot(*x.T) / 3)))
    np.testing.assert_allclose(np.abs(turn), np.pi * y, atol=1e-4)
    # A straight line through two clouds separates them; between two moons it cannot.
    x, y = everything(load(SourceSpec.toy("gauss", 500, noise=0)))
    assert ((x.sum(axis=1) > 0) == (y == 1)).mean() > 0.99
    x, y = everything(load(SourceSpec.toy("moons", 500, noise=0)))
    design = np.c_[x, np.ones(len(x))]
    fitted = design @ np.linalg.lstsq(design, 2.0 * y - 1, rcond=None)[0]
    assert ((fitted > 0) == (y == 1)).mean() < 0.95


@pytest.mark.parametrize("name", sorted(set(TOYS) - REGRESSIONS))
def test_noise_moves_points(name: str) -> None:
    quiet, loud = load(SourceSpec.toy(name, noise=0)), load(SourceSpec.toy(name, noise=0.5))
    assert 0.05 < np.abs(quiet.x_train - loud.x_train).mean() < 2


def test_refusals() -> None:
    with pytest.raises(DataError, match="no toy data set “spirale”; choose one of circle, spiral"):
        load(SourceSpec.toy("spirale"))
    with pytest.raises(DataError, match="3 points is too small"):
        load(SourceSpec.toy("circle", count=3))
