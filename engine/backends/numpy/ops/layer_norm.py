"""Layer and group normalization: numbers that belong together lie along the first axes of a view."""

from __future__ import annotations

import math
from typing import cast

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.group_norm import grouped, grouped_parameter
from engine.ops.normalization import column
from engine.values import Op, Value


def _sorted(op: Op, env: Env, value: Value) -> Array:
    """X or dX, with what is normalized together along the first axes."""
    array = env.array(value)
    return grouped(array, cast(int, op.attrs["groups"])) if "groups" in op.attrs else array


def _parameter(op: Op, env: Env, value: Value, like: Array) -> Array:
    """A scale or shift beside it."""
    v = env.array(value)
    return grouped_parameter(v, cast(int, op.attrs["groups"])) if "groups" in op.attrs else column(v, like)


def _axes(op: Op) -> tuple[int, ...]:
    return (0, 1) if "groups" in op.attrs else (0,)


@build("layernorm", "groupnorm")
def layernorm(op: Op, env: Env) -> Call:
    x, y = (_sorted(op, env, v) for v in (op.ins[0], op.outs[0]))
    own = [_parameter(op, env, v, x) for v in op.ins[1:]]
    mean, invstd = env.array(op.outs[1]), env.array(op.outs[2])
    axes = _axes(op)
    epsilon, count = np.float32(cast(float, op.attrs["epsilon"])), np.float32(x.size // mean.size)
    square = env.work.shared(0, x.shape)

    def call() -> None:
        np.add.reduce(x, axes, out=mean)
        np.divide(mean, count, out=mean)
        np.subtract(x, mean, out=y)
        np.multiply(y, y, out=square)
        np.add.reduce(square, axes, out=invstd)
        np.divide(invstd, count, out=invstd)
        np.add(invstd, epsilon, out=invstd)
        np.sqrt(invstd, out=invstd)
        np.divide(np.float32(1), invstd, out=invstd)
        np.multiply(y, invstd, out=y)
        if own:
            np.multiply(y, own[0], out=y)
            np.add(y, own[1], out=y)

    return call


@build("layernorm_dx", "groupnorm_dx")
def layernorm_dx(op: Op, env: Env) -> Call:
    dy, x, dx = (_sorted(op, env, v) for v in (*op.ins[:2], op.out))
    own = [_parameter(op, env, v, x) for v in op.ins[2:-2]]
    mean, invstd = (env.array(v) for v in op.ins[-2:])
    axes, count = _axes(op), np.float32(math.prod(x.shape) // mean.size)
    hat, part = env.work.shared(0, x.shape), env.work.shared(1, x.shape)
    whole = env.array(op.out)

    def call() -> None:
        np.subtract(x, mean, out=hat)
        np.multiply(hat, invstd, out=hat)
        if own:
            np.multiply(dy, own[0], out=dx)
        else:
            np.copyto(dx, dy)
        np.multiply(dx, hat, out=part)
        along = np.add.reduce(part, axes) / count
        np.multiply(hat, along, out=hat)
        np.subtract(dx, np.add.reduce(dx, axes) / count, out=dx)
        np.subtract(dx, hat, out=dx)
        np.multiply(dx, invstd, out=dx)
        env.clear_dead(whole)

    return call


@build("layernorm_dw", "groupnorm_dw")
def layernorm_dw(op: Op, env: Env) -> Call:
    dy, x, mean, invstd = (env.array(v) for v in op.ins)
    dw, part = env.array(op.out), env.work.shared(0, x.shape)
    if "groups" in op.attrs:  # each channel beside the mean of its group
        each = x.shape[0] // mean.shape[0]
        x, dy, part = (a.reshape(len(mean), each, -1, a.shape[-1]) for a in (x, dy, part))
        mean, invstd = mean[:, None, None], invstd[:, None, None]

    def call() -> None:
        np.subtract(x, mean, out=part)
        np.multiply(part, invstd, out=part)
        np.multiply(part, dy, out=part)
        env.clear_dead(part)
        np.add.reduce(part.reshape(len(dw), -1), 1, out=dw)

    return call
