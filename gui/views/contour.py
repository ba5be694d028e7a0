"""Where a field crosses a level: marching squares over the whole grid at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gui.views.base import Array


def segments(field: Array, level: float = 0.0) -> NDArray[np.float64]:
    """The line pieces on which `field` (rows, columns) equals `level`, as (n, 4): x1, y1, x2, y2.

    Coordinates are grid indices (x column, y row), crossings are interpolated linearly. Saddles are
    split by the mean of their corners. Squares touching a value that is not finite give nothing.
    """
    values = np.asarray(field, dtype=np.float64) - level
    if min(values.shape) < 2:
        return np.zeros((0, 4))
    a, b = values[:-1, :-1], values[:-1, 1:]  # top left, top right
    d, c = values[1:, :-1], values[1:, 1:]  # bottom left, bottom right
    finite = np.isfinite(a) & np.isfinite(b) & np.isfinite(c) & np.isfinite(d)
    with np.errstate(invalid="ignore"):
        case = (a > 0) * 1 + (b > 0) * 2 + (c > 0) * 4 + (d > 0) * 8
    rows, columns = np.nonzero(finite & (case != 0) & (case != 15))
    if rows.size == 0:
        return np.zeros((0, 4))
    a, b, c, d = (corner[rows, columns] for corner in (a, b, c, d))
    case = case[rows, columns]
    x, y = columns.astype(np.float64), rows.astype(np.float64)

    def share(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(p == q, 0.5, p / (p - q)))

    # the four places where an edge of the square may be crossed
    edges = {
        "top": np.stack([x + share(a, b), y], axis=1),
        "right": np.stack([x + 1, y + share(b, c)], axis=1),
        "bottom": np.stack([x + share(d, c), y + 1], axis=1),
        "left": np.stack([x, y + share(a, d)], axis=1),
    }
    pieces = {
        ("left", "top"): (1, 14), ("top", "right"): (2, 13), ("right", "bottom"): (4, 11),
        ("bottom", "left"): (8, 7), ("left", "right"): (3, 12), ("top", "bottom"): (6, 9),
    }  # fmt: skip
    found = [
        np.concatenate([edges[start], edges[end]], axis=1)[np.isin(case, cases)]
        for (start, end), cases in pieces.items()
    ]
    middle = (a + b + c + d) / 4 > 0
    for which, joined in ((5, True), (10, False)):
        # with a high middle the two low corners are cut off, with a low one the two high corners
        for is_high in (True, False):
            chosen = (case == which) & (middle == is_high)
            cut_b_and_d = joined == is_high
            ways = (
                (("top", "right"), ("bottom", "left"))
                if cut_b_and_d
                else (("left", "top"), ("right", "bottom"))
            )
            found += [np.concatenate([edges[s], edges[e]], axis=1)[chosen] for s, e in ways]
    return np.concatenate(found)


def chains(pieces: NDArray[np.float64]) -> list[list[tuple[float, float]]]:
    """Line pieces (n, 4) joined end to end into runs of points; a closed run ends where it began.

    Drawn as one path a line has no beads where translucent edges of its pieces would overlap.
    """
    ends: dict[tuple[float, float], list[int]] = {}
    points = [((x1, y1), (x2, y2)) for x1, y1, x2, y2 in np.round(pieces, 6).tolist()]
    for index, pair in enumerate(points):
        for point in pair:
            ends.setdefault(point, []).append(index)
    used = [False] * len(points)

    def follow(run: list[tuple[float, float]]) -> None:
        while True:
            index = next((i for i in ends[run[-1]] if not used[i]), None)
            if index is None:
                return
            used[index] = True
            first, second = points[index]
            run.append(second if first == run[-1] else first)

    found = []
    for index, (first, second) in enumerate(points):
        if used[index]:
            continue
        used[index] = True
        run = [first, second]
        follow(run)
        run.reverse()
        follow(run)
        found.append(run)
    return found
