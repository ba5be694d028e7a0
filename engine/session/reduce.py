"""Arrays reduced to what is shown: rows and columns, tiles, histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.session.views import Array, HistogramData, MapsData, Matrix, MatrixData
from engine.values import Value

SAMPLED = 4096
"""Quantiles of larger arrays are taken from evenly spaced elements: enough for the end of a color scale."""


def as_matrix(value: Value, array: Array, sample: int | None = None) -> Array:
    """(rows, columns) of a live array, as described at `views.Matrix`."""
    if value.batched:
        if array.ndim == 1:
            return array[None, :]
        if sample is not None:
            one = array[..., min(sample, array.shape[-1] - 1)]
            return one.reshape(-1, one.shape[-1]) if one.ndim > 1 else one[:, None]
        return array.reshape(-1, array.shape[-1])
    if array.ndim == 0:
        return array[None, None]
    if array.ndim == 1:
        return array[:, None]
    return array.reshape(array.shape[0], -1)


def means(array: Array, axis: int, size: int) -> Array:
    """`array` with at most `size` entries along `axis`: means of equally long stretches."""
    length = array.shape[axis]
    step = -(-length // max(1, size))
    if step <= 1:
        return array
    whole = length // step * step
    # a sum over an axis of its own is many times faster than add.reduceat along the first axis
    front = array[(slice(None),) * axis + (slice(whole),)]
    shape = (*front.shape[:axis], whole // step, step, *front.shape[axis + 1 :])
    made = front.reshape(shape).sum(axis + 1, dtype=np.float32) / np.float32(step)
    if whole == length:
        return np.asarray(made)
    back = array[(slice(None),) * axis + (slice(whole, None),)]
    return np.concatenate([made, back.mean(axis, dtype=np.float32, keepdims=True)], axis)


def thin(array: Array, limit: int = SAMPLED) -> Array:
    """A flat array of evenly spaced elements, at most about `limit`."""
    flat = array.ravel()
    # an odd stride does not fall into step with rows of even length
    stride = max(1, -(-flat.size // limit)) | 1 if flat.size > limit else 1
    return flat[::stride]


def extremes(array: Array) -> tuple[float, float, float]:
    """Smallest and largest finite number, and the 99th percentile of |value|; zeros for nothing."""
    if array.size == 0:
        return 0.0, 0.0, 0.0
    low, high = float(array.min()), float(array.max())
    some = thin(array)
    if not np.isfinite(low) or not np.isfinite(high):
        flat = array[np.isfinite(array)]
        if flat.size == 0:
            return 0.0, 0.0, 0.0
        low, high, some = float(flat.min()), float(flat.max()), thin(flat)
    size = np.sort(np.abs(some.astype(np.float32)))  # quicker than a partition where many are equal
    return low, high, float(size[min(len(size) - 1, int(0.99 * len(size)))])


def matrix(request: Matrix, value: Value, array: Array) -> MatrixData:
    """What `views.Matrix` asks for. The part is cut to what there is."""
    whole = as_matrix(value, array, request.sample)
    rows = part(request.rows, whole.shape[0])
    cols = part(request.cols, whole.shape[1])
    seen = whole[rows[0] : rows[1], cols[0] : cols[1]]
    step = tuple(-(-n // max(1, most)) for n, most in
                 zip(seen.shape, (request.max_rows, request.max_cols), strict=True))
    small = means(means(seen, 0, request.max_rows), 1, request.max_cols)
    low, high, span = extremes(whole)
    return MatrixData(_float(small), (whole.shape[0], whole.shape[1]), rows, cols,
                      (max(1, step[0]), max(1, step[1])), low, high, span, array.shape)


def part(asked: tuple[int, int] | None, length: int) -> tuple[int, int]:
    """The stretch asked for, cut to what there is."""
    start, stop = asked or (0, length)
    start = min(max(0, start), max(0, length - 1))
    return start, min(max(start + 1, stop), length) if length else 0


def as_tiles(value: Value, array: Array, sample: int, picture: tuple[int, ...] | None) -> Array | None:
    """(k, h, w), or None for what is no picture. `picture`: (C, H, W) that dense inputs come from."""
    if value.batched:
        if array.ndim != 4:
            return None
        return array[..., min(sample, array.shape[-1] - 1)]
    if array.ndim == 4:
        return array[:, min(sample, array.shape[1] - 1)]
    if array.ndim == 2 and picture is not None and array.shape[1] == picture[0] * picture[1] * picture[2]:
        return array.reshape(array.shape[0], *picture)[:, min(sample, picture[0] - 1)]
    return None


def shrink_tiles(tiles: Array, side: int) -> Array:
    """Tiles with neither side longer than `side`."""
    return means(means(tiles, 1, side), 2, side)


def maps(tiles: Array, max_size: int, limit: int) -> MapsData:
    """The first `limit` tiles, reduced; extremes are those of all."""
    low, high, span = extremes(tiles)
    shown = shrink_tiles(tiles[:limit], max_size)
    return MapsData(_float(shown), len(tiles), (tiles.shape[1], tiles.shape[2]), low, high, span)


def histogram(array: Array, bins: int) -> HistogramData:
    """Counts between the smallest and largest finite number; exact up to a million numbers, else sampled."""
    flat = thin(array, 1_000_000)
    good = flat[np.isfinite(flat)]
    if good.size == 0:
        return HistogramData(np.zeros(bins, np.int64), 0.0, 0.0, 0.0, 0.0, array.size, 0, flat.size)
    low, high = float(good.min()), float(good.max())
    counts, _ = np.histogram(good, bins, (low, high) if high > low else (low - 0.5, high + 0.5))
    mean, std = float(good.mean(dtype=np.float64)), float(good.std(dtype=np.float64))
    zeros, bad = int((good == 0).sum()), int(flat.size - good.size)
    return HistogramData(counts, low, high, mean, std, array.size, zeros, bad)


def counts(array: Array, bins: int, low: float, high: float) -> Array:
    """Quick counts for a thumbnail, int64 (bins)."""
    some = thin(array, 8192)
    if high <= low:
        out = np.zeros(bins, np.int64)
        out[bins // 2] = some.size
        return out
    with np.errstate(invalid="ignore"):
        place = np.clip((some - low) * (bins / (high - low)), 0, bins - 1)
    return np.bincount(np.nan_to_num(place).astype(np.intp), minlength=bins)


def nbytes(data: Any) -> int:
    """Bytes of all arrays in a view's data."""
    if isinstance(data, np.ndarray):
        return data.nbytes
    if isinstance(data, dict):
        return sum(nbytes(v) for v in data.values())
    fields = getattr(data, "__dataclass_fields__", None)
    return sum(nbytes(getattr(data, name)) for name in fields) if fields else 0


def _float(array: Array) -> Array:
    return np.ascontiguousarray(array, np.float32)
