"""Whole maps left out, and normal noise."""

from __future__ import annotations

import numpy as np

from engine import gaussian, random
from engine.backends.numpy.env import Call, Env, build
from engine.ops.base import stream_number
from engine.values import Op


@build("spatial_dropout")
def spatial_dropout(op: Op, env: Env) -> Call:
    x, y, mask = env.array(op.ins[0]), env.array(op.outs[0]), env.array(op.outs[1])
    channels, lanes = x.shape[0], x.shape[-1]
    maps = mask.reshape(channels, -1, lanes)
    stream, rate = stream_number(op.stream or ""), op.controls[0]

    def call() -> None:
        p = np.float32(env.controls[rate])
        bits = random.uniform(env.seed, stream, int(env.controls["step"]), channels, lanes)
        maps[...] = ((bits >= p) * (np.float32(1) / (np.float32(1) - p)))[:, None]
        np.multiply(x, mask, out=y)

    return call


@build("gaussian_noise")
def gaussian_noise(op: Op, env: Env) -> Call:
    x, y, noise = env.array(op.ins[0]), env.array(op.outs[0]), env.array(op.outs[1])
    rows, lanes = x.size // x.shape[-1], x.shape[-1]
    stream, size = stream_number(op.stream or ""), op.controls[0]

    def call() -> None:
        made = gaussian.normal(env.seed, stream, int(env.controls["step"]), rows, lanes)
        np.copyto(noise, made.reshape(noise.shape))
        np.multiply(noise, np.float32(env.controls[size]), out=y)
        np.add(x, y, out=y)

    return call
