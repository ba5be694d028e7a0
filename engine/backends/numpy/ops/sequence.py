"""Tokens, positions, parts."""

from __future__ import annotations

import numpy as np

from engine.backends.numpy.env import Call, Env, build
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
