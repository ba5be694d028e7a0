"""Penalties of weights and the largest norm of a unit's weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.accumulating import APPLY
from engine.ops.penalties import shortening
from engine.values import Op


def _sum(terms: Callable[[Array, Array], object], share: float) -> Callable[[Op, Env], Call]:
    """λ times a sum over all weights; `terms(w, out)` writes what is added up."""

    def builder(op: Op, env: Env) -> Call:
        w, out, c = env.array(op.ins[0]).reshape(-1), env.array(op.out), env.controls
        parts, name = env.work.shared(0, w.shape), op.controls[-1]

        def call() -> None:
            terms(w, parts)
            out[()] = np.float32(share * c[name]) * np.add.reduce(parts)

        return call

    return builder


build("l1")(_sum(lambda w, out: np.abs(w, out=out), 1.0))
build("l2")(_sum(lambda w, out: np.multiply(w, w, out=out), 0.5))


@build("l1_slope")
def l1_slope(op: Op, env: Env) -> Call:
    w, out, c, name = env.array(op.ins[0]), env.array(op.out), env.controls, op.controls[-1]

    def call() -> None:
        np.sign(w, out=out)
        np.multiply(out, np.float32(c[name]), out=out)

    return call


@build("l2_slope")
def l2_slope(op: Op, env: Env) -> Call:
    w, out, c, name = env.array(op.ins[0]), env.array(op.out), env.controls, op.controls[-1]

    def call() -> None:
        np.multiply(w, np.float32(c[name]), out=out)

    return call


@build("max_norm")
def max_norm(op: Op, env: Env) -> Call:
    w, out, c, name = env.matrix(op.ins[0]), env.matrix(op.out), env.controls, op.controls[0]
    mask = env.matrix(op.ins[1]) if len(op.ins) > 1 else None
    squares = env.work.shared(0, w.shape)
    nothing = np.zeros((len(w), 1), np.float32)

    def call() -> None:
        if not c.get(APPLY, 1.0):
            np.copyto(out, w)
            return
        np.multiply(w, w, out=squares)
        if mask is None:
            np.multiply(w, shortening(np.add.reduce(squares, 1, keepdims=True), nothing, c[name]), out=out)
            return
        free = mask == 0
        all_of_it = np.add.reduce(squares, 1, keepdims=True)
        locked = np.add.reduce(np.where(free, np.float32(0), squares), 1, keepdims=True)
        factor = shortening(all_of_it - locked, locked, c[name])
        np.copyto(out, np.where(free, w * factor, w))

    return call
