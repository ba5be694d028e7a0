"""Functions of one number: the activation functions, each with all that is known of it.

A new function is one entry here, its line on each backend (`engine/backends/*`) and its layer. `slope` is the
derivative, written in the function's result `a` where that says all, else in its argument `z`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

import numpy as np

from engine.ops.base import Array, Attrs

F = Callable[[Array, Attrs], Array]

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""Klambauer et al. 2017, Self-Normalizing Neural Networks: mean 0 and variance 1 are a fixed point."""
GELU_TANH = (math.sqrt(2 / math.pi), 0.044715)
"""Hendrycks and Gimpel 2016, Gaussian Error Linear Units: constants of the approximation by tanh."""


@dataclass(frozen=True)
class Function:
    """f, f', and how both are written."""

    f: F
    slope: F
    formula: str
    """f(z) as LaTeX."""
    slope_formula: str
    symbol: str
    """Its name as LaTeX, and in plain letters."""
    name: str
    of: Literal["a", "z"] = "a"
    """What the slope is written in."""
    branch: F | None = None
    """Which piece of f a number lies on; another piece is another derivative: a kink lies between."""
    attrs: Mapping[str, float] = field(default_factory=dict)
    """Settings as the contract tests try them."""
    stand_in: bool = False
    """Whether the slope is not the derivative, but a number that learning can use in its place."""


def _number(name: str) -> Callable[[Array, Attrs], Array]:
    return lambda x, attrs: np.asarray(x.dtype.type(cast(float, attrs[name])))


_slope, _alpha = _number("slope"), _number("alpha")


def _sigmoid(z: Array) -> Array:
    """Without overflow: e^-|z| is at most 1."""
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e))


def _softplus(z: Array) -> Array:
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _phi(z: Array) -> Array:
    """The normal distribution up to z."""
    return np.asarray((1 + _erf(z / math.sqrt(2)).astype(z.dtype)) / 2) if z.size else z


def _bell(z: Array) -> Array:
    return np.asarray(np.exp(-z * z / 2) / math.sqrt(2 * math.pi), z.dtype)


def _gelu_tanh(z: Array) -> tuple[Array, Array]:
    """tanh(u) and du/dz; beyond 16 the tanh is 1 long since, and z³ must not overflow."""
    (k, c), z = GELU_TANH, np.clip(z, -16, 16)
    return np.tanh(k * (z + c * z**3)), np.asarray(k * (1 + 3 * c * z * z))


def _gelu_tanh_slope(z: Array, _: Attrs) -> Array:
    t, inner = _gelu_tanh(z)
    return np.asarray((1 + t) / 2 + z / 2 * (1 - t * t) * inner, z.dtype)


def _mish_slope(z: Array, _: Attrs) -> Array:
    t = np.tanh(_softplus(z))
    return np.asarray(t + z * _sigmoid(z) * (1 - t * t))


def _one(z: Array) -> Array:
    return np.ones_like(z)


