"""Activation functions and their derivatives; `functions.py` beside has the smooth ones of z."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.values import Op

SMALL = 16384
ZERO, ONE = np.float32(0), np.float32(1)


@build("relu")
def relu(op: Op, env: Env) -> Call:
    z, a = env.array(op.ins[0]), env.array(op.out)
    # the maximum of two arrays runs three times as fast as that of an array and a number
    run = z.size if z.size <= SMALL else z.shape[-1] * z.shape[-2]
    zeros = env.work.own((run,))
    rows, out = z.reshape(-1, run), a.reshape(-1, run)

    def call() -> None:
        np.maximum(rows, zeros, out=out)

    return call


@build("relu_grad")
def relu_grad(op: Op, env: Env) -> Call:
    (da, a), dz = (env.array(v) for v in op.ins), env.array(op.out)
    on = env.work.shared(0, a.shape, np.bool_)

    def call() -> None:
        np.greater(a, ZERO, out=on)
        np.multiply(da, on, out=dz)

    return call


def _slopes(op: Op, env: Env) -> tuple[np.float32, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    return np.float32(cast(float, op.attrs["slope"])), env.work.shared(0, op.out.shape, np.bool_)


@build("leaky_relu")
def leaky_relu(op: Op, env: Env) -> Call:
    z, a = env.array(op.ins[0]), env.array(op.out)
    slope, on = _slopes(op, env)

    def call() -> None:
        np.multiply(z, slope, out=a)
        np.greater(z, ZERO, out=on)
        np.copyto(a, z, where=on)

    return call


@build("leaky_relu_grad")
def leaky_relu_grad(op: Op, env: Env) -> Call:
    (da, a), dz = (env.array(v) for v in op.ins), env.array(op.out)
    slope, on = _slopes(op, env)

    def call() -> None:
        np.multiply(da, slope, out=dz)
        np.greater(a, ZERO, out=on)
        np.copyto(dz, da, where=on)

    return call


@build("sigmoid")
def sigmoid(op: Op, env: Env) -> Call:
    z, a = env.array(op.ins[0]), env.array(op.out)
    e, low = env.work.shared(0, z.shape), env.work.shared(1, z.shape, np.bool_)

    def call() -> None:
        # e^-|z| cannot overflow: a = 1 / (1 + e) for z >= 0, e / (1 + e) below
        np.abs(z, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.add(e, ONE, out=a)
        np.less(z, ZERO, out=low)
        np.reciprocal(a, out=a)
        np.multiply(a, e, out=a, where=low)

    return call


@build("sigmoid_grad")
def sigmoid_grad(op: Op, env: Env) -> Call:
    (da, a), dz = (env.array(v) for v in op.ins), env.array(op.out)

    def call() -> None:
        np.subtract(ONE, a, out=dz)
        np.multiply(dz, a, out=dz)
        np.multiply(dz, da, out=dz)

    return call


@build("tanh")
def tanh(op: Op, env: Env) -> Call:
    z, a = env.array(op.ins[0]), env.array(op.out)

    def call() -> None:
        np.tanh(z, out=a)

    return call


@build("tanh_grad")
def tanh_grad(op: Op, env: Env) -> Call:
    (da, a), dz = (env.array(v) for v in op.ins), env.array(op.out)

    def call() -> None:
        np.multiply(a, a, out=dz)
        np.subtract(ONE, dz, out=dz)
        np.multiply(dz, da, out=dz)

    return call


@build("linear")
def linear(op: Op, env: Env) -> Call:
    z, a = env.array(op.ins[0]), env.array(op.out)
    return lambda: np.copyto(a, z)


@build("linear_grad")
def linear_grad(op: Op, env: Env) -> Call:
    da, dz = env.array(op.ins[0]), env.array(op.out)
    return lambda: np.copyto(dz, da)


@build("softmax")
def softmax(op: Op, env: Env) -> Call:
    z, a = env.array(op.ins[0]), env.array(op.out)
    row = env.work.own((1, z.shape[1]))

    def call() -> None:
        np.maximum.reduce(z, 0, keepdims=True, out=row)
        np.subtract(z, row, out=a)
        np.exp(a, out=a)
        np.add.reduce(a, 0, keepdims=True, out=row)
        np.divide(a, row, out=a)

    return call


@build("log_softmax")
def log_softmax(op: Op, env: Env) -> Call:
    z, a = env.array(op.ins[0]), env.array(op.out)
    row, e = env.work.own((1, z.shape[1])), env.work.shared(0, z.shape)

    def call() -> None:
        np.maximum.reduce(z, 0, keepdims=True, out=row)
        np.subtract(z, row, out=a)
        np.exp(a, out=e)
        np.add.reduce(e, 0, keepdims=True, out=row)
        np.log(row, out=row)
        np.subtract(a, row, out=a)

    return call


@build("log_softmax_grad")
def log_softmax_grad(op: Op, env: Env) -> Call:
    (da, a), dz = (env.array(v) for v in op.ins), env.array(op.out)
    row = env.work.own((1, a.shape[1]))

    def call() -> None:
        np.add.reduce(da, 0, keepdims=True, out=row)
        np.exp(a, out=dz)
        np.multiply(dz, row, out=dz)
        np.subtract(da, dz, out=dz)
        env.clear_dead(dz)

    return call


@build("softmax_grad")
def softmax_grad(op: Op, env: Env) -> Call:
    (dp, p), dz = (env.array(v) for v in op.ins), env.array(op.out)
    row = env.work.own((1, p.shape[1]))

    def call() -> None:
        np.multiply(dp, p, out=dz)
        np.add.reduce(dz, 0, keepdims=True, out=row)
        np.subtract(dp, row, out=dz)
        np.multiply(dz, p, out=dz)
        env.clear_dead(dz)

    return call
