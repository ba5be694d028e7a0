"""Launches of recurrences: positions taken apart and put together, LSTM and GRU cells.

No kernel knows its position: what differs from one to the next are only its buffers, so that one text serves
all positions and is compiled once.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.backends.opencl.chain import MAIN_INPUTS, RULES, Site
from engine.backends.opencl.emit import Emission, ceil_div, emits, reads, writes
from engine.backends.opencl.fuse import ENDS_PLAIN
from engine.backends.opencl.kernel import Launch, Pointer
from engine.values import Op, Value

TOGETHER = 16
"""Positions that one launch copies: a kernel takes only so many arguments."""

RULES["zero_state"] = lambda c, op, x, _: (c.constant(0),)
MAIN_INPUTS["zero_state"] = 0
ENDS_PLAIN.update({"split_time", "stack_time", "lstm_cell", "lstm_cell_grad", "gru_cell", "gru_cell_grad"})


def _copies(whole: Value, parts: Sequence[Value], split: bool, site: Site) -> Emission:
    """Launches that copy between a sequence and its positions."""
    t = site.target
    rows, length = whole.shape[:2]
    launches = []
    for first in range(0, length, TOGETHER):
        some = parts[first : first + TOGETHER]
        lines = []
        for i in range(len(some)):
            there = f"WHOLE + ((row) * {length} + {first + i}) * LANES + lane"
            here = f"P{i} + (row) * LANES + lane"
            lines.append(f"STORE(LOAD({there}), {here});" if split else f"STORE(LOAD({here}), {there});")
        pointers: list[Pointer] = [(reads if split else writes)("WHOLE", whole)]
        pointers += [(writes if split else reads)(f"P{i}", v) for i, v in enumerate(some)]
        defines: dict[str, object] = {"COPY(row, lane)": " ".join(lines)}
        launches.append(Launch("time_copy", defines, pointers, (t.lanes // t.vw, rows)))
    return Emission(launches, "none")


@emits("split_time")
def split_time(op: Op, site: Site) -> Emission:
    return _copies(op.ins[0], op.outs, True, site)


@emits("stack_time")
def stack_time(op: Op, site: Site) -> Emission:
    return _copies(op.out, op.ins, False, site)


def _cell(op: Op, names: Sequence[str], outs: Sequence[str], more: dict[str, object], site: Site) -> Emission:
    t = site.target
    units = op.ins[0].shape[0] if op.kind.endswith("_grad") else op.out.shape[0]
    columns = t.lanes // t.vw
    chunk = max(1, min(16, ceil_div(units * columns, 2 * t.units))) if t.cpu else 1
    pointers = [reads(name, v) for name, v in zip(names, op.ins, strict=False)]
    pointers += [writes(name, v) for name, v in zip(outs, op.outs, strict=True)]
    defines: dict[str, object] = {"UNITS": units, "CHUNK": chunk, **more}
    return Emission([Launch(op.kind, defines, pointers, (columns, ceil_div(units, chunk)))], "none")


@emits("lstm_cell")
def lstm_cell(op: Op, site: Site) -> Emission:
    return _cell(op, ("U", "Q", "BEFORE"), ("H", "GATES", "C"), {}, site)


@emits("lstm_cell_grad")
def lstm_cell_grad(op: Op, site: Site) -> Emission:
    names = ("DH", "GATES", "BEFORE", "C", "LATER")
    return _cell(op, names, ("DA", "DC"), {"HAS_LATER": int(len(op.ins) > 4)}, site)


@emits("gru_cell")
def gru_cell(op: Op, site: Site) -> Emission:
    return _cell(op, ("U", "Q", "BEFORE"), ("H", "GATES"), {}, site)


@emits("gru_cell_grad")
def gru_cell_grad(op: Op, site: Site) -> Emission:
    return _cell(op, ("DH", "GATES", "Q", "BEFORE"), ("DU", "DQ", "PAST"), {}, site)