FUNCTIONS: dict[str, Function] = {
    "linear": Function(lambda z, _: z.copy(), lambda a, _: _one(a), "z", "1", r"\mathrm{id}", "id"),
    "relu": Function(
        lambda z, _: np.maximum(z, 0), lambda a, _: (a > 0).astype(a.dtype),
        r"\max(0, z)", r"1 \text{ if } z > 0 \text{ else } 0", r"\mathrm{ReLU}", "max 0,",
        branch=lambda z, _: z > 0,
    ),
    "leaky_relu": Function(
        lambda z, at: np.where(z > 0, z, z * _slope(z, at)),
        lambda a, at: np.where(a > 0, a.dtype.type(1), _slope(a, at)),
        r"z \text{ if } z > 0 \text{ else } s z", r"1 \text{ if } z > 0 \text{ else } s",
        r"\mathrm{LeakyReLU}", "LeakyReLU", branch=lambda z, _: z > 0, attrs={"slope": 0.01},
    ),
    "elu": Function(
        lambda z, at: np.where(z > 0, z, _alpha(z, at) * np.expm1(np.minimum(z, 0))),
        lambda a, at: np.where(a > 0, a.dtype.type(1), a + _alpha(a, at)),
        r"z \text{ if } z > 0 \text{ else } \alpha (e^z - 1)",
        r"1 \text{ if } z > 0 \text{ else } a + \alpha", r"\mathrm{ELU}", "ELU", attrs={"alpha": 0.7},
        branch=lambda z, _: z > 0,
    ),
    "selu": Function(
        lambda z, _: np.where(z > 0, SELU_SCALE * z, SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(z, 0))),
        lambda a, _: np.where(a > 0, a.dtype.type(SELU_SCALE), a + a.dtype.type(SELU_SCALE * SELU_ALPHA)),
        r"\lambda z \text{ if } z > 0 \text{ else } \lambda \alpha (e^z - 1)",
        r"\lambda \text{ if } z > 0 \text{ else } a + \lambda \alpha", r"\mathrm{SELU}", "SELU",
        branch=lambda z, _: z > 0,
    ),
    "gelu": Function(
        lambda z, _: z * _phi(z), lambda z, _: _phi(z) + z * _bell(z),
        r"z \, \Phi(z)", r"\Phi(z) + z \, \varphi(z)", r"\mathrm{GELU}", "GELU", "z",
    ),
    "gelu_tanh": Function(
        lambda z, _: np.asarray(z / 2 * (1 + _gelu_tanh(z)[0])), _gelu_tanh_slope,
        r"\frac{z}{2} (1 + \tanh u), \quad u = \sqrt{2 / \pi} \, (z + 0.044715 \, z^3)",
        r"\frac{1 + \tanh u}{2} + \frac{z}{2} (1 - \tanh^2 u) \, u'", r"\mathrm{GELU}", "GELU", "z",
    ),
    "silu": Function(
        lambda z, _: z * _sigmoid(z), lambda z, _: _sigmoid(z) * (1 + z * (1 - _sigmoid(z))),
        r"\frac{z}{1 + e^{-z}}", r"\sigma(z) (1 + z (1 - \sigma(z)))", r"\mathrm{SiLU}", "SiLU", "z",
    ),
    "mish": Function(
        lambda z, _: z * np.tanh(_softplus(z)), _mish_slope,
        r"z \tanh(\ln(1 + e^z))", r"t + z \, \sigma(z) (1 - t^2), \quad t = \tanh(\ln(1 + e^z))",
        r"\mathrm{Mish}", "Mish", "z",
    ),
    "sigmoid": Function(
        lambda z, _: _sigmoid(z), lambda a, _: a * (1 - a),
        r"\frac{1}{1 + e^{-z}}", r"a (1 - a)", r"\sigma", "σ",
    ),
    "hard_sigmoid": Function(
        lambda z, _: np.clip(z / 6 + 0.5, 0, 1), lambda z, _: (np.abs(z) < 3).astype(z.dtype) / 6,
        r"\min(1, \max(0, \frac{z}{6} + \frac{1}{2}))", r"\frac{1}{6} \text{ if } |z| < 3 \text{ else } 0",
        r"\mathrm{HardSigmoid}", "HardSigmoid", "z", branch=lambda z, _: np.abs(z) < 3,
    ),
    "tanh": Function(
        lambda z, _: np.tanh(z), lambda a, _: 1 - a * a, r"\tanh z", r"1 - a^2", r"\tanh", "tanh"
    ),
    "softplus": Function(
        lambda z, _: _softplus(z), lambda z, _: _sigmoid(z),
        r"\ln(1 + e^z)", r"\sigma(z)", r"\mathrm{Softplus}", "Softplus", "z",
    ),
    "softsign": Function(
        lambda z, _: z / (1 + np.abs(z)), lambda z, _: 1 / (1 + np.abs(z)) ** 2,
        r"\frac{z}{1 + |z|}", r"\frac{1}{(1 + |z|)^2}", r"\mathrm{Softsign}", "Softsign", "z",
    ),
    "sine": Function(
        lambda z, _: np.sin(z), lambda z, _: np.cos(z), r"\sin z", r"\cos z", r"\sin", "sin", "z"
    ),
    "step": Function(
        lambda z, _: (z > 0).astype(z.dtype), lambda z, _: np.maximum(0, 1 - np.abs(z)),
        r"1 \text{ if } z > 0 \text{ else } 0", r"\max(0, 1 - |z|) \text{ (a stand-in)}",
        r"\mathrm{Step}", "Step", "z", branch=lambda z, _: z > 0, stand_in=True,
    ),
}  # fmt: skip
"""By kind of the op."""


def slope_at(kind: str, z: Array, attrs: Attrs) -> Array:
    """f'(z) of a function, whatever its slope is written in."""
    function = FUNCTIONS[kind]
    return function.slope(z if function.of == "z" else function.f(z, attrs), attrs)
