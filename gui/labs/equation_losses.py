"""How losses and their derivatives are written as equations."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.ops.pointwise_losses import ENTRY_LOSSES
from engine.ops.weighted_sum import weights_of
from engine.ops.weighted_xent import smoothing
from engine.values import Op, Value
from gui.i18n import format_number, tr
from gui.labs.equation import Equation, Factor

PART = re.compile(r"(.+)@grad/(?:L(\d+)|loss)(?:~\d+)?")
"""What a loss gives to the gradient of a value; with a number: before its weight in the sum."""


def _times(number: float) -> str:
    """A factor in a formula, in the notation of the language."""
    return format_number(number).replace(",", "{,}") + r" \cdot"


def _smoothed(op: Op) -> str:
    """What cross-entropy takes for the truth."""
    eps = smoothing(op.attrs)
    if not eps:
        return "w_c T"
    share, rest = (format_number(x).replace(",", "{,}") for x in (1 - eps, eps))
    return rf"w_c ({share} \, T + {rest}/F)"


class LossEquations:
    """The part of the writer that knows losses."""

    def factor(self, value: Value, symbol: str = "") -> Factor:
        raise NotImplementedError

    def _made(self, index: int, op: Op, title: str, words: str, *parts: Factor | str) -> Equation:
        raise NotImplementedError

    def _softmax_xent(self, index: int, op: Op) -> list[Equation]:
        z, labels = self.factor(op.ins[0]), self.factor(op.ins[1])
        p, loss = self.factor(op.outs[0]), self.factor(op.outs[1])
        hot = replace(labels, symbol="T", derived="onehot", heads=("units", "examples"))
        return [
            self._made(index, op, rf"{p.symbol} = \mathrm{{softmax}}({z.symbol})",
                       tr("each example adds up to 1"), r"\mathrm{softmax}", z, "=", p),
            self._made(index, op, rf"{loss.symbol} = -\frac{{1}}{{k}} \sum \ln p",
                       tr("cross-entropy: the mean over the examples"),
                       r"-\frac{1}{k} \sum \ln", p, r"\odot", hot, "=", loss),
        ]  # fmt: skip

    def _softmax_xent_grad(self, index: int, op: Op) -> list[Equation]:
        p, labels, dz = self.factor(op.ins[0]), self.factor(op.ins[1]), self.factor(op.out)
        hot = replace(labels, symbol="T", derived="onehot", heads=("units", "examples"))
        title = rf"{dz.symbol} = ({p.symbol} - T)/k"
        return [self._made(index, op, title, tr("k examples in the batch"),
                           r"\frac{1}{k} \Big(", p, "-", hot, r"\Big) =", dz)]

    def _class_weights(self, index: int, op: Op) -> list[Equation]:
        labels, w, mass = self.factor(op.ins[0]), *(self.factor(v) for v in op.outs)
        return [
            self._made(index, op, r"w_s = w_{y_s}", tr("each example has the weight of its class"),
                       r"w \big[", labels, r"\big] =", w),
            self._made(index, op, r"m = \sum_s w_s", tr("the mean divides by this"), r"\sum", w, "=", mass),
        ]  # fmt: skip

    def _weighted_xent(self, index: int, op: Op) -> list[Equation]:
        z, labels, w, mass = (self.factor(v) for v in op.ins)
        p, loss = self.factor(op.outs[0]), self.factor(op.outs[1])
        hot = replace(labels, symbol="T", derived="onehot", heads=("units", "examples"))
        return [
            self._made(index, op, rf"{p.symbol} = \mathrm{{softmax}}({z.symbol})",
                       tr("each example adds up to 1"), r"\mathrm{softmax}", z, "=", p),
            self._made(index, op, rf"{loss.symbol} = -\frac{{1}}{{m}} \sum {_smoothed(op)} \ln p",
                       tr("the sum is divided by the weights of the examples"),
                       r"-\frac{1}{m} \sum \ln", p, r"\odot", hot, r"\cdot", w, "/", mass, "=", loss),
        ]  # fmt: skip

    def _weighted_xent_grad(self, index: int, op: Op) -> list[Equation]:
        (p, labels, w, mass), dz = (self.factor(v) for v in op.ins), self.factor(op.out)
        hot = replace(labels, symbol="T", derived="onehot", heads=("units", "examples"))
        title = rf"{dz.symbol} = \frac{{1}}{{m}} ({p.symbol} \sum_c q_c - q), \ q = {_smoothed(op)}"
        return [self._made(index, op, title, tr("weights of the examples and smoothed targets"),
                           p, r"\sum q - q \Big(", hot, ",", w, r"\Big), \ m =", mass, r"\Rightarrow", dz)]

    def _entry_loss(self, index: int, op: Op) -> Equation:
        y, t, loss = (self.factor(v) for v in (*op.ins, op.out))
        title = rf"{loss.symbol} = \frac{{1}}{{N}} \sum {ENTRY_LOSSES[op.kind].formula}"
        return self._made(index, op, title, tr("the mean over all entries"),
                          r"\frac{1}{N} \sum \ell \Big(", y, ",", t, r"\Big) =", loss)  # fmt: skip

    def _entry_slope(self, index: int, op: Op) -> Equation:
        y, t, dy = (self.factor(v) for v in (*op.ins, op.out))
        slope = ENTRY_LOSSES[op.kind.removesuffix("_grad")].slope_formula
        title = rf"{dy.symbol} = \frac{{1}}{{N}} \cdot {slope}"
        return self._made(index, op, title, tr("N entries, the mean over all of them"),
                          r"\frac{1}{N} \ell' \Big(", y, ",", t, r"\Big) =", dy)  # fmt: skip

    def _mse(self, index: int, op: Op) -> list[Equation]:
        y, t, loss = (self.factor(v) for v in (*op.ins, op.out))
        title = rf"{loss.symbol} = \frac{{1}}{{N}} \sum ({t.symbol} - {y.symbol})^2"
        return [self._made(index, op, title, tr("the mean over all entries"),
                           r"\frac{1}{N} \sum \Big(", t, "-", y, r"\Big)^2 =", loss)]

    def _mse_grad(self, index: int, op: Op) -> list[Equation]:
        y, t, dy = (self.factor(v) for v in (*op.ins, op.out))
        title = rf"{dy.symbol} = -\frac{{2}}{{N}} ({t.symbol} - {y.symbol})"
        return [self._made(index, op, title, tr("N entries, the mean over all of them"),
                           r"-\frac{2}{N} \Big(", t, "-", y, r"\Big) =", dy)]

    def _weighted_sum(self, index: int, op: Op) -> list[Equation]:
        total, parts = self.factor(op.out), [self.factor(v) for v in op.ins]
        weights = [_times(w) for w in weights_of(op.attrs)]
        sides: list[Factor | str] = []
        for i, (weight, part) in enumerate(zip(weights, parts, strict=True)):
            sides += [("+ " if i else "") + weight, part]
        title = " + ".join(f"{w} {p.symbol}" for w, p in zip(weights, parts, strict=True))
        words = tr("the losses of all outputs, each times its weight")
        return [self._made(index, op, f"{total.symbol} = {title}", words, *sides, "=", total)]

    def _scale(self, index: int, op: Op) -> list[Equation]:
        x, y = self.factor(op.ins[0]), self.factor(op.out)
        factor = _times(float(str(op.attrs["factor"])))
        words = tr("times the weight of this loss") if PART.fullmatch(op.ins[0].id) else ""
        return [self._made(index, op, f"{y.symbol} = {factor} {x.symbol}", words, factor, x, "=", y)]
