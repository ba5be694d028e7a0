"""Whatever can be drawn, and however it is trained, has equations that can be typeset."""

from __future__ import annotations

import pytest

from engine.graph import GraphSpec
from engine.layers import LAYERS, Conv2D, Dense, Dropout, Embedding, Flatten, Input, Layer, Output
from engine.layers.recurrent import Recurrent
from engine.program import record
from engine.settings import LOSS_CHOICES, OPTIMIZER_CHOICES, DataSpec, TrainingSpec
from engine.values import Phase, Program
from engine.weight_rules import WeightRules
from gui import formulas
from gui.labs.equations import companion, equations
from gui.labs.matrix_names import plain_symbol
from gui.stepping import QUIET, formula_of, name_of
from tests.contract.test_layers import accepted_shapes


def shapes(kind: str) -> list[tuple[tuple[int, ...], ...]]:
    """What it takes; a sequence only where it takes nothing else."""
    found = accepted_shapes(LAYERS[kind])
    return [shapes for shapes in found if len(shapes[0]) != 2] or found


DRAWN = sorted(k for k, cls in LAYERS.items() if cls.category not in ("data", "loss") and shapes(k)
               and not issubclass(cls, Recurrent))  # fmt: skip
"""All but recurrences, which have a test of their own, position by position."""
TYPESET: set[str] = set()


def around(layer: Layer) -> tuple[GraphSpec, DataSpec]:
    """The layer with weights before it, so that its backward half is recorded too, and behind it."""
    inputs = shapes(layer.kind)[-1]
    shape = inputs[0]
    data = DataSpec(shape[1:], 3, tokens=9) if len(shape) == 2 else DataSpec(shape, 3)
    graph, start = GraphSpec().add("x", Input(data.shape)), "x"
    if not layer.on_data:
        first = {1: Dense(shape[0]), 2: Embedding(9, shape[0]), 3: Conv2D(shape[0], 1, padding=0)}[len(shape)]
        graph, start = graph.add("first", first, after="x"), "first"
    sources = [start] * len(inputs)
    if len(inputs) > 1 and inputs[1] != shape:  # a matrix as the second input
        graph = graph.add("all", Flatten(), after="x").add("more", Dense(*inputs[1]), after="all")
        sources[1] = "more"
    graph = graph.add("it", layer, after=sources)
    end, found = "it", layer.output_shape(inputs)
    if len(found) > 1:
        graph, end = graph.add("flat", Flatten(), after="it"), "flat"
    return graph.add("fc", Dense(3), after=end).add("out", Output(), after="fc"), data


def check(program: Program, graph: GraphSpec) -> None:
    page = [e for node in graph.nodes for e in equations(program, graph, node.uid)]
    found, told = [e.title for e in page], {e.op for e in page}
    for i, op in enumerate(program.ops):
        assert name_of(op)
        found.append(formula_of(program, graph, op))
        assert op.kind in QUIET or (i in told and found[-1]), op.kind
    for title in set(found) - TYPESET - {""}:
        assert formulas._typeset(title, 16.0, "#000000").startswith("<svg"), title
        TYPESET.add(title)


@pytest.mark.parametrize("kind", DRAWN)
def test_layers(kind: str) -> None:
    graph, data = around(LAYERS[kind]())
    check(record(graph, TrainingSpec("cross_entropy", "sgd"), data, "train", 4), graph)


@pytest.mark.parametrize("optimizer", [name for name, _ in OPTIMIZER_CHOICES])
def test_optimizers(optimizer: str) -> None:
    graph, data = around(Dense(4))
    check(record(graph, TrainingSpec("cross_entropy", optimizer), data, "train", 4), graph)


def test_the_loss_is_called_l() -> None:
    graph, data = around(Dense(4))
    program = record(graph, TrainingSpec("huber", "sgd"), data, "train", 4)
    assert "L = " in formula_of(program, graph, next(op for op in program.ops if op.kind == "huber"))


