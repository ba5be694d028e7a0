"""Sequences taken apart and put together, LSTM and GRU cells."""

from __future__ import annotations

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.values import Op

ONE = np.float32(1)


@build("split_time")
def split_time(op: Op, env: Env) -> Call:
    pairs = [(env.array(out), env.array(op.ins[0])[:, t]) for t, out in enumerate(op.outs)]

    def call() -> None:
        for to, part in pairs:
            np.copyto(to, part)

    return call


@build("stack_time")
def stack_time(op: Op, env: Env) -> Call:
    pairs = [(env.array(op.out)[:, t], env.array(v)) for t, v in enumerate(op.ins)]

    def call() -> None:
        for to, part in pairs:
            np.copyto(to, part)

    return call


@build("zero_state")
def zero_state(op: Op, env: Env) -> Call:
    out = env.array(op.out)
    return lambda: out.fill(0)


def _halves(gates: Array, tanh_rows: slice) -> tuple[Array, Array]:
    """Columns s and o with σ(x) = s · tanh(s · x) + o where a row is a sigmoid, and tanh x = itself."""
    scale, shift = (np.full((len(gates), 1), 0.5, np.float32) for _ in range(2))
    scale[tanh_rows], shift[tanh_rows] = 1, 0
    return scale, shift


def _squash(gates: Array, scale: Array, shift: Array) -> None:
    """σ or tanh of every row in place, by one tanh."""
    np.multiply(gates, scale, out=gates)
    np.tanh(gates, out=gates)
    np.multiply(gates, scale, out=gates)
    np.add(gates, shift, out=gates)


@build("lstm_cell")
def lstm_cell(op: Op, env: Env) -> Call:
    u, q, before = (env.array(v) for v in op.ins)
    h, gates, c = (env.array(v) for v in op.outs)
    units = len(h)
    i, f, g, o = (gates[k * units : (k + 1) * units] for k in range(4))
    scale, shift = _halves(gates, slice(2 * units, 3 * units))
    part = env.work.shared(0, c.shape)

    def call() -> None:
        np.add(u, q, out=gates)
        _squash(gates, scale, shift)
        np.multiply(f, before, out=c)
        np.multiply(i, g, out=part)
        np.add(c, part, out=c)
        np.tanh(c, out=h)
        np.multiply(h, o, out=h)

    return call


@build("lstm_cell_grad")
def lstm_cell_grad(op: Op, env: Env) -> Call:
    dh, gates, before, c, *later = (env.array(v) for v in op.ins)
    da, dc = (env.array(v) for v in op.outs)
    units = len(c)
    i, f, g, o = (gates[k * units : (k + 1) * units] for k in range(4))
    di, df, dg, do = (da[k * units : (k + 1) * units] for k in range(4))
    t, whole = env.work.shared(0, c.shape), env.work.shared(1, c.shape)
    slope = env.work.shared(2, (2 * units, c.shape[1]))

    def call() -> None:
        np.tanh(c, out=t)
        np.multiply(dh, t, out=do)
        np.multiply(do, o, out=do)
        np.subtract(ONE, o, out=whole)
        np.multiply(do, whole, out=do)
        np.multiply(t, t, out=t)
        np.subtract(ONE, t, out=t)
        np.multiply(dh, o, out=whole)
        np.multiply(whole, t, out=whole)
        if later:
            np.add(later[0], whole, out=whole)
        np.multiply(whole, g, out=di)
        np.multiply(whole, before, out=df)
        np.multiply(da[: 2 * units], gates[: 2 * units], out=da[: 2 * units])
        np.subtract(ONE, gates[: 2 * units], out=slope)
        np.multiply(da[: 2 * units], slope, out=da[: 2 * units])
        np.multiply(g, g, out=t)
        np.subtract(ONE, t, out=t)
        np.multiply(whole, i, out=dg)
        np.multiply(dg, t, out=dg)
        np.multiply(whole, f, out=dc)
        env.clear_dead(da)
        env.clear_dead(dc)

    return call


@build("gru_cell")
def gru_cell(op: Op, env: Env) -> Call:
    u, q, before = (env.array(v) for v in op.ins)
    h, gates = (env.array(v) for v in op.outs)
    units = len(h)
    r, z, n = (gates[k * units : (k + 1) * units] for k in range(3))
    half = np.float32(0.5)

    def call() -> None:
        both = gates[: 2 * units]
        np.add(u[: 2 * units], q[: 2 * units], out=both)
        np.multiply(both, half, out=both)
        np.tanh(both, out=both)
        np.multiply(both, half, out=both)
        np.add(both, half, out=both)
        np.multiply(r, q[2 * units :], out=n)
        np.add(u[2 * units :], n, out=n)
        np.tanh(n, out=n)
        # (1 - z) n + z h = n + z (h - n), but the order is the definition's
        np.subtract(ONE, z, out=h)
        np.multiply(h, n, out=h)
        np.add(h, z * before, out=h)

    return call


@build("gru_cell_grad")
def gru_cell_grad(op: Op, env: Env) -> Call:
    dh, gates, q, before = (env.array(v) for v in op.ins)
    du, dq, past = (env.array(v) for v in op.outs)
    units = len(dh)
    r, z, n = (gates[k * units : (k + 1) * units] for k in range(3))
    dr, dz, dn = (du[k * units : (k + 1) * units] for k in range(3))
    part = env.work.shared(0, dh.shape)

    def call() -> None:
        np.multiply(n, n, out=part)
        np.subtract(ONE, part, out=part)
        np.subtract(ONE, z, out=dz)
        np.multiply(dh, dz, out=dn)
        np.multiply(dn, part, out=dn)
        np.subtract(before, n, out=part)
        np.multiply(part, dh, out=part)
        np.multiply(part, z, out=part)
        np.multiply(part, dz, out=dz)
        np.multiply(dn, q[2 * units :], out=dr)
        np.multiply(dr, r, out=dr)
        np.subtract(ONE, r, out=part)
        np.multiply(dr, part, out=dr)
        np.copyto(dq[: 2 * units], du[: 2 * units])
        np.multiply(dn, r, out=dq[2 * units :])
        np.multiply(dh, z, out=past)
        for made in (du, dq, past):
            env.clear_dead(made)

    return call
