"""What stands between a gradient and the update, as equations: clipping."""

from __future__ import annotations

from engine.values import Op, Value
from gui.i18n import tr
from gui.labs.equation import Equation, Factor

PARAMETERS = {"weight": "W", "bias": "b"}


def letter_of(value: Value) -> str:
    """The letter of a value that training makes of a gradient; "" for any other."""
    name, _, what = value.id.split(".", 1)[-1].partition("@")
    of = PARAMETERS.get(name, r"\mathrm{" + name.replace("_", r"\ ") + "}")
    return {
        "clipped": rf"g_{{{of}}}",
        "squares": rf"s_{{{of}}}",
    }.get(what, r"\|g\|" if name == "grad_norm" else "")


class TrainingEquations:
    """The half of the writer that writes clipping; the other half gives letters."""

    def factor(self, value: Value, symbol: str = "") -> Factor:
        """A value as it stands in the chosen orientation."""
        raise NotImplementedError

    def _made(self, index: int, op: Op, title: str, words: str, *parts: Factor | str) -> Equation:
        raise NotImplementedError

    def _clip_value(self, index: int, op: Op) -> list[Equation]:
        g, out = self.factor(op.ins[0]), self.factor(op.out)
        title = rf"{out.symbol} = \min(\max({g.symbol}, -c), c)"
        words = tr("every cell within the limit c")
        return [self._made(index, op, title, words, r"\mathrm{clip}_c \Big(", g, r"\Big) =", out)]

    def _square_sum(self, index: int, op: Op) -> list[Equation]:
        g, out = self.factor(op.ins[0]), self.factor(op.out)
        words = tr("the squares of all cells, added up")
        return [self._made(index, op, rf"{out.symbol} = \sum \Big({g.symbol}\Big)^2", words,
                           r"\sum", g, "^2 =", out)]  # fmt: skip

    def _grad_norm(self, index: int, op: Op) -> list[Equation]:
        sums, out = [self.factor(v) for v in op.ins], self.factor(op.out)
        listed = " + ".join(each.symbol for each in sums[:4]) + (r" + \dots" if len(sums) > 4 else "")
        parts: list[Factor | str] = [r"\sqrt{\ }"]
        for i, each in enumerate(sums):
            parts += ["+", each] if i else [each]
        words = tr("the length of all gradients together")
        return [self._made(index, op, rf"{out.symbol} = \sqrt{{{listed}}}", words, *parts, "=", out)]

    def _clip_norm(self, index: int, op: Op) -> list[Equation]:
        g, norm, out = (self.factor(v) for v in (*op.ins, op.out))
        title = rf"{out.symbol} = {g.symbol} \cdot \min(1, c / {norm.symbol})"
        words = tr("shorter by the same factor as all others, where they are longer than c")
        return [self._made(index, op, title, words, g, r"\cdot \min(1, c /", norm, ") =", out)]