@pytest.mark.parametrize("loss", [name for name, _ in LOSS_CHOICES])
def test_losses(loss: str) -> None:
    graph, data = around(Dense(4))
    check(record(graph, TrainingSpec(loss, "sgd"), data, "train", 4), graph)


def test_several_outputs_are_one_sum() -> None:
    graph, data = around(Dense(4))
    last = graph.inputs_of(graph.by_name("out").uid)[0].source
    graph = graph.add("more", Output(weight=0.25, loss="mse"), after=graph.node(last).name)
    program = record(graph, TrainingSpec("cross_entropy", "sgd"), data, "train", 4)
    check(program, graph)
    total = next(op for op in program.ops if op.kind == "weighted_sum")
    assert formula_of(program, graph, total) == r"L = 1 \cdot L_1 + 0.25 \cdot L_2"
    slope = next(op for op in program.ops if op.kind == "scale")
    title = formula_of(program, graph, slope)
    assert title == r"\partial L/\partial \hat{Y} = 0.25 \cdot \partial L_2/\partial \hat{Y}"


def test_smoothed_and_weighted_cross_entropy() -> None:
    graph, data = around(Dense(4))
    training = TrainingSpec("cross_entropy", "sgd", label_smoothing=0.1, class_weighting="balanced")
    program = record(graph, training, data, "train", 4)
    check(program, graph)
    loss = next(op for op in program.ops if op.kind == "weighted_xent")
    assert r"\frac{1}{m}" in formula_of(program, graph, loss)


@pytest.mark.parametrize("clipping", ["value", "norm"])
def test_what_stands_before_an_update(clipping: str) -> None:
    graph, data = around(Dense(4))
    graph = graph.replace_node("fc", rules=WeightRules(0.1, 0.1, 1.0))
    check(record(graph, TrainingSpec(clipping=clipping, accumulate=4), data, "train", 4), graph)


def test_a_kernel_is_k_from_its_penalty_to_its_update() -> None:
    graph = GraphSpec().add("x", Input((1, 4, 4))).add("it", Conv2D(2), after="x")
    graph = graph.add("f", Flatten(), after="it").add("fc", Dense(3), after="f")
    graph = graph.add("out", Output(), after="fc")
    graph = graph.replace_node("it", rules=WeightRules(0.1, 0.1, 1.0))
    program = record(graph, TrainingSpec(clipping="norm", accumulate=2), DataSpec((1, 4, 4), 3), "train", 4)
    found = equations(program, graph, graph.by_name("it").uid)
    assert len(found) > 15 and not any("W" in e.title for e in found), [e.title for e in found]


def test_the_way_back_stands_before_clipping() -> None:
    graph, data = around(Dense(4))
    program = record(graph, TrainingSpec(clipping="value"), data, "train", 4)
    phases = [e.phase for e in equations(program, graph, graph.by_name("it").uid)]
    assert phases == sorted(phases) and Phase.CLIP in phases


def test_dropping_out_is_shown_with_its_way_back() -> None:
    graph = GraphSpec().add("x", Input((4,))).add("h", Dense(4), after="x").add("it", Dropout(), after="h")
    graph = graph.add("fc", Dense(3), after="it").add("out", Output(), after="fc")
    program = record(graph, TrainingSpec(), DataSpec((4,), 3), "train", 4)
    first, back = equations(program, graph, graph.by_name("it").uid)
    assert companion(first, [first, back]) is back


def test_letters_of_training_are_read_without_latex() -> None:
    symbols = (r"\bar{g}_{b}", r"\frac{\lambda}{2} W^2", r"\lambda \, \mathrm{sign}(K)", r"W^{\ast}",
               r"\|g\|")  # fmt: skip
    assert [plain_symbol(s) for s in symbols] == ["ḡ_b", "λ/2 W²", "λ sign(K)", "W*", "‖g‖"]
