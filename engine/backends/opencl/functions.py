"""Functions of one number and their slopes as expressions, by the formulas of `engine.ops.functions`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.backends.opencl.chain import BATCH_ONLY, MAIN_INPUTS, RULES, Cells, Rule
from engine.ops.functions import FUNCTIONS, GELU_TANH, SELU_ALPHA, SELU_SCALE
from engine.values import Op

Text = Callable[[Cells, Op, str], str]
"""(register, op, x) -> an expression."""


def _pick(c: Cells, condition: str, yes: str, no: str) -> str:
    return f"select({no}, {yes}, {condition})"


def _positive(c: Cells, x: str, yes: str, no: str) -> str:
    return _pick(c, f"{x} > ({c.type})(0.0f)", yes, no)


def _zero(c: Cells) -> str:
    return f"({c.type})(0.0f)"


def _one(c: Cells) -> str:
    return f"({c.type})(1.0f)"


def _elu(c: Cells, op: Op, z: str) -> str:
    return _positive(c, z, z, f"{c.constant(op.attrs['alpha'])} * {c.call('expm1', z)}")


def _selu(c: Cells, op: Op, z: str) -> str:
    low = f"{c.constant(SELU_SCALE * SELU_ALPHA)} * {c.call('expm1', z)}"
    return _positive(c, z, f"{c.constant(SELU_SCALE)} * {z}", low)


def _gelu_slope(c: Cells, op: Op, z: str) -> str:
    bell = f"{c.constant((2 * 3.141592653589793) ** -0.5)} * {c.call('exp', f'-0.5f * {z} * {z}')}"
    return f"({c.call('phi', z)} + {z} * ({bell}))"


def _near(c: Cells, z: str) -> str:
    """Beyond 16 the tanh is 1 long since, and z³ must not overflow."""
    return f"clamp({z}, {c.constant(-16)}, {c.constant(16)})"


def _gelu_tanh(c: Cells, z: str) -> str:
    (k, cube), z = GELU_TANH, _near(c, z)
    return c.call("tanh", f"{c.constant(k)} * ({z} + {c.constant(cube)} * {z} * {z} * {z})")


def _gelu_tanh_slope(c: Cells, op: Op, z: str) -> str:
    (k, cube), near = GELU_TANH, _near(c, z)
    t, inner = _gelu_tanh(c, z), f"{c.constant(k)} * (1.0f + {c.constant(3 * cube)} * {near} * {near})"
    return f"(0.5f * (1.0f + {t}) + 0.5f * {z} * (1.0f - {t} * {t}) * ({inner}))"


def _mish_slope(c: Cells, op: Op, z: str) -> str:
    t = c.call("tanh", c.call("softplus", z))
    return f"({t} + {z} * {c.call('sigmoid', z)} * (1.0f - {t} * {t}))"


def _hard_sigmoid(c: Cells, op: Op, z: str) -> str:
    return f"clamp({z} / 6.0f + 0.5f, {_zero(c)}, {_one(c)})"


def _hard_sigmoid_slope(c: Cells, op: Op, z: str) -> str:
    return _pick(c, f"fabs({z}) < ({c.type})(3.0f)", c.constant(1 / 6), _zero(c))


def _leaky(c: Cells, op: Op, z: str) -> str:
    return _positive(c, z, z, f"{z} * {c.constant(op.attrs['slope'])}")


def _leaky_slope(c: Cells, op: Op, a: str) -> str:
    return _positive(c, a, _one(c), c.constant(op.attrs["slope"]))


def _silu_slope(c: Cells, op: Op, z: str) -> str:
    s = c.call("sigmoid", z)
    return f"({s} * (1.0f + {z} * (1.0f - {s})))"


def _softsign_slope(c: Cells, op: Op, z: str) -> str:
    return f"(1.0f / ((1.0f + fabs({z})) * (1.0f + fabs({z}))))"


SELU_LOW = SELU_SCALE * SELU_ALPHA
EXPRESSIONS: dict[str, tuple[Text, Text]] = {
    "linear": (lambda c, op, z: z, lambda c, op, a: _one(c)),
    "relu": (lambda c, op, z: _pick(c, f"{z} < {_zero(c)}", _zero(c), z),
             lambda c, op, a: _positive(c, a, _one(c), _zero(c))),
    "leaky_relu": (_leaky, _leaky_slope),
    "elu": (_elu, lambda c, op, a: _positive(c, a, _one(c), f"{a} + {c.constant(op.attrs['alpha'])}")),
    "selu": (_selu,
             lambda c, op, a: _positive(c, a, c.constant(SELU_SCALE), f"{a} + {c.constant(SELU_LOW)}")),
    "gelu": (lambda c, op, z: f"{z} * {c.call('phi', z)}", _gelu_slope),
    "gelu_tanh": (lambda c, op, z: f"0.5f * {z} * (1.0f + {_gelu_tanh(c, z)})", _gelu_tanh_slope),
    "silu": (lambda c, op, z: f"{z} * {c.call('sigmoid', z)}", _silu_slope),
    "mish": (lambda c, op, z: f"{z} * {c.call('tanh', c.call('softplus', z))}", _mish_slope),
    "sigmoid": (lambda c, op, z: c.call("sigmoid", z), lambda c, op, a: f"({a} * (1.0f - {a}))"),
    "hard_sigmoid": (_hard_sigmoid, _hard_sigmoid_slope),
    "tanh": (lambda c, op, z: c.call("tanh", z), lambda c, op, a: f"(1.0f - {a} * {a})"),
    "softplus": (lambda c, op, z: c.call("softplus", z), lambda c, op, z: c.call("sigmoid", z)),
    "softsign": (lambda c, op, z: f"{z} / (1.0f + fabs({z}))", _softsign_slope),
    "sine": (lambda c, op, z: c.call("sin", z), lambda c, op, z: c.call("cos", z)),
    "step": (lambda c, op, z: _positive(c, z, _one(c), _zero(c)),
             lambda c, op, z: f"fmax({_zero(c)}, 1.0f - fabs({z}))"),
}  # fmt: skip
"""Kind -> f and its slope."""


def _rules(forward: Text, slope: Text) -> tuple[Rule, Rule]:
    def of_z(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
        return (forward(c, op, x[0]),)

    def of_slope(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
        return (f"{x[0]} * {slope(c, op, x[1])}",)

    return of_z, of_slope


for _kind in FUNCTIONS:
    RULES[_kind], RULES[f"{_kind}_grad"] = _rules(*EXPRESSIONS[_kind])


def _relu_grad(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    return (_positive(c, x[1], x[0], _zero(c)),)  # cheaper than a product


RULES["relu_grad"] = _relu_grad


def _per_channel(op: Op, pointer: str) -> str:
    return f"{pointer}[(at) / ({op.ins[0].rows // op.ins[0].shape[0]} * LANES)]"


def _prelu(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    return (_positive(c, x[0], x[0], f"{x[0]} * {_per_channel(op, others[0])}"),)


def _prelu_dz(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    return (_positive(c, x[1], x[0], f"{x[0]} * {_per_channel(op, others[0])}"),)


def _prelu_below(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    return (f"{x[0]} * fmin({x[1]}, {_zero(c)})",)


RULES.update(prelu=_prelu, prelu_dz=_prelu_dz, prelu_below=_prelu_below)
MAIN_INPUTS.update(prelu=1, prelu_dz=2)
BATCH_ONLY.update(("prelu", "prelu_dz"))
