"""subtract, scale, maximum as expressions; the launch of rearrange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from engine.backends.opencl.chain import RULES, Cells, Site
from engine.backends.opencl.emit import Emission, ceil_div, emits, reads
from engine.backends.opencl.kernel import Launch
from engine.ops.rearranging import places_of
from engine.values import Op


def _maximum(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    text = x[0]
    for other in x[1:]:
        text = f"fmax({text}, {other})"
    return (text,)


def _maximum_grad(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    dy, *xs = x
    own = cast(int, op.attrs["input"])
    wins = [f"({xs[own]} {'>' if i < own else '>='} {other})" for i, other in enumerate(xs) if i != own]
    return (f"select(({c.type})(0.0f), {dy}, {' & '.join(wins)})" if wins else dy,)


RULES["subtract"] = lambda c, op, x, _: (f"{x[0]} - {x[1]}",)
RULES["scale"] = lambda c, op, x, _: (f"{c.constant(op.attrs['factor'])} * {x[0]}",)
RULES["maximum"] = _maximum
RULES["maximum_grad"] = _maximum_grad


@emits("rearrange")
def rearrange(op: Op, site: Site) -> Emission:
    t, p = site.target, places_of(op.attrs)
    rows, columns = op.out.rows, t.lanes // t.vw
    chunk = max(1, min(256, ceil_div(rows * columns, 4 * t.units))) if t.cpu else 1
    defines: dict[str, object] = {
        "ROWS": rows, "CHUNK": chunk, "D1": p.shape[1], "D2": p.shape[2], "OFFSET": f"({p.offset})",
        **{f"S{k}": s for k, s in enumerate(p.strides)},
        **{f"LOW{k}": s for k, s in enumerate(p.low)},
        **{f"HIGH{k}": s for k, s in enumerate(p.high)},
    }  # fmt: skip
    launch = Launch("rearrange", defines, [reads("X", op.ins[0])], (columns, ceil_div(rows, chunk)))
    return Emission([launch])
