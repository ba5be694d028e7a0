"""The matrix of a warp and the way back through it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.backends.numpy.ops.warp import BAND
from engine.ops.affine_matrix import linear
from engine.ops.warp import folded, source_of, spread
from engine.values import Op


@build("affine_matrix")
def affine_matrix(op: Op, env: Env) -> Call:
    out = env.array(op.out)
    matrix, start = (part.astype(np.float32) for part in linear(op.attrs))
    if op.ins:
        theta = env.array(op.ins[0]).reshape(6, -1)
    else:
        theta = np.array(cast("tuple[float, ...]", op.attrs["theta"]), np.float32)[:, None]

    def call() -> None:
        np.add(matrix @ theta, start[:, None], out=out)

    return call


@build("affine_matrix_dx")
def affine_matrix_dx(op: Op, env: Env) -> Call:
    d, dx = env.array(op.ins[0]), env.array(op.out)
    back = linear(op.attrs)[0].astype(np.float32).T.copy()

    def call() -> None:
        np.matmul(back, d, out=dx)
        env.clear_dead(dx)

    return call


@build("affine_matrix_dw")
def affine_matrix_dw(op: Op, env: Env) -> Call:
    d, dw = env.array(op.ins[0]), env.array(op.out)
    back = linear(op.attrs)[0].astype(np.float32).T.copy()

    def call() -> None:
        np.copyto(dw, (back @ d[:, : env.n].sum(1)).reshape(2, 3))

    return call


def _bands(m: Array, height: int, width: int) -> Iterator[tuple[slice, Array, Array]]:
    """Rows of the output, some at a time, with the columns and rows that all lanes read at."""
    step = max(1, BAND // (width * m.shape[1]))
    columns = np.arange(width, dtype=np.float64)[None, :, None]
    for top in range(0, height, step):
        band = slice(top, min(top + step, height))
        rows = np.arange(band.start, band.stop, dtype=np.float64)[:, None, None]
        yield band, *source_of(m.astype(np.float64), columns, rows)


@build("affine_warp_dx")
def affine_warp_dx(op: Op, env: Env) -> Call:
    (dy, m), dx = (env.array(v) for v in op.ins), env.array(op.out)
    c, h, w, n = dy.shape
    border = cast(str, op.attrs["border"])
    lane = np.arange(n, dtype=np.int64)
    flat = dx.reshape(c, -1)

    def call() -> None:
        total = np.zeros(flat.shape)
        for band, px, py in _bands(m, h, w):
            (x0, across), (y0, down) = spread(px, "bilinear", np.float32), spread(py, "bilinear", np.float32)
            for i, wy in enumerate(down):
                for j, wx in enumerate(across):
                    inside, row, column = folded(y0 + i, x0 + j, (h, w), border)
                    at = ((row * w + column) * n + lane).ravel()
                    weight = wy * wx * inside
                    for channel in range(c):
                        part = (weight * dy[channel, band]).ravel()
                        total[channel] += np.bincount(at, part, h * w * n)
        np.copyto(flat, total)
        env.clear_dead(dx)

    return call


@build("affine_warp_dw")
def affine_warp_dw(op: Op, env: Env) -> Call:
    (dy, x, m), dm = (env.array(v) for v in op.ins), env.array(op.out)
    c, h, w, n = dy.shape
    border = cast(str, op.attrs["border"])
    lane = np.arange(n, dtype=np.int64)
    pixels = x.reshape(c, -1)

    def corner(row: Array, column: Array) -> Array:
        inside, row, column = folded(row, column, (h, w), border)
        read = pixels[:, (row * w + column) * n + lane]
        return read * inside if border == "zero" else read

    def call() -> None:
        sums = np.zeros((2, 3, n))
        for band, px, py in _bands(m, h, w):
            (x0, (gx, fx)), (y0, (gy, fy)) = (spread(p, "bilinear", np.float32) for p in (px, py))
            read = [[corner(y0 + i, x0 + j) for j in (0, 1)] for i in (0, 1)]
            along = gy * (read[0][1] - read[0][0]) + fy * (read[1][1] - read[1][0])
            down = gx * (read[1][0] - read[0][0]) + fx * (read[1][1] - read[0][1])
            for k, slope in enumerate((along, down)):
                g = (dy[:, band] * slope).sum(0, dtype=np.float64)
                for j, place in enumerate((px, py)):
                    sums[k, j] += (g * place).sum((0, 1))
                sums[k, 2] += g.sum((0, 1))
        a, b, _, cc, d, _ = m.astype(np.float64)
        det = a * d - b * cc
        inverse = np.divide(-1.0, det, out=np.zeros_like(det), where=det != 0)
        dm[:3] = (d * sums[0] - cc * sums[1]) * inverse
        dm[3:] = (a * sums[1] - b * sums[0]) * inverse
        env.clear_dead(dm)

    return call
