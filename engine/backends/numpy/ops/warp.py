"""The affine warp, in bands of rows that stay in the cache."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.warp import method_of, mirrored, source_of, spread
from engine.values import Op

BAND = 1 << 15
"""Pixels of all lanes computed at a time."""


@build("affine_warp")
def affine_warp(op: Op, env: Env) -> Call:
    (x, m), y = (env.array(v) for v in op.ins), env.array(op.out)
    c, h, w, n = x.shape
    border, method = cast(str, op.attrs["border"]), method_of(op.attrs)
    pixels, out = x.reshape(c, -1), y.reshape(c, -1)
    lane = np.arange(n, dtype=np.int64)
    step = max(1, BAND // (w * n))
    columns = np.arange(w, dtype=np.float64)[None, :, None]
    tap = env.work.shared(0, (c, min(step, h) * w * n))

    def add_tap(part: Array, row: Array, column: Array, weight: Array) -> None:
        if border == "zero":
            weight = weight * ((row >= 0) & (row < h) & (column >= 0) & (column < w))
        elif border == "reflect":
            row, column = mirrored(row, h), mirrored(column, w)
        at = (row.clip(0, h - 1) * w + column.clip(0, w - 1)) * n + lane
        read = tap[:, : part.shape[1]]
        np.take(pixels, at.reshape(-1), 1, out=read, mode="clip")
        if weight.ndim:  # the nearest pixel counts whole
            weight = weight.reshape(1, -1)
        np.multiply(read, weight, out=read)
        np.add(part, read, out=part)

    def call() -> None:
        matrix = m.astype(np.float64)
        y.fill(0)
        for top in range(0, h, step):
            rows = np.arange(top, min(top + step, h), dtype=np.float64)[:, None, None]
            px, py = source_of(matrix, columns, rows)
            (x0, across), (y0, down) = spread(px, method, np.float32), spread(py, method, np.float32)
            part = out[:, top * w * n : (top + len(rows)) * w * n]
            for dy, wy in enumerate(down):
                for dx, wx in enumerate(across):
                    add_tap(part, y0 + dy, x0 + dx, wy * wx)

    return call
