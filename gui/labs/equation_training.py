"""What stands between a gradient and the update, as equations: clipping, penalties, largest norms."""

from __future__ import annotations

from collections.abc import Mapping

from engine.values import Op, Program, Value
from gui.i18n import tr
from gui.labs.equation import Equation, Factor

PARAMETERS = {"weight": "W", "bias": "b", "state_weight": "W_h", "state_bias": "b_h"}


def loss_letter(program: Program, parameter: str) -> str:
    """What the gradient of a parameter is the derivative of: the loss, with penalties where it has some."""
    rules = ("l1_slope", "l2_slope")
    ruled = any(op.kind in rules and op.ins[0].id == parameter for op in program.ops)
    return "(L + R)" if ruled else "L"


def letter_of(value: Value, letters: Mapping[str, str]) -> str:
    """The letter of a value that training makes of a gradient; "" for any other.

    `letters`: of the values on this page, so that a kernel stays K.
    """
    name, _, what = value.id.split(".", 1)[-1].partition("@")
    plain = PARAMETERS.get(name, r"\mathrm{" + name.replace("_", r"\ ") + "}")
    of = own_letter(value, letters) or plain
    return {
        "clipped": rf"g_{{{of}}}",
        "mean": rf"\bar{{g}}_{{{of}}}",
        "squares": rf"s_{{{of}}}",
        "l1": rf"\lambda |{of}|", "l2": rf"\frac{{\lambda}}{{2}} {of}^2",
        "l1_slope": rf"\lambda \, \mathrm{{sign}}({of})", "l2_slope": rf"\lambda {of}",
        "moved": rf"{of}^{{\ast}}",
        "": {"grad_norm": r"\|g\|", "penalty": "R", "penalized": r"L_R"}.get(name, ""),
    }.get(what, "")  # fmt: skip


def own_letter(value: Value, letters: Mapping[str, str]) -> str:
    """The letter on this page of the parameter that a value belongs to; "" where there is none."""
    return letters.get(value.id.partition("@")[0] + "@old", "")


class TrainingEquations:
    """The half of the writer that writes clipping and rules; the other half gives letters."""

    def factor(self, value: Value, symbol: str = "") -> Factor:
        """A value as it stands in the chosen orientation."""
        raise NotImplementedError

    def _made(self, index: int, op: Op, title: str, words: str, *parts: Factor | str) -> Equation:
        raise NotImplementedError

    def _accumulate(self, index: int, op: Op) -> list[Equation]:
        g, before, mean = self.factor(op.ins[0]), self.factor(op.ins[1], "S"), self.factor(op.out)
        words = tr("the mean over {k} batches, added up batch by batch").format(k=op.attrs["count"])
        title = rf"{mean.symbol} = S + \frac{{1}}{{{op.attrs['count']}}} {g.symbol}"
        return [self._made(index, op, title, words, before, rf"+ \frac{{1}}{{{op.attrs['count']}}} \cdot", g,
                           "=", mean)]  # fmt: skip

    def _l1(self, index: int, op: Op) -> list[Equation]:
        w, out = self.factor(op.ins[0]), self.factor(op.out)
        squared = op.kind == "l2"
        rule = rf"\frac{{\lambda}}{{2}} \sum {w.symbol}^2" if squared else rf"\lambda \sum |{w.symbol}|"
        words = tr("a part of the loss: large weights cost")
        lead = r"\frac{\lambda}{2} \sum" if squared else r"\lambda \sum \big|"
        return [self._made(index, op, f"R_{{{w.symbol}}} = {rule}", words, lead, w,
                           "^2 =" if squared else r"\big| =", out)]  # fmt: skip

    _l2 = _l1

    def _l1_slope(self, index: int, op: Op) -> list[Equation]:
        w, out = self.factor(op.ins[0]), self.factor(op.out)
        lead = r"\lambda \cdot" if op.kind == "l2_slope" else r"\lambda \, \mathrm{sign}"
        title = rf"\partial R/\partial {w.symbol} = {out.symbol}"
        return [self._made(index, op, title, tr("what the penalty adds to the gradient"), lead, w, "=", out)]

    _l2_slope = _l1_slope

    def _max_norm(self, index: int, op: Op) -> list[Equation]:
        w, out = self.factor(op.ins[0]), self.factor(op.out)
        title = rf"{out.symbol} = {w.symbol} \cdot \min(1, c / \|{w.symbol}_{{i}}\|)"
        words = tr("each row not longer than c")
        return [self._made(index, op, title, words, w, r"\cdot \min(1, c / \|w_i\|) =", out)]

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
