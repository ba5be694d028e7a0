"""Features of points: few numbers, one row each."""

from __future__ import annotations

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.ops.input_features import FEATURES, chosen
from engine.values import Op


@build("input_features")
def input_features(op: Op, env: Env) -> Call:
    (x, y), out = env.array(op.ins[0]), env.array(op.out)
    rows = [FEATURES[name].f for name in chosen(op.attrs)]

    def call() -> None:
        for made, f in zip(out, rows, strict=True):
            np.copyto(made, f(x, y))

    return call


@build("input_features_dx")
def input_features_dx(op: Op, env: Env) -> Call:
    dy, (x, y), dx = env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out)
    slopes = [(FEATURES[name].along, FEATURES[name].down) for name in chosen(op.attrs)]

    def call() -> None:
        dx.fill(0)
        for d, pair in zip(dy, slopes, strict=True):
            for total, slope in zip(dx, pair, strict=True):
                np.add(total, d * slope(x, y), out=total)
        env.clear_dead(dx)

    return call
