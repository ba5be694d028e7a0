"""From groups of ops to launches: emitters give the kernels, chains their epilogues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import cast

from engine.backends.opencl import (  # noqa: F401 - importing registers the emitters and rules
    emit_attention,
    emit_clipping,
    emit_input_features,
    emit_layer_norm,
    emit_linear,
    emit_noise,
    emit_pictures,
    emit_rearranging,
    emit_recurrent,
    emit_samples,
    emit_sequence,
    emit_upsample,
    emit_warp,
    emit_weighted,
    entry_losses,
    functions,
)
from engine.backends.opencl.chain import Chain, Form, Site
from engine.backends.opencl.emit import EMITTERS, Emission, ceil_div, reads, writes
from engine.backends.opencl.fuse import Fusion, Grouped, aliases
from engine.backends.opencl.kernel import Launch, Pointer, Target
from engine.values import Op, Program, Value

SMALL = 1 << 14
"""Floats: smaller scratch arrays are not shared, so that launches can run side by side."""
MACROS: dict[str, tuple[tuple[str, Form], ...]] = {
    "lanes": (("EPILOGUE(at, v)", "lanes"),),
    "cells": (("EPILOGUE_P(at, v)", "cells"), ("EPILOGUE_S(at, v)", "cell")),
    "cell": (("EPILOGUE_S(at, v)", "cell"),),
}


@dataclass
class Assembled:
    """All launches of a step, in order."""

    launches: list[Launch] = field(default_factory=list)
    scratch: dict[str, int] = field(default_factory=dict)
    """Scratch id -> floats."""
    scratch_room: dict[str, str] = field(default_factory=dict)
    """Scratch id -> name of the room it uses; groups use the same rooms one after the other."""
    gathers: dict[str, Launch] = field(default_factory=dict)
    """Gathered batch -> its launch."""
    copies: list[tuple[Value, Value]] = field(default_factory=list)
    """(old, new) pairs a fast plan must copy after a step, since they could not share memory."""

    def by_group(self) -> list[list[Launch]]:
        """The launches of each group."""
        return [list(part) for _, part in groupby(self.launches, lambda launch: launch.covers)]

    def shared_scratch(self) -> dict[str, int]:
        """Room name -> floats: the largest that uses it."""
        rooms: dict[str, int] = {}
        for id, size in self.scratch.items():
            room = self.scratch_room[id]
            rooms[room] = max(rooms.get(room, 0), size)
        return rooms


def assemble(program: Program, fusion: Fusion, target: Target, columns: Mapping[str, int]) -> Assembled:
    """Launches for the groups of a program."""
    site = Site(target, columns)
    alias = aliases(program)
    out = Assembled()
    for number, group in enumerate(fusion.groups):
        for launch in _launches(program, group, fusion, site, alias, number, out):
            launch.covers = tuple(sorted(group.ops))
            out.launches.append(launch)
    out.copies = [(old, new) for old, new in program.commits if new.id not in fusion.in_place]
    return out


def _launches(
    program: Program,
    group: Grouped,
    fusion: Fusion,
    site: Site,
    alias: Mapping[str, str],
    number: int,
    out: Assembled,
) -> list[Launch]:
    ops = [program.ops[i] for i in group.ops]
    results = {v.id for op in ops for v in op.outs} - fusion.elided
    if not group.anchor:
        return [_elementwise(Chain(site, None, ops, frozenset(results), alias), ops[0].out, site)]
    if ops[0].kind == "concatenate":
        return _concatenate(ops[0], site)
    emission = EMITTERS[ops[0].kind](ops[0], site)
    if emission.epilogue != "none":
        main = emission.launches[emission.main]
        chain = Chain(site, ops[0].out, ops[1:], frozenset(results), alias)
        for macro, form in MACROS[emission.epilogue]:
            main.defines[macro] = chain.code(form)
        main.pointers = [*main.pointers, *chain.pointers()]
        main.controls = main.controls or chain.controls
    launches = _own_scratch(emission, number, out)
    return _with_rows(ops[0], launches, site, alias, out) if not fusion.traced else launches


def _with_rows(
    op: Op, launches: list[Launch], site: Site, alias: Mapping[str, str], out: Assembled
) -> list[Launch]:
    """Let the gather write the batch as rows, too, instead of turning it around for the weight gradient.

    Only in fast plans: the numbers are the same, one launch and one pass over the batch are saved.
    """
    if op.kind == "gather":
        out.gathers[op.out.id] = launches[-1]
        return launches
    source = alias.get(op.ins[1].id, op.ins[1].id) if op.kind == "dense_dw" else ""
    if source not in out.gathers or len(launches) != 2:
        return launches
    turn, product = launches
    id = f"~rows of {source}"
    gather = out.gathers[source]
    if id not in out.scratch:
        stride = cast(int, turn.defines["STRIDE"])
        if stride % site.target.vw or stride != ceil_div(op.ins[1].rows, site.target.vw) * site.target.vw:
            return launches
        gather.defines |= {"ALSO_ROWS": 1, "STRIDE": stride}
        gather.pointers = [*gather.pointers, Pointer("TURNED", id, write=True, restrict=False)]
        out.scratch[id] = site.target.lanes * stride
        out.scratch_room[id] = id
    turned = next(p.value for p in product.pointers if p.name == "XT")
    del out.scratch[turned], out.scratch_room[turned]
    product.pointers = [replace(p, value=id) if p.name == "XT" else p for p in product.pointers]
    return [product]


def _own_scratch(emission: Emission, number: int, out: Assembled) -> list[Launch]:
    """Give the scratch arrays of a group ids of their own."""
    ids = {name: f"~{number}.{name}" for name in emission.scratch}
    for name, size in emission.scratch.items():
        out.scratch[ids[name]] = size
        out.scratch_room[ids[name]] = name if size > SMALL else ids[name]
    for launch in emission.launches:
        launch.pointers = [replace(p, value=ids.get(p.value, p.value)) for p in launch.pointers]
    return emission.launches


def _elementwise(chain: Chain, out: Value, site: Site) -> Launch:
    t = site.target
    batched = out.batched
    total = out.rows * t.lanes if batched else out.size
    step = t.vw if batched else t.pw
    defines: dict[str, object] = {"CHAIN(at)": chain.code("lanes" if batched else "cells")}
    if not batched:
        defines["CHAIN_S(at)"] = chain.code("cell")
    registers = ceil_div(total, step)
    chunk = max(1, min(256, ceil_div(registers, 4 * t.units))) if t.cpu else 1
    defines |= {"STEP": step, "TOTAL": total, "CHUNK": chunk}
    return Launch(
        "elementwise", defines, chain.pointers(), (ceil_div(registers, chunk),), controls=chain.controls
    )


def _concatenate(op: Op, site: Site) -> list[Launch]:
    """One copy per input, each into its rows of the output."""
    launches = []
    row = 0
    t = site.target
    for v in op.ins:
        total = v.rows * t.lanes
        chunk = max(1, min(256, ceil_div(total // t.vw, 2 * t.units))) if t.cpu else 1
        launches.append(
            Launch(
                "elementwise",
                {
                    "CHAIN(at)": f"STORE(LOAD(X + (at)), OUT + {row * t.lanes} + (at));",
                    "STEP": t.vw,
                    "TOTAL": total,
                    "CHUNK": chunk,
                },
                [reads("X", v), writes("OUT", op.out)],
                (ceil_div(total // t.vw, chunk),),
            )
        )
        row += v.rows
    return launches


__all__ = ["Assembled", "assemble"]
