"""Getting the batch: gather from resident data, random affine maps, affine warp."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.base import REGISTRY, Context, stream_number
from engine.ops.data import mirrored
from engine.values import Op


@build("gather")
def gather(op: Op, env: Env) -> Call:
    source, order, x = op.ins[0].id, op.ins[1].id, env.array(op.out)
    scale, shift = (np.float32(cast(float, op.attrs[k])) for k in ("scale", "shift"))
    lanes = np.moveaxis(x, -1, 0)
    floats = env.work.shared(0, lanes.shape)

    def call() -> None:
        n, pos = env.n, int(env.controls["pos"])
        rows = env.data[source][env.data[order][pos : pos + n]]
        # scaled where examples are rows, then turned: writing across is slow and happens once
        part = floats[:n]
        np.multiply(rows, scale, out=part)
        if shift != 0:
            np.add(part, shift, out=part)
        np.copyto(lanes[:n], part)
        env.clear_dead(x)

    return call


@build("gather_labels")
def gather_labels(op: Op, env: Env) -> Call:
    source, order, labels = op.ins[0].id, op.ins[1].id, env.array(op.out)

    def call() -> None:
        n, pos = env.n, int(env.controls["pos"])
        labels[:n] = env.data[source][env.data[order][pos : pos + n]]
        labels[n:] = 0

    return call


@build("random_affine")
def random_affine(op: Op, env: Env) -> Call:
    rule, matrix = REGISTRY["random_affine"], env.array(op.out)
    names, stream = op.controls[:3], stream_number(op.stream or "")

    def call() -> None:
        c = env.controls
        controls = {k: c[name] for k, name in zip(("rotation", "scale", "shift"), names, strict=True)}
        ctx = Context(env.n, controls, env.seed, int(c["step"]), stream)
        np.copyto(matrix, rule.reference((), op.attrs, ctx)[0])

    return call


@build("affine_warp")
def affine_warp(op: Op, env: Env) -> Call:
    (x, m), y = (env.array(v) for v in op.ins), env.array(op.out)
    c, h, w, n = x.shape
    border = cast(str, op.attrs["border"])
    pixels, out = x.reshape(c, -1), y.reshape(c, -1)
    lane = np.arange(n, dtype=np.int64)
    rows, columns = (a[..., None].astype(np.float64) for a in np.mgrid[0:h, 0:w])
    tap = env.work.shared(0, out.shape)

    def add_tap(row: Array, column: Array, weight: Array) -> None:
        if border == "zero":
            weight = weight * ((row >= 0) & (row < h) & (column >= 0) & (column < w))
        elif border == "reflect":
            row, column = mirrored(row, h), mirrored(column, w)
        at = (row.clip(0, h - 1) * w + column.clip(0, w - 1)) * n + lane
        np.take(pixels, at.reshape(-1), 1, out=tap, mode="clip")
        np.multiply(tap, weight.reshape(1, -1), out=tap)
        np.add(out, tap, out=out)

    def call() -> None:
        a, b, tx, e, d, ty = m.astype(np.float64)
        det = a * d - b * e
        inverse = np.divide(1.0, det, out=np.zeros_like(det), where=det != 0)
        u, v = columns - tx, rows - ty
        px, py = (d * u - b * v) * inverse, (a * v - e * u) * inverse
        x0, y0 = np.floor(px), np.floor(py)
        fx, fy = (px - x0).astype(np.float32), (py - y0).astype(np.float32)
        x0, y0 = x0.astype(np.int64), y0.astype(np.int64)
        y.fill(0)
        for dy, wy in ((0, 1 - fy), (1, fy)):
            for dx, wx in ((0, 1 - fx), (1, fx)):
                add_tap(y0 + dy, x0 + dx, wy * wx)

    return call
