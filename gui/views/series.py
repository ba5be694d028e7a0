"""Long rows of measurements made short: smoothing, and the minimum and maximum of every pixel column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]


def smooth(y: Series, window: int) -> Series:
    """The running mean over `window` entries around each one; at the ends over what there is.

    Entries that are not finite are left out; where nothing is left the result is not-a-number.
    """
    window = max(1, min(window, len(y)))
    if window == 1 or len(y) == 0:
        return y
    good = np.isfinite(y)
    total = np.concatenate(([0.0], np.cumsum(np.where(good, y, 0.0))))
    count = np.concatenate(([0], np.cumsum(good)))
    middle = np.arange(len(y))
    low = np.maximum(middle - window // 2, 0)
    high = np.minimum(middle + (window + 1) // 2, len(y))
    counted = count[high] - count[low]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (total[high] - total[low]) / counted
    return np.asarray(np.where(counted > 0, mean, np.nan), dtype=np.float64)


def thin(x: Series, y: Series, columns: int) -> tuple[Series, Series]:
    """At most two points per column, its minimum and maximum in their order: peaks never get lost.

    `x` must not fall. Rows shorter than twice the columns come back as they are.
    """
    count = len(x)
    if count <= 2 * columns or columns < 1:
        return x, y
    edges = np.linspace(0, count, columns + 1).astype(np.int64)[:-1]
    clean = np.where(np.isfinite(y), y, np.nan)
    low = np.fmin.reduceat(clean, edges)
    high = np.fmax.reduceat(clean, edges)
    ends = np.append(edges[1:], count)
    middle = x[(edges + ends - 1) // 2]
    # draw each column from the end nearer to the column before
    rising = y[np.minimum(ends - 1, count - 1)] >= y[edges]
    first, second = np.where(rising, low, high), np.where(rising, high, low)
    return np.repeat(middle, 2), np.stack([first, second], axis=1).reshape(-1)
