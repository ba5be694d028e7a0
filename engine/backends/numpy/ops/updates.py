"""Optimizer steps. New and old may be one array: every old number is read before its place is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.backends.numpy.env import Builder, Call, Env, build
from engine.ops.accumulating import APPLY
from engine.ops.updates import kept_of, lock_of
from engine.values import Op

ONE = np.float32(1)
ALL_BITS = np.uint32(0xFFFFFFFF)


def update(*kinds: str) -> Callable[[Builder], Builder]:
    """Decorator: this function compiles updates of these kinds; what is locked is put back behind them."""

    def note(free: Builder) -> Builder:
        def builder(op: Op, env: Env) -> Call:
            mask = lock_of(op)
            if mask is None:
                return free(op, env)
            lock, step = env.array(mask), free(replace(op, ins=op.ins[:-1]), env)
            shape, work = lock.shape, env.work
            locked, places = work.shared(2, shape, np.bool_), work.shared(3, shape, np.uint32)
            held = []
            for i, (old, new) in enumerate(zip((op.ins[0], *op.ins[2:-1]), op.outs, strict=True)):
                kept = work.shared(4 + i, shape)
                held.append((env.array(old), kept, kept.view(np.uint32), env.array(new).view(np.uint32)))

            def call() -> None:
                for old, kept, _, _ in held:
                    np.copyto(kept, old)
                step()
                # new ^ ((new ^ old) & mask): choosing by truth values takes ten times as long
                np.not_equal(lock, 0, out=locked)
                np.multiply(locked, ALL_BITS, out=places)
                for _, _, other, new in held:
                    np.bitwise_xor(new, other, out=other)
                    np.bitwise_and(other, places, out=other)
                    np.bitwise_xor(new, other, out=new)

            return call

        return build(*kinds)(_waiting(builder))

    return note


def _waiting(applied: Builder) -> Builder:
    """An update that leaves all as it was where the weights wait for more batches."""

    def builder(op: Op, env: Env) -> Call:
        step, c = applied(op, env), env.controls
        if APPLY not in op.controls:
            return step
        pairs = [(env.array(old), env.array(new)) for old, new in zip(kept_of(op), op.outs, strict=True)]
        moves = [(old, new) for old, new in pairs if not np.shares_memory(old, new)]

        def call() -> None:
            if c[APPLY]:
                step()
                return
            for old, new in moves:
                np.copyto(new, old)

        return call

    return builder


@update("sgd")
def sgd(op: Op, env: Env) -> Call:
    (w, g), new, c = (env.array(v) for v in op.ins), env.array(op.out), env.controls
    step = env.work.shared(0, w.shape)

    def call() -> None:
        np.multiply(g, np.float32(c["lr"]), out=step)
        np.subtract(w, step, out=new)

    return call


@update("momentum")
def momentum(op: Op, env: Env) -> Call:
    (w, g, v), (new, new_v), c = (env.array(a) for a in op.ins), (env.array(a) for a in op.outs), env.controls
    step = env.work.shared(0, w.shape)

    def call() -> None:
        np.multiply(v, np.float32(c["momentum"]), out=new_v)
        np.add(new_v, g, out=new_v)
        np.multiply(new_v, np.float32(c["lr"]), out=step)
        np.subtract(w, step, out=new)

    return call


@update("rmsprop")
def rmsprop(op: Op, env: Env) -> Call:
    (w, g, s), (new, new_s), c = (env.array(a) for a in op.ins), (env.array(a) for a in op.outs), env.controls
    step, root = env.work.shared(0, w.shape), env.work.shared(1, w.shape)

    def call() -> None:
        decay = np.float32(c["decay"])
        np.multiply(g, ONE - decay, out=step)
        np.multiply(step, g, out=step)
        np.multiply(s, decay, out=new_s)
        np.add(new_s, step, out=new_s)
        np.sqrt(new_s, out=root)
        np.add(root, np.float32(c["epsilon"]), out=root)
        np.multiply(g, np.float32(c["lr"]), out=step)
        np.divide(step, root, out=step)
        np.subtract(w, step, out=new)

    return call


@update("adam", "adamw")
def adam(op: Op, env: Env) -> Call:
    w, g, m, v = (env.array(a) for a in op.ins)
    new, new_m, new_v = (env.array(a) for a in op.outs)
    c, shrinks = env.controls, op.kind == "adamw"
    step, root = env.work.shared(0, w.shape), env.work.shared(1, w.shape)

    def call() -> None:
        beta1, beta2 = np.float32(c["beta1"]), np.float32(c["beta2"])
        np.multiply(g, ONE - beta1, out=step)
        np.multiply(m, beta1, out=new_m)
        np.add(new_m, step, out=new_m)
        np.multiply(g, ONE - beta2, out=step)
        np.multiply(step, g, out=step)
        np.multiply(v, beta2, out=new_v)
        np.add(new_v, step, out=new_v)
        np.sqrt(new_v, out=root)
        np.divide(root, np.float32(np.sqrt(c["c2"])), out=root)
        np.add(root, np.float32(c["epsilon"]), out=root)
        np.multiply(new_m, np.float32(c["lr"] / c["c1"]), out=step)
        np.divide(step, root, out=step)
        if shrinks:
            np.multiply(w, np.float32(1.0 - c["lr"] * c["weight_decay"]), out=new)
            np.subtract(new, step, out=new)
        else:
            np.subtract(w, step, out=new)

    return call


@update("nesterov")
def nesterov(op: Op, env: Env) -> Call:
    (w, g, v), (new, new_v), c = (env.array(a) for a in op.ins), (env.array(a) for a in op.outs), env.controls
    step = env.work.shared(0, w.shape)

    def call() -> None:
        momentum = np.float32(c["momentum"])
        np.multiply(v, momentum, out=new_v)
        np.add(new_v, g, out=new_v)
        np.multiply(new_v, momentum, out=step)
        np.add(g, step, out=step)
        np.multiply(step, np.float32(c["lr"]), out=step)
        np.subtract(w, step, out=new)

    return call


@update("adagrad")
def adagrad(op: Op, env: Env) -> Call:
    (w, g, s), (new, new_s), c = (env.array(a) for a in op.ins), (env.array(a) for a in op.outs), env.controls
    step, root = env.work.shared(0, w.shape), env.work.shared(1, w.shape)

    def call() -> None:
        np.multiply(g, g, out=step)
        np.add(s, step, out=new_s)
        np.sqrt(new_s, out=root)
        np.add(root, np.float32(c["epsilon"]), out=root)
        np.multiply(g, np.float32(c["lr"]), out=step)
        np.divide(step, root, out=step)
        np.subtract(w, step, out=new)

    return call


@update("adadelta")
def adadelta(op: Op, env: Env) -> Call:
    w, g, s, d = (env.array(a) for a in op.ins)
    new, new_s, new_d = (env.array(a) for a in op.outs)
    c = env.controls
    step, root = env.work.shared(0, w.shape), env.work.shared(1, w.shape)

    def call() -> None:
        decay, epsilon = np.float32(c["decay"]), np.float32(c["epsilon"])
        np.multiply(g, ONE - decay, out=step)
        np.multiply(step, g, out=step)
        np.multiply(s, decay, out=new_s)
        np.add(new_s, step, out=new_s)
        np.add(d, epsilon, out=step)
        np.sqrt(step, out=step)
        np.add(new_s, epsilon, out=root)
        np.sqrt(root, out=root)
        np.divide(step, root, out=step)
        np.multiply(step, g, out=step)
        np.multiply(step, ONE - decay, out=root)
        np.multiply(root, step, out=root)
        np.multiply(d, decay, out=new_d)
        np.add(new_d, root, out=new_d)
        np.multiply(step, np.float32(c["lr"]), out=step)
        np.subtract(w, step, out=new)

    return call
