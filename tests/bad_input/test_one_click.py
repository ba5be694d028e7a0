"""What does not fit is painted on its layer with expected and found, and its first repair makes it fit."""

from __future__ import annotations

import re
import tracemalloc

import pytest

from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import (
    GRU,
    LSTM,
    Add,
    AvgPool2D,
    Conv2D,
    Crop,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool,
    Input,
    InputFeatures,
    Layer,
    MaxPool2D,
    MultiHeadSelfAttention,
    Output,
    PositionalEncoding,
    Reshape,
    Softmax,
    SpatialTransformer,
    Split,
    Upsample,
)
from engine.layers.base import Shape
from engine.repairs import apply_repair
from engine.settings import DataSpec, TrainingSpec

PICTURE, VECTOR = (1, 4, 4), (12,)
CLASSES = TrainingSpec("cross_entropy")


def behind(shape: Shape, *layers: Layer, before: str = "x") -> GraphSpec:
    """The last layer is called "bad", or the input; what follows is made to fit whatever comes out."""
    last = "bad" if before != "bad" else "end"
    g = GraphSpec().add(before, Input(shape))
    for i, layer in enumerate(layers):
        name = last if i == len(layers) - 1 else f"layer{i}"
        g, before = g.add(name, layer, after=before), name
    return g.add("flat", Flatten(), after=before).add("last", Dense(3), after="flat").add(
        "out", Output(), after="last"
    )


def joined() -> GraphSpec:
    g = GraphSpec().add("x", Input((4,))).add("a", Dense(3), after="x").add("b", Dense(2), after="x")
    g = g.add("c", Dense(3), after="x").add("bad", Add(), after=("a", "b", "c"))
    return g.add("last", Dense(3), after="bad").add("out", Output(), after="last")


def warped() -> GraphSpec:
    g = GraphSpec().add("x", Input(PICTURE)).add("flat", Flatten(), after="x")
    g = g.add("five", Dense(5), after="flat").add("bad", SpatialTransformer(), after=("x", "five"))
    return g.add("vector", Flatten(), after="bad").add("out", Output(), after="vector")


