"""Larger pictures: nearest repeats, bilinear multiplies by the weights of rows and columns."""

from __future__ import annotations

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.upsample import geometry, weights
from engine.values import Op


@build("upsample")
def upsample(op: Op, env: Env) -> Call:
    x, y = env.array(op.ins[0]), env.array(op.out)
    (down, across), bilinear = geometry(op.attrs)
    c, h, w, n = x.shape
    if not bilinear:
        blocks = y.reshape(c, h, down, w, across, n)

        def repeat() -> None:
            np.copyto(blocks, x[:, :, None, :, None])

        return repeat
    rows, columns = (weights(s, f, True).astype(np.float32) for s, f in ((h, down), (w, across)))
    tall = env.work.shared(0, (c, h * down, w, n))

    def call() -> None:
        np.matmul(rows, x.reshape(c, h, w * n), out=tall.reshape(c, h * down, w * n))
        np.matmul(columns, tall, out=y)

    return call


@build("upsample_dx")
def upsample_dx(op: Op, env: Env) -> Call:
    dy, dx = env.array(op.ins[0]), env.array(op.out)
    (down, across), bilinear = geometry(op.attrs)
    c, h, w, n = dx.shape
    if not bilinear:
        blocks = dy.reshape(c, h, down, w, across, n)

        def collect() -> None:
            np.add.reduce(blocks, (2, 4), out=dx)

        return collect
    rows, columns = (_turned(s, f) for s, f in ((h, down), (w, across)))
    tall = env.work.shared(0, (c, h * down, w, n))

    def call() -> None:
        np.matmul(columns, dy, out=tall)
        np.matmul(rows, tall.reshape(c, h * down, w * n), out=dx.reshape(c, h, w * n))

    return call


def _turned(size: int, factor: int) -> Array:
    return np.ascontiguousarray(weights(size, factor, True).T, np.float32)
