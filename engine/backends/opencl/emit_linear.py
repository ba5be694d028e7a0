"""Launches of dense layers."""

from __future__ import annotations

from engine.backends.opencl.chain import Site
from engine.backends.opencl.emit import Emission, ceil_div, emits, reads
from engine.backends.opencl.emit_pictures import forward, weights_gradient
from engine.backends.opencl.kernel import Launch, Pointer
from engine.values import Op, Value

ROWS, REGISTERS = 8, 2
"""Tile of lanes_product: rows by registers of lanes."""
DW_ROWS, DW_REGISTERS = 4, (5, 4, 3, 2)
"""Tile of dense_dw: rows by registers of columns; of these counts the one that leaves least over."""


def _product(a: Value, at: str, x: Value, bias: Value | None, m: int, k: int, site: Site) -> Emission:
    """A launch of lanes_product: OUT (m, N) = A (m, k) · X (k, N)."""
    t = site.target
    nv = t.lane_tile(REGISTERS)
    rows = min(ROWS if nv == REGISTERS else 8, m)
    if t.cpu and m > 1:  # both cores want work
        rows = min(rows, max(1, ceil_div(m * (t.lanes // (t.vw * nv)), t.units)))
    pointers = [reads("A", a), reads("X", x), *([reads("bias", bias)] if bias else [])]
    return Emission(
        [
            Launch(
                "lanes_product",
                {"M": m, "K": k, "MR": rows, "NV": nv, "HAS_BIAS": int(bias is not None), "A_AT(r, k)": at},
                pointers,
                (t.lanes // (t.vw * nv), ceil_div(m, rows)),
            )
        ]
    )


def _places(inputs: int, outputs: int, x: Value) -> dict[str, int]:
    """A product at every position of a sequence is a convolution with a kernel of one cell."""
    width = x.rows // x.shape[0]
    return {
        "IN_C": inputs, "IN_H": 1, "IN_W": width, "OUT_C": outputs, "OUT_H": 1, "OUT_W": width,
        "KH": 1, "KW": 1, "SY": 1, "SX": 1, "TOP": 0, "LEFT": 0,
    }  # fmt: skip


@emits("dense")
def dense(op: Op, site: Site) -> Emission:
    w, x = op.ins[:2]
    m, k = w.shape
    if len(x.axes) > 2:
        bias = op.ins[2] if len(op.ins) > 2 else None
        return Emission([forward(reads("WEIGHTS", w), x, bias, _places(k, m, x), site)])
    return _product(w, f"((r) * {k} + (k))", x, op.ins[2] if len(op.ins) > 2 else None, m, k, site)


@emits("dense_dx")
def dense_dx(op: Op, site: Site) -> Emission:
    w, d = op.ins
    m, k = w.shape
    if len(d.axes) > 2:
        shape = {"OUT_C": m, "IN_C": k, "KH": 1, "KW": 1}
        pointers = [reads("WEIGHTS", w), Pointer("FLIPPED", "turned", write=True)]
        turn = Launch("conv_flip", dict(shape), pointers, (k,))
        back = forward(Pointer("WEIGHTS", "turned"), d, None, _places(m, k, d), site)
        return Emission([turn, back], scratch={"turned": w.size})
    return _product(w, f"((k) * {k} + (r))", d, None, k, m, site)


@emits("dense_dw")
def dense_dw(op: Op, site: Site) -> Emission:
    d, x = op.ins
    t = site.target
    if len(x.axes) > 2:
        return weights_gradient(d, x, _places(x.shape[0], d.shape[0], x), site)
    m, k = d.shape[0], x.rows
    stride = ceil_div(k, max(t.vw, t.pw)) * max(t.vw, t.pw)
    registers = ceil_div(k, t.pw)
    fitting = [c for c in DW_REGISTERS if c <= registers] if t.cpu else []
    nv = min(fitting, key=lambda c: -registers % c, default=1)
    rows = min(DW_ROWS, m)
    columns = ceil_div(k, t.pw * nv)
    if t.cpu:
        rows = min(rows, max(1, ceil_div(m * columns, 2 * t.units)))
    turn = Launch(
        "transpose",
        {"ROWS": k, "STRIDE": stride},
        [reads("X", x), Pointer("T", "turned", write=True)],
        (t.lanes // t.vw, stride // t.vw),
    )
    product = Launch(
        "dense_dw",
        {"M": m, "K": k, "MR": rows, "NV": nv, "STRIDE": stride, "LIVE": site.controls["n"]},
        [reads("D", d), Pointer("XT", "turned")],
        (columns, ceil_div(m, rows)),
        controls=True,
    )
    return Emission([turn, product], "cells", scratch={"turned": t.lanes * stride})


@emits("sum_samples")
def sum_samples(op: Op, site: Site) -> Emission:
    (d,) = op.ins
    channels = d.shape[0]
    return Emission(
        [
            Launch(
                "sum_samples",
                {"CHANNELS": channels, "CELLS": d.rows // channels},
                [reads("D", d)],
                (channels,),
            )
        ],
        "cell",
    )
