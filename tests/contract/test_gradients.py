"""Gradient rules against numerical differentiation in float64, along random directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.ops.base import REGISTRY, Array, Attrs, Case, Context, OpRule, context_for
from engine.ops.functions import FUNCTIONS
from engine.ops.pointwise_losses import ENTRY_LOSSES
from engine.recorder import Recorder
from engine.values import Program, Role
from tests.contract.harness import STREAM, all_cases, case_of, interpret, lanes_of

LOSSES = {k: f"{k}_grad" for k in ("mse", "softmax_xent", "weighted_xent", *ENTRY_LOSSES)}
"""Kinds whose gradient the loss records: it starts the way back."""

OWN = [k for k, r in REGISTRY.items() if type(r).gradient is not OpRule.gradient]
SMOOTH = [
    p
    for p in all_cases()
    if p.values[0] in (*OWN, *LOSSES) and case_of(str(p.values[0]), int(str(p.values[1]))).smooth
]
STAND_INS = {f"{k}_grad" for k, f in FUNCTIONS.items() if f.stand_in}
"""Slopes that are meant to differ from the derivative."""
BACKWARD = sorted(
    k
    for k in set(REGISTRY) - STAND_INS
    if k.endswith(("_grad", "_dx", "_dw", "_dz"))
    or k in ("sum_samples", "multiply", "prelu_below", "scale")
)
"""Kinds that gradient rules are made of."""


class GradientError(AssertionError):
    """A gradient rule and the numbers disagree."""


def recorded(kind: str, case: Case) -> tuple[Program, dict[str, Array], list[str]]:
    """A program of the op and its way back from a random dL/d(out), its inputs, and what is wanted."""
    rng = np.random.default_rng(11)
    rec = Recorder(lanes_of(case), True)
    rec.node = "case"
    arrays: dict[str, Array] = {}
    ins, wanted = [], []
    for v, a in zip(case.ins, case.arrays, strict=True):
        ins.append(rec.input(f"in.{v.id}", v.axes, v.shape, v.dtype, v.role))
        arrays[ins[-1].id] = np.asarray(a, np.float64) if v.dtype == "f32" else a
        # running statistics are not learnt, targets are given
        if v.dtype == "f32" and v.role in (Role.ACT, Role.PARAM):
            wanted.append(ins[-1].id)
    rule = REGISTRY[kind]
    for name, value in {**case.ctx.controls}.items():
        rec.control(name, value)
    outs = rec.emit(kind, ins, attrs=dict(case.attrs), controls=rule.own_controls, stream=STREAM)
    if kind in LOSSES:
        p = outs[0] if kind.endswith("_xent") else ins[0]
        rec.contribute(ins[0], rec.emit1(LOSSES[kind], (p, *ins[1:]), "gradient", attrs=dict(case.attrs)))
        wanted = [ins[0].id]
    for out in outs:
        if out.role is Role.ACT:
            g = rec.input(f"{out.id}@start", out.axes, out.shape, role=Role.GRAD)
            start = rng.standard_normal(out.shape)
            if out.batched:
                start[..., case.ctx.n :] = 0
            arrays[g.id] = start
            rec.contribute(out, g)
    rec.backward(wanted)
    controls = {"n": case.ctx.n, "pos": 0.0, "step": case.ctx.step, **rec.controls}
    program = Program(
        "gradients",
        rec.capacity,
        tuple(rec.ops),
        tuple(rec.inputs),
        {},
        controls=controls,
        gradients=dict(rec.gradients),
    )
    return program, arrays, wanted


def check_gradient(kind: str, case: Case, tolerance: float = 1e-5) -> None:
    """Raise GradientError unless every recorded gradient fits the loss sum(out * start)."""
    program, arrays, wanted = recorded(kind, case)
    op, rule = program.ops[0], REGISTRY[kind]
    ctx = context_for(op, program.controls, case.ctx.n, case.ctx.seed, case.ctx.step)
    values = interpret(program, arrays, {}, case.ctx.seed)

    def loss(changed: dict[str, Array]) -> float:
        with np.errstate(all="ignore"):
            outs = rule.reference([changed[v.id] for v in op.ins], op.attrs, ctx)
        if kind in LOSSES:
            return float(outs[-1])
        total = 0.0
        for v, a in zip(op.outs, outs, strict=True):
            if v.role is Role.ACT:
                live = slice(None, ctx.n) if v.batched else slice(None)
                total += float((a[..., live] * arrays[f"{v.id}@start"][..., live]).sum())
        return total

    for number, name in enumerate(wanted):
        gradient = values[program.gradients[name].id]
        if gradient.shape != arrays[name].shape:
            raise GradientError(f"{kind}: the gradient of {name} has shape {gradient.shape}")
        for seed in range(3):
            d = np.random.default_rng(100 * number + seed).standard_normal(arrays[name].shape)
            if program.values[name].batched:
                d[..., ctx.n :] = 0
            h = 1e-6
            up, down = (
                {**arrays, name: np.where(d != 0, arrays[name] + s * d, arrays[name])} for s in (h, -h)
            )
            numerical = (loss(up) - loss(down)) / (2 * h)
            recorded_slope = float((gradient * d)[d != 0].sum())
            size = max(abs(numerical), 1e-3 * float(np.abs(gradient * d).sum()), 1e-7)
            if abs(recorded_slope - numerical) > tolerance * size:
                raise GradientError(f"{kind}: along {name} {recorded_slope} recorded, {numerical} measured")


def test_every_kind_is_differentiated_or_says_why_not() -> None:
    """No kind is left out by oversight: own rule, loss, part of the way back, or not differentiable."""
    for kind, rule in REGISTRY.items():
        known = kind in OWN or kind in LOSSES or kind in BACKWARD or kind in STAND_INS
        assert known or not rule.differentiable, kind


@pytest.mark.parametrize(("kind", "number"), SMOOTH)
def test_gradient_against_differences(kind: str, number: int) -> None:
    check_gradient(kind, case_of(kind, number))


@pytest.mark.parametrize(("kind", "number"), SMOOTH)
def test_gradient_with_dead_lanes(kind: str, number: int) -> None:
    case = case_of(kind, number)
    if not any(v.batched and v.shape[-1] > 1 for v in case.ins):
        case = case_of(kind, number)  # one lane: nothing can be dead, the check holds as it is
    else:
        case = replace(case, ctx=replace(case.ctx, n=max(1, case.ctx.n - 2)))
    check_gradient(kind, case)


@pytest.mark.parametrize("kind", BACKWARD)
def test_a_rule_wrong_by_a_thousandth_is_caught(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each op of the way back, scaled by 1.001, makes the check of some forward op fail."""
    right = REGISTRY[kind].reference

    def wrong(ins: list[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        return tuple(1.001 * a for a in right(ins, attrs, ctx))

    users = []
    for p in SMOOTH:
        name, number = str(p.values[0]), int(str(p.values[1]))
        case = case_of(name, number)
        program, arrays, _ = recorded(name, case)
        values = interpret(program, arrays, {}, case.ctx.seed)
        made = [v.id for op in program.ops[1:] if op.kind == kind for v in op.outs]
        # a gradient of zero (softmax of one row) stays right however it is scaled
        if name != kind and any(np.abs(values[id]).max() > 1e-6 for id in made):
            users.append((name, case))
    assert users, f"no forward op records {kind}"
    for name, case in users:
        check_gradient(name, case)
    monkeypatch.setattr(REGISTRY[kind], "reference", wrong)
    for name, case in users:
        with pytest.raises(GradientError):
            check_gradient(name, case)
