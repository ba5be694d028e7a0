"""Batch normalization on (channels, everything else) matrices; dead lanes count for nothing."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.values import Op

ONE = np.float32(1)


@build("batchnorm")
def batchnorm(op: Op, env: Env) -> Call:
    x, y = env.array(op.ins[0]), env.array(op.outs[0])
    w, b, running_mean, running_var = (env.array(v) for v in op.ins[1:])
    mean, invstd, new_mean, new_var = (env.array(v) for v in op.outs[1:])
    flat_x, flat = env.matrix(op.ins[0]), env.matrix(op.outs[0])
    places = x[0].size // x.shape[-1]
    axes = tuple(range(1, x.ndim))
    epsilon = np.float32(cast(float, op.attrs["epsilon"]))
    m = np.float32(cast(float, op.attrs["momentum"]))
    var, scale = np.empty_like(mean), np.empty_like(mean)

    def call() -> None:
        n = env.n
        count = np.float32(places * n)
        if n < x.shape[-1]:
            np.add.reduce(x[..., :n], axes, out=mean)
        else:
            np.add.reduce(flat_x, 1, out=mean)
        np.divide(mean, count, out=mean)
        np.subtract(flat_x, mean[:, None], out=flat)
        env.clear_dead(y)
        np.vecdot(flat, flat, out=var)
        np.divide(var, count, out=var)
        np.add(var, epsilon, out=invstd)
        np.sqrt(invstd, out=invstd)
        np.divide(ONE, invstd, out=invstd)
        np.multiply(invstd, w, out=scale)
        np.multiply(flat, scale[:, None], out=flat)
        np.add(flat, b[:, None], out=flat)
        # new and old may be one array: each is read before it is written
        np.multiply(running_mean, ONE - m, out=new_mean)
        np.add(new_mean, m * mean, out=new_mean)
        np.multiply(running_var, ONE - m, out=new_var)
        np.add(new_var, m * (var * np.float32(places * n / max(places * n - 1, 1))), out=new_var)

    return call


@build("batchnorm_grad")
def batchnorm_grad(op: Op, env: Env) -> Call:
    dy, x = env.matrix(op.ins[0]), env.matrix(op.ins[1])
    w, mean, invstd = (env.array(v) for v in op.ins[2:])
    dx, dw, db = (env.array(v) for v in op.outs)
    flat = env.matrix(op.outs[0])
    places = dx[0].size // dx.shape[-1]

    def call() -> None:
        count = np.float32(places * env.n)
        np.add.reduce(dy, 1, out=db)
        np.subtract(x, mean[:, None], out=flat)
        np.vecdot(dy, flat, out=dw)
        np.multiply(dw, invstd, out=dw)
        np.multiply(flat, (invstd * (dw / count))[:, None], out=flat)
        np.subtract(dy, flat, out=flat)
        np.subtract(flat, (db / count)[:, None], out=flat)
        np.multiply(flat, (w * invstd)[:, None], out=flat)
        env.clear_dead(dx)

    return call


@build("batchnorm_eval")
def batchnorm_eval(op: Op, env: Env) -> Call:
    x, y = env.matrix(op.ins[0]), env.matrix(op.out)
    w, b, running_mean, running_var = (env.array(v) for v in op.ins[1:])
    epsilon = np.float32(cast(float, op.attrs["epsilon"]))

    def call() -> None:
        scale = w / np.sqrt(running_var + epsilon)
        np.subtract(x, running_mean[:, None], out=y)
        np.multiply(y, scale[:, None], out=y)
        np.add(y, b[:, None], out=y)

    return call
