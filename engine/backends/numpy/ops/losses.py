"""Losses, targets and hits; the only place where dead lanes of a gradient become zero from nothing."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.ops.pointwise_losses import ENTRY_LOSSES
from engine.values import Op


@build("encode_labels")
def encode_labels(op: Op, env: Env) -> Call:
    labels, out = env.array(op.ins[0]), env.array(op.out)
    units = cast(int, op.attrs["units"])
    first = 1 if units == 1 else 0
    rows = np.arange(first, first + units, dtype=np.int32)[:, None]
    on, off = np.float32(cast(float, op.attrs["on"])), np.float32(cast(float, op.attrs["off"]))
    hit = np.empty(out.shape, np.bool_)

    def call() -> None:
        np.equal(rows, labels, out=hit)
        out.fill(off)
        np.copyto(out, on, where=hit)
        env.clear_dead(out)

    return call


@build("mse")
def mse(op: Op, env: Env) -> Call:
    (y, t), loss = (env.array(v) for v in op.ins), env.array(op.out)
    e = env.work.own(y.shape)

    def call() -> None:
        np.subtract(y, t, out=e)
        env.clear_dead(e)
        np.multiply(e, e, out=e)
        loss[()] = np.add.reduce(e, None) / np.float32(e.shape[0] * env.n)

    return call


@build("mse_grad")
def mse_grad(op: Op, env: Env) -> Call:
    (y, t), dy = (env.array(v) for v in op.ins), env.array(op.out)

    def call() -> None:
        np.subtract(y, t, out=dy)
        np.multiply(dy, np.float32(2.0 / (dy.shape[0] * env.n)), out=dy)
        env.clear_dead(dy)

    return call


def _entry_loss(kind: str) -> None:
    rule = ENTRY_LOSSES[kind]

    @build(kind)
    def loss(op: Op, env: Env) -> Call:
        (y, t), out = (env.array(v) for v in op.ins), env.array(op.out)

        def call() -> None:
            n = env.n
            total = np.add.reduce(rule.l(y[:, :n], t[:, :n], op.attrs), None)
            out[()] = total / np.float32(y.shape[0] * n)

        return call

    @build(f"{kind}_grad")
    def slope(op: Op, env: Env) -> Call:
        (y, t), dy = (env.array(v) for v in op.ins), env.array(op.out)

        def call() -> None:
            np.multiply(rule.slope(y, t, op.attrs), np.float32(1.0 / (dy.shape[0] * env.n)), out=dy)
            env.clear_dead(dy)

        return call


for _kind in ENTRY_LOSSES:
    _entry_loss(_kind)


@build("softmax_xent")
def softmax_xent(op: Op, env: Env) -> Call:
    z, labels = env.array(op.ins[0]), env.array(op.ins[1])
    p, loss = env.array(op.outs[0]), env.array(op.outs[1])
    row, lanes = env.work.own((1, z.shape[1])), np.arange(z.shape[1])

    def call() -> None:
        n = env.n
        np.maximum.reduce(z, 0, keepdims=True, out=row)
        np.subtract(z, row, out=p)
        chosen = p[labels[:n], lanes[:n]]
        np.exp(p, out=p)
        np.add.reduce(p, 0, keepdims=True, out=row)
        loss[()] = np.add.reduce(np.log(row[0, :n]) - chosen) / np.float32(n)
        np.divide(p, row, out=p)

    return call


@build("softmax_xent_grad")
def softmax_xent_grad(op: Op, env: Env) -> Call:
    (p, labels), dz = (env.array(v) for v in op.ins), env.array(op.out)
    lanes = np.arange(p.shape[1])

    def call() -> None:
        np.copyto(dz, p)
        dz[labels, lanes] -= np.float32(1)
        np.multiply(dz, np.float32(1.0 / env.n), out=dz)
        env.clear_dead(dz)

    return call


@build("count_correct")
def count_correct(op: Op, env: Env) -> Call:
    (y, t), hits = (env.array(v) for v in op.ins), env.array(op.out)
    threshold = np.float32(cast(float, op.attrs["threshold"]))
    guess = np.empty(y.shape[1], np.intp)

    def call() -> None:
        n = env.n
        if len(y) == 1:
            np.greater(y[0], threshold, out=guess, casting="unsafe")
        else:
            y.argmax(0, out=guess)
        hits[()] = np.count_nonzero(guess[:n] == t[:n])

    return call
