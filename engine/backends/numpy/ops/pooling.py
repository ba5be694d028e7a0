"""Pooling by strided views of whole pictures, one per cell of the window."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.convolution import geometry, offsets, window
from engine.values import Op


def _windows(op: Op, env: Env, x: Array, out: Array, edge: float) -> tuple[list[Array], Array, Array | None]:
    """Views of each cell of all windows, the array they look into, and the picture's place in it.

    Without padding that is the picture itself; else a padded copy whose border holds `edge`.
    """
    (stride, padding), kernel = geometry(op.attrs), cast("tuple[int, int]", op.attrs["kernel"])
    inner = None
    if any(padding):
        t, left, b, r = padding
        c, h, w, n = x.shape
        padded = env.work.own((c, h + t + b, w + left + r, n))
        padded.fill(edge)
        inner, x = padded[:, t : t + h, left : left + w], padded
    return [window(x, i, j, out.shape[1], out.shape[2], stride) for i, j in offsets(kernel)], x, inner


@build("maxpool2d")
def maxpool2d(op: Op, env: Env) -> Call:
    x, y, place = env.array(op.ins[0]), env.array(op.outs[0]), env.array(op.outs[1])
    cells, _, inner = _windows(op, env, x, y, -np.inf)
    larger = env.work.shared(0, y.shape, np.bool_)
    number = place if place.dtype != np.uint8 else larger.view(np.uint8)
    if place.dtype != np.uint8:
        number = env.work.shared(1, y.shape, place.dtype)

    def call() -> None:
        if inner is not None:
            np.copyto(inner, x)
        np.copyto(y, cells[0])
        place.fill(0)
        for k, cell in enumerate(cells[1:], 1):
            # places grow, so the last cell that was larger than all before it is the largest number
            np.greater(cell, y, out=larger)
            np.maximum(y, cell, out=y)
            np.multiply(larger.view(np.uint8), k, out=number)
            np.maximum(place, number, out=place)

    return call


def _spread(op: Op, env: Env, dx: Array, dy: Array) -> tuple[list[Array], Array | None, Array | None, bool]:
    """Views of dx to write gradients into, what must be zero before, dx's place in it, if they overlap."""
    stride, kernel = geometry(op.attrs)[0], cast("tuple[int, int]", op.attrs["kernel"])
    cells, whole, inner = _windows(op, env, dx, dy, 0.0)
    overlap = stride[0] < kernel[0] or stride[1] < kernel[1]
    covered = not overlap and sum(c.size for c in cells) == whole.size
    return cells, None if covered else whole, inner, overlap


@build("maxpool2d_dx")
def maxpool2d_dx(op: Op, env: Env) -> Call:
    dy, place, dx = env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out)
    cells, whole, inner, overlap = _spread(op, env, dx, dy)
    won, part = env.work.shared(0, dy.shape, np.bool_), env.work.shared(1, dy.shape)

    def call() -> None:
        if whole is not None:
            whole.fill(0)
        for k, cell in enumerate(cells):
            np.equal(place, k, out=won)
            if overlap:
                np.multiply(dy, won, out=part)
                np.add(cell, part, out=cell)
            else:
                np.multiply(dy, won, out=cell)
        if inner is not None:
            np.copyto(dx, inner)

    return call


@build("avgpool2d")
def avgpool2d(op: Op, env: Env) -> Call:
    x, y = env.array(op.ins[0]), env.array(op.out)
    cells, _, inner = _windows(op, env, x, y, 0.0)
    count = np.float32(len(cells))

    def call() -> None:
        if inner is not None:
            np.copyto(inner, x)
        np.copyto(y, cells[0])
        for cell in cells[1:]:
            np.add(y, cell, out=y)
        np.divide(y, count, out=y)

    return call


@build("avgpool2d_dx")
def avgpool2d_dx(op: Op, env: Env) -> Call:
    dy, dx = env.array(op.ins[0]), env.array(op.out)
    cells, whole, inner, overlap = _spread(op, env, dx, dy)
    share, count = env.work.shared(0, dy.shape), np.float32(len(cells))

    def call() -> None:
        if whole is not None:
            whole.fill(0)
        np.divide(dy, count, out=share)
        for cell in cells:
            if overlap:
                np.add(cell, share, out=cell)
            else:
                np.copyto(cell, share)
        if inner is not None:
            np.copyto(dx, inner)

    return call
