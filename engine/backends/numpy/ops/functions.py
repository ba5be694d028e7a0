"""The other functions of one number: float32, in blocks that stay in the cache with their temporaries."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.functions import FUNCTIONS, Function
from engine.values import Op

BLOCK = 16384
OWN = {"linear", "relu", "leaky_relu", "sigmoid", "tanh", "gelu"}
"""What is written elsewhere."""


def _blocks(op: Op, env: Env, count: int, f: Callable[..., Array]) -> Call:
    """out = f(first `count` inputs), block by block."""
    out = env.array(op.out).reshape(-1)
    ins = [env.array(v).reshape(-1) for v in op.ins[:count]]
    parts = [slice(i, i + BLOCK) for i in range(0, out.size, BLOCK)]
    views = [(out[p], *(x[p] for x in ins)) for p in parts]

    def call() -> None:
        for to, *cells in views:
            to[...] = f(*cells)

    return call


def _register(kind: str, function: Function) -> None:
    @build(kind)
    def forward(op: Op, env: Env) -> Call:
        return _blocks(op, env, 1, lambda z: function.f(z, op.attrs))

    @build(f"{kind}_grad")
    def backward(op: Op, env: Env) -> Call:
        return _blocks(op, env, 2, lambda da, x: da * function.slope(x, op.attrs))


for _kind, _function in FUNCTIONS.items():
    if _kind not in OWN:
        _register(_kind, _function)

# Cephes' erff and erfcf: T below 1, P below 2, R beyond, in 1 / x²
T = (
    7.853861353153693e-5, -8.010193625184903e-4, 5.188327685732524e-3, -2.685381193529856e-2,
    1.128358514861418e-1, -3.761262582423300e-1, 1.128379165726710,
)  # fmt: skip
P = (
    2.326819970068386e-2, -1.387039388740657e-1, 3.687424674597105e-1, -5.824733027278666e-1,
    6.210004621745983e-1, -4.944515323274145e-1, 3.404879937665872e-1, -2.741127028184656e-1,
    5.638259427386472e-1,
)  # fmt: skip
R = (
    -1.047766399936249e1, 1.297719955372516e1, -7.495518717768503, 2.921019019210786,
    -1.015265279202700, 4.218463358204948e-1, -2.820767439740514e-1, 5.641895067754075e-1,
)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    p = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        p *= x
        p += np.float32(c)
    return p


def erf(x: Array) -> Array:
    """The error function of float32 numbers, within 2e-7."""
    a = np.abs(x)
    y = 1 / np.square(np.maximum(a, np.float32(1)))
    tail = np.where(a < 2, _polynomial(P, y), _polynomial(R, y)) * np.sqrt(y) * np.exp(-a * a)
    near = x * _polynomial(T, np.square(np.minimum(a, np.float32(1))))
    return np.where(a < 1, near, np.copysign(1 - tail, x))


def _phi(z: Array) -> Array:
    return (1 + erf(z * np.float32(math.sqrt(0.5)))) / 2


@build("gelu")
def gelu(op: Op, env: Env) -> Call:
    return _blocks(op, env, 1, lambda z: z * _phi(z))


@build("gelu_grad")
def gelu_grad(op: Op, env: Env) -> Call:
    bell = np.float32(1 / math.sqrt(2 * math.pi))
    return _blocks(op, env, 2, lambda da, z: da * (_phi(z) + z * (bell * np.exp(z * z * np.float32(-0.5)))))


@build("prelu")
def prelu(op: Op, env: Env) -> Call:
    z, a, slopes = env.matrix(op.ins[0]), env.matrix(op.out), env.array(op.ins[1])

    def call() -> None:
        np.multiply(z, slopes[:, None], out=a)
        np.copyto(a, z, where=z > 0)

    return call


@build("prelu_dz")
def prelu_dz(op: Op, env: Env) -> Call:
    (da, z), dz, slopes = (env.matrix(v) for v in op.ins[:2]), env.matrix(op.out), env.array(op.ins[2])

    def call() -> None:
        np.multiply(da, slopes[:, None], out=dz)
        np.copyto(dz, da, where=z > 0)

    return call


@build("prelu_below")
def prelu_below(op: Op, env: Env) -> Call:
    return _blocks(op, env, 2, lambda da, z: da * np.minimum(z, np.float32(0)))
