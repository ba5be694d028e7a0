"""Launches of convolution and pooling."""

from __future__ import annotations

from engine.backends.opencl.chain import Site
from engine.backends.opencl.emit import Emission, ceil_div, emits, pads, pair, reads, writes
from engine.backends.opencl.kernel import Launch, Pointer
from engine.values import Op, Value

WIDE = 24
"""Columns of a kernel that are still kept in registers; wider ones take plain loops."""
ROW = 64
"""Registers a tile of conv_forward reads of one row, at most."""
UNROLLED = 4096
"""Multiplications of the tiles at the edges, which are written out; more would take a driver minutes."""


def inside(out: int, size: int, kernel: int, stride: int, before: int, tile: int) -> tuple[int, int]:
    """First and last-plus-one output column, in whole tiles, whose windows lie inside the picture."""
    first = ceil_div(max(before, 0), stride)
    last = (size + before - kernel) // stride + 1  # columns below this end inside
    start = min(ceil_div(first, tile) * tile, ceil_div(out, tile) * tile)
    stop = max(start, min(last, out) // tile * tile)
    return start, stop


def forward(weights: Pointer, x: Value, bias: Value | None, shapes: dict[str, int], site: Site) -> Launch:
    """A convolution of `x`, its shapes under the names of the kernel."""
    t = site.target
    g = shapes
    ot = 8 if g["OUT_C"] >= 8 else 4 if g["OUT_C"] >= 4 else g["OUT_C"]
    xt = 2 if ot == 8 else 4
    if g["IN_C"] == 1 and g["OUT_C"] % 4 == 0 and t.vw > 1:
        ot, xt = 4, 4
    xt = min(xt, g["OUT_W"]) if (xt - 1) * g["SX"] + g["KW"] <= ROW else 1
    start, stop = inside(g["OUT_W"], g["IN_W"], g["KW"], g["SX"], g["LEFT"], xt)
    if (
        start + (ceil_div(g["OUT_W"], xt) * xt - stop) > 16 * xt
    ):  # too many edge tiles to unroll: never for small kernels
        xt = 1
        start, stop = inside(g["OUT_W"], g["IN_W"], g["KW"], g["SX"], g["LEFT"], 1)
    pointers = [weights, reads("X", x), *([reads("bias", bias)] if bias else [])]
    edges = start + ceil_div(g["OUT_W"], xt) * xt - stop
    if g["KW"] > WIDE or edges * ot * g["KW"] > UNROLLED:
        defines: dict[str, object] = {**g, "HAS_BIAS": int(bias is not None)}
        return Launch("conv_forward_wide", defines, pointers, (t.lanes // t.vw, g["OUT_H"], g["OUT_C"]))
    return Launch(
        "conv_forward",
        {**g, "OT": ot, "XT": xt, "INSIDE_FROM": start, "INSIDE_TO": stop, "HAS_BIAS": int(bias is not None)},
        pointers,
        (t.lanes // t.vw, g["OUT_H"], ceil_div(g["OUT_C"], ot)),
    )


@emits("conv2d")
def conv2d(op: Op, site: Site) -> Emission:
    k, x = op.ins[:2]
    (sy, sx), (top, left, _, _) = pair(op.attrs, "stride"), pads(op.attrs)
    shapes = {
        "IN_C": x.shape[0],
        "IN_H": x.shape[1],
        "IN_W": x.shape[2],
        "OUT_C": k.shape[0],
        "OUT_H": op.out.shape[1],
        "OUT_W": op.out.shape[2],
        "KH": k.shape[2],
        "KW": k.shape[3],
        "SY": sy,
        "SX": sx,
        "TOP": top,
        "LEFT": left,
    }
    return Emission([forward(reads("WEIGHTS", k), x, op.ins[2] if len(op.ins) > 2 else None, shapes, site)])


@emits("conv2d_dx")
def conv2d_dx(op: Op, site: Site) -> Emission:
    k, d = op.ins
    t = site.target
    (sy, sx), (top, left, _, _) = pair(op.attrs, "stride"), pads(op.attrs)
    out_c, in_c, kh, kw = k.shape
    if (sy, sx) == (1, 1):
        flip = Launch(
            "conv_flip",
            {"OUT_C": out_c, "IN_C": in_c, "KH": kh, "KW": kw},
            [reads("WEIGHTS", k), Pointer("FLIPPED", "flipped", write=True)],
            (in_c,),
        )
        shapes = {
            "IN_C": out_c,
            "IN_H": d.shape[1],
            "IN_W": d.shape[2],
            "OUT_C": in_c,
            "OUT_H": op.out.shape[1],
            "OUT_W": op.out.shape[2],
            "KH": kh,
            "KW": kw,
            "SY": 1,
            "SX": 1,
            "TOP": kh - 1 - top,
            "LEFT": kw - 1 - left,
        }
        return Emission(
            [flip, forward(Pointer("WEIGHTS", "flipped"), d, None, shapes, site)],
            scratch={"flipped": k.size},
        )
    ot = min(8, in_c)
    return Emission(
        [
            Launch(
                "conv_dx",
                {
                    "IN_C": in_c,
                    "IN_H": op.out.shape[1],
                    "IN_W": op.out.shape[2],
                    "D_C": out_c,
                    "D_H": d.shape[1],
                    "D_W": d.shape[2],
                    "KH": kh,
                    "KW": kw,
                    "SY": sy,
                    "SX": sx,
                    "TOP": top,
                    "LEFT": left,
                    "OT": ot,
                },
                [reads("WEIGHTS", k), reads("D", d)],
                (t.lanes // t.vw, op.out.shape[1], ceil_div(in_c, ot)),
            )
        ]
    )


@emits("conv2d_dw")
def conv2d_dw(op: Op, site: Site) -> Emission:
    d, x = op.ins
    (sy, sx), (top, left, _, _) = pair(op.attrs, "stride"), pads(op.attrs)
    kh, kw = pair(op.attrs, "kernel")
    shapes = {
        "IN_C": x.shape[0],
        "IN_H": x.shape[1],
        "IN_W": x.shape[2],
        "OUT_C": d.shape[0],
        "OUT_H": d.shape[1],
        "OUT_W": d.shape[2],
        "KH": kh,
        "KW": kw,
        "SY": sy,
        "SX": sx,
        "TOP": top,
        "LEFT": left,
    }
    return weights_gradient(d, x, shapes, site)


def weights_gradient(d: Value, x: Value, shapes: dict[str, int], site: Site) -> Emission:
    """The gradient of a convolution's kernels, its shapes as in `forward`."""
    g = shapes
    out_c, in_c, kh, kw, sx, left = (g[k] for k in ("OUT_C", "IN_C", "KH", "KW", "SX", "LEFT"))
    ot = max(1, min(out_c, 24 // kw))
    ot = 1 << (ot.bit_length() - 1)
    if site.target.cpu:  # enough work-items for the cores
        while ot > 1 and in_c * kh * ceil_div(out_c, ot) < 2 * site.target.units:
            ot //= 2
    start, stop = inside(g["OUT_W"], g["IN_W"], kw, sx, left, 1)
    defines: dict[str, object] = {
        **{k: g[k] for k in ("IN_C", "IN_H", "IN_W", "KH", "KW", "SY", "SX", "TOP", "LEFT")},
        "D_C": out_c,
        "D_H": g["OUT_H"],
        "D_W": g["OUT_W"],
        "LIVE": site.controls["n"],
    }
    pointers = [reads("D", d), reads("X", x)]
    if kw > WIDE or (start + g["OUT_W"] - stop) * ot * kw > UNROLLED:
        size: tuple[int, ...] = (in_c * kh * kw, out_c)
        return Emission([Launch("conv_dw_wide", defines, pointers, size, controls=True)], "cell")
    defines |= {"OT": ot, "INSIDE_FROM": start, "INSIDE_TO": stop}
    size = (in_c * kh, ceil_div(out_c, ot))
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
