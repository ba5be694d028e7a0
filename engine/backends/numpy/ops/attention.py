"""Attention as products of small matrices, one per head and example."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.values import Op


def _heads(x: Array, heads: int) -> Array:
    """(F, T, N) as (N, heads, d, T), a view."""
    return x.reshape(heads, -1, *x.shape[1:]).transpose(3, 0, 1, 2)


@build("heads_scores")
def heads_scores(op: Op, env: Env) -> Call:
    heads, scale = cast(int, op.attrs["heads"]), np.float32(cast(float, op.attrs["scale"]))
    a, b = (_heads(env.array(v), heads) for v in op.ins)
    out = env.array(op.out).transpose(3, 0, 1, 2)

    def call() -> None:
        np.multiply(np.matmul(a.transpose(0, 1, 3, 2), b), scale, out=out)

    return call


@build("heads_mix")
def heads_mix(op: Op, env: Env) -> Call:
    heads, scale = cast(int, op.attrs["heads"]), np.float32(cast(float, op.attrs["scale"]))
    v, out = _heads(env.array(op.ins[1]), heads), _heads(env.array(op.out), heads)
    p = env.array(op.ins[0]).transpose(3, 0, 1, 2)
    right = p if op.attrs["turned"] else p.transpose(0, 1, 3, 2)

    def call() -> None:
        np.multiply(np.matmul(v, right), scale, out=out)

    return call


@build("softmax_rows")
def softmax_rows(op: Op, env: Env) -> Call:
    s, p = env.array(op.ins[0]), env.array(op.out)
    later = None
    if op.attrs["causal"]:
        later = ~np.tri(s.shape[1], s.shape[2], dtype=bool)

    def call() -> None:
        np.copyto(p, s)
        if later is not None:
            p[:, later] = -np.inf
        np.subtract(p, np.maximum.reduce(p, 2, keepdims=True), out=p)
        np.exp(p, out=p)
        np.divide(p, np.add.reduce(p, 2, keepdims=True), out=p)

    return call


@build("softmax_rows_grad")
def softmax_rows_grad(op: Op, env: Env) -> Call:
    (dp, p), ds = (env.array(v) for v in op.ins), env.array(op.out)

    def call() -> None:
        np.multiply(dp, p, out=ds)
        np.subtract(dp, np.add.reduce(ds, 2, keepdims=True), out=ds)
        np.multiply(ds, p, out=ds)
        env.clear_dead(ds)

    return call
