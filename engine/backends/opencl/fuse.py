"""Which ops share a launch, in which order, and which new state may take the memory of the old.

A traced plan has one group per op, in program order. A fast plan lets cell by cell ops ride behind the
kernel that makes their input (or behind each other), and lets an update write the new weight over the
old one once nobody needs the old one any more. Neither changes what is computed for any cell.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.backends.opencl.chain import BATCH_ONLY, RULES, main_inputs
from engine.backends.opencl.emit import EMITTERS
from engine.values import Op, Program, Role, Value

ENDS_PLAIN = {
    "concatenate", "split", "gather_labels", "random_affine", "softmax_xent_grad", "affine_matrix",
    "affine_matrix_dx", "affine_matrix_dw", "affine_warp_dx", "affine_warp_dw",
    "square_sum", "l1", "l2", "max_norm",
}  # fmt: skip
"""Kinds without an epilogue of their own."""


@dataclass
class Grouped:
    """Ops of one group: the first may need a kernel of its own (`anchor`), the others are a chain."""

    ops: list[int]
    anchor: bool


@dataclass
class Fusion:
    """Groups in the order of their launches."""

    groups: list[Grouped] = field(default_factory=list)
    elided: frozenset[str] = frozenset()
    """Values that live in registers only."""
    in_place: dict[str, str] = field(default_factory=dict)
    """New state value -> the old one whose memory it takes."""
    traced: bool = False


def aliases(program: Program) -> dict[str, str]:
    """View id -> base id, for views that show all of their base."""
    found = {}
    for v in program.values.values():
        if v.view and v.view.offset == 0 and v.size == program.values[v.view.base].size:
            found[v.id] = v.view.base
    return found


def traced(program: Program) -> Fusion:
    """Every op on its own, every value kept."""
    return Fusion([Grouped([i], op.kind not in RULES) for i, op in enumerate(program.ops)], traced=True)


def fused(program: Program, keep: Sequence[str]) -> Fusion:
    """The fast order."""
    alias = aliases(program)
    owner: dict[str, int] = {}  # storage id -> group that writes it
    groups: list[Grouped] = []
    depends: list[set[int]] = []  # groups each group reads from
    for i, op in enumerate(program.ops):
        sources = {owner[_base(v)] for v in op.ins if _base(v) in owner}
        home = None
        if op.kind in RULES:
            home = _home(program, op, groups, sources, owner, alias, depends)
        if home is None:
            home = len(groups)
            groups.append(Grouped([], op.kind not in RULES))
            depends.append(set())
        groups[home].ops.append(i)
        depends[home] |= sources - {home}
        for v in op.outs:
            owner[v.id] = home
    in_place = _in_place(program, groups, owner, depends)
    order = _order(groups, depends)
    groups = [groups[g] for g in order]
    return Fusion(groups, _elided(program, groups, keep, alias), in_place)


def _base(v: Value) -> str:
    return v.view.base if v.view else v.id


def _home(
    program: Program,
    op: Op,
    groups: list[Grouped],
    sources: set[int],
    owner: dict[str, int],
    alias: dict[str, str],
    depends: list[set[int]],
) -> int | None:
    """The group this cell by cell op can ride behind: one that makes a main input of its size."""
    main = [alias.get(v.id, v.id) for v in main_inputs(op)]
    for home in sorted({owner[m] for m in main if m in owner}, reverse=True):
        group = groups[home]
        first = program.ops[group.ops[0]]
        made = {first.out.id} if group.anchor else set()
        made |= {v.id for i in group.ops[group.anchor :] for v in program.ops[i].outs}
        if not made & set(main) or (group.anchor and first.kind in ENDS_PLAIN):
            continue
        if (
            first.out.role is Role.SCALAR
            or first.out.dtype != "f32"
            or first.out.size != op.out.size
            or first.out.batched != op.out.batched
            or (op.kind in BATCH_ONLY and not first.out.batched)
        ):
            continue
        if any(other != home and _reaches(other, home, depends) for other in sources):
            continue
        return home
    return None


def _reaches(start: int, goal: int, depends: list[set[int]]) -> bool:
    """Whether group `start` needs group `goal`, directly or not."""
    seen, stack = {start}, [start]
    while stack:
        for g in depends[stack.pop()]:
            if g == goal:
                return True
            if g not in seen:
                seen.add(g)
                stack.append(g)
    return False


def _in_place(
    program: Program, groups: list[Grouped], owner: dict[str, int], depends: list[set[int]]
) -> dict[str, str]:
    """New state that may overwrite the old; adds the order this asks for to `depends`."""
    where = {i: g for g, group in enumerate(groups) for i in group.ops}
    found: dict[str, str] = {}
    for old, new in program.commits:
        if new.id not in owner:
            continue
        writer = owner[new.id]
        op = next(program.ops[i] for i in groups[writer].ops if new in program.ops[i].outs)
        if op.kind != "max_norm" and (old not in op.ins or (op.kind not in RULES and op.kind != "batchnorm")):
            continue
        readers = [i for i in program.readers(old.id) if program.ops[i] is not op]
        if any(where[i] == writer for i in readers):
            continue
        others = {where[i] for i in readers}
        if any(_reaches(g, writer, depends) for g in others):
            continue
        depends[writer] |= others
        found[new.id] = old.id
    return found


def _order(groups: list[Grouped], depends: list[set[int]]) -> list[int]:
    """Groups after what they need, else in program order."""
    waiting = {g: set(d) for g, d in enumerate(depends)}
    followers: dict[int, list[int]] = {}
    for g, d in waiting.items():
        for other in d:
            followers.setdefault(other, []).append(g)
    ready = [(groups[g].ops[0], g) for g, d in waiting.items() if not d]
    heapq.heapify(ready)
    order = []
    while ready:
        _, g = heapq.heappop(ready)
        order.append(g)
        for f in followers.get(g, ()):
            waiting[f].discard(g)
            if not waiting[f]:
                heapq.heappush(ready, (groups[f].ops[0], f))
    assert len(order) == len(groups), "groups depend on each other in a circle"
    return order


def _elided(
    program: Program, groups: list[Grouped], keep: Sequence[str], alias: dict[str, str]
) -> frozenset[str]:
    """Results of the chains that nobody outside their group reads."""
    wanted = {_base(program.values[k]) for k in keep if k in program.values}
    wanted |= {new.id for _, new in program.commits}
    wanted |= {v.id for v in (*program.losses, *program.metrics.values())}
    if program.mode == "gradients":
        wanted |= {_base(v) for v in program.gradients.values()}
    where = {i: g for g, group in enumerate(groups) for i in group.ops}
    out = set()
    for g, group in enumerate(groups):
        for place, i in enumerate(group.ops):
            op = program.ops[i]
            results = op.outs[:1] if place == 0 and group.anchor else op.outs
            for v in results:
                if v.id in wanted:
                    continue
                readers = list(program.readers(v.id))
                if all(where[j] == g and _rides(program.ops[j], v, group, program, alias) for j in readers):
                    out.add(v.id)
    return frozenset(out)


def _rides(op: Op, value: Value, group: Grouped, program: Program, alias: dict[str, str]) -> bool:
    """Whether `op`, in the value's own group, takes it from a register."""
    if group.anchor and program.ops[group.ops[0]] is op:
        return False
    return all(
        alias.get(v.id, v.id) == value.id for v in main_inputs(op) if _base(v) == value.id
    ) and not any(_base(v) == value.id for v in op.ins[len(main_inputs(op)) :])


def known(op: Op) -> bool:
    """Whether this backend computes ops of this kind."""
    return op.kind in RULES or op.kind in EMITTERS or op.kind == "concatenate"
