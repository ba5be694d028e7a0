"""BAD_INPUTS 62-79 as far as the engine answers for them: graphs, settings and runs that go wrong.

The German number field of case 71 and what the window shows (75, 77-79) have their tests in tests/gui.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.dataset import Dataset, make_dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import GraphError, MatrizenError, ProjectError
from engine.graph import GraphSpec
from engine.health import dead_units, health_notes
from engine.inference import Inference, infer
from engine.layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    Input,
    MaxPool2D,
    Output,
    ReLU,
    Softmax,
)
from engine.project_file import load_project
from engine.repairs import apply_repair
from engine.settings import DataSpec, TrainingSpec
from engine.training import Trainer
from tests.engine import project_help as h

CIRCLE = TrainingSpec("mse", "sgd", 0.03, 10)


@pytest.fixture(scope="module")
def circle() -> Dataset:
    return load(SourceSpec.toy("circle", count=100))


def run(graph: GraphSpec, data: Dataset, training: TrainingSpec = CIRCLE) -> Trainer:
    return Trainer(graph, training, data, open_backend("numpy"))


def problem(graph: GraphSpec, *words: str, node: str | None = None, data: Dataset | None = None) -> None:
    """The graph is not ready, a problem says why, and a trainer refuses with the same words."""
    facts: Inference = infer(graph)
    spec = DataSpec((2,), 2)
    facts = infer(graph, CIRCLE, spec)
    texts = [(p.node, str(p.message)) for p in facts.problems if not p.warning]
    assert not facts.ready
    assert any(all(w in t for w in words) and (node is None or n == node) for n, t in texts), texts
    with pytest.raises(GraphError):
        run(graph, data or load(SourceSpec.toy("circle", count=50)))


def test_case_62_a_cycle_cannot_be_drawn_nor_loaded(tmp_path):
    graph = h.dense()
    with pytest.raises(GraphError, match=r"fc2 to fc1 would close a loop"):
        graph.link("fc2", "fc1")
    with pytest.raises(GraphError, match="loop"):
        graph.link("fc1", "fc1")
    path = h.good_file(tmp_path)

    def close(p):
        p["graph"]["links"] = [k for k in p["graph"]["links"] if k[2] != "fc1"] + [["tanh2", 0, "fc1", 0]]

    h.with_json(path, close)
    with pytest.raises(ProjectError, match=r"good\.matrizen.*loop"):
        load_project(path)


def test_case_63_a_disconnected_node(circle):
    graph = h.dense().add("lone", Dense(3))
    facts = infer(graph, CIRCLE, DataSpec((2,), 2))
    assert facts.ready and "Nothing is linked" in str(facts.of("lone")[0].message)
    assert run(graph, circle).run(3).stopped is None, "the rest trains"
    problem(h.dense().add("lone", Input((2,))), "One input is enough", node="lone")
    cut = h.dense().unlink("fc2", 0)
    problem(cut, "Nothing is linked", node="fc2")
    aside = h.dense().add("aside", Dense(3), after="fc1")
    facts = infer(aside, CIRCLE, DataSpec((2,), 2))
    assert facts.ready and any("does not learn" in str(p.message) for p in facts.of("aside"))
    t = run(aside, circle)
    before = t.store.state()
    for _ in range(5):
        t.run(10)
    after = t.store.state()
    np.testing.assert_array_equal(before["aside.weight"], after["aside.weight"])
    assert not np.array_equal(before["fc1.weight"], after["fc1.weight"])


def test_case_64_two_outputs():
    problem(h.dense().add("out2", Output(), after="fc1"), "needs 2 outputs", "gives 3", node="out2")
    problem(h.dense().add("x2", Input((2,))), "One input is enough", node="x2")


def test_case_65_no_layers():
    problem(GraphSpec(), "empty")
    problem(GraphSpec().add("x", Input((2,))), "no output", node="x")
    problem(GraphSpec().add("out", Output()), "no input")


@pytest.mark.parametrize("layer", [Conv2D(2, (5, 5)), MaxPool2D((5, 5)), AvgPool2D((5, 5))])
def test_case_66_and_68_kernel_larger_than_input(layer):
    graph = GraphSpec().add("x", Input((1, 4, 4))).add("big", layer, after="x")
    problem(graph.add("f", Flatten(), after="big").add("out", Output(), after="f"), "5", node="big")


@pytest.mark.parametrize(
    "make", [lambda v: Conv2D(2, (3, 3), stride=v), lambda v: MaxPool2D((2, 2), stride=v)]
)
@pytest.mark.parametrize("stride", [(0, 1), (1, 0), (-1, 1)])
def test_case_67_stride_zero(make, stride):
    with pytest.raises(GraphError, match="stride"):
        make(stride)


def test_case_68_pooling_down_to_nothing():
    graph, last = GraphSpec().add("x", Input((1, 6, 6))), "x"
    for k in range(4):
        graph, last = graph.add(f"pool{k}", MaxPool2D(), after=last), f"pool{k}"
    found = infer(graph).problems
    assert any(p.node == "pool2" and not p.warning for p in found)


def test_case_69_a_billion_units_are_counted_not_allocated():
    begun = time.process_time()
    try:
        graph = GraphSpec().add("x", Input((2,))).add("fc", Dense(10**9), after="x")
    except GraphError as error:
        assert "units" in str(error)
    else:
        problem(graph.add("out", Output(), after="fc"), "too many", node="fc")
    wide = GraphSpec().add("x", Input((30_000,))).add("fc", Dense(30_000), after="x")
    found = [str(p.message) for p in infer(wide.add("out", Output(), after="fc")).of("fc")]
    assert len(found) == 1 and "900,030,000 numbers are too many" in found[0]
    assert time.process_time() - begun < 1


def test_case_70_outputs_are_not_the_classes():
    data = load(SourceSpec.sample("digits"))
    graph = GraphSpec().add("x", Input((1, 8, 8))).add("f", Flatten(), after="x")
    graph = graph.add("fc", Dense(7), after="f").add("soft", Softmax(), after="fc")
    graph = graph.add("out", Output(), after="soft")
    spec = DataSpec((1, 8, 8), 10)
    facts = infer(graph, TrainingSpec("cross_entropy"), spec)
    (found,) = facts.of("out")
    assert "needs 10 outputs, the network gives 7" in str(found.message)
    (repair,) = found.repairs
    assert (repair.node, repair.field, repair.value) == ("fc", "units", 10)
    repaired = graph.replace_node("fc", layer=replace(graph.node("fc").layer, units=10))
    assert infer(repaired, TrainingSpec("cross_entropy"), spec).ready
    with pytest.raises(GraphError, match="needs 10 outputs"):
        run(graph, data, TrainingSpec("cross_entropy"))


@pytest.mark.parametrize("rate", [-0.1, 1e30, float("nan"), float("inf"), "abc", "0,01", None, True])
def test_case_71_learning_rates_that_are_none(rate):
    with pytest.raises(GraphError, match="learning_rate"):
        TrainingSpec(learning_rate=rate)


def test_case_71_a_rate_of_zero_stands_still(circle):
    t = run(h.dense(), circle, replace(CIRCLE, learning_rate=0))
    before = t.store.state()
    assert t.run(4).stopped is None
    assert all(np.array_equal(before[k], v) for k, v in t.store.state().items())


@pytest.mark.parametrize("batch", [0, -1, 1.5, 10**9, "all"])
def test_case_72_batches_that_are_none(batch):
    with pytest.raises(GraphError, match="batch"):
        TrainingSpec(batch=batch)


def test_case_72_a_batch_larger_than_the_data_takes_all(circle):
    t = run(h.dense(), circle, replace(CIRCLE, batch=5000))
    assert t.capacity == circle.n_train == 80 and t.steps_per_epoch == 1
    assert t.run(3).stopped is None and t.epoch == 1


def normalized() -> GraphSpec:
    graph = GraphSpec().add("x", Input((2,))).add("fc1", Dense(3), after="x")
    graph = graph.add("norm", BatchNorm(), after="fc1").add("relu1", ReLU(), after="norm")
    return graph.add("fc2", Dense(1), after="relu1").add("out", Output(), after="fc2")


@pytest.mark.parametrize(
    ("batch", "count", "fitting", "blocks"),
    [(1, 80, 32, True), (79, 80, 78, False), (5, 6, 4, False), (2, 7, 4, False), (1, 1, None, True)],
)
def test_case_73_a_single_example_under_batch_norm_is_painted(batch, count, fitting, blocks):
    """On the layer, with batches that leave none alone; pictures have many numbers per channel and may."""
    spec = DataSpec((2,), 2, count=count)
    (found,) = infer(normalized(), replace(CIRCLE, batch=batch), spec).problems
    assert (found.node, found.warning) == ("norm", not blocks) and "single example" in str(found.message)
    (repair,) = found.repairs
    graph, training = normalized(), CIRCLE
    if fitting:
        assert (repair.kind, repair.field, repair.value) == ("set_training", "batch", fitting)
        training = replace(CIRCLE, batch=fitting)
    else:
        graph, _ = apply_repair(graph, repair)
    assert infer(graph, training, spec).problems == ()
    aside = normalized().add("beside", BatchNorm(), after="fc1").remove(["norm"])
    aside = aside.link("fc1", "relu1")
    assert all(p.warning for p in infer(aside, replace(CIRCLE, batch=batch), spec).problems)
    maps = GraphSpec().add("x", Input((2, 3, 3))).add("norm", BatchNorm(), after="x")
    maps = maps.add("f", Flatten(), after="norm").add("fc", Dense(1), after="f")
    maps = maps.add("out", Output(), after="fc")
    assert infer(maps, replace(CIRCLE, batch=batch), DataSpec((2, 3, 3), 2, count=count)).problems == ()


def test_case_73_batch_norm_with_one_example_stays_finite(circle):
    """A last partial batch of 1 (80 = 79 + 1) has the variance 0."""
    t = run(normalized(), circle, replace(CIRCLE, batch=79))
    while t.epoch < 3:
        assert t.run(100).stopped is None
    assert all(np.isfinite(v).all() for v in t.store.state().values())
    assert np.isfinite(t.evaluate().loss)


def test_case_74_the_last_partial_batch_is_an_ordinary_one():
    x = np.arange(7, dtype=np.float32)[:, None]
    data = make_dataset(x, 3 * x + 1, x[:0], x[:0], kind="vectors")
    graph = GraphSpec().add("x", Input((1,))).add("fc", Dense(1), after="x").add("out", Output(), after="fc")
    t = run(graph, data, TrainingSpec("mse", "sgd", 0.01, 5))
    seen = []
    for _ in range(2):
        t.begin_step()
        assert (t.live_n, t.step_values()["n"]) == ((5, 5), (2, 2))[len(seen)]
        t.finish_step()
        batch = t.read("x.x")[0]
        seen.append(batch)
        w, b = float(t.read("fc.weight@old")[0, 0]), float(t.read("fc.bias@old")[0])
        np.testing.assert_allclose(t.loss, np.mean((w * batch + b - (3 * batch + 1)) ** 2), rtol=1e-5)
    assert sorted(np.concatenate(seen)) == list(range(7)) and t.epoch == 1


def test_case_75_a_loss_that_is_not_finite_pauses_at_the_last_good_state(circle):
    graph = (
        GraphSpec().add("x", Input((2,))).add("fc1", Dense(4), after="x").add("relu1", ReLU(), after="fc1")
    )
    graph = graph.add("fc2", Dense(1), after="relu1").add("out", Output(), after="fc2")
    t = run(graph, circle)
    t.run(8)
    t.set_control("lr", 1e6)
    for _ in range(50):
        good = t.checkpoint()
        result = t.run(1)
        if result.stopped is not None:
            break
    assert result.stopped is not None
    assert t.step == good.step == result.stopped.step
    assert all(np.array_equal(good.state[k], v) for k, v in t.store.state().items())
    text = str(result.stopped.message(graph))
    assert graph.node(result.stopped.node).name in text and "lower learning rate" in text
    assert f"made by {t.program.ops[result.stopped.op].kind}" in text
    first = result.stopped
    for k, op in enumerate(t.program.ops[: first.op]):  # nothing before it is at fault
        assert all(np.isfinite(t.read(v.id)).all() for v in op.outs if v.dtype == "f32"), k
    assert not np.isfinite(t.read(first.value)[first.cell])


def test_case_76_dead_neurons_are_told(circle):
    graph = (
        GraphSpec().add("x", Input((2,))).add("fc1", Dense(4), after="x").add("relu1", ReLU(), after="fc1")
    )
    graph = graph.add("fc2", Dense(1), after="relu1").add("out", Output(), after="fc2")
    t = run(graph, circle)
    assert dead_units(t) == {} and health_notes(t) == []
    t.write_state({"fc1.bias": np.array([-99, -99, 5, -99])})
    assert dead_units(t) == {"relu1": (3, 4)}
    (note,) = health_notes(t)
    assert "relu1: 3 of 4 neurons" in str(note)
    t.write_state({"fc1.bias": np.array([-99, 5, 5, 5])})
    assert dead_units(t) == {"relu1": (1, 4)} and health_notes(t) == []
    assert dead_units(run(h.dense(), circle)) == {}


def test_case_77_an_edit_while_training_keeps_what_was_learnt(circle):
    t = run(h.dense(), circle)
    t.run(8)
    step, learnt = t.step, t.store.state()
    edited = h.dense().add("extra", Dense(2), after="fc1")
    t.rebuild(edited, CIRCLE, circle)
    assert t.step == step
    assert all(np.array_equal(learnt[k], t.store.state()[k]) for k in learnt)
    for bad in (edited.remove(["out"]), edited.unlink("fc2", 0), GraphSpec()):
        with pytest.raises(MatrizenError):
            t.rebuild(bad, CIRCLE, circle)
        assert t.graph == edited and t.step == step
    assert t.run(3).stopped is None


def test_case_78_a_step_that_is_left_half_way_changed_nothing(circle):
    t, twin = run(h.dense(), circle), run(h.dense(), circle)
    t.run(3), twin.run(3)
    for until in range(len(t.program.ops)):
        t.begin_step()
        t.advance(until)
        t.abandon_step()
    assert all(np.array_equal(v, t.store.state()[k]) for k, v in twin.store.state().items())
    assert t.step == twin.step and t.op_index is None
    t.run(3), twin.run(3)
    assert all(np.array_equal(v, t.store.state()[k]) for k, v in twin.store.state().items())


def test_case_79_undo_of_an_edit_after_training_never_undoes_training(circle):
    t = run(h.dense(3), circle)
    t.run(8)
    t.rebuild(h.dense(5), CIRCLE, circle)
    while t.step < 30:
        t.run(30 - t.step)
    trained = t.store.state()
    t.rebuild(h.dense(3), CIRCLE, circle)  # the undo is an edit like any other
    now = t.store.state()
    assert t.step == 30
    for key in ("fc2.bias",):  # untouched parameters keep what they learnt
        np.testing.assert_array_equal(now[key], trained[key])
    assert now["fc1.weight"].shape == (3, 2) and t.run(3).stopped is None
