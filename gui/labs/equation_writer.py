"""How each kind of op is written as an equation, with the letters of the page it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.ops import functions
from engine.ops.over_time import time_of
from engine.ops.pointwise_losses import ENTRY_LOSSES
from engine.settings import OPTIMIZER_CHOICES
from engine.values import Op, Phase, Program, Role, Value, state_id
from gui.i18n import tr
from gui.labs.equation import POINTWISE, WHOLE, Equation, Factor, Style
from gui.labs.equation_losses import PART, LossEquations
from gui.labs.equation_slides import FORWARD as SLIDES
from gui.labs.equation_slides import KINDS as SLIDING
from gui.labs.equation_slides import slides
from gui.labs.equation_training import PARAMETERS, TrainingEquations, letter_of, loss_letter, own_letter
from gui.labs.recurrent_writer import RecurrentWriter, recurrent_letters

UPDATES = tuple(name for name, _ in OPTIMIZER_CHOICES)
MOMENTS = {"velocity": "V", "square": "S", "square_sum": "S", "delta": "D", "m": "M", "v": "V"}
FUNCTIONS = {
    "softmax": r"\mathrm{softmax}", "log_softmax": r"\ln \mathrm{softmax}", "prelu": r"\mathrm{PReLU}",
    "prelu_dz": r"\mathrm{PReLU}'", "log_softmax_grad": r"\ln \mathrm{softmax}'",
    "prelu_below": r"\mathrm{below}", "maxpool2d": r"\max_{\mathrm{window}}",
    "avgpool2d": r"\mathrm{mean}_{\mathrm{window}}", "batchnorm": r"\mathrm{BN}",
    "maxpool2d_dx": r"\mathrm{unpool}", "avgpool2d_dx": r"\mathrm{unpool}",
    "batchnorm_grad": r"\mathrm{BN}'", "softmax_grad": r"\mathrm{softmax}'",
    "concatenate": r"\mathrm{stack}", "encode_labels": r"\mathrm{code}", "split": r"\mathrm{split}",
    "embedding": r"\mathrm{rows}", "layernorm": r"\mathrm{LN}", "layernorm_dx": r"\mathrm{LN}'",
    "layernorm_dw": r"\sum \delta \hat{x}", "groupnorm": r"\mathrm{GN}",
    "groupnorm_dx": r"\mathrm{GN}'", "groupnorm_dw": r"\sum \delta \hat{x}",
    "softmax_rows": r"\mathrm{softmax}", "softmax_rows_grad": r"\mathrm{softmax}'",
    "embedding_dw": r"\sum_{\mathrm{token}}", "positions_dw": r"\sum_k",
    "affine_matrix": r"\mathrm{matrix}", "affine_matrix_dx": r"\mathrm{matrix}^T",
    "affine_matrix_dw": r"\sum_k \mathrm{matrix}^T", "affine_warp": r"\mathrm{warp}",
    "input_features": r"\varphi", "input_features_dx": r"\varphi'",
    "upsample": r"\mathrm{up}", "upsample_dx": r"\mathrm{up}^T",
    "affine_warp_dx": r"\mathrm{warp}^T", "affine_warp_dw": r"\mathrm{warp}'",
}  # fmt: skip


DRAWN = {"dropout": r"\odot", "spatial_dropout": r"\odot", "gaussian_noise": r"+ \sigma"}
"""What lies between an input and what was drawn for it."""
LOSSES = ("mse", *ENTRY_LOSSES)
"""Losses of single entries."""
NAMES = {
    **dict.fromkeys(LOSSES, (r"\hat{Y}", "Y")), "bce_logits": ("Z", "Y"),
    "softmax_xent": ("Z", "y"), "class_weights": ("y",), "weighted_xent": ("Z", "y"), "encode_labels": ("y",),
    "affine_matrix": (r"\theta",),
}  # fmt: skip
"""Letters of what an op reads, where it is not X."""


def letters_of(program: Program, ops: list[Op]) -> dict[str, str]:
    """Value id -> its letter on this page."""
    found = recurrent_letters(ops)
    for op in ops:
        if op.phase not in (Phase.FORWARD, Phase.LOSS, Phase.AUGMENT):
            continue
        names = NAMES.get(op.kind)
        plain = 0
        for i, value in enumerate(op.ins):
            if value.role in (Role.PARAM, Role.STATE):
                letter = {"weight": "W", "bias": "b", "running_mean": r"\bar{\mu}",
                          "running_var": r"\bar{\sigma}^2", "out_weight": "W_O",
                          "out_bias": "b_O"}.get(value.param, value.param)
                if letter == "W":
                    letter = {**dict.fromkeys(SLIDES, "K"), "embedding": "E", "positions": "P",
                              "affine_matrix": r"\theta", "prelu": "s"}.get(op.kind, "W")
                if op.kind.startswith(("batchnorm", "layernorm", "groupnorm")):
                    letter = {"W": r"\gamma", "b": r"\beta"}.get(letter, letter)
            elif names is not None and i < len(names):
                letter = names[i]
            else:
                plain += 1
                letter = "X" if plain == 1 else f"X_{plain}"
            found.setdefault(value.id, letter)
        outs = {
            "dense": ("Z",), "conv2d": ("Z",), "softmax": ("P",), "softmax_xent": ("P", "L"), "mse": ("L",),
            "weighted_sum": ("L",), "class_weights": ("w", "m"), "weighted_xent": ("P", "L"),
            "encode_labels": ("Y",), "batchnorm": ("Y", r"\mu", r"1/\sigma"),
            "gaussian_noise": ("Y", r"\epsilon"), **dict.fromkeys(("dropout", "spatial_dropout"), ("Y", "M")),
            **dict.fromkeys(("layernorm", "groupnorm"), ("Y", r"\mu", r"1/\sigma")),
            "split": ("Q", "K", "V"), "heads_scores": ("S",), "softmax_rows": ("P",), "affine_matrix": ("M",),
            "prelu": ("A",), **dict.fromkeys(LOSSES, ("L",)), **dict.fromkeys(SLIDES, ("Z",)),
        }.get(op.kind, ("A",) if op.kind in POINTWISE else ("Y",))  # fmt: skip
        if op.out.id.endswith(".qkv"):
            outs = (r"\mathrm{QKV}",)
        for value, letter in zip(op.outs, outs, strict=False):
            found.setdefault(value.id, letter)
    for i, part in enumerate(program.losses[1:], 1):  # of several outputs: the parts of the sum
        found[part.id] = f"L_{i}"
    return found


class Writer(RecurrentWriter, LossEquations, TrainingEquations):
    """Writes ops as equations with the letters of one page."""

    def __init__(self, program: Program, letters: Mapping[str, str], style: Style) -> None:
        self.program, self.letters, self.style = program, letters, style
        self.gradient_of = {grad.id: value for value, grad in program.gradients.items()}
        self.old_of = {new.id: old for old, new in program.commits}

    # ---- one matrix -----------------------------------------------------------------------------------

    def letter(self, value: Value) -> str:
        """W, or the part of an id that people know."""
        if special := letter_of(value, self.letters):
            return special
        if value.id in self.letters:
            return self.letters[value.id]
        source, share = self.gradient_of.get(value.id), PART.fullmatch(value.id)
        if share is not None and share[1] in self.program.values:
            loss = f"L_{share[2]}" if share[2] else "L"
            return rf"\partial {loss}/\partial " + self.letter(self.program.values[share[1]])
        if source is not None:
            over = loss_letter(self.program, source)
            return rf"\partial {over}/\partial " + self.letter(self.program.values[source])
        old = self.old_of.get(value.id)
        if old is not None:
            return self.letter(old) + "^{+}"
        if value.role is Role.STATE:
            name = value.param.rsplit(".", 1)[-1]
            letter = MOMENTS.get(name, name)
            owner = value.param.rsplit(".", 1)[0]
            of = self.letters.get(state_id(value.owner, owner), PARAMETERS.get(owner, ""))
            return letter + (f"_{of}" if len(of) == 1 else f"_{{{of}}}" if of else "")
        whole, _, part = value.id.partition("@grad/")
        if whole in self.letters and part.isdigit():  # one of the ways that are added up
            return rf"(\partial L/\partial {self.letters[whole]})_{int(part) + 1}"
        name = value.id.split(".", 1)[-1].split("@")[0].split("/")[0]
        base = {"z": "Z", "a": "A", "x": "X", "y": "Y", "weight": "W", "bias": "b"}.get(name, name)
        base = base if len(base) == 1 else r"\mathrm{" + base.replace("_", r"\ ") + "}"
        base = own_letter(value, self.letters) or base
        return (r"\partial L/\partial " if value.role is Role.GRAD else "") + base

    def factor(self, value: Value, symbol: str = "") -> Factor:
        """A value as it stands in the chosen orientation."""
        role = "activations"
        if value.role is Role.GRAD or value.id in self.gradient_of:
            role = "gradients"
        elif value.role in (Role.PARAM, Role.STATE):
            role = "weights"
        rows, columns = {
            ("F", "N"): ("units", "examples"), ("out", "in"): ("units", "inputs"), ("out",): ("units", ""),
            ("N",): ("", "examples"),
        }.get(value.axes, ("", ""))  # fmt: skip
        turned = self.style.rows and len(value.axes) in (1, 2) and (value.batched or len(value.axes) == 1)
        return Factor(value.id, symbol or self.letter(value), role, turned, (rows, columns))

    def input(self, value: Value) -> Factor:
        """X of a layer: its rows are the inputs."""
        return replace(self.factor(value), heads=("inputs", "examples"))

    # ---- one op ---------------------------------------------------------------------------------------

    def write(self, index: int, op: Op) -> list[Equation]:
        """The equations of an op, one for each output that is looked at."""
        written = getattr(self, f"_{op.kind}", None)
        if op.kind in UPDATES:
            return self._update(index, op)
        if written is not None:
            return list(written(index, op))
        if op.kind in SLIDING:
            return slides(self, index, op)
        if op.kind in POINTWISE:
            return [self._pointwise(index, op)]
        if op.kind in ENTRY_LOSSES:
            return [self._entry_loss(index, op)]
        if op.kind.removesuffix("_grad") in ENTRY_LOSSES:
            return [self._entry_slope(index, op)]
        if op.kind.removesuffix("_grad") in POINTWISE:
            return [self._slope(index, op)]
        return self._any(index, op)

    def _made(self, index: int, op: Op, title: str, words: str, *parts: Factor | str) -> Equation:
        return Equation(index, op.kind, op.phase, title, words, parts)

    def _dense(self, index: int, op: Op) -> list[Equation]:
        w, x, z = self.factor(op.ins[0]), self.input(op.ins[1]), self.factor(op.out)
        b = self.factor(op.ins[2]) if len(op.ins) > 2 else None
        rows, folded = self.style.rows, self.style.folded and b is not None
        left, right, bias = w.symbol, x.symbol, b.symbol if b is not None else ""
        if folded and b is not None:
            left, right = f"({left} \\mid {bias})", rf"\binom{{{right}}}{{1}}"
            if rows:
                left, right = rf"\binom{{{w.symbol}^T}}{{{bias}^T}}", f"({x.symbol} \\mid 1)"
            w, x = replace(w, extra=b.value, symbol=left), replace(x, ones=True, symbol=right)
        elif rows:
            left = f"{left}^T"
            w = replace(w, symbol=left)
        if rows:
            w = w.turn()
        ordered = (x, w) if rows else (w, x)
        title = f"{z.symbol} = {ordered[0].symbol} \\cdot {ordered[1].symbol}"
        parts: list[Factor | str] = [ordered[0], r"\cdot", ordered[1]]
        words = tr("one multiplication")
        if b is not None and not folded:
            title, words = f"{title} + {bias}", tr("one multiplication, then the bias")
            parts += ["+", b]
        elif folded:
            words = tr("the bias is one more column, its input always 1")
        return [self._made(index, op, title, words, *parts, "=", z)]

    def _dense_dw(self, index: int, op: Op) -> list[Equation]:
        d, x, dw = self.factor(op.ins[0]), self.input(op.ins[1]), self.factor(op.out)
        if len(op.ins[1].axes) > 2:  # one example is in sight, all are added up
            title = rf"{dw.symbol} = \sum_k {d.symbol} \cdot {x.symbol}^T"
            words = tr("added up over all positions and the batch")
            made = self._made(index, op, title, words, r"\sum_k", d, r"\cdot", x, r"^T =", dw)
            return [replace(made, kind="sum")]
        words = tr("same shape as {symbol}").format(symbol="W")
        if self.style.folded:
            bias = next((o.out for o in self.program.ops
                         if o.kind == "sum_samples" and o.ins[0].id == op.ins[0].id), None)
            if bias is not None:
                both = f"({dw.symbol} \\mid {self.letter(bias)})"
                dw = replace(dw, extra=bias.id, symbol=both)
                x = replace(x, ones=True, symbol=rf"\binom{{{x.symbol}}}{{1}}")
                words = tr("the last column is the gradient of the bias")
        if self.style.rows:
            d = replace(d.turn(), symbol=f"({d.symbol})^T")
            if x.ones:
                x = replace(x, symbol=f"({self.letter(op.ins[1])} \\mid 1)")
        else:
            x = replace(x.turn(), symbol=f"{x.symbol}^T")
        title = f"{dw.symbol} = {d.symbol} \\cdot {x.symbol}"
        return [self._made(index, op, title, words, d, r"\cdot", x, "=", dw)]

    def _dense_dx(self, index: int, op: Op) -> list[Equation]:
        w, d = self.factor(op.ins[0]), self.factor(op.ins[1])
        dx = replace(self.factor(op.out), heads=("inputs", "examples"))
        words = tr("goes to the layer before; its f′ is still to come")
        if time_of(op) is not None:
            words = tr("goes to the position before")
        if self.style.rows:
            title = f"{dx.symbol} = {d.symbol} \\cdot {w.symbol}"
            return [self._made(index, op, title, words, d, r"\cdot", w, "=", dx)]
        w = replace(w.turn(), symbol=f"{w.symbol}^T")
        title = f"{dx.symbol} = {w.symbol} \\cdot {d.symbol}"
        return [self._made(index, op, title, words, w, r"\cdot", d, "=", dx)]

    def ghost(self, op: Op) -> list[Equation]:
        """dL/dX of a layer whose input is the data: training has no use for it, the textbook shows it."""
        gradient = self.program.gradients.get(op.out.id)
        if gradient is None or gradient.view is not None or max(op.ins[0].shape) > WHOLE:
            return []
        x = op.ins[1]
        out = Value(f"{x.id}@grad", x.axes, x.shape, role=Role.GRAD)
        left_out = Op("dense_dx", (op.ins[0], gradient), (out,), {}, op.node, Phase.BACKWARD)
        self.gradient_of.setdefault(out.id, x.id)
        words = tr("not needed for training: nothing lies before")
        return [replace(e, ghost=left_out, words=words) for e in self._dense_dx(-1, left_out)]

    def _sum_samples(self, index: int, op: Op) -> list[Equation]:
        d, db = self.factor(op.ins[0]), self.factor(op.out)
        title = rf"{db.symbol} = \sum_k {d.symbol}_{{\cdot k}}"
        if self.style.rows:
            title = rf"{db.symbol} = \sum_k {d.symbol}_{{k \cdot}}"
        return [self._made(index, op, title, tr("added up over the batch"), r"\sum_k", d, "=", db)]

    def _pointwise(self, index: int, op: Op) -> Equation:
        z, a = self.factor(op.ins[0]), self.factor(op.out)
        name = functions.FUNCTIONS[op.kind].symbol
        title = f"{a.symbol} = {name}({z.symbol})"
        return self._made(index, op, title, tr("cell by cell"), name, z, "=", a)

    def _slope(self, index: int, op: Op) -> Equation:
        da, dz = self.factor(op.ins[0]), self.factor(op.out)
        z: Value | None = op.ins[1]
        if functions.FUNCTIONS[op.kind.removesuffix("_grad")].of == "a":
            z = next((o.ins[0] for o in self.program.ops if o.out.id == op.ins[1].id), None)
        letter = self.letter(z) if z is not None else "Z"
        slope = replace(self.factor(op.ins[1]), symbol=f"f'({letter})", derived="slope")
        title = rf"{dz.symbol} = {da.symbol} \odot f'({letter})"
        return self._made(index, op, title, tr("cell by cell: the slope of the function there"),
                          da, r"\odot", slope, "=", dz)


    def _heads_scores(self, index: int, op: Op) -> list[Equation]:
        a, b, s = self.factor(op.ins[0]), self.factor(op.ins[1]), self.factor(op.out)
        turned = replace(a.turn(), symbol=rf"({a.symbol})^T" if len(a.symbol) > 1 else f"{a.symbol}^T")
        scale = float(str(op.attrs["scale"]))
        sign = [] if scale == 1 else [r"\frac{1}{\sqrt{d}}"]
        title = rf"{s.symbol} = {''.join(sign)} {turned.symbol} \cdot {b.symbol}"
        words = tr("each head with its own rows; rows ask, columns are asked")
        return [self._made(index, op, title, words, *sign, turned, r"\cdot", b, "=", s)]

    def _heads_mix(self, index: int, op: Op) -> list[Equation]:
        p, v, y = self.factor(op.ins[0]), self.factor(op.ins[1]), self.factor(op.out)
        if not op.attrs["turned"]:
            p = replace(p.turn(), symbol=rf"({p.symbol})^T" if len(p.symbol) > 1 else f"{p.symbol}^T")
        title = rf"{y.symbol} = {v.symbol} \cdot {p.symbol}"
        words = tr("each head with its own rows")
        return [self._made(index, op, title, words, v, r"\cdot", p, "=", y)]

    def _update(self, index: int, op: Op) -> list[Equation]:
        w, g, *old = (self.factor(v) for v in op.ins[: len(op.outs) + 1])  # behind them may be a mask
        new, *moments = (self.factor(v) for v in op.outs)
        steps: list[tuple[str, tuple[Factor | str, ...]]]
        if op.kind == "sgd":
            steps = [("", (w, r"- \eta \cdot", g, "=", new))]
            title = rf"{new.symbol} = {w.symbol} - \eta \, {g.symbol}"
            return [self._made(index, op, title, tr("against the gradient"), *steps[0][1])]
        if op.kind == "momentum":
            (v,), (after,) = old, moments
            return [
                self._made(index, op, rf"{after.symbol} = \mu {v.symbol} + {g.symbol}",
                           tr("the velocity remembers"), r"\mu \cdot", v, "+", g, "=", after),
                self._made(index, op, rf"{new.symbol} = {w.symbol} - \eta {after.symbol}",
                           tr("along the velocity"), w, r"- \eta \cdot", after, "=", new),
            ]  # fmt: skip
        if op.kind == "nesterov":
            (v,), (after,) = old, moments
            return [
                self._made(index, op, rf"{after.symbol} = \mu {v.symbol} + {g.symbol}",
                           tr("the velocity remembers"), r"\mu \cdot", v, "+", g, "=", after),
                self._made(index, op, rf"{new.symbol} = {w.symbol} - \eta (g + \mu {after.symbol})",
                           tr("along the velocity that comes next"), w, r"- \eta \Big(", g, r"+ \mu \cdot",
                           after, r"\Big) =", new),
            ]  # fmt: skip
        if op.kind == "adadelta":
            (s, d), (s2, d2) = old, moments
            return [
                self._mean_square(index, op, s, g, s2),
                self._made(index, op, rf"u = g \sqrt{{{d.symbol}}} / \sqrt{{{s2.symbol}}}, \ "
                           rf"{d2.symbol} = \rho {d.symbol} + (1 - \rho) u^2",
                           tr("mean of the squared steps"), r"\rho \cdot", d, r"+ (1 - \rho) u^2 =", d2),
                self._made(index, op, rf"{new.symbol} = {w.symbol} - \eta u",
                           tr("a step in units of the weight"), w, r"- \eta \cdot u =", new),
            ]  # fmt: skip
        if op.kind in ("rmsprop", "adagrad"):
            (s,), (after,) = old, moments
            first = self._mean_square(index, op, s, g, after)
            if op.kind == "adagrad":
                first = self._made(index, op, rf"{after.symbol} = {s.symbol} + g^2", tr("sum of the squares"),
                                   s, "+", g, r"^2 =", after)  # fmt: skip
            return [
                first,
                self._made(index, op, rf"{new.symbol} = {w.symbol} - \eta g / \sqrt{{{after.symbol}}}",
                           tr("each weight with its own pace"), w, r"- \eta \cdot", g, r"/ \sqrt{\ }",
                           after, "=", new),
            ]  # fmt: skip
        (m, v), (m2, v2) = old, moments
        shrunk = rf"(1 - \eta \lambda) {w.symbol}" if op.kind == "adamw" else w.symbol
        before = (r"(1 - \eta \lambda) \cdot", w) if op.kind == "adamw" else (w,)
        return [
            self._made(index, op, rf"{m2.symbol} = \beta_1 {m.symbol} + (1 - \beta_1) g",
                       tr("mean of the gradients"), r"\beta_1 \cdot", m, r"+ (1 - \beta_1) \cdot", g,
                       "=", m2),
            self._made(index, op, rf"{v2.symbol} = \beta_2 {v.symbol} + (1 - \beta_2) g^2",
                       tr("mean of the squares"), r"\beta_2 \cdot", v, r"+ (1 - \beta_2) \cdot", g, r"^2 =",
                       v2),
            self._made(index, op, rf"{new.symbol} = {shrunk} - \eta \hat{{M}} / \sqrt{{\hat{{V}}}}",
                       tr("both corrected for their start at zero"), *before, r"- \eta \cdot", m2,
                       r"/ \sqrt{\ }", v2, "=", new),
        ]  # fmt: skip

    def _mean_square(self, index: int, op: Op, s: Factor, g: Factor, after: Factor) -> Equation:
        return self._made(index, op, rf"{after.symbol} = \rho {s.symbol} + (1 - \rho) g^2",
                          tr("mean of the squares"), r"\rho \cdot", s, r"+ (1 - \rho) \cdot", g,
                          r"^2 =", after)  # fmt: skip

    def _any(self, index: int, op: Op) -> list[Equation]:
        """Whatever else: the function, what goes in, what comes out."""
        made = []
        signs = {"add": "+", "multiply": r"\odot", "positions": "+", **DRAWN}
        for out in op.outs:
            if out.role is Role.STATE:
                continue
            y = self.factor(out)
            ins = [self.factor(v) for v in op.ins if v.id != out.id]
            if op.kind in DRAWN:
                if out is op.outs[1]:
                    continue
                ins.append(self.factor(op.outs[1]))
            between = signs.get(op.kind, ",")
            parts: list[Factor | str] = []
            for i, each in enumerate(ins):
                parts += [between, each] if i else [each]
            name = FUNCTIONS.get(op.kind, r"\mathrm{" + op.kind.replace("_", r"\ ") + "}")
            if op.kind == "maxpool2d" and out is not op.out:
                name = r"\arg\max_{\mathrm{window}}"
            listed = f" {between} ".join(each.symbol for each in ins)
            if between == ",":
                parts, listed = [name, *parts], f"{name}({listed})"
            made.append(self._made(index, op, f"{y.symbol} = {listed}", "", *parts, "=", y))
        return made
