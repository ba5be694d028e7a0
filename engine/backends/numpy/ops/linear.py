"""dense and its gradients: one matrix product each. Lanes that do not live carry zero gradients."""

from __future__ import annotations

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.values import Op


@build("dense")
def dense(op: Op, env: Env) -> Call:
    w, x, z = env.array(op.ins[0]), env.matrix(op.ins[1]), env.matrix(op.out)
    if len(op.ins) == 2:
        return lambda: _product(w, x, z)
    b = env.array(op.ins[2])[:, None]

    def call() -> None:
        np.matmul(w, x, out=z)
        np.add(z, b, out=z)

    return call


@build("dense_dx")
def dense_dx(op: Op, env: Env) -> Call:
    w, d, dx = env.array(op.ins[0]).T, env.matrix(op.ins[1]), env.matrix(op.out)
    return lambda: _product(w, d, dx)


@build("dense_dw")
def dense_dw(op: Op, env: Env) -> Call:
    d, x, dw = env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out)
    whole_d, whole_x = env.matrix(op.ins[0]), env.matrix(op.ins[1]).T

    def call() -> None:
        n = env.n
        if n == env.capacity:
            np.matmul(whole_d, whole_x, out=dw)
        elif d.ndim == 2:
            np.matmul(d[:, :n], x[:, :n].T, out=dw)
        else:
            np.matmul(d[..., :n].reshape(len(d), -1), x[..., :n].reshape(len(x), -1).T, out=dw)

    return call


def _product(a: Array, b: Array, out: Array) -> None:
    np.matmul(a, b, out=out)


@build("sum_samples")
def sum_samples(op: Op, env: Env) -> Call:
    d, db = env.matrix(op.ins[0]), env.array(op.out)

    def call() -> None:
        np.add.reduce(d, 1, out=db)

    return call
