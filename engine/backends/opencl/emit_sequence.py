"""Launches for sequences: tokens, positions, parts and layer normalization."""

from __future__ import annotations

from engine.backends.opencl.chain import Site
from engine.backends.opencl.emit import Emission, ceil_div, emits, reads, writes
from engine.backends.opencl.kernel import Launch
from engine.values import Op

PART = 16
"""Features of a token's row that one work-item adds up."""


@emits("embedding")
def embedding(op: Op, site: Site) -> Emission:
    t = site.target
    table, tokens = op.ins
    shape = {"COUNT": table.shape[0], "WIDTH": table.shape[1], "LENGTH": tokens.shape[0]}
    size = (t.lanes // t.vw, tokens.shape[0])
    return Emission(
        [Launch("embedding", dict(shape), [reads("TABLE", table), reads("TOKENS", tokens)], size)]
    )


@emits("embedding_dw")
def embedding_dw(op: Op, site: Site) -> Emission:
    tokens, d = op.ins
    count, width = op.out.shape
    defines: dict[str, object] = {
        "COUNT": count,
        "WIDTH": width,
        "LENGTH": tokens.shape[0],
        "PART": min(PART, width),
        "LIVE": site.controls["n"],
    }
    pointers = [reads("TOKENS", tokens), reads("D", d)]
    size = (count, ceil_div(width, PART))
    return Emission([Launch("embedding_dw", defines, pointers, size, controls=True)], "cell")


@emits("positions_dw")
def positions_dw(op: Op, site: Site) -> Emission:
    (d,) = op.ins
    return Emission(
        [Launch("sum_samples", {"CHANNELS": d.rows, "CELLS": 1}, [reads("D", d)], (d.rows,))], "cell"
    )


@emits("split")
def split(op: Op, site: Site) -> Emission:
    """One copy per part."""
    t = site.target
    launches = []
    total = op.out.rows * t.lanes
    chunk = max(1, min(256, ceil_div(total // t.vw, 2 * t.units))) if t.cpu else 1
    for i, out in enumerate(op.outs):
        code = f"STORE(LOAD(X + {i * total} + (at)), OUT + (at));"
        defines: dict[str, object] = {"CHAIN(at)": code, "STEP": t.vw, "TOTAL": total, "CHUNK": chunk}
        pointers = [reads("X", op.ins[0]), writes("OUT", out)]
        launches.append(Launch("elementwise", defines, pointers, (ceil_div(total // t.vw, chunk),)))
    return Emission(launches, "none")
