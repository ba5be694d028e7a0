"""Gradients kept small before the update."""

from __future__ import annotations

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.ops.accumulating import APPLY
from engine.ops.clipping import shrinking
from engine.values import Op


@build("clip_value")
def clip_value(op: Op, env: Env) -> Call:
    g, out, c = env.array(op.ins[0]), env.array(op.out), env.controls

    def call() -> None:
        limit = np.float32(c["clip"])
        np.clip(g, -limit, limit, out=out)

    return call


@build("square_sum")
def square_sum(op: Op, env: Env) -> Call:
    g, out = env.array(op.ins[0]).reshape(-1), env.array(op.out)
    squares = env.work.shared(0, g.shape)

    def call() -> None:
        np.multiply(g, g, out=squares)
        out[()] = np.add.reduce(squares)

    return call


@build("grad_norm")
def grad_norm(op: Op, env: Env) -> Call:
    sums, out = [env.array(v) for v in op.ins], env.array(op.out)

    def call() -> None:
        total = sums[0][()]
        for each in sums[1:]:
            total = total + each[()]
        out[()] = np.sqrt(total)

    return call


@build("clip_norm")
def clip_norm(op: Op, env: Env) -> Call:
    (g, norm), out, c = (env.array(v) for v in op.ins), env.array(op.out), env.controls

    def call() -> None:
        np.multiply(g, shrinking(c["clip"], norm), out=out)

    return call


@build("accumulate")
def accumulate(op: Op, env: Env) -> Call:
    (g, before), (mean, after), c = map(env.array, op.ins), map(env.array, op.outs), env.controls
    share = np.float32(1 / int(str(op.attrs["count"])))

    def call() -> None:
        np.multiply(g, share, out=mean)
        np.add(mean, before, out=mean)
        if c[APPLY]:
            after.fill(0)
        else:
            np.copyto(after, mean)

    return call
