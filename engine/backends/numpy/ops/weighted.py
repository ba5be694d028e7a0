"""The weighted sum of losses."""

from __future__ import annotations

import numpy as np

from engine.backends.numpy.env import Call, Env, build
from engine.ops.weighted_sum import weights_of
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
