"""The memory plan: no two values that are needed at one time share a slot, by a count of its own."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph import GraphSpec
from engine.plan import MemoryPlan, padded_lanes, plan_memory, value_bytes
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from engine.values import Program, Value
from tests.contract.networks import cnn, residual
from tests.engine.graphs import ready
from tests.engine.test_program import shape_of


def lifetimes(program: Program, keep: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Value id -> (op that writes it, last op that needs it), counted from the ops alone."""
    end = len(program.ops)
    born = {v.id: i for i, op in enumerate(program.ops) for v in op.outs}
    dies = dict(born)
    for i, op in enumerate(program.ops):
        for v in op.ins:
            id = v.id if v.view is None else v.view.base
            if id in dies:
                dies[id] = max(dies[id], i)
    lasting = [new for _, new in program.commits]
    lasting += [*program.losses, *program.metrics.values()]
    lasting += [program.values[k] for k in keep]
    for v in lasting:
        id = v.id if v.view is None else v.view.base
        if id in dies:
            dies[id] = end
    return {id: (born[id], dies[id]) for id in born}


def check_plan(program: Program, plan: MemoryPlan, keep: tuple[str, ...], width: int) -> None:
    alive = lifetimes(program, keep)
    assert set(plan.slot) == set(alive)
    for id, slot in plan.slot.items():
        assert plan.slot_bytes[slot] >= value_bytes(program.values[id], width)
    for a, b in combinations(alive, 2):
        # an op reads its inputs while it writes its outputs: touching lives overlap
        if plan.slot[a] == plan.slot[b]:
            assert alive[a][1] < alive[b][0] or alive[b][1] < alive[a][0], (a, b)


def programs(graph: GraphSpec) -> list[Program]:
    data = DataSpec(shape_of(graph), 4, count=40)
    return [
        record(graph, TrainingSpec(optimizer="momentum"), data, mode, 8)
        for mode in ("train", "eval", "predict")  # type: ignore[misc]
    ]


@given(ready(), st.sampled_from([1, 16]), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_values_alive_together_never_share_a_slot(graph: GraphSpec, width: int, chance: object) -> None:
    for program in programs(graph):
        names = sorted(v.id for op in program.ops for v in op.outs)
        keep = tuple(chance.sample(names, min(2, len(names))))  # type: ignore[attr-defined]
        check_plan(program, plan_memory(program, traced=False, keep=keep, width=width), keep, width)


@given(ready())
@settings(max_examples=30)
def test_traced_gives_every_value_its_own_slot(graph: GraphSpec) -> None:
    for program in programs(graph):
        plan = plan_memory(program, traced=True)
        assert len(set(plan.slot.values())) == len(plan.slot) == sum(len(op.outs) for op in program.ops)


def test_reuse_saves_memory() -> None:
    program = record(cnn(), TrainingSpec(), DataSpec((1, 12, 12), 10, count=40), "train", 32)
    fast, traced = plan_memory(program, traced=False), plan_memory(program, traced=True)
    assert fast.bytes < traced.bytes
    predict = record(cnn(), TrainingSpec(), DataSpec((1, 12, 12), 10), "predict", 32)
    assert sum(plan_memory(predict, traced=False).slot_bytes) < sum(fast.slot_bytes) / 2


def test_groups_keep_what_their_first_op_reads() -> None:
    """A launch of several ops reads all its inputs while it writes: lives are counted in launches."""
    program = record(residual(), TrainingSpec(), DataSpec((2, 9, 9), 10, count=40), "train", 8)
    groups = [range(i, min(i + 2, len(program.ops))) for i in range(0, len(program.ops), 2)]
    plan = plan_memory(program, traced=False, groups=groups)
    place = {i: at for at, group in enumerate(groups) for i in group}
    alive = {id: (place[a], place.get(b, len(groups))) for id, (a, b) in lifetimes(program, ()).items()}
    for a, b in combinations(alive, 2):
        if plan.slot[a] == plan.slot[b]:
            assert alive[a][1] < alive[b][0] or alive[b][1] < alive[a][0], (a, b)


@pytest.mark.parametrize(("capacity", "lanes"), [(1, 1), (2, 16), (16, 16), (17, 32), (33, 48)])
def test_lanes_are_padded_except_for_one(capacity: int, lanes: int) -> None:
    assert padded_lanes(capacity) == lanes
    assert padded_lanes(capacity, 1) == capacity


def test_bytes_of_a_value_are_whole_blocks() -> None:
    assert value_bytes(Value("x", ("F", "N"), (3, 7)), 16) == 64 * 4
    assert value_bytes(Value("x", ("F", "N"), (5, 17)), 16) == 192 * 4
    assert value_bytes(Value("x", ("S", "F"), (65, 1), "u8")) == 128
