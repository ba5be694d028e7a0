"""add, multiply, concatenate, dropout."""

from __future__ import annotations

import numpy as np

from engine import random
from engine.backends.numpy.env import Call, Env, build
from engine.ops.base import stream_number
from engine.values import Op


@build("add")
def add(op: Op, env: Env) -> Call:
    a, *rest = (env.array(v) for v in op.ins)
    y = env.array(op.out)

    def call() -> None:
        if not rest:
            np.copyto(y, a)
            return
        np.add(a, rest[0], out=y)
        for x in rest[1:]:
            np.add(y, x, out=y)

    return call


@build("multiply")
def multiply(op: Op, env: Env) -> Call:
    (a, b), y = (env.array(v) for v in op.ins), env.array(op.out)

    def call() -> None:
        np.multiply(a, b, out=y)

    return call


@build("concatenate")
def concatenate(op: Op, env: Env) -> Call:
    parts, y = [env.array(v) for v in op.ins], env.array(op.out)

    def call() -> None:
        np.concatenate(parts, 0, out=y)

    return call


@build("dropout")
def dropout(op: Op, env: Env) -> Call:
    x, y, mask = env.array(op.ins[0]), env.array(op.outs[0]), env.array(op.outs[1])
    rows, lanes = x.size // x.shape[-1], x.shape[-1]
    flat = mask.reshape(rows, lanes)
    keep = env.work.shared(0, (rows, lanes), np.bool_)
    stream, rate = stream_number(op.stream or ""), op.controls[0]

    def call() -> None:
        p = np.float32(env.controls[rate])
        bits = random.uniform(env.seed, stream, int(env.controls["step"]), rows, lanes)
        np.greater_equal(bits, p, out=keep)
        np.multiply(keep, np.float32(1) / (np.float32(1) - p), out=flat)
        np.multiply(x, mask, out=y)

    return call
