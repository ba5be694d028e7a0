"""Data written into the project itself: a few rows of numbers, such as a textbook's example."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.data.dataset import Array, Dataset, make_dataset
from engine.data.source import SourceSpec
from engine.errors import N_, DataError


def load_array(spec: SourceSpec) -> Dataset:
    """x: (N, F) or (N, C, H, W) nested tuples; y: (N,) whole numbers (classes) or (N, K) targets.

    Rows of `y` always mean targets of a regression; a flat `y` of whole numbers means classes.
    Raises DataError for ragged rows, counts that differ and the rest `make_dataset` checks.
    """
    x, x_test = _table(spec.x, "x"), _table(spec.x_test, "x_test")
    if x.ndim == 1:
        x, x_test = x[:, None], x_test.reshape(-1, 1)
    if x.ndim not in (2, 4):
        raise DataError(
            N_("The inline data “x” has {found} axes; expected rows of numbers or pictures (N, C, H, W)."),
            found=x.ndim,
        )
    if not len(x_test):
        x_test = x[:0]
    y, y_test = _table(spec.y, "y"), _table(spec.y_test, "y_test")
    flat = y.ndim == 1 and len(y) > 0
    classes = flat and bool(np.all(y == np.round(y))) and bool(np.all(y >= 0))
    names = spec.class_names
    if classes and not names:
        top = int(max(y.max(), y_test.max() if y_test.size else 0))
        if top >= 1000:
            raise DataError(
                N_("The inline label {found} is too large; number the classes from 0."), found=top
            )
        names = tuple(str(n) for n in range(max(top + 1, 2)))
    return make_dataset(
        x,
        y,
        x_test,
        y_test,
        kind="pictures" if x.ndim == 4 else "points" if x.shape[1] == 2 else "vectors",
        class_names=names if classes else (),
        feature_names=spec.feature_names,
        normalize=spec.normalize,
        name="x, y",
    )


def _table(rows: Any, name: str) -> Array:
    try:
        return np.array(rows, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(
            N_("The inline data “{name}” has rows of different length; make them equally long."), name=name
        ) from error
