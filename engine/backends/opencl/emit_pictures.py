"""Launches of convolution and pooling."""

from __future__ import annotations

from engine.backends.opencl.chain import Site
from engine.backends.opencl.emit import Emission, ceil_div, emits, pads, pair, reads, writes
from engine.backends.opencl.kernel import Launch, Pointer
from engine.ops.base import Attrs
from engine.ops.conv1d import as_picture
from engine.ops.convolution import dilation_of, groups_of
from engine.values import Op, Value

WIDE = 24
"""Columns of a kernel that are still kept in registers; wider ones take plain loops."""
ROW = 64
"""Registers a tile of conv_forward reads of one row, at most."""
UNROLLED = 4096
"""Multiplications of the tiles at the edges, which are written out; more would take a driver minutes."""


def inside(out: int, size: int, kernel: int, stride: int, before: int, tile: int) -> tuple[int, int]:
    """First and last-plus-one output column, in whole tiles, whose windows lie inside the picture.

    `kernel`: columns that it reaches over.
    """
    first = ceil_div(max(before, 0), stride)
    last = (size + before - kernel) // stride + 1  # columns below this end inside
    start = min(ceil_div(first, tile) * tile, ceil_div(out, tile) * tile)
    stop = max(start, min(last, out) // tile * tile)
    return start, stop


def slide(k: Value, x: tuple[int, ...], z: tuple[int, ...], attrs: Attrs) -> dict[str, int]:
    """The shapes of a convolution from pictures like x to maps like z under the names of its kernels."""
    (sy, sx), (top, left, _, _), (dy, dx) = pair(attrs, "stride"), pads(attrs), dilation_of(attrs)
    groups = groups_of(attrs)
    return {
        "IN_C": k.shape[1], "IN_H": x[1], "IN_W": x[2], "OUT_C": k.shape[0] // groups, "OUT_H": z[1],
        "OUT_W": z[2], "KH": k.shape[2], "KW": k.shape[3], "SY": sy, "SX": sx, "TOP": top, "LEFT": left,
        "DY": dy, "DX": dx, "GROUPS": groups,
    }  # fmt: skip


def forward(weights: Pointer, x: Value, bias: Value | None, shapes: dict[str, int], site: Site) -> Launch:
    """A convolution of `x`, its shapes as in `slide`."""
    t = site.target
    g = {"DY": 1, "DX": 1, "GROUPS": 1, **shapes}
    ot = 8 if g["OUT_C"] >= 8 else 4 if g["OUT_C"] >= 4 else g["OUT_C"]
    xt = 2 if ot == 8 else 4
    if g["IN_C"] == 1 and g["OUT_C"] % 4 == 0 and t.vw > 1:
        ot, xt = 4, 4
    read = xt * g["KW"] if g["DX"] > 1 else (xt - 1) * g["SX"] + g["KW"]
    xt = min(xt, g["OUT_W"]) if read <= ROW else 1
    reach = (g["KW"] - 1) * g["DX"] + 1
    start, stop = inside(g["OUT_W"], g["IN_W"], reach, g["SX"], g["LEFT"], xt)
    many = g["DX"] == 1 and start + (ceil_div(g["OUT_W"], xt) * xt - stop) > 16 * xt
    if many:  # too many edge tiles to unroll: never for small kernels
        xt = 1
        start, stop = inside(g["OUT_W"], g["IN_W"], reach, g["SX"], g["LEFT"], 1)
    pointers = [weights, reads("X", x), *([reads("bias", bias)] if bias else [])]
    edges = (start + ceil_div(g["OUT_W"], xt) * xt - stop) if g["DX"] == 1 else 0
    filters = g["OUT_C"] * g["GROUPS"]
    if g["KW"] > WIDE or edges * ot * g["KW"] > UNROLLED:
        defines: dict[str, object] = {**g, "HAS_BIAS": int(bias is not None)}
        return Launch("conv_forward_wide", defines, pointers, (t.lanes // t.vw, g["OUT_H"], filters))
    return Launch(
        "conv_forward",
        {**g, "OT": ot, "XT": xt, "INSIDE_FROM": start, "INSIDE_TO": stop, "HAS_BIAS": int(bias is not None)},
        pointers,
        (t.lanes // t.vw, g["OUT_H"], ceil_div(g["OUT_C"], ot) * g["GROUPS"]),
    )


@emits("conv2d", "conv_transpose2d_dx")
def conv2d(op: Op, site: Site) -> Emission:
    k, x = op.ins[:2]
    shapes = slide(k, x.shape, op.out.shape, op.attrs)
    return Emission([forward(reads("WEIGHTS", k), x, op.ins[2] if len(op.ins) > 2 else None, shapes, site)])


@emits("conv2d_dx", "conv_transpose2d")
def conv2d_dx(op: Op, site: Site) -> Emission:
    k, d, *rest = op.ins
    bias = rest[0] if rest else None
    t, x = site.target, op.out
    g = slide(k, x.shape, d.shape, op.attrs)
    if (g["SY"], g["SX"]) == (1, 1):
        flip = Launch(
            "conv_flip",
            {name: g[name] for name in ("OUT_C", "IN_C", "KH", "KW")},
            [reads("WEIGHTS", k), Pointer("FLIPPED", "flipped", write=True)],
            (x.shape[0],),
        )
        shapes = {
            **g, "IN_C": g["OUT_C"], "IN_H": g["OUT_H"], "IN_W": g["OUT_W"],
            "OUT_C": g["IN_C"], "OUT_H": g["IN_H"], "OUT_W": g["IN_W"],
            "TOP": (g["KH"] - 1) * g["DY"] - g["TOP"], "LEFT": (g["KW"] - 1) * g["DX"] - g["LEFT"],
        }  # fmt: skip
        return Emission(
            [flip, forward(Pointer("WEIGHTS", "flipped"), d, bias, shapes, site)],
            scratch={"flipped": k.size},
        )
    ot = min(8, g["IN_C"])
    renamed = {"OUT_C": "D_C", "OUT_H": "D_H", "OUT_W": "D_W"}
    defines: dict[str, object] = {renamed.get(name, name): number for name, number in g.items()}
    defines |= {"OT": ot, "HAS_BIAS": int(bias is not None)}
    pointers = [reads("WEIGHTS", k), reads("D", d), *([reads("bias", bias)] if bias else [])]
    size = (t.lanes // t.vw, g["IN_H"], ceil_div(g["IN_C"], ot) * g["GROUPS"])
    return Emission([Launch("conv_dx", defines, pointers, size)])


@emits("conv2d_dw", "conv_transpose2d_dw")
def conv2d_dw(op: Op, site: Site) -> Emission:
    d, x = op.ins
    return weights_gradient(d, x, slide(op.out, x.shape, d.shape, op.attrs), site)


@emits("conv1d", "conv1d_dx", "conv1d_dw")
def conv1d(op: Op, site: Site) -> Emission:
    picture = as_picture(op)
    return {"conv2d": conv2d, "conv2d_dx": conv2d_dx, "conv2d_dw": conv2d_dw}[picture.kind](picture, site)


def weights_gradient(d: Value, x: Value, shapes: dict[str, int], site: Site) -> Emission:
    """The gradient of a convolution's kernels, its shapes as in `slide`."""
    g = {"DY": 1, "DX": 1, "GROUPS": 1, **shapes}
    out_c, in_c, kh, kw, sx, left = (g[k] for k in ("OUT_C", "IN_C", "KH", "KW", "SX", "LEFT"))
    channels = in_c * g["GROUPS"]
    ot = max(1, min(out_c, 24 // kw))
    ot = 1 << (ot.bit_length() - 1)
    if site.target.cpu:  # enough work-items for the cores
        while ot > 1 and channels * kh * ceil_div(out_c, ot) < 2 * site.target.units:
            ot //= 2
    start, stop = inside(g["OUT_W"], g["IN_W"], (kw - 1) * g["DX"] + 1, sx, left, 1)
    renamed = {"OUT_C": "D_C", "OUT_H": "D_H", "OUT_W": "D_W"}
    defines: dict[str, object] = {renamed.get(name, name): number for name, number in g.items()}
    defines["LIVE"] = site.controls["n"]
    pointers = [reads("D", d), reads("X", x)]
    edges = (start + g["OUT_W"] - stop) if g["DX"] == 1 else 0
    if kw > WIDE or edges * ot * kw > UNROLLED:
        size: tuple[int, ...] = (in_c * kh * kw, out_c * g["GROUPS"])
        return Emission([Launch("conv_dw_wide", defines, pointers, size, controls=True)], "cell")
    defines |= {"OT": ot, "INSIDE_FROM": start, "INSIDE_TO": stop}
    size = (channels * kh, ceil_div(out_c, ot))
    return Emission([Launch("conv_dw", defines, pointers, size, controls=True)], "cell")


def _window(op: Op, small: Value, large: Value) -> dict[str, object]:
    (kh, kw), (sy, sx), (top, left, _, _) = pair(op.attrs, "kernel"), pair(op.attrs, "stride"), pads(op.attrs)
    return {
        "KH": kh,
        "KW": kw,
        "SY": sy,
        "SX": sx,
        "TOP": top,
        "LEFT": left,
        "OUT_H": small.shape[1],
        "OUT_W": small.shape[2],
        "IN_H": large.shape[1],
        "IN_W": large.shape[2],
    }


@emits("maxpool2d", "avgpool2d")
def pool(op: Op, site: Site) -> Emission:
    t, x, y = site.target, op.ins[0], op.out
    extra = [writes("ARGMAX", op.outs[1])] if op.kind == "maxpool2d" else []
    return Emission(
        [
            Launch(
                "maxpool" if extra else "avgpool",
                _window(op, y, x),
                [reads("X", x), *extra],
                (t.lanes // t.vw, y.shape[1], y.shape[0]),
            )
        ]
    )


@emits("maxpool2d_dx", "avgpool2d_dx")
def pool_dx(op: Op, site: Site) -> Emission:
    t, dy, dx = site.target, op.ins[0], op.out
    extra = [reads("ARGMAX", op.ins[1])] if op.kind == "maxpool2d_dx" else []
    return Emission(
        [
            Launch(
                "maxpool_dx" if extra else "avgpool_dx",
                _window(op, dy, dx),
                [reads("DY", dy), *extra],
                (t.lanes // t.vw, dx.shape[1], dx.shape[0]),
            )
        ]
    )
