"""The functions of one number as they stand in a NumPy proof."""

from __future__ import annotations

from engine.ops.functions import GELU_TANH, SELU_ALPHA, SELU_SCALE

FUNCTION_LINES: dict[str, tuple[str, str]] = {
    "linear": ("{z}.copy()", "1"),
    "relu": ("np.maximum({z}, 0)", "({a} > 0)"),
    "leaky_relu": ("np.where({z} > 0, {z}, {slope} * {z})", "np.where({a} > 0, 1, {slope})"),
    "elu": ("np.where({z} > 0, {z}, {alpha} * np.expm1(np.minimum({z}, 0)))",
            "np.where({a} > 0, 1, {a} + {alpha})"),
    "selu": (f"{SELU_SCALE} * np.where({{z}} > 0, {{z}}, {SELU_ALPHA} * np.expm1(np.minimum({{z}}, 0)))",
             f"np.where({{a}} > 0, {SELU_SCALE}, {{a}} + {SELU_SCALE * SELU_ALPHA})"),
    "gelu": ("{z} * phi({z})", "(phi({z}) + {z} * np.exp(-{z} * {z} / 2) / np.sqrt(2 * np.pi))"),
    "gelu_tanh": ("gelu_tanh({z})", "gelu_tanh_slope({z})"),
    "silu": ("{z} / (1 + np.exp(-{z}))", "silu_slope({z})"),
    "mish": ("{z} * np.tanh(np.logaddexp(0, {z}))", "mish_slope({z})"),
    "sigmoid": ("1 / (1 + np.exp(-{z}))", "{a} * (1 - {a})"),
    "hard_sigmoid": ("np.clip({z} / 6 + 0.5, 0, 1)", "(np.abs({z}) < 3) / 6"),
    "tanh": ("np.tanh({z})", "(1 - {a} * {a})"),
    "softplus": ("np.logaddexp(0, {z})", "1 / (1 + np.exp(-{z}))"),
    "softsign": ("{z} / (1 + np.abs({z}))", "1 / (1 + np.abs({z})) ** 2"),
    "sine": ("np.sin({z})", "np.cos({z})"),
    "step": ("({z} > 0) * 1.0", "np.maximum(0, 1 - np.abs({z}))"),
}  # fmt: skip
"""Kind -> f(z) and its slope, in a or z."""

FUNCTION_HELPERS: dict[str, str] = {
    "erf": '''
def erf(x):
    """The error function, number by number."""
    from math import erf as one

    return np.vectorize(one, otypes=[np.float64])(x).astype(x.dtype)
''',
    "phi": '''
def phi(z):
    """The normal distribution up to z."""
    return (1 + erf(z / np.sqrt(2))) / 2
''',
    "gelu_tanh": f'''
def gelu_tanh(z):
    """GELU with a tanh in place of the error function."""
    return z / 2 * (1 + np.tanh({GELU_TANH[0]} * (z + {GELU_TANH[1]} * z**3)))
''',
    "gelu_tanh_slope": f'''
def gelu_tanh_slope(z):
    """Its derivative."""
    t = np.tanh({GELU_TANH[0]} * (z + {GELU_TANH[1]} * z**3))
    return (1 + t) / 2 + z / 2 * (1 - t * t) * {GELU_TANH[0]} * (1 + {3 * GELU_TANH[1]} * z * z)
''',
    "silu_slope": '''
def silu_slope(z):
    """The derivative of z times the sigmoid of z."""
    s = 1 / (1 + np.exp(-z))
    return s * (1 + z * (1 - s))
''',
    "mish_slope": '''
def mish_slope(z):
    """The derivative of z times tanh(ln(1 + e^z))."""
    t = np.tanh(np.logaddexp(0, z))
    return t + z / (1 + np.exp(-z)) * (1 - t * t)
''',
}
"""Functions a script needs, each after those it calls."""
