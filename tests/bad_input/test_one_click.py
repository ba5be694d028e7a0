"""What does not fit is painted on its layer with expected and found, and its first repair makes it fit."""

from __future__ import annotations

import re
import tracemalloc

import pytest

from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import (
    Add,
    AvgPool2D,
    Conv2D,
    Crop,
    Dense,
    Embedding,
    Flatten,
    Input,
    Layer,
    MaxPool2D,
    MultiHeadSelfAttention,
    Output,
    PositionalEncoding,
    Reshape,
    Split,
)
from engine.layers.base import Shape
from engine.repairs import apply_repair
from engine.settings import DataSpec, TrainingSpec

PICTURE, VECTOR = (1, 4, 4), (12,)
CLASSES = TrainingSpec("cross_entropy")


def behind(shape: Shape, *layers: Layer) -> GraphSpec:
    """The last layer is called "bad"; what follows it is made to fit whatever comes out."""
    g, before = GraphSpec().add("x", Input(shape)), "x"
    for i, layer in enumerate(layers):
        name = "bad" if i == len(layers) - 1 else f"layer{i}"
        g, before = g.add(name, layer, after=before), name
    return g.add("flat", Flatten(), after=before).add("last", Dense(3), after="flat").add(
        "out", Output(), after="last"
    )


def joined() -> GraphSpec:
    g = GraphSpec().add("x", Input((4,))).add("a", Dense(3), after="x").add("b", Dense(2), after="x")
    g = g.add("c", Dense(3), after="x").add("bad", Add(), after=("a", "b", "c"))
    return g.add("last", Dense(3), after="bad").add("out", Output(), after="last")


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
