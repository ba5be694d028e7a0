"""The weighted sum of losses, and cross-entropy with label smoothing and class weights."""

from __future__ import annotations

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.ops.weighted_sum import weights_of
from engine.ops.weighted_xent import class_weights, smoothing
from engine.values import Op


@build("weighted_sum")
def weighted_sum(op: Op, env: Env) -> Call:
    parts, out = [env.array(v) for v in op.ins], env.array(op.out)
    weights = [np.float32(w) for w in weights_of(op.attrs)]

    def call() -> None:
        out[()] = 0
        for weight, part in zip(weights, parts, strict=True):
            out[()] += weight * part[()]

    return call


@build("class_weights")
def weights_of_examples(op: Op, env: Env) -> Call:
    labels, out, mass = env.array(op.ins[0]), env.array(op.outs[0]), env.array(op.outs[1])
    table = class_weights(op.attrs).astype(np.float32)

    def call() -> None:
        np.take(table, labels, out=out, mode="clip")
        env.clear_dead(out)
        mass[()] = np.add.reduce(out[: env.n])

    return call


@build("weighted_xent")
def weighted_xent(op: Op, env: Env) -> Call:
    z, labels, w, mass = (env.array(v) for v in op.ins)
    p, loss = env.array(op.outs[0]), env.array(op.outs[1])
    row, lanes = env.work.own((1, z.shape[1])), np.arange(z.shape[1])
    right, even = _shares(op)

    def call() -> None:
        n = env.n
        np.maximum.reduce(z, 0, keepdims=True, out=row)
        np.subtract(z, row, out=p)
        chosen, all_of_them = p[labels[:n], lanes[:n]], even @ p[:, :n]
        np.exp(p, out=p)
        np.add.reduce(p, 0, keepdims=True, out=row)
        logs = np.log(row[0, :n])
        losses = right * w[:n] * (logs - chosen) + (logs * even.sum() - all_of_them)
        loss[()] = np.add.reduce(losses) / mass[()]
        np.divide(p, row, out=p)

    return call


@build("weighted_xent_grad")
def weighted_xent_grad(op: Op, env: Env) -> Call:
    (p, labels, w, mass), dz = (env.array(v) for v in op.ins), env.array(op.out)
    lanes = np.arange(p.shape[1])
    right, even = _shares(op)

    def call() -> None:
        np.multiply(p, right * w + even.sum(), out=dz)
        np.subtract(dz, even[:, None], out=dz)
        dz[labels, lanes] -= right * w
        np.divide(dz, mass[()], out=dz)
        env.clear_dead(dz)

    return call


def _shares(op: Op) -> tuple[np.float32, np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """What the right class gets of its weight, and what every class gets anyway."""
    weights, eps = class_weights(op.attrs), smoothing(op.attrs)
    return np.float32(1 - eps), (weights * (eps / len(weights))).astype(np.float32)
