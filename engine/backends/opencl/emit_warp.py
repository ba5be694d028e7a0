"""Launches of the affine warp, its matrix, and the way back through both."""

from __future__ import annotations

from typing import cast

from engine.backends.opencl.chain import Site, number
from engine.backends.opencl.emit import Emission, emits, reads, writes
from engine.backends.opencl.kernel import Launch
from engine.ops.affine_matrix import center
from engine.ops.base import Attrs
from engine.ops.warp import method_of
from engine.values import Op

BORDERS = {"zero": 0, "edge": 1, "reflect": 2}


@emits("affine_warp")
def affine_warp(op: Op, site: Site) -> Emission:
    t = site.target
    x, m = op.ins
    side = {"nearest": 1, "bilinear": 2, "bicubic": 4}[method_of(op.attrs)]
    shape = {"CHANNELS": x.shape[0], "HEIGHT": x.shape[1], "WIDTH": x.shape[2]}
    return Emission(
        [
            Launch(
                "affine_warp",
                {**shape, "BORDER": BORDERS[cast(str, op.attrs["border"])], "SIDE": side},
                [reads("X", x), reads("M", m)],
                (t.lanes // t.vw, x.shape[1]),
            )
        ]
    )


@emits("affine_warp_dx", "affine_warp_dw")
def affine_warp_grad(op: Op, site: Site) -> Emission:
    t = site.target
    channels, height, width, _ = op.ins[0].shape
    to_matrix = op.kind == "affine_warp_dw"
    defines = {
        "CHANNELS": channels,
        "HEIGHT": height,
        "WIDTH": width,
        "BORDER": BORDERS[cast(str, op.attrs["border"])],
        "TO_MATRIX": int(to_matrix),
        "LIVE": site.controls["n"],
    }
    between = [reads("X", op.ins[1])] if to_matrix else []
    pointers = [reads("DY", op.ins[0]), *between, reads("M", op.ins[-1]), writes("OUT", op.out)]
    size = (t.lanes // t.vw,) if to_matrix else (t.lanes // t.vw, channels)
    return Emission([Launch("affine_warp_grad", dict(defines), pointers, size, controls=True)], "none")


def _about(attrs: Attrs) -> dict[str, object]:
    """The picture's center and the unit of shifts, as constants."""
    names = ("CX", "CY", "UNIT_X", "UNIT_Y")
    numbers = (*center(attrs), *cast("tuple[float, float]", attrs["unit"]))
    return {name: number(x) for name, x in zip(names, numbers, strict=True)}


@emits("affine_matrix")
def affine_matrix(op: Op, site: Site) -> Emission:
    t = site.target
    defines = {**_about(op.attrs), "ONE": number(float(cast(bool, op.attrs["identity"])))}
    if not op.ins:
        fixed = ", ".join(number(x) for x in cast("tuple[float, ...]", op.attrs["theta"]))
        defines |= {"FIXED": f"{{{fixed}}}", "THETA(k)": "(vf)(fixed[k])"}
    else:
        batched = op.ins[0].batched
        defines["THETA(k)"] = "LOAD(T + (k) * LANES + lane)" if batched else "(vf)(T[k])"
    pointers = [*(reads("T", v) for v in op.ins), writes("OUT", op.out)]
    return Emission([Launch("affine_matrix", defines, pointers, (t.lanes // t.vw,))], "none")


@emits("affine_matrix_dx", "affine_matrix_dw")
def affine_matrix_grad(op: Op, site: Site) -> Emission:
    t = site.target
    shared = op.kind == "affine_matrix_dw"
    defines = {**_about(op.attrs), "SHARED": int(shared), "LIVE": site.controls["n"]}
    pointers = [reads("DM", op.ins[0]), writes("OUT", op.out)]
    size = (1,) if shared else (t.lanes // t.vw,)
    return Emission([Launch("affine_matrix_grad", defines, pointers, size, controls=True)], "none")
