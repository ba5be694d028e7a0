"""Recurrent layers as equations: h_t and h_(t-1), gates and memory, at one position of the sequence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.ops.over_time import time_of
from engine.values import Op, Value
from gui.i18n import tr
from gui.labs.equation import Equation, Factor, Style

_PART = re.compile(r"\.(u|q|z|h|c|gates)(\d+)(@grad)?(/all)?$")
LETTERS = {"gates": "G"}
WHOLE = {"u": "U", "h": "H"}
PARAMETERS = {"state_weight": "W_h", "state_bias": "b_h"}


def at_position(op: Op, t: int) -> bool:
    """Whether an op is seen at position t, from 0: all that belong to no other one."""
    place = time_of(op)
    if place is None:
        return op.kind != "zero_state" or t == 0
    return place[0] == t


def recurrent_letters(ops: Sequence[Op]) -> dict[str, str]:
    """Value id -> letter of what belongs to the one position these ops are of."""
    places = [place for op in ops if (place := time_of(op)) is not None]
    if not places and not any(op.kind in ("split_time", "stack_time", "zero_state") for op in ops):
        return {}
    t = places[0][0] + 1 if places else 0
    found: dict[str, str] = {}
    for op in ops:
        for value in (*op.ins, *op.outs):
            letter = PARAMETERS.get(value.param) or _letter(value.id, t)
            if letter:
                found.setdefault(value.id, letter)
    return found


def _letter(id: str, t: int) -> str:
    found = _PART.search(id)
    if found is None:
        return WHOLE.get(id.rsplit(".", 1)[-1], "")
    name, number, grad, whole = found.groups()
    name = LETTERS.get(name, name)
    if whole:
        letter = rf"{name.upper()}_{{0 \ldots}}" if number == "0" else name.upper()
    else:
        letter = f"{name}_{{{_index(int(number), t)}}}"
    return (r"\partial L/\partial " if grad else "") + letter


def _index(number: int, t: int) -> str:
    """t, t-1, t+1; far from the position in sight the number itself."""
    if not t:
        return "t" if number else "0"
    return {t: "t", t - 1: "t-1", t + 1: "t+1"}.get(number, str(number))


class RecurrentWriter:
    """The part of `Writer` that writes the ops of recurrences."""

    style: Style

    def factor(self, value: Value, symbol: str = "") -> Factor:
        """A value as it stands in the chosen orientation."""
        raise NotImplementedError

    def _made(self, index: int, op: Op, title: str, words: str, *parts: Factor | str) -> Equation:
        raise NotImplementedError

    def _any(self, index: int, op: Op) -> list[Equation]:
        raise NotImplementedError

    def _split_time(self, index: int, op: Op) -> list[Equation]:
        at = min(self.style.time, len(op.outs) - 1)
        whole, part = self.factor(op.ins[0]), self.factor(op.outs[at])
        title = rf"{part.symbol} = ({whole.symbol})_{{\cdot t}}"
        words = tr("one position of the sequence")
        return [self._made(index, op, title, words, whole, r"_{\cdot t} =", part)]

    def _stack_time(self, index: int, op: Op) -> list[Equation]:
        at = min(self.style.time, len(op.ins) - 1)
        whole, part = self.factor(op.out), self.factor(op.ins[at])
        title = rf"{whole.symbol} = (\ldots, {part.symbol}, \ldots)"
        words = tr("all positions side by side, one example")
        return [self._made(index, op, title, words, r"\ldots", part, r"\ldots =", whole)]

    def _zero_state(self, index: int, op: Op) -> list[Equation]:
        h = self.factor(op.out)
        return [self._made(index, op, f"{h.symbol} = 0", tr("before the first position"), "0 =", h)]

    def _rearrange(self, index: int, op: Op) -> list[Equation]:
        if "axes" not in op.attrs:
            return self._any(index, op)
        x, y = self.factor(op.ins[0]), self.factor(op.out)
        if len(op.out.axes) == 2:
            at = int(str(op.attrs["offset"])) + 1
            column = rf"_{{\cdot {'T' if at == op.ins[0].shape[1] else at}}}"
            title, words = f"{y.symbol} = ({x.symbol}){column}", tr("one position of the sequence")
            return [self._made(index, op, title, words, x, f"{column} =", y)]
        title, words = rf"{y.symbol} = (0, {x.symbol}, 0)", tr("all other positions get 0")
        return [self._made(index, op, title, words, "(0,", x, ", 0) =", y)]

    def _lstm_cell(self, index: int, op: Op) -> list[Equation]:
        (u, q, before), (h, gates, c) = (self._factors(values) for values in (op.ins, op.outs))
        return [
            self._made(index, op, rf"{gates.symbol} = (i, f, g, o) = f({u.symbol} + {q.symbol})",
                       tr("one below the other: σ for i, f and o, tanh for g"),
                       r"\sigma, \sigma, \tanh, \sigma \Big(", u, "+", q, r"\Big) =", gates),
            self._made(index, op, rf"{c.symbol} = f \odot {before.symbol} + i \odot g",
                       tr("the memory: kept by f, written by i"), gates, ",", before, "=", c),
            self._made(index, op, rf"{h.symbol} = o \odot \tanh {c.symbol}",
                       tr("the state: what o shows of the memory"), gates, r", \tanh", c, "=", h),
        ]  # fmt: skip

    def _lstm_cell_grad(self, index: int, op: Op) -> list[Equation]:
        dh, gates, before, c, *later = self._factors(op.ins)
        da, dc = self._factors(op.outs)
        given: list[Factor | str] = [dh, ","]
        given += [later[0], ",", gates, ","] if later else [gates, ","]
        ways = rf"(g \delta_c, \, {before.symbol} \delta_c, \, i \delta_c, \, \tanh {c.symbol} \, \delta_h)"
        return [
            self._made(index, op, rf"{da.symbol} = G' \odot {ways}", tr("each gate by its own slope"),
                       *given, before, ",", c, "=", da),
            self._made(index, op, rf"{dc.symbol} = \delta_c \odot f",
                       tr("along the memory, one position back"), *given, c, "=", dc),
        ]  # fmt: skip

    def _gru_cell(self, index: int, op: Op) -> list[Equation]:
        (u, q, before), (h, gates) = (self._factors(values) for values in (op.ins, op.outs))
        return [
            self._made(index, op, rf"{gates.symbol} = (r, z, n) = f({u.symbol} + (1, 1, r) \odot {q.symbol})",
                       tr("one below the other: σ for r and z, tanh for n"),
                       r"\sigma, \sigma, \tanh \Big(", u, "+", q, r"\Big) =", gates),
            self._made(index, op, rf"{h.symbol} = (1 - z) \odot n + z \odot {before.symbol}",
                       tr("z keeps the state before, the rest is new"), gates, ",", before, "=", h),
        ]  # fmt: skip

    def _gru_cell_grad(self, index: int, op: Op) -> list[Equation]:
        dh, gates, q, before = self._factors(op.ins)
        du, dq, past = self._factors(op.outs)
        words = tr("each gate by its own slope")
        parts: tuple[Factor | str, ...] = (dh, ",", gates, ",", q, ",", before, "=")
        ways = rf"(q_n \delta_n, \, ({before.symbol} - n) \delta_h, \, (1 - z) \delta_h)"
        return [
            self._made(index, op, rf"{du.symbol} = G' \odot {ways}", words, *parts, du),
            self._made(index, op, rf"{dq.symbol} = (1, 1, r) \odot {du.symbol}",
                       tr("the proposal saw the state through r"), *parts, dq),
            self._made(index, op, rf"{past.symbol} = {dh.symbol} \odot z",
                       tr("past the gates, one position back"), dh, ",", gates, "=", past),
        ]  # fmt: skip

    def _factors(self, values: Sequence[Value]) -> list[Factor]:
        return [self.factor(v) for v in values]
