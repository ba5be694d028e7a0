"""Optimizer steps: from old weights, gradients and moments to new ones. Formulas as in PyTorch.

Adam: Kingma & Ba 2015; AdamW: Loshchilov & Hutter 2019; AdaGrad: Duchi et al. 2011; AdaDelta: Zeiler 2012.
Adam's bias corrections are the controls c1 = 1 - beta1^t and c2 = 1 - beta2^t.
An update may have one input more, a mask of locked cells: where it is not zero, weight and moments stay.
It may have the control apply besides its own: where that is 0, all stay and wait for more batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np

from engine.ops.accumulating import APPLY
from engine.ops.base import (
    REGISTRY,
    Array,
    Attrs,
    Case,
    Context,
    OpRule,
    Out,
    Read,
    Term,
    Terms,
    normal,
    register,
    value,
)
from engine.values import Op, Role, Value

LOCKED_NOTE = r"w \leftarrow w"
"""The rule of a locked cell."""


class Update(OpRule):
    """ins w, g, moments..., perhaps a mask of locked cells -> new w, new moments, all of one shape."""

    differentiable = False
    elementwise = True
    moments: ClassVar[tuple[str, ...]] = ()
    """Names of the moments, as in state keys: weight.<moment>."""
    note: ClassVar[str]

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        free = 2 + len(self.moments)
        if not ctx.controls.get(APPLY, 1.0):
            return (ins[0], *ins[2:free])
        new = self.step(ins[:free], ctx)
        if len(ins) == free:
            return new
        locked = ins[free] != 0
        return tuple(np.where(locked, old, n) for old, n in zip((ins[0], *ins[2:free]), new, strict=True))

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        """New w and moments where nothing is locked."""
        raise NotImplementedError

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        base = f"{ins[0].owner}.{ins[0].param}"
        axes, shape = ins[0].axes, ins[0].shape
        return (
            Out(f"{base}@new", axes, shape, role=Role.PARAM),
            *(Out(f"{base}.{m}@new", axes, shape, role=Role.STATE) for m in self.moments),
        )

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        old = [np.asarray(read(v)[cell], np.float64) for v in op.ins]
        new = [float(v) for v in self.reference(old, op.attrs, ctx)]
        before = float(old[0] if out == 0 else old[out + 1])
        first = op.ins[0 if out == 0 else out + 1]
        stays = Term(((first.id, cell, before),), before, "old")
        mask = lock_of(op)
        if not ctx.controls.get(APPLY, 1.0) or (mask is not None and read(mask)[cell]):
            return Terms("sum", (stays,), new[out], float(read(op.outs[out])[cell]), LOCKED_NOTE)
        terms = (
            stays,
            Term(((op.ins[1].id, cell, float(old[1])),), new[out] - before, "step"),
        )
        return Terms("sum", terms, new[out], float(read(op.outs[out])[cell]), self.note)

    def cases(self) -> Iterable[Case]:
        ctx = Context(
            1,
            {
                "lr": 0.01,
                "momentum": 0.9,
                "decay": 0.99,
                "beta1": 0.9,
                "beta2": 0.999,
                "epsilon": 1e-8,
                "weight_decay": 0.05,
                "c1": 1 - 0.9**3,
                "c2": 1 - 0.999**3,
            },
            step=2,
        )
        for shape in [(1,), (33, 7), (8, 3, 5, 5)]:
            axes = {1: "out", 2: "out in", 4: "out in kH kW"}[len(shape)]
            values = [
                Value("w@old", tuple(axes.split()), shape, role=Role.PARAM, owner="layer", param="weight"),
                value("g", axes, shape, Role.GRAD),
            ]
            values += [Value(f"{m}@old", tuple(axes.split()), shape, role=Role.STATE) for m in self.moments]
            arrays = [normal(1, *shape), normal(2, *shape)]
            arrays += [np.abs(normal(3 + i, *shape)) for i in range(len(self.moments))]
            yield Case(tuple(values), tuple(arrays), {}, ctx, str(shape), smooth=False)
            if len(shape) == 2:
                lock = Value("lock@old", tuple(axes.split()), shape, role=Role.STATE)
                locked = (normal(9, *shape) > 0).astype(np.float32)
                yield Case((*values, lock), (*arrays, locked), {}, ctx, "locked", smooth=False)


def lock_of(op: Op) -> Value | None:
    """The mask of an update; None where nothing can be locked."""
    rule = REGISTRY[op.kind]
    free = 2 + len(rule.moments) if isinstance(rule, Update) else len(op.ins)
    return op.ins[free] if len(op.ins) > free else None


def kept_of(op: Op) -> tuple[Value, ...]:
    """What an update makes anew, as it was: the weight and its moments."""
    return (op.ins[0], *op.ins[2 : len(op.outs) + 1])


@register
class SGD(Update):
    """w - lr g."""

    kind = "sgd"
    controls = ("lr",)
    note = r"w \leftarrow w - \eta \, g"

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        w, g = ins
        return (w - w.dtype.type(ctx.controls["lr"]) * g,)


@register
class Momentum(Update):
    """v = momentum v + g; w - lr v."""

    kind = "momentum"
    controls = ("lr", "momentum")
    moments = ("velocity",)
    note = r"v \leftarrow \mu v + g, \quad w \leftarrow w - \eta v"

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        w, g, v = ins
        t = w.dtype.type
        v = t(ctx.controls["momentum"]) * v + g
        return w - t(ctx.controls["lr"]) * v, v


@register
class RMSProp(Update):
    """s = decay s + (1 - decay) g²; w - lr g / (sqrt(s) + epsilon)."""

    kind = "rmsprop"
    controls = ("lr", "decay", "epsilon")
    moments = ("square",)
    note = r"s \leftarrow \rho s + (1 - \rho) g^2, \quad w \leftarrow w - \eta \, g / (\sqrt{s} + \epsilon)"

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        w, g, s = ins
        t = w.dtype.type
        decay = t(ctx.controls["decay"])
        s = decay * s + (1 - decay) * g * g
        return w - t(ctx.controls["lr"]) * g / (np.sqrt(s) + t(ctx.controls["epsilon"])), s


@register
class Adam(Update):
    """m, v running means of g and g²; w - (lr / c1) m / (sqrt(v) / sqrt(c2) + epsilon)."""

    kind = "adam"
    controls: ClassVar[tuple[str, ...]] = ("lr", "beta1", "beta2", "epsilon", "c1", "c2")
    moments = ("m", "v")
    note = (
        r"m \leftarrow \beta_1 m + (1-\beta_1) g, \; v \leftarrow \beta_2 v + (1-\beta_2) g^2, \; "
        r"w \leftarrow w - \eta \, \hat{m} / (\sqrt{\hat{v}} + \epsilon)"
    )

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        w, g, m, v = ins
        t = w.dtype.type
        b1, b2 = t(ctx.controls["beta1"]), t(ctx.controls["beta2"])
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        step = t(ctx.controls["lr"] / ctx.controls["c1"])
        return w - step * m / (np.sqrt(v) / t(np.sqrt(ctx.controls["c2"])) + t(ctx.controls["epsilon"])), m, v


@register
class Nesterov(Update):
    """v = momentum v + g; w - lr (g + momentum v): the gradient as if the step were taken already."""

    kind = "nesterov"
    controls = ("lr", "momentum")
    moments = ("velocity",)
    note = r"v \leftarrow \mu v + g, \quad w \leftarrow w - \eta (g + \mu v)"

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        w, g, v = ins
        t = w.dtype.type
        momentum = t(ctx.controls["momentum"])
        v = momentum * v + g
        return w - t(ctx.controls["lr"]) * (g + momentum * v), v


@register
class AdaGrad(Update):
    """s = s + g²; w - lr g / (sqrt(s) + epsilon)."""

    kind = "adagrad"
    controls = ("lr", "epsilon")
    moments = ("square_sum",)
    note = r"s \leftarrow s + g^2, \quad w \leftarrow w - \eta \, g / (\sqrt{s} + \epsilon)"

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        w, g, s = ins
        t = w.dtype.type
        s = s + g * g
        return w - t(ctx.controls["lr"]) * g / (np.sqrt(s) + t(ctx.controls["epsilon"])), s


@register
class AdaDelta(Update):
    """s and d: running means of g² and u², with u = g sqrt(d + epsilon) / sqrt(s + epsilon); w - lr u."""

    kind = "adadelta"
    controls = ("lr", "decay", "epsilon")
    moments = ("square", "delta")
    note = (
        r"s \leftarrow \rho s + (1-\rho) g^2, \; u = g \sqrt{d + \epsilon} / \sqrt{s + \epsilon}, \; "
        r"d \leftarrow \rho d + (1-\rho) u^2, \; w \leftarrow w - \eta u"
    )

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        w, g, s, d = ins
        t = w.dtype.type
        decay, epsilon = t(ctx.controls["decay"]), t(ctx.controls["epsilon"])
        s = decay * s + (1 - decay) * g * g
        u = np.sqrt(d + epsilon) / np.sqrt(s + epsilon) * g
        return w - t(ctx.controls["lr"]) * u, s, decay * d + (1 - decay) * u * u


@register
class AdamW(Adam):
    """w - lr weight_decay w, then as Adam: the weights shrink by themselves, whatever the gradient."""

    kind = "adamw"
    controls = ("lr", "beta1", "beta2", "epsilon", "c1", "c2", "weight_decay")
    note = (
        r"m \leftarrow \beta_1 m + (1-\beta_1) g, \; v \leftarrow \beta_2 v + (1-\beta_2) g^2, \; "
        r"w \leftarrow (1 - \eta \lambda) w - \eta \, \hat{m} / (\sqrt{\hat{v}} + \epsilon)"
    )

    def step(self, ins: Sequence[Array], ctx: Context) -> tuple[Array, ...]:
        shrink = ins[0].dtype.type(1.0 - ctx.controls["lr"] * ctx.controls["weight_decay"])
        return super().step((shrink * ins[0], *ins[1:]), ctx)
