"""Losses of single entries: expressions by the formulas of `engine.ops.pointwise_losses`, and launches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.backends.opencl.chain import BATCH_ONLY, RULES, Cells, Site
from engine.backends.opencl.emit import Emission, emits, reads
from engine.backends.opencl.emit_samples import total
from engine.backends.opencl.kernel import Launch, Pointer
from engine.values import Op

Text = Callable[[Cells, Op, str, str], str]
"""(register, op, prediction, target) -> an expression."""


def _square(c: Cells, op: Op, y: str, t: str) -> str:
    return f"({y} - {t}) * ({y} - {t})"


def _huber(c: Cells, op: Op, y: str, t: str) -> str:
    e, d = f"fabs({y} - {t})", c.constant(op.attrs["delta"])
    return f"select({d} * ({e} - 0.5f * {d}), 0.5f * {e} * {e}, {e} <= {d})"


def _huber_slope(c: Cells, op: Op, y: str, t: str) -> str:
    d = c.constant(op.attrs["delta"])
    return f"clamp({y} - {t}, -{d}, {d})"


def _bce(c: Cells, op: Op, z: str, t: str) -> str:
    # softplus(z) - z t, which is max(z, 0) - z t + ln(1 + e^-|z|)
    return f"({c.call('softplus', z)} - {z} * {t})"


def _hinge_slope(c: Cells, op: Op, y: str, t: str) -> str:
    return f"select(({c.type})(0.0f), -{t}, {t} * {y} < ({c.type})(1.0f))"


EXPRESSIONS: dict[str, tuple[Text, Text | None]] = {
    "mse": (_square, None),
    "mae": (lambda c, op, y, t: f"fabs({y} - {t})", lambda c, op, y, t: f"sign({y} - {t})"),
    "huber": (_huber, _huber_slope),
    "bce_logits": (_bce, lambda c, op, z, t: f"({c.call('sigmoid', z)} - {t})"),
    "hinge": (lambda c, op, y, t: f"fmax(({c.type})(0.0f), 1.0f - {t} * {y})", _hinge_slope),
}
"""Kind -> the loss of an entry and its slope; the square's has a rule of its own."""


@emits(*EXPRESSIONS)
def entry_loss(op: Op, site: Site) -> Emission:
    t = site.target
    y, target = op.ins
    each = Launch(
        "entry_loss",
        {"ROWS": y.rows, "ENTRY(y, t)": EXPRESSIONS[op.kind][0](Cells(site, "lanes"), op, "(y)", "(t)")},
        [reads("Y", y), reads("T", target), Pointer("LOSS", "losses", write=True)],
        (t.lanes // t.vw,),
    )
    return Emission([each, total(site, f"((n) * {y.rows})", [])], "cell", scratch={"losses": t.lanes})


def _slope(text: Text) -> Callable[[Cells, Op, Sequence[str], Sequence[str]], Sequence[str]]:
    def rule(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
        share = f"(1.0f / (float)({op.ins[0].shape[0]} * {c.site.live}))"
        return (c.masked(f"{text(c, op, x[0], x[1])} * {share}"),)

    return rule


for _kind, (_, _text) in EXPRESSIONS.items():
    if _text is not None:
        RULES[f"{_kind}_grad"] = _slope(_text)
        BATCH_ONLY.add(f"{_kind}_grad")
