"""Launches of larger pictures and of the way back."""

from __future__ import annotations

from engine.backends.opencl.chain import Site
from engine.backends.opencl.emit import Emission, emits, reads
from engine.backends.opencl.kernel import Launch
from engine.ops.upsample import geometry
from engine.values import Op


@emits("upsample", "upsample_dx")
def upsample(op: Op, site: Site) -> Emission:
    t, back = site.target, op.kind == "upsample_dx"
    small = op.out if back else op.ins[0]
    (down, across), bilinear = geometry(op.attrs)
    defines: dict[str, object] = {
        "IN_H": small.shape[1], "IN_W": small.shape[2], "FY": down, "FX": across, "BILINEAR": int(bilinear),
    }  # fmt: skip
    pointers = [reads("DY" if back else "X", op.ins[0])]
    return Emission([Launch(op.kind, defines, pointers, (t.lanes // t.vw, op.out.shape[1], op.out.shape[0]))])
