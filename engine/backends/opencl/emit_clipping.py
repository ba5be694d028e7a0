"""Gradients kept small before the update: expressions, and the launches of a sum of squares."""

from __future__ import annotations

from collections.abc import Sequence

from engine.backends.opencl.chain import MAIN_INPUTS, RULES, Cells, Site, number
from engine.backends.opencl.emit import Emission, ceil_div, emits, reads
from engine.backends.opencl.kernel import Launch, Pointer
from engine.ops.clipping import SMALLEST
from engine.values import Op, Value

PART, PARTS = 1024, 256
"""Numbers that one work-item adds up at least, and work-items at most."""


def in_parts(template: str, x: Value, site: Site) -> Emission:
    """A sum over all cells of an unbatched value: parts side by side, then the parts in order."""
    step = site.target.pw
    chunk = max(PART, ceil_div(ceil_div(x.size, PARTS), step) * step)
    count = ceil_div(x.size, chunk)
    first = Launch(
        template,
        {"TOTAL": x.size, "CHUNK": chunk},
        [reads("X", x), Pointer("PARTS", "parts", write=True)],
        (count,),
    )
    then = Launch("add_up", {"COUNT": count}, [Pointer("PARTS", "parts")], (1,), controls=True)
    return Emission([first, then], "cell", scratch={"parts": count})


@emits("square_sum")
def square_sum(op: Op, site: Site) -> Emission:
    return in_parts("square_sum", op.ins[0], site)


def _clip_value(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    limit = f"({c.type})({c.site.control('clip')})"
    return (f"select(clamp({x[0]}, -{limit}, {limit}), {x[0]}, {x[0]} != {x[0]})",)


def _grad_norm(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    return (f"sqrt({' + '.join(x)})",)


def _clip_norm(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    ratio = f"({c.site.control('clip')} / ({others[0]}[step_row] + {number(SMALLEST)}))"
    return (f"{x[0]} * ({ratio} < 1.0f ? {ratio} : 1.0f)",)


RULES.update(clip_value=_clip_value, grad_norm=_grad_norm, clip_norm=_clip_norm)
MAIN_INPUTS["clip_norm"] = 1
