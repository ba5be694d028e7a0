"""Launches of attention: products and shares of every head."""

from __future__ import annotations

from typing import cast

from engine.backends.opencl.chain import Site, number
from engine.backends.opencl.emit import Emission, emits, reads
from engine.backends.opencl.kernel import Launch
from engine.values import Op


@emits("heads_scores")
def heads_scores(op: Op, site: Site) -> Emission:
    t = site.target
    a, b = op.ins
    heads = cast(int, op.attrs["heads"])
    defines = {
        "SIZE": a.shape[0] // heads,
        "ROWS": a.shape[1],
        "COLUMNS": b.shape[1],
        "SCALE": number(op.attrs["scale"]),
    }
    size = (t.lanes // t.vw, a.shape[1], heads)
    return Emission([Launch("heads_scores", defines, [reads("A", a), reads("B", b)], size)])


@emits("heads_mix")
def heads_mix(op: Op, site: Site) -> Emission:
    t = site.target
    p, v = op.ins
    heads = cast(int, op.attrs["heads"])
    defines = {
        "SIZE": v.shape[0] // heads,
        "ROWS": op.out.shape[1],
        "COLUMNS": v.shape[1],
        "TURNED": int(cast(bool, op.attrs["turned"])),
        "SCALE": number(op.attrs["scale"]),
    }
    size = (t.lanes // t.vw, op.out.shape[1], heads)
    return Emission([Launch("heads_mix", defines, [reads("P", p), reads("V", v)], size)])


@emits("softmax_rows")
def softmax_rows(op: Op, site: Site) -> Emission:
    t = site.target
    heads, rows, columns, _ = op.out.shape
    defines: dict[str, object] = {
        "ROWS": rows,
        "COLUMNS": columns,
        "CAUSAL": int(cast(bool, op.attrs["causal"])),
    }
    return Emission(
        [Launch("softmax_rows", defines, [reads("S", op.ins[0])], (t.lanes // t.vw, rows, heads))]
    )


@emits("softmax_rows_grad")
def softmax_rows_grad(op: Op, site: Site) -> Emission:
    t = site.target
    heads, rows, columns, _ = op.out.shape
    defines: dict[str, object] = {"ROWS": rows, "COLUMNS": columns, "LIVE": site.controls["n"]}
    pointers = [reads("DP", op.ins[0]), reads("P", op.ins[1])]
    size = (t.lanes // t.vw, rows, heads)
    return Emission([Launch("softmax_rows_grad", defines, pointers, size, controls=True)])
