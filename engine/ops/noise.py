"""spatial_dropout: whole maps left out. gaussian_noise: normal numbers added. Both in training only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from engine import gaussian, random
from engine.ops.base import (
    Array,
    Attrs,
    Case,
    Context,
    OpRule,
    Out,
    Read,
    Recording,
    Term,
    Terms,
    normal,
    register,
    value,
)
from engine.ops.elementwise import Dropout
from engine.values import Op, Role, Value


@register
class SpatialDropout(Dropout):
    """ins X (C, ..., N) -> y = X ⊙ mask, mask: 0 for a whole channel with probability p, else 1 / (1 - p).

    First control: p. Random numbers: feature c of this step's stream for channel c.
    """

    kind = "spatial_dropout"

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (x,) = ins
        p, channels, n = np.float32(ctx.controls["p"]), x.shape[0], x.shape[-1]
        u = random.uniform(ctx.seed, ctx.stream, ctx.step, channels, n).astype(np.float32)
        keep = np.float32(1) / (np.float32(1) - p)
        each = np.where(u >= p, keep, np.float32(0)).reshape(channels, *[1] * (x.ndim - 2), n)
        mask = np.ascontiguousarray(np.broadcast_to(each, x.shape)).astype(x.dtype)
        return x * mask, mask

    def cases(self) -> Iterable[Case]:
        for shape, axes, p in [((5, 3, 2, 7), "C H W N", 0.4), ((6, 5, 9), "F T N", 0.5)]:
            ctx = Context(shape[-1], {"p": p}, seed=2**40 + 7, step=3, stream=12345)
            yield Case((value("x", axes, shape),), (normal(1, *shape),), {}, ctx, f"{shape} p={p}")


@register
class GaussianNoise(OpRule):
    """ins X -> y = X + sigma · noise, noise: standard normal. First control: sigma."""

    kind = "gaussian_noise"
    own_controls = ("sigma",)

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        x = ins[0]
        return (Out("y", x.axes, x.shape), Out("noise", x.axes, x.shape, role=Role.SAVED))

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (x,) = ins
        n = x.shape[-1]
        noise = gaussian.normal(ctx.seed, ctx.stream, ctx.step, x.size // n, n).reshape(x.shape)
        noise = noise.astype(x.dtype)
        return x + x.dtype.type(ctx.controls["sigma"]) * noise, noise

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        return (grads_out[0],)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        noise = float(read(op.outs[1])[cell])
        if out == 1:
            return Terms("function", (Term((), noise),), noise, noise, r"\epsilon \sim \mathcal{N}(0, 1)")
        x, sigma = float(read(op.ins[0])[cell]), float(ctx.controls["sigma"])
        terms = (
            Term(((op.ins[0].id, cell, x),), x),
            Term(((op.outs[1].id, cell, noise),), sigma * noise, f"σ={sigma:.4g}"),
        )
        return Terms.sum_of(terms, float(read(op.out)[cell]), r"y = x + \sigma \epsilon")

    def cases(self) -> Iterable[Case]:
        ctx = Context(33, {"sigma": 0.5}, seed=2**40 + 7, step=3, stream=12345)
        yield Case((value("x", "F N", (7, 33)),), (normal(1, 7, 33),), {}, ctx, "7 x 33")
