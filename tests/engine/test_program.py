"""Recording: what a program is, for any network that is ready; what half-drawn networks say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.base import state_key
from engine.errors import GraphError
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import Add, BatchNorm, Dense, Flatten, Input, Output, ReLU, Reshape
from engine.ops.base import REGISTRY
from engine.optimizers import moments
from engine.program import record
from engine.settings import OPTIMIZER_CHOICES, DataSpec, TrainingSpec
from engine.values import MODES, Mode, Phase, Program, Role
from tests.engine.graphs import half_drawn, ready

OPTIMIZERS = [name for name, _ in OPTIMIZER_CHOICES]


def shape_of(graph: GraphSpec) -> tuple[int, ...]:
    layer = graph.nodes[0].layer
    assert isinstance(layer, Input)
    return layer.shape


def spec(graph: GraphSpec, count: int = 0) -> DataSpec:
    return DataSpec(shape_of(graph), classes=4, count=count)


def check_program(program: Program) -> None:
    """Every promise of `engine.values` about a program."""
    written = {v.id for v in program.inputs}
    assert len(written) == len(program.inputs)
    phases = [op.phase for op in program.ops]
    assert phases == sorted(phases) or set(phases[: phases.index(Phase.BACKWARD)]) <= {
        Phase.AUGMENT,
        Phase.FORWARD,
        Phase.LOSS,
    }
    for op in program.ops:
        for v in op.ins:
            assert (v.view.base if v.view else v.id) in written, (
                f"{op.kind} reads {v.id} before it is written"
            )
            if v.view is not None:
                base = program.values[v.view.base]
                assert base.view is None, "views are resolved"
                assert base.shape[-1] == v.shape[-1]
                assert v.view.offset >= 0
                assert v.view.offset + v.rows <= base.rows
        expected = REGISTRY[op.kind].infer(op.ins, op.attrs)
        assert [(o.axes, o.shape, o.dtype) for o in expected] == [(v.axes, v.shape, v.dtype) for v in op.outs]
        for v in op.outs:
            assert v.id not in written, f"{v.id} is written twice"
            written.add(v.id)
        assert set(op.controls) <= {*program.controls, "c1", "c2"}, op.kind
    for old, new in program.commits:
        assert old in program.inputs
        assert new.id in program.producers
        assert (old.shape, old.dtype) == (new.shape, new.dtype)
    assert len({old.id for old, _ in program.commits}) == len(program.commits)
    for id, gradient in program.gradients.items():
        assert program.values[id].shape == gradient.shape, id
    keys = [state_key(v) for v in program.state()]
    assert len(set(keys)) == len(keys)


@given(half_drawn())
@settings(max_examples=150)
def test_half_drawn_networks_never_raise(graph: GraphSpec) -> None:
    for data in (None, DataSpec((3,), 4), DataSpec((1, 6, 6), 0)):
        found = infer(graph, TrainingSpec(), data)
        assert set(found.shapes) <= {n.uid for n in graph.nodes}
        for problem in found.problems:
            assert problem.node == "" or graph.has(problem.node)
            assert str(problem.message)


@given(half_drawn())
@settings(max_examples=60)
def test_what_is_not_ready_is_refused_by_name(graph: GraphSpec) -> None:
    data = DataSpec((3,), 4)
    if infer(graph, TrainingSpec(), data).ready:
        check_program(record(graph, TrainingSpec(), data, "train", 8))
    else:
        with pytest.raises(GraphError) as refusal:
            record(graph, TrainingSpec(), data, "train", 8)
        assert str(refusal.value)


@given(
    ready(), st.sampled_from(MODES), st.sampled_from(OPTIMIZERS), st.sampled_from([1, 7, 16]), st.booleans()
)
@settings(max_examples=150)
def test_any_ready_network_becomes_a_program(
    graph: GraphSpec, mode: Mode, optimizer: str, capacity: int, resident: bool
) -> None:
    training = TrainingSpec(optimizer=optimizer, batch=max(capacity, 2))  # 1 is refused under batch norm
    data = spec(graph, 50 if resident else 0)
    assert infer(graph, training, data).ready
    program = record(graph, training, data, mode, capacity)
    check_program(program)
    assert program.gathered == (resident and mode not in ("predict", "update"))
    if mode == "train":
        moved = {old.id for old, _ in program.commits}
        learnt = [v for v in program.state() if v.role is Role.PARAM]
        for w in learnt:
            uses_it = w.id in program.gradients
            assert uses_it == (w.id in moved)
            assert all((f"{w.owner}.{w.param}.{m}@old" in moved) == uses_it for m in moments(optimizer))
    else:
        assert not [old for old, _ in program.commits if old.role is Role.PARAM] or mode == "update"
    if mode in ("eval", "predict"):
        assert all(op.phase < Phase.BACKWARD for op in program.ops)


@given(ready())
@settings(max_examples=30)
def test_recording_twice_gives_the_same_program(graph: GraphSpec) -> None:
    first, second = (record(graph, TrainingSpec(), spec(graph, 20), "train", 8) for _ in range(2))
    assert first == second


def test_a_shared_layer_sums_its_gradients_in_order() -> None:
    graph = GraphSpec().add("input", Input(shape=(3,))).add("a", Dense(units=3), after="input")
    graph = graph.add("b", Dense(units=3), after="a", shares="a").add("output", Output(), after="b")
    program = record(graph, TrainingSpec(), DataSpec((3,), 3), "train", 4)
    total = program.gradients["a.weight@old"]
    op = program.ops[program.producers[total.id]]
    assert op.kind == "add"
    assert len(op.ins) == 2
    assert len([1 for old, _ in program.commits if old.owner == "a" and old.param == "weight"]) == 1


def test_a_shared_normalization_advances_its_statistics_twice_and_commits_once() -> None:
    graph = GraphSpec().add("input", Input(shape=(3,))).add("n1", BatchNorm(), after="input")
    graph = graph.add("n2", BatchNorm(), after="n1", shares="n1").add("output", Output(), after="n2")
    program = record(graph, TrainingSpec(), DataSpec((3,), 3), "train", 4)
    first, second = (op for op in program.ops if op.kind == "batchnorm")
    assert second.ins[3] == first.outs[3]
    (new,) = [new for old, new in program.commits if old.param == "running_mean"]
    assert new == second.outs[3]


def test_dead_ends_are_not_computed() -> None:
    graph = GraphSpec().add("input", Input(shape=(3,))).add("a", Dense(units=3), after="input")
    graph = graph.add("aside", ReLU(), after="a").add("output", Output(), after="a")
    program = record(graph, TrainingSpec(), DataSpec((3,), 3), "train", 4)
    assert not [op for op in program.ops if op.node == "aside"]


def test_the_data_gets_no_gradient() -> None:
    graph = GraphSpec().add("input", Input(shape=(1, 2, 2))).add("flat", Flatten(), after="input")
    graph = graph.add("a", Dense(units=3), after="flat").add("output", Output(), after="a")
    program = record(graph, TrainingSpec(), DataSpec((1, 2, 2), 3), "train", 4)
    assert not [op for op in program.ops if op.kind == "dense_dx"]


def test_axes_are_called_what_a_reshape_makes_them() -> None:
    graph = GraphSpec().add("x", Input((12,)))
    for shape in ((1, 3, 4), (3, 4), (12,)):
        name = f"r{len(shape)}"
        graph = graph.add(name, Reshape(shape), after=graph.nodes[-1].name)
    graph = graph.add("output", Output(), after="r1")
    program = record(graph, TrainingSpec("mse"), DataSpec((12,), 0, target_width=12), "eval", 4)
    axes = [program.values[f"r{n}.y"].axes for n in (3, 2, 1)]
    assert axes == [("C", "H", "W", "N"), ("F", "T", "N"), ("F", "N")]


def test_a_residual_sum_passes_one_gradient_to_both() -> None:
    graph = GraphSpec().add("input", Input(shape=(3,))).add("a", Dense(units=3), after="input")
    graph = graph.add("r", ReLU(), after="a").add("sum", Add(), after=("r", "a"))
    graph = graph.add("output", Output(), after="sum")
    program = record(graph, TrainingSpec(), DataSpec((3,), 3), "train", 4)
    parts = program.ops[program.producers[program.gradients["a.z"].id]].ins
    assert {p.id for p in parts} == {
        program.gradients["sum.y"].id,
        next(op.out.id for op in program.ops if op.kind == "relu_grad"),
    }


def test_random_numbers_do_not_depend_on_the_size_asked_for() -> None:
    """A number belongs to its feature and example, whatever stands beside it."""
    from engine import random
    from engine.ops.base import stream_number

    u = random.uniform(7, stream_number("drop.dropout"), 3, 5, 2)
    again = random.uniform(7, stream_number("drop.dropout"), 3, 9, 4)
    assert np.array_equal(u, again[:5, :2])
