"""Getting the batch: gather from resident data, random affine maps."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.ops.base import REGISTRY, Context, stream_number
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