HUGE = 10**9
CASES: dict[str, tuple[GraphSpec, str, str]] = {
    "a vector into a convolution": (behind(VECTOR, Conv2D(2, (2, 2))), "", "gets 12"),
    "a picture into a dense layer": (behind(PICTURE, Dense(3)), "", "gets 1 × 4 × 4"),
    "another number of numbers": (behind(PICTURE, Reshape((3, 5, 1))), "shape", "16 come in"),
    "shapes that cannot be added": (joined(), "", "input 1 is 3, input 2 is 2"),
    "a kernel larger than the picture": (behind(PICTURE, Conv2D(2, (5, 3))), "kernel", "5 × 3 window"),
    "a pool larger than the picture": (behind(PICTURE, AvgPool2D((6, 2))), "kernel", "4 × 4 picture"),
    "windows of padding": (
        behind(PICTURE, MaxPool2D((1, 2), padding=(1, 1, 0, 2))), "padding", "1 × 1 × 0 × 2",
    ),
    "nothing left": (behind(PICTURE, Crop((2, 0, 2, 0))), "sides", "4 × 4 picture"),
    "heads that do not divide": (
        behind((5,), Embedding(9, 6), MultiHeadSelfAttention(4)), "heads", "4 heads do not divide 6",
    ),
    "parts that do not divide": (behind((7,), Split(2, 1)), "parts", "7 features"),
    "a part that is none": (behind((6,), Split(2, 3)), "part", "2 parts, part 3"),
    "a billion units": (behind(VECTOR, Dense(HUGE)), "units", "at most 500,000,000"),
    "a table without end": (behind((5,), Embedding(1_000_000, 65536)), "vocabulary", "65,536,000,000"),
    "filters without end": (behind((64, 32, 32), Conv2D(65536, (16, 16))), "filters", "1,073,"),
    "rows and columns of no channel": (behind((3, 4), Flatten(), before="bad"), "shape", "not 3 × 4"),
    "four axes": (behind((16,), Reshape((2, 2, 2, 2))), "shape", "not 2 × 2 × 2 × 2"),
    "a sequence too long": (behind((600,), Embedding(9, 4), GRU(3)), "", "600 positions, at most 256"),
    "a picture into a recurrence": (behind((2, 4, 3), LSTM(3)), "", "gets 2 × 4 × 3"),
    "a matrix of five numbers": (warped(), "", "6 numbers for the matrix, gets 5"),
    "no point of a plane": (behind((3,), InputFeatures()), "", "gets 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_click_makes_it_fit(name: str) -> None:
    graph, field, words = CASES[name]
    tracemalloc.start()
    try:
        facts = infer(graph)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20, "something was allocated to find out"
    finally:
        tracemalloc.stop()
    assert not facts.ready
    (problem,) = facts.of("bad")
    assert problem.field == field and words in str(problem.message), str(problem.message)
    assert re.search(r"\d", str(problem.message)) and problem.repairs
    repaired = apply_repair(graph, problem.repairs[0])[0]
    assert not infer(repaired).of("bad"), [str(p.message) for p in infer(repaired).problems]
    assert infer(repaired).ready


def test_data_that_does_not_fit() -> None:
    text = behind((5,), Embedding(4, 6), PositionalEncoding(), Flatten())
    (problem,) = infer(text, CLASSES, DataSpec((5,), 3, tokens=9)).of("layer0")
    assert "9 different tokens, the vocabulary only 4" in str(problem.message)
    assert infer(apply_repair(text, problem.repairs[0])[0], CLASSES, DataSpec((5,), 3, tokens=9)).ready
    longer = infer(text, CLASSES, DataSpec((8,), 3, tokens=4))  # the table of positions follows the input
    (problem,) = longer.of("x")
    assert "The data has 8, the input is set to 5" in str(problem.message)
    assert infer(apply_repair(text, problem.repairs[0])[0], CLASSES, DataSpec((8,), 3, tokens=4)).ready
    few = infer(text, CLASSES, DataSpec((5,), 7, tokens=4))
    (problem,) = few.of("out")
    assert "needs 7 outputs, the network gives 3" in str(problem.message)
    assert infer(apply_repair(text, problem.repairs[0])[0], CLASSES, DataSpec((5,), 7, tokens=4)).ready


def test_too_few_outputs_without_a_dense_layer_before() -> None:
    g = GraphSpec().add("x", Input(PICTURE)).add("conv", Conv2D(4), after="x")
    g = g.add("mean", GlobalAvgPool(), after="conv").add("soft", Softmax(), after="mean")
    g = g.add("out", Output(), after="soft")
    (problem,) = infer(g, CLASSES, DataSpec(PICTURE, 3)).of("out")
    repaired, added = apply_repair(g, problem.repairs[0])
    assert infer(repaired, CLASSES, DataSpec(PICTURE, 3)).ready
    assert [k.source for k in repaired.inputs_of("soft")] == [added], "behind it they were no shares"
    each = GraphSpec().add("x", Input((5,))).add("table", Embedding(9, 4), after="x")
    each = each.add("fc", Dense(3), after="table").add("flat", Flatten(), after="fc")
    each = each.add("out", Output(), after="flat")
    (problem,) = infer(each, CLASSES, DataSpec((5,), 3, tokens=9)).of("out")
    repaired = apply_repair(each, problem.repairs[0])[0]  # 3 units at every position would still be 15
    assert infer(repaired, CLASSES, DataSpec((5,), 3, tokens=9)).ready


def test_shapes_that_cannot_share_weights() -> None:
    g = GraphSpec().add("x", Input((2,))).add("a", Dense(3), after="x")
    g = g.add("b", Dense(3), after="a", shares="a").add("out", Output(), after="b")
    (problem,) = infer(g).of("b")
    assert "Cannot share the weights of a" in str(problem.message)
    assert infer(apply_repair(g, problem.repairs[0])[0]).parameter_count == 9 + 12


@pytest.mark.parametrize(
    ("graph", "field", "fitting"),
    [
        (behind((64, 512, 512), Upsample((64, 2))), "factor", (14, 2)),
        (behind((65536, 65536, 4), Flatten(), before="bad"), "shape", (11180, 11180, 4)),
    ],
)
def test_several_numbers_that_are_too_large(graph: GraphSpec, field: str, fitting: Shape) -> None:
    (problem,) = infer(graph).of("bad")
    assert problem.field == field and "at most 500,000,000" in str(problem.message)
    assert problem.repairs[0].value == fitting
    assert not infer(apply_repair(graph, problem.repairs[0])[0]).of("bad")
