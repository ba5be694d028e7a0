"""subtract, scale, maximum and rearrange."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.ops.rearranging import places_of
from engine.values import Op


@build("subtract")
def subtract(op: Op, env: Env) -> Call:
    (a, b), y = (env.array(v) for v in op.ins), env.array(op.out)
    return lambda: cast(None, np.subtract(a, b, out=y))


@build("scale")
def scale(op: Op, env: Env) -> Call:
    x, y, factor = env.array(op.ins[0]), env.array(op.out), np.float32(cast(float, op.attrs["factor"]))
    return lambda: cast(None, np.multiply(x, factor, out=y))


@build("maximum")
def maximum(op: Op, env: Env) -> Call:
    first, *rest = (env.array(v) for v in op.ins)
    y = env.array(op.out)

    def call() -> None:
        np.copyto(y, first)
        for x in rest:
            np.maximum(y, x, out=y)

    return call


@build("maximum_grad")
def maximum_grad(op: Op, env: Env) -> Call:
    dy, *xs = (env.array(v) for v in op.ins)
    dx, own = env.array(op.out), cast(int, op.attrs["input"])
    chosen = env.work.shared(0, dx.shape, np.bool_)

    def call() -> None:
        chosen.fill(True)
        for i, x in enumerate(xs):
            if i != own:
                np.logical_and(chosen, xs[own] > x if i < own else xs[own] >= x, out=chosen)
        np.multiply(dy, chosen, out=dx)

    return call


@build("rearrange")
def rearrange(op: Op, env: Env) -> Call:
    x, y = env.array(op.ins[0]), env.array(op.out)
    rows, out = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
    source = places_of(op.attrs).source().reshape(-1)
    from_rows, to_rows = source[source >= 0], np.flatnonzero(source >= 0)
    whole = len(from_rows) == len(source)

    def call() -> None:
        if whole:
            np.take(rows, from_rows, axis=0, out=out, mode="clip")
        else:
            out.fill(0)
            out[to_rows] = rows[from_rows]

    return call
