"""The optimizer opened: gradient, moments, corrected moments and step of a parameter, as the engine has them.

What the update op read and wrote is taken as the engine has it; what no op keeps (the corrected moments) is
computed here in float64 from those numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import N_, GraphError
from engine.held_step import Spread, spread
from engine.ops.accumulating import APPLY
from engine.ops.base import REGISTRY, Array
from engine.ops.updates import Update, lock_of
from engine.optimizers import update_number
from engine.training import Trainer
from engine.values import Op, Phase, state_id
from engine.xray_before import Before, before_update, lines_of, row_factors

MOST, SIDE = 16_384, 96
"""Cells of a matrix that are shown whole, and the sides of a sample of a larger one."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """One matrix of the x-ray. `symbol` is short plain text, `role` the ramp it is painted with."""

    name: str
    symbol: str
    role: str
    array: Array
    own: bool
    """Whether the engine holds it; else it is computed from what the engine holds."""


@dataclass(frozen=True)
class Line:
    """One equation for one weight: symbol = formula = template filled with numbers = value."""

    symbol: str
    formula: str
    template: str
    numbers: tuple[float, ...]
    value: float
    engine: float | None
    """The same number as the engine has it; None where it keeps none."""


@dataclass(frozen=True, eq=False)
class XRay:
    """A parameter in one step. `controls`: lr, beta1, ... c1, c2 of that step."""

    key: str
    optimizer: str
    note: str
    """LaTeX of the rule."""
    step: int
    updates: int
    """Which update since the moments started at zero, from 1."""
    shape: tuple[int, ...]
    part: Spread
    controls: Mapping[str, float]
    quantities: tuple[Quantity, ...]
    locked: Array | None = None
    """Not zero where a cell is locked; None where none is."""
    before: tuple[Before, ...] = ()
    """What was done to the gradient before the update read it."""
    waits: bool = False
    """Whether the weights wait for the gradients of more batches."""

    def __getitem__(self, name: str) -> Array:
        return next(q.array for q in self.quantities if q.name == name)

    def place(self, row: int, column: int) -> tuple[int, ...]:
        """The cell of the parameter that stands at a place of the matrices."""
        flat = int(self.part.rows[row]) * self.part.shape[1] + int(self.part.columns[column])
        return tuple(int(i) for i in np.unravel_index(flat, self.shape))

    def lines(self, row: int, column: int) -> tuple[Line, ...]:
        """How the weight at a place of the matrices shown was moved; a locked one was not."""
        cell = {q.name: float(q.array[row, column]) for q in self.quantities}
        if self.locked is not None and self.locked[row, column]:
            return (Line("w′", "w", "{}", (cell["old"],), cell["old"], cell["new"]),)
        first = lines_of(self.before, cell)
        if self.waits:
            told = [*first, ("w′", "w", "{}", (cell["old"],), cell["old"])]
            return tuple(Line(*line, engine=None) for line in told)
        made = [*first, *STORIES[self.optimizer](cell, self.controls)]
        if "moved" in cell:
            moved, factor = cell["moved"], cell["factor"]
            made[-1] = ("w*", *made[-1][1:])
            made.append(("w′", "w* · min(1, c / |w*|)", "{} · {}", (moved, factor), moved * factor))
        own = {q.symbol: cell[q.name] for q in self.quantities if q.own}
        return tuple(Line(*line, engine=own.get(line[0])) for line in made)


Story = list[tuple[str, str, str, tuple[float, ...], float]]


def _last(cell: Mapping[str, float], change: float) -> Story:
    return [("w′", "w + Δw", "{} + {}", (cell["old"], change), cell["old"] + change)]


def _sgd(cell: Mapping[str, float], k: Mapping[str, float]) -> Story:
    change = -k["lr"] * cell["g"]
    return [("Δw", "−η · g", "−{} · {}", (k["lr"], cell["g"]), change), *_last(cell, change)]


def _momentum(cell: Mapping[str, float], k: Mapping[str, float]) -> Story:
    v = k["momentum"] * cell["velocity_old"] + cell["g"]
    change = -k["lr"] * v
    return [
        ("v", "μ · v + g", "{} · {} + {}", (k["momentum"], cell["velocity_old"], cell["g"]), v),
        ("Δw", "−η · v", "−{} · {}", (k["lr"], v), change),
        *_last(cell, change),
    ]


def _rmsprop(cell: Mapping[str, float], k: Mapping[str, float]) -> Story:
    rho, g = k["decay"], cell["g"]
    s = rho * cell["square_old"] + (1 - rho) * g * g
    change = -k["lr"] * g / (np.sqrt(s) + k["epsilon"])
    numbers = (rho, cell["square_old"], 1 - rho, g)
    return [
        ("s", "ρ · s + (1 − ρ) · g²", "{} · {} + {} · {}²", numbers, s),
        ("Δw", "−η · g / (√s + ε)", "−{} · {} / (√{} + {})", (k["lr"], g, s, k["epsilon"]), change),
        *_last(cell, change),
    ]


def _adam(cell: Mapping[str, float], k: Mapping[str, float]) -> Story:
    b1, b2, g = k["beta1"], k["beta2"], cell["g"]
    m = b1 * cell["m_old"] + (1 - b1) * g
    v = b2 * cell["v_old"] + (1 - b2) * g * g
    m_hat, v_hat = m / k["c1"], v / k["c2"]
    change = -k["lr"] * m_hat / (np.sqrt(v_hat) + k["epsilon"])
    return [
        ("m", "β₁ · m + (1 − β₁) · g", "{} · {} + {} · {}", (b1, cell["m_old"], 1 - b1, g), m),
        ("v", "β₂ · v + (1 − β₂) · g²", "{} · {} + {} · {}²", (b2, cell["v_old"], 1 - b2, g), v),
        ("m̂", "m / (1 − β₁ᵗ)", "{} / {}", (m, k["c1"]), m_hat),
        ("v̂", "v / (1 − β₂ᵗ)", "{} / {}", (v, k["c2"]), v_hat),
        ("Δw", "−η · m̂ / (√v̂ + ε)", "−{} · {} / (√{} + {})", (k["lr"], m_hat, v_hat, k["epsilon"]), change),
        *_last(cell, change),
    ]


def _nesterov(cell: Mapping[str, float], k: Mapping[str, float]) -> Story:
    v = k["momentum"] * cell["velocity_old"] + cell["g"]
    change = -k["lr"] * (cell["g"] + k["momentum"] * v)
    return [
        ("v", "μ · v + g", "{} · {} + {}", (k["momentum"], cell["velocity_old"], cell["g"]), v),
        ("Δw", "−η · (g + μ · v)", "−{} · ({} + {} · {})", (k["lr"], cell["g"], k["momentum"], v), change),
        *_last(cell, change),
    ]


def _adagrad(cell: Mapping[str, float], k: Mapping[str, float]) -> Story:
    g = cell["g"]
    s = cell["square_sum_old"] + g * g
    change = -k["lr"] * g / (np.sqrt(s) + k["epsilon"])
    return [
        ("s", "s + g²", "{} + {}²", (cell["square_sum_old"], g), s),
        ("Δw", "−η · g / (√s + ε)", "−{} · {} / (√{} + {})", (k["lr"], g, s, k["epsilon"]), change),
        *_last(cell, change),
    ]


def _adadelta(cell: Mapping[str, float], k: Mapping[str, float]) -> Story:
    rho, g, e, before = k["decay"], cell["g"], k["epsilon"], cell["delta_old"]
    s = rho * cell["square_old"] + (1 - rho) * g * g
    u = g * np.sqrt(before + e) / np.sqrt(s + e)
    numbers = (rho, cell["square_old"], 1 - rho, g)
    return [
        ("s", "ρ · s + (1 − ρ) · g²", "{} · {} + {} · {}²", numbers, s),
        ("u", "g · √(d + ε) / √(s + ε)", "{} · √({} + {}) / √({} + {})", (g, before, e, s, e), u),
        ("d", "ρ · d + (1 − ρ) · u²", "{} · {} + {} · {}²", (rho, before, 1 - rho, u),
         rho * before + (1 - rho) * u * u),
        ("Δw", "−η · u", "−{} · {}", (k["lr"], u), -k["lr"] * u),
        *_last(cell, -k["lr"] * u),
    ]  # fmt: skip


def _adamw(cell: Mapping[str, float], k: Mapping[str, float]) -> Story:
    *moments, (_, formula, pattern, numbers, step) = _adam(cell, k)[:5]
    decay = (k["lr"], k["weight_decay"], cell["old"])
    change = step - k["lr"] * k["weight_decay"] * cell["old"]
    return [
        *moments,
        ("Δw", f"{formula} − η · λ · w", f"{pattern} − {{}} · {{}} · {{}}", (*numbers, *decay), change),
        *_last(cell, change),
    ]


STORIES: dict[str, Callable[[Mapping[str, float], Mapping[str, float]], Story]] = {
    "sgd": _sgd, "momentum": _momentum, "nesterov": _nesterov, "adagrad": _adagrad, "adadelta": _adadelta,
    "rmsprop": _rmsprop, "adam": _adam, "adamw": _adamw,
}  # fmt: skip
SYMBOLS = {"velocity": "v", "square": "s", "square_sum": "s", "delta": "d", "m": "m", "v": "v"}
_CORRECTED = {"m": "c1", "v": "c2"}


def trained(trainer: Trainer) -> tuple[str, ...]:
    """Keys of all parameters that are updated, in order."""
    return tuple(
        f"{op.ins[0].owner}.{op.ins[0].param}" for op in trainer.program.ops if op.phase is Phase.UPDATE
        and isinstance(REGISTRY[op.kind], Update)
    )  # fmt: skip


def xray(trainer: Trainer, key: str) -> XRay:
    """The update of parameter `<node>.<name>` in the step that the traced plan holds."""
    op = _update_of(trainer, key)
    rule = REGISTRY[op.kind]
    assert isinstance(rule, Update)
    values = trainer.step_values()
    controls = {**trainer.program.controls, **trainer.controls(), **values}
    named = {name: float(controls[name]) for name in rule.controls}
    part = spread(op.ins[0].shape, MOST, SIDE)

    def take(id: str) -> Array:
        return part.of(trainer.read(id))

    old, new = take(op.ins[0].id), take(op.outs[0].id)
    out = [Quantity("old", "w", "weights", old, True)]
    way, told = before_update(trainer, op, controls)
    for each, b in zip(way, told, strict=True):
        out.append(Quantity(b.source, b.symbol, "gradients", take(each.ins[0].id), True))
        if each.kind == "accumulate":
            out.append(Quantity("sum_old", "S", "gradients", take(each.ins[1].id), True))
    out.append(Quantity("g", "g", "gradients", take(op.ins[1].id), True))
    for i, name in enumerate(rule.moments):
        symbol = SYMBOLS.get(name, name)
        role = "activations" if name in ("v", "square", "square_sum", "delta") else "gradients"
        before, after = take(op.ins[2 + i].id), take(op.outs[1 + i].id)
        out.append(Quantity(f"{name}_old", f"{symbol} (t−1)", role, before, True))
        out.append(Quantity(name, symbol, role, after, True))
        correction = _CORRECTED.get(name) if op.kind in ("adam", "adamw") else None
        if correction is not None:
            hat = after.astype(np.float64) / named[correction]
            out.append(Quantity(f"{name}_hat", f"{symbol}̂", role, hat, False))
    change = new.astype(np.float64) - old.astype(np.float64)
    out.append(Quantity("change", "Δw", "weights", change, True))
    shorter = next((o for o in trainer.program.ops if o.kind == "max_norm" and o.ins[0] == op.outs[0]), None)
    if shorter is not None:
        out.append(Quantity("moved", "w*", "weights", new, True))
        factors = row_factors(trainer, shorter, controls)
        out.append(Quantity("factor", "c / |w*|", "activations", part.of(factors), False))
        new = take(shorter.out.id)
    out.append(Quantity("new", "w′", "weights", new, True))
    step = int(values["step"])
    batches = trainer.updates - (1 if trainer.step == step + 1 else 0)
    updates = update_number(trainer.training, batches)
    lock = lock_of(op)
    locked = take(lock.id) if lock is not None else None
    return XRay(key, op.kind, rule.note, step, updates, op.ins[0].shape, part, named, tuple(out), locked,
                tuple(told), not controls.get(APPLY, 1.0))


def _update_of(trainer: Trainer, key: str) -> Op:
    owner, _, param = key.rpartition(".")
    for op in trainer.program.ops:
        if op.phase is Phase.UPDATE and op.ins[0].id == state_id(owner, param):
            return op
    raise GraphError(N_("“{value}” is not a weight that is learned in this network."), value=key)
