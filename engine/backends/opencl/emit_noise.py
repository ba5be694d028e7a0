"""Launches of what is drawn at random in training: whole maps left out, normal noise."""

from __future__ import annotations

from engine.backends.opencl.chain import Site, number
from engine.backends.opencl.emit import Emission, ceil_div, emits, reads, writes
from engine.backends.opencl.emit_samples import own_controls, random_numbers
from engine.backends.opencl.kernel import Launch
from engine.gaussian import OCTAVES
from engine.values import Op


@emits("spatial_dropout")
def spatial_dropout(op: Op, site: Site) -> Emission:
    t, x = site.target, op.ins[0]
    channels, cells = x.shape[0], x.rows // x.shape[0]
    chunk = x.shape[2] if len(x.shape) == 4 else cells
    defines = {**random_numbers(op, site), "CHANNELS": channels, "CELLS": cells, "CHUNK": chunk,
               "RATE": site.controls[own_controls(op)[0]]}  # fmt: skip
    pointers = [reads("X", x), writes("MASK", op.outs[1])]
    size = (t.lanes // t.vw, ceil_div(channels, 4), ceil_div(cells, chunk))
    return Emission([Launch("spatial_dropout", defines, pointers, size, controls=True)])


@emits("gaussian_noise")
def gaussian_noise(op: Op, site: Site) -> Emission:
    t, x = site.target, op.ins[0]
    table = ", ".join(f"{{{', '.join(number(c) for c in octave)}}}" for octave in OCTAVES)
    defines = {**random_numbers(op, site), "ROWS": x.rows, "OCTAVES": table,
               "SIGMA": site.controls[own_controls(op)[0]]}  # fmt: skip
    pointers = [reads("X", x), writes("NOISE", op.outs[1])]
    return Emission(
        [Launch("gaussian_noise", defines, pointers, (t.lanes // t.vw, ceil_div(x.rows, 4)), controls=True)]
    )
