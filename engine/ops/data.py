"""Getting the batch on the device: gather from resident data, random affine maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from engine import random
from engine.ops.base import (
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


@register
class Gather(OpRule):
    """ins data (S, ...) float32 or bytes, order (S) -> x (..., N): examples order[pos : pos + n].

    x = data * scale + shift. Attributes scale, shift, capacity, axes. Lanes from n on are zero.
    """

    kind = "gather"
    differentiable = False
    controls = ("pos",)

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        axes = cast("tuple[str, ...]", attrs["axes"])
        return (Out("x", axes, (*ins[0].shape[1:], cast(int, attrs["capacity"])), role=Role.INPUT),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        data, order = ins
        pos = int(ctx.controls["pos"])
        rows = data[order[pos : pos + ctx.n]].astype(np.float32 if data.dtype != np.float64 else np.float64)
        t: Any = rows.dtype.type
        out = np.zeros((*data.shape[1:], cast(int, attrs["capacity"])), rows.dtype)
        out[..., : ctx.n] = np.moveaxis(
            rows * t(cast(float, attrs["scale"])) + t(cast(float, attrs["shift"])), 0, -1
        )
        return (out,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        if cell[-1] >= ctx.n:
            return Terms("sum", (), 0.0, float(read(op.out)[cell]))
        which = int(read(op.ins[1])[int(ctx.controls["pos"]) + cell[-1]])
        raw = float(read(op.ins[0])[(which, *cell[:-1])])
        v = raw * cast(float, op.attrs["scale"]) + cast(float, op.attrs["shift"])
        return Terms(
            "function", (Term(((op.ins[0].id, (which, *cell[:-1]), raw),), v),), v, float(read(op.out)[cell])
        )

    def cases(self) -> Iterable[Case]:
        order = np.random.default_rng(3).permutation(50).astype(np.int32)
        ov = value("order", "S", (50,), Role.INPUT, "i32")
        pixels = np.random.default_rng(4).integers(0, 256, (50, 2, 5, 3)).astype(np.uint8)
        yield Case(
            (value("data", "S C H W", pixels.shape, Role.INPUT, "u8"), ov),
            (pixels, order),
            {"scale": 1 / 255, "shift": 0.0, "capacity": 33, "axes": ("C", "H", "W", "N")},
            Context(33, {"pos": 7}),
            "bytes",
            smooth=False,
        )
        yield Case(
            (value("data", "S F", (50, 7), Role.INPUT), ov),
            (normal(5, 50, 7), order),
            {"scale": 1.0, "shift": 0.0, "capacity": 16, "axes": ("F", "N")},
            Context(5, {"pos": 45}),
            "last batch",
            smooth=False,
        )
        yield Case(
            (value("data", "S F", (50, 1), Role.INPUT), ov),
            (normal(5, 50, 1), order),
            {"scale": 2.0, "shift": -1.0, "capacity": 1, "axes": ("F", "N")},
            Context(1, {"pos": 49}),
            "one",
            smooth=False,
        )


@register
class GatherLabels(OpRule):
    """ins labels (S), order (S) -> target (N): labels[order[pos : pos + n]], 0 from n on."""

    kind = "gather_labels"
    differentiable = False
    controls = ("pos",)

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("labels", ("N",), (cast(int, attrs["capacity"]),), "i32", Role.INPUT),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        pos = int(ctx.controls["pos"])
        out = np.zeros(cast(int, attrs["capacity"]), np.int32)
        out[: ctx.n] = ins[0][ins[1][pos : pos + ctx.n]]
        return (out,)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        if cell[0] >= ctx.n:
            return Terms("sum", (), 0.0, float(read(op.out)[cell]))
        which = int(read(op.ins[1])[int(ctx.controls["pos"]) + cell[0]])
        v = float(read(op.ins[0])[which])
        return Terms("function", (Term(((op.ins[0].id, (which,), v),), v),), v, float(read(op.out)[cell]))

    def cases(self) -> Iterable[Case]:
        order = np.random.default_rng(3).permutation(50).astype(np.int32)
        y = np.random.default_rng(4).integers(0, 10, 50).astype(np.int32)
        for capacity, n, pos in [(33, 33, 7), (16, 5, 45), (1, 1, 0)]:
            yield Case(
                (value("y", "S", (50,), Role.INPUT, "i32"), value("order", "S", (50,), Role.INPUT, "i32")),
                (y, order),
                {"capacity": capacity},
                Context(n, {"pos": pos}),
                f"{n} of {capacity}",
                smooth=False,
            )


@register
class RandomAffine(OpRule):
    """ins () -> matrix (6, N): a random M for each example, rows (a, b, tx, c, d, ty).

    M turns by up to ± rotation degrees, scales by 1 ± scale percent and shifts by ± shift pixels about the
    picture's centre; it maps input to output, x column and y row downward. Controls in this order:
    rotation, scale, shift. Attributes height, width, capacity.
    """

    kind = "random_affine"
    own_controls = ("rotation", "scale", "shift")
    differentiable = False

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (Out("matrix", ("M", "N"), (6, cast(int, attrs["capacity"])), role=Role.SAVED),)

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        u = 2 * random.uniform(ctx.seed, ctx.stream, ctx.step, 4, cast(int, attrs["capacity"])) - 1
        angle = np.deg2rad(u[0] * ctx.controls["rotation"])
        size = 1 + u[1] * ctx.controls["scale"] / 100
        cx, cy = (cast(int, attrs["width"]) - 1) / 2, (cast(int, attrs["height"]) - 1) / 2
        a, b = size * np.cos(angle), -size * np.sin(angle)
        tx = cx + u[2] * ctx.controls["shift"] - a * cx - b * cy
        ty = cy + u[3] * ctx.controls["shift"] + b * cx - a * cy
        return (np.stack([a, b, tx, -b, a, ty]).astype(np.float32),)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        (m,) = self.reference((), op.attrs, ctx)
        v = float(m[cell])
        return Terms("function", (Term((), v),), v, float(read(op.out)[cell]), r"M = T \cdot R \cdot S")

    def cases(self) -> Iterable[Case]:
        for h, w, n in [(28, 28, 33), (7, 9, 1), (8, 8, 16)]:
            yield Case(
                (),
                (),
                {"height": h, "width": w, "capacity": n},
                Context(n, {"rotation": 15.0, "scale": 10.0, "shift": 2.0}, seed=99, step=4, stream=777),
                f"{h}x{w}x{n}",
                smooth=False,
            )
