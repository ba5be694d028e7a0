"""Start values of parameters, drawn from the seed: the same on every device."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
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
    ("orthogonal", N_("orthogonal")),
    ("identity", N_("identity")),
    ("normal", N_("normal, 0.1")),
    ("uniform", N_("uniform, −0.1 to 0.1")),
    ("constant", N_("all 0.1")),
    ("zeros", N_("zeros")),
    ("ones", N_("ones")),
)
BIAS_CHOICES = tuple(
    c for c in INITIALIZER_CHOICES if c[0] in ("zeros", "constant", "ones", "normal", "uniform")
)

CONSTANTS = {"zeros": 0.0, "ones": 1.0, "quarter": 0.25, "constant": 0.1}


def initialize(spec: ParamSpec, seed: int, owner: str) -> Array:
    """Float32 array for one parameter.

    Xavier: Glorot & Bengio 2010, variance 2 / (fan in + fan out); He et al. 2015, variance 2 / fan in.
    Orthogonal: Saxe et al. 2014, rows of length 1 at right angles (columns, where there are more rows).
    Identity: 1 where output and input have the same number, of a kernel at its middle.
    """
    kind, shape = spec.initializer, spec.shape
    count = math.prod(shape)
    if kind == "sinusoid":
        return sinusoids(*shape)
    if spec.start:
        return np.array(spec.start, np.float32).reshape(shape)
    if kind in CONSTANTS:
        return np.full(shape, CONSTANTS[kind], np.float32)
    if kind == "identity":
        return _identity(shape)
    stream = stream_number(f"{owner}.{spec.name}")
    if kind == "uniform":
        return (0.1 * _symmetric(seed, stream, count)).astype(np.float32).reshape(shape)
    if kind == "orthogonal":
        return _orthogonal(random.normal(seed, stream, count).reshape(shape[0], -1)).reshape(shape)
    if kind == "normal":
        return (0.1 * random.normal(seed, stream, count)).astype(np.float32).reshape(shape)
    family, shape_of_noise = kind.split("_")
    variance = 2.0 / (spec.fan_in + spec.fan_out) if family == "xavier" else 2.0 / spec.fan_in
    if shape_of_noise == "normal":
        noise = random.normal(seed, stream, count) * math.sqrt(variance)
    else:
        noise = _symmetric(seed, stream, count) * math.sqrt(3.0 * variance)
    return noise.astype(np.float32).reshape(shape)


def with_starts(specs: tuple[ParamSpec, ...], starts: Iterable[tuple[str, str]]) -> tuple[ParamSpec, ...]:
    """Parameters of a layer, those named in `starts` with another initializer; what is not learnt stays."""
    wanted = dict(starts)
    return tuple(
        _started(s, wanted[s.name]) if s.name in wanted and s.trained and not s.fixed else s for s in specs
    )


def _started(spec: ParamSpec, initializer: str) -> ParamSpec:
    spec = replace(spec, initializer=initializer, start=())
    if spec.fan_in == spec.fan_out == 1 and len(spec.shape) > 1:  # the layer had no use for them
        cells = math.prod(spec.shape[2:])
        spec = replace(spec, fan_in=spec.shape[1] * cells, fan_out=spec.shape[0] * cells)
    return spec


def start_choices(spec: ParamSpec) -> tuple[tuple[str, str], ...]:
    """The initializers that make sense for a parameter."""
    return INITIALIZER_CHOICES if len(spec.shape) > 1 else BIAS_CHOICES


def _symmetric(seed: int, stream: int, count: int) -> Array:
    """Uniform from -1 to 1."""
    return np.asarray(2.0 * random.uniform(seed, stream, 0, 1, count)[0] - 1.0)


def _identity(shape: tuple[int, ...]) -> Array:
    out = np.zeros(shape, np.float32)
    if len(shape) == 1:
        return out + np.float32(1)
    middle = tuple(side // 2 for side in shape[2:])
    for i in range(min(shape[:2])):
        out[(i, i, *middle)] = 1
    return out


def _orthogonal(noise: Array) -> Array:
    wide = noise.shape[0] <= noise.shape[1]
    q, r = np.linalg.qr(noise.T if wide else noise)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # else the signs would not be drawn evenly
    return np.asarray(q.T if wide else q, np.float32)


def sinusoids(width: int, length: int) -> Array:
    """(F, T): sine and cosine of the position in turn, ever slower (Vaswani et al. 2017)."""
    pair = np.arange(width) // 2
    angle = np.arange(length)[None, :] / 10000.0 ** (2 * pair / width)[:, None]
    even = (np.arange(width) % 2 == 0)[:, None]
    return np.where(even, np.sin(angle), np.cos(angle)).astype(np.float32)
