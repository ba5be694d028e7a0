"""Arrays become polygons point by point, and the polygon owns what it shows."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from gui.views.polygons import polygon


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_every_point_is_where_the_arrays_say(count: int) -> None:
    rng = np.random.default_rng(count)
    x, y = rng.random(count), rng.random(count)
    made = polygon(x, y)
    assert [QPointF(*pair) for pair in zip(x.tolist(), y.tolist(), strict=True)] == list(made)


def test_the_polygon_outlives_its_arrays() -> None:
    x = np.arange(500.0)
    made = polygon(x, -x)
    copy = list(made)
    x[:] = 7.0
    del x
    np.ones(100_000).sum()
    assert list(made) == copy and made[499] == QPointF(499.0, -499.0)
