"""Start values of parameters, drawn from the seed: the same on every device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import random
from engine.errors import N_
from engine.ops.base import stream_number

if TYPE_CHECKING:
    from engine.layers.base import ParamSpec

Array = np.ndarray[Any, Any]

INITIALIZER_CHOICES = (
    ("xavier_uniform", N_("Xavier uniform")),
    ("xavier_normal", N_("Xavier normal")),
    ("he_uniform", N_("He uniform")),
    ("he_normal", N_("He normal")),
    ("normal", N_("normal, 0.1")),
    ("zeros", N_("zeros")),
    ("ones", N_("ones")),
)


def initialize(spec: ParamSpec, seed: int, owner: str) -> Array:
    """Float32 array for one parameter.

    Xavier: Glorot & Bengio 2010, variance 2 / (fan in + fan out); He et al. 2015, variance 2 / fan in.
    """
    kind, shape = spec.initializer, spec.shape
    count = math.prod(shape)
    if kind == "sinusoid":
        return sinusoids(*shape)
    if spec.start:
        return np.array(spec.start, np.float32).reshape(shape)
    if kind in ("zeros", "ones"):
        return np.full(shape, float(kind == "ones"), np.float32)
    stream = stream_number(f"{owner}.{spec.name}")
    if kind == "normal":
        return (0.1 * random.normal(seed, stream, count)).astype(np.float32).reshape(shape)
    family, shape_of_noise = kind.split("_")
    variance = 2.0 / (spec.fan_in + spec.fan_out) if family == "xavier" else 2.0 / spec.fan_in
    if shape_of_noise == "normal":
        noise = random.normal(seed, stream, count) * math.sqrt(variance)
    else:
        noise = (2.0 * random.uniform(seed, stream, 0, 1, count)[0] - 1.0) * math.sqrt(3.0 * variance)
    return noise.astype(np.float32).reshape(shape)


def sinusoids(width: int, length: int) -> Array:
    """(F, T): sine and cosine of the position in turn, ever slower (Vaswani et al. 2017)."""
    pair = np.arange(width) // 2
    angle = np.arange(length)[None, :] / 10000.0 ** (2 * pair / width)[:, None]
    even = (np.arange(width) % 2 == 0)[:, None]
    return np.where(even, np.sin(angle), np.cos(angle)).astype(np.float32)
