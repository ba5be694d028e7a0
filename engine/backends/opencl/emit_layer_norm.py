"""Launches of layer and group normalization: the same kernels, told which numbers belong together."""

from __future__ import annotations

from typing import cast

from engine.backends.opencl.chain import Site, number
from engine.backends.opencl.emit import Emission, emits, reads, writes
from engine.backends.opencl.kernel import Launch
from engine.values import Op, Value


def _places(op: Op, x: Value, affine: bool) -> tuple[dict[str, object], int]:
    """What the kernels are told, and how many means there are for each sample."""
    if "groups" in op.attrs:
        cells = cast(int, op.attrs["groups"])
        width, spatial = x.rows // cells, x.rows // x.shape[0]
        at, parameter = "((id1 * WIDTH + (f)) * LANES + lane)", f"[(id1 * WIDTH + (f)) / {spatial}]"
    else:
        width, cells = x.shape[0], x.rows // x.shape[0]
        at, parameter = "((f) * (CELLS * LANES) + cell)", "[f]"
    return {
        "WIDTH": width,
        "CELLS": cells,
        "AT(f)": at,
        "SCALED(hat, f)": f"((hat) * WEIGHT{parameter} + BIAS{parameter})" if affine else "(hat)",
        "WEIGHTED(dy, f)": f"((dy) * WEIGHT{parameter})" if affine else "(dy)",
    }, cells


@emits("layernorm", "groupnorm")
def layernorm(op: Op, site: Site) -> Emission:
    t = site.target
    x, *parameters = op.ins
    defines, cells = _places(op, x, bool(parameters))
    defines["EPSILON"] = number(op.attrs["epsilon"])
    own = [reads(name, v) for name, v in zip(("WEIGHT", "BIAS"), parameters, strict=False)]
    pointers = [reads("X", x), *own, writes("MEAN", op.outs[1]), writes("INVSTD", op.outs[2])]
    return Emission([Launch("layernorm", defines, pointers, (t.lanes // t.vw, cells))])


@emits("layernorm_dx", "groupnorm_dx")
def layernorm_dx(op: Op, site: Site) -> Emission:
    t = site.target
    affine = len(op.ins) == 5
    defines, cells = _places(op, op.ins[1], affine)
    defines["LIVE"] = site.controls["n"]
    names = ("DY", "X", *(("WEIGHT",) if affine else ()), "MEAN", "INVSTD")
    pointers = [reads(name, v) for name, v in zip(names, op.ins, strict=True)]
    return Emission([Launch("layernorm_dx", defines, pointers, (t.lanes // t.vw, cells), controls=True)])


@emits("layernorm_dw", "groupnorm_dw")
def layernorm_dw(op: Op, site: Site) -> Emission:
    x = op.ins[1]
    statistic = "(i)"
    if "groups" in op.attrs:
        statistic = f"(id0 / {x.shape[0] // cast(int, op.attrs['groups'])})"
    cells = x.rows // x.shape[0]
    defines: dict[str, object] = {"CELLS": cells, "STATISTIC(i)": statistic, "LIVE": site.controls["n"]}
    pointers = [reads(name, v) for name, v in zip(("DY", "X", "MEAN", "INVSTD"), op.ins, strict=True)]
    return Emission([Launch("layernorm_dw", defines, pointers, (x.shape[0],), controls=True)], "cell")
