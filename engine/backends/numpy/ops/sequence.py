"""Tokens, positions, parts and layer normalization."""

from __future__ import annotations

from typing import cast

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.ops.normalization import column
from engine.ops.sequence import rows_of
from engine.values import Op


@build("embedding")
def embedding(op: Op, env: Env) -> Call:
    table, tokens, y = env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out)
    columns = np.moveaxis(y, 0, -1)

    def call() -> None:
        columns[...] = table[rows_of(tokens, len(table))]

    return call


@build("embedding_dw")
def embedding_dw(op: Op, env: Env) -> Call:
    tokens, d, dw = env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out)

    def call() -> None:
        rows = rows_of(tokens[:, : env.n], len(dw)).ravel()
        order = np.argsort(rows, kind="stable")
        present, starts = np.unique(rows[order], return_index=True)
        parts = d[..., : env.n].reshape(len(d), -1)[:, order]
        dw.fill(0)
        dw[present] = np.add.reduceat(parts, starts, axis=1).T

    return call


@build("positions")
def positions(op: Op, env: Env) -> Call:
    x, table, y = env.array(op.ins[0]), env.array(op.ins[1])[..., None], env.array(op.out)

    def call() -> None:
        np.add(x, table, out=y)

    return call


@build("positions_dw")
def positions_dw(op: Op, env: Env) -> Call:
    d, dw = env.array(op.ins[0]), env.array(op.out)

    def call() -> None:
        np.add.reduce(d, -1, out=dw)

    return call


@build("split")
def split(op: Op, env: Env) -> Call:
    parts = list(zip(np.split(env.array(op.ins[0]), len(op.outs)), op.outs, strict=True))

    def call() -> None:
        for part, out in parts:
            np.copyto(env.array(out), part)

    return call


@build("layernorm")
def layernorm(op: Op, env: Env) -> Call:
    x, w, b = (env.array(v) for v in op.ins)
    y, mean, invstd = (env.array(v) for v in op.outs)
    w, b = column(w, x), column(b, x)
    epsilon, count = np.float32(cast(float, op.attrs["epsilon"])), np.float32(len(x))
    square = env.work.shared(0, x.shape)

    def call() -> None:
        np.add.reduce(x, 0, out=mean)
        np.divide(mean, count, out=mean)
        np.subtract(x, mean, out=y)
        np.multiply(y, y, out=square)
        np.add.reduce(square, 0, out=invstd)
        np.divide(invstd, count, out=invstd)
        np.add(invstd, epsilon, out=invstd)
        np.sqrt(invstd, out=invstd)
        np.divide(np.float32(1), invstd, out=invstd)
        np.multiply(y, invstd, out=y)
        np.multiply(y, w, out=y)
        np.add(y, b, out=y)

    return call


@build("layernorm_dx")
def layernorm_dx(op: Op, env: Env) -> Call:
    dy, x, w, mean, invstd = (env.array(v) for v in op.ins)
    w, dx, count = column(w, x), env.array(op.out), np.float32(len(x))
    hat, part = env.work.shared(0, x.shape), env.work.shared(1, x.shape)

    def call() -> None:
        np.subtract(x, mean, out=hat)
        np.multiply(hat, invstd, out=hat)
        np.multiply(dy, w, out=dx)
        np.multiply(dx, hat, out=part)
        along = np.add.reduce(part, 0) / count
        np.multiply(hat, along, out=hat)
        np.subtract(dx, np.add.reduce(dx, 0) / count, out=dx)
        np.subtract(dx, hat, out=dx)
        np.multiply(dx, invstd, out=dx)
        env.clear_dead(dx)

    return call


@build("layernorm_dw")
def layernorm_dw(op: Op, env: Env) -> Call:
    dy, x, mean, invstd = (env.array(v) for v in op.ins)
    dw, part = env.array(op.out), env.work.shared(0, x.shape)

    def call() -> None:
        np.subtract(x, mean, out=part)
        np.multiply(part, invstd, out=part)
        np.multiply(part, dy, out=part)
        env.clear_dead(part)
        np.add.reduce(part.reshape(len(x), -1), 1, out=dw)

    return call
