"""Gradients kept small, weights kept small: expressions, and launches of sums over all cells."""

from __future__ import annotations

from collections.abc import Sequence

from engine.backends.opencl.chain import MAIN_INPUTS, RULES, Cells, Site, number
from engine.backends.opencl.emit import Emission, ceil_div, emits, reads, writes
from engine.backends.opencl.kernel import Launch, Pointer
from engine.ops.accumulating import APPLY
from engine.ops.clipping import SMALLEST
from engine.values import Op, Value

SQUARE, SIZE = "fma(v, v, sum)", "(sum) + fabs(v)"
PART, PARTS = 1024, 256
"""Numbers that one work-item adds up at least, and work-items at most."""


def in_parts(x: Value, site: Site, add: str, result: str = "(s)") -> Emission:
    """A sum over all cells of an unbatched value: parts side by side, then the parts in order.

    `add` takes v and sum, `result` the whole sum s.
    """
    step = site.target.pw
    chunk = max(PART, ceil_div(ceil_div(x.size, PARTS), step) * step)
    count = ceil_div(x.size, chunk)
    first = Launch(
        "part_sums",
        {"TOTAL": x.size, "CHUNK": chunk, "ADD(v, sum)": add},
        [reads("X", x), Pointer("PARTS", "parts", write=True)],
        (count,),
    )
    defines: dict[str, object] = {"COUNT": count, "RESULT(s)": result}
    then = Launch("add_up", defines, [Pointer("PARTS", "parts")], (1,), controls=True)
    return Emission([first, then], "cell", scratch={"parts": count})


@emits("square_sum")
def square_sum(op: Op, site: Site) -> Emission:
    return in_parts(op.ins[0], site, SQUARE)


@emits("l1", "l2")
def penalty(op: Op, site: Site) -> Emission:
    strength = site.control(op.controls[-1])
    if op.kind == "l1":
        return in_parts(op.ins[0], site, SIZE, f"({strength} * (s))")
    return in_parts(op.ins[0], site, SQUARE, f"(0.5f * {strength} * (s))")


@emits("max_norm")
def max_norm(op: Op, site: Site) -> Emission:
    w = op.ins[0]
    locks = [reads("LOCK", v) for v in op.ins[1:]]
    defines: dict[str, object] = {
        "COUNT": w.size // w.shape[0], "HAS_LOCK": len(locks), "LIMIT": site.controls[op.controls[0]],
        "WAITS": f"{site.control(APPLY)} == 0.0f" if APPLY in op.controls else "0",
    }  # fmt: skip
    pointers = [reads("W", w), *locks, writes("OUT", op.out)]
    return Emission([Launch("max_norm", defines, pointers, (w.shape[0],), controls=True)], "none")


def _clip_value(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    limit = f"({c.type})({c.site.control('clip')})"
    return (f"select(clamp({x[0]}, -{limit}, {limit}), {x[0]}, {x[0]} != {x[0]})",)


def _grad_norm(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    return (f"sqrt({' + '.join(x)})",)


def _clip_norm(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    ratio = f"({c.site.control('clip')} / ({others[0]}[step_row] + {number(SMALLEST)}))"
    return (f"{x[0]} * ({ratio} < 1.0f ? {ratio} : 1.0f)",)


def _l1_slope(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    return (f"{c.site.control(op.controls[-1])} * sign({x[0]})",)


def _l2_slope(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    return (f"{c.site.control(op.controls[-1])} * {x[0]}",)


def _accumulate(c: Cells, op: Op, x: Sequence[str], _: Sequence[str]) -> Sequence[str]:
    mean = f"({x[1]} + {x[0]} * {number(1 / int(str(op.attrs['count'])))})"
    return mean, f"({c.site.control(APPLY)} != 0.0f ? ({c.type})(0.0f) : {mean})"


RULES.update(accumulate=_accumulate)
RULES.update(l1_slope=_l1_slope, l2_slope=_l2_slope)
RULES.update(clip_value=_clip_value, grad_norm=_grad_norm, clip_norm=_clip_norm)
MAIN_INPUTS["clip_norm"] = 1
