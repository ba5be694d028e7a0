"""What is done to a gradient before an update reads it, for the x-ray: quantities and one equation each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.ops.base import Array
from engine.ops.clipping import SMALLEST
from engine.ops.penalties import shortening
from engine.training import Trainer
from engine.values import Op

Line = tuple[str, str, str, tuple[float, ...], float]


@dataclass(frozen=True)
class Before:
    """One op between the gradient and the update: which quantity it makes of which, and with what numbers."""

    kind: str
    source: str
    made: str
    numbers: Mapping[str, float]

    @property
    def symbol(self) -> str:
        """What it reads, in short plain text."""
        return "∂L/∂w" if self.source == "raw" else "ḡ"


def _accumulate(k: Mapping[str, float], g: float, _symbol: str) -> Line:
    before, count = k["before"], k["count"]
    return "ḡ", "S + ∂L/∂w / k", "{} + {} / {}", (before, g, count), before + g / count


def _clip_value(k: Mapping[str, float], g: float, symbol: str) -> Line:
    c = k["clip"]
    return "g", f"min(max({symbol}, −c), c)", "min(max({}, −{}), {})", (g, c, c), min(max(g, -c), c)


def _clip_norm(k: Mapping[str, float], g: float, symbol: str) -> Line:
    c, norm = k["clip"], k["norm"]
    if c >= norm + SMALLEST:
        return "g", f"{symbol}, |g| ≤ c", "{}, {} ≤ {}", (g, norm, c), g
    return "g", f"{symbol} · c / |g|", "{} · {} / {}", (g, c, norm), g * c / (norm + SMALLEST)


LINES: dict[str, Callable[[Mapping[str, float], float, str], Line]] = {
    "accumulate": _accumulate,
    "clip_value": _clip_value,
    "clip_norm": _clip_norm,
}


def before_update(trainer: Trainer, op: Op, controls: Mapping[str, float]) -> tuple[list[Op], list[Before]]:
    """The ops from the gradient to what the update `op` reads, in order, and how they are told."""
    program = trainer.program
    way: list[Op] = []
    at = program.producers.get(op.ins[1].id)
    while at is not None and program.ops[at].kind in LINES:
        way.insert(0, program.ops[at])
        at = program.producers.get(way[0].ins[0].id)
    told = []
    for i, each in enumerate(way):
        numbers = {name: float(controls[name]) for name in each.controls}
        if each.kind == "accumulate":
            numbers["count"] = float(str(each.attrs["count"]))
        if each.kind == "clip_norm":
            numbers["norm"] = float(trainer.read(each.ins[1].id).item())
        made = "g" if i == len(way) - 1 else f"g{i + 1}"
        told.append(Before(each.kind, "raw" if i == 0 else f"g{i}", made, numbers))
    return way, told


def lines_of(told: Sequence[Before], cell: Mapping[str, float]) -> list[Line]:
    """One equation for each, for one weight."""
    before = {"before": cell["sum_old"]} if "sum_old" in cell else {}
    return [LINES[b.kind]({**b.numbers, **before}, cell[b.source], b.symbol) for b in told]


def row_factors(trainer: Trainer, op: Op, controls: Mapping[str, float]) -> Array:
    """What the largest norm of a row makes of every weight in it: 1 or less; locked ones keep 1."""
    w, *locks = (trainer.read(v.id).astype(np.float64) for v in op.ins)
    free = locks[0] == 0 if locks else np.ones(w.shape, np.bool_)
    rest = tuple(range(1, w.ndim))
    movable, fixed = (np.where(part, w * w, 0).sum(rest, keepdims=True) for part in (free, ~free))
    return np.where(free, shortening(movable, fixed, controls[op.controls[0]]), 1.0)
