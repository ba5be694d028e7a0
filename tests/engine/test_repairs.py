"""Repairs that are proposed while a network is half drawn."""

from __future__ import annotations

import pytest

from engine import (
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Embedding,
    Flatten,
    GraphSpec,
    Input,
    MaxPool2D,
    Output,
    ReLU,
)
from engine.inference import infer
from engine.layers.base import Layer, Shape
from engine.repairs import apply_repair


def test_a_layer_without_input_is_offered_the_loose_end() -> None:
    """While a network is half drawn, the layer drawn last that leads nowhere is proposed as the source."""
    graph = GraphSpec().add("input", Input((4,))).add("dense1", Dense(3)).add("output", Output())
    for target, source in (("dense1", "input"), ("output", "dense1")):
        problem = next(p for p in infer(graph).problems if p.node == target and p.repairs)
        assert str(problem.repairs[0].label) == f"Link {source}"
        graph, _ = apply_repair(graph, problem.repairs[0])
        assert [k.source for k in graph.inputs_of(target)] == [source]
    assert infer(graph).ready


def test_a_loose_end_behind_the_layer_itself_is_not_offered() -> None:
    graph = GraphSpec().add("dense1", Dense(3)).add("relu1", ReLU(), after="dense1")
    problem = next(p for p in infer(graph).problems if p.node == "dense1")
    assert problem.repairs == ()


@pytest.mark.parametrize(
    ("layer", "shape", "said", "repairs"),
    [
        (Conv2D(8, groups=3), (3, 9, 9), "3 groups do not divide 8 filters", ["filters", "groups"]),
        (Conv2D(8, groups=3), (4, 9, 9), "3 groups do not divide 4 channels", ["groups", "groups"]),
        (Conv2D(8, dilation=(5, 4)), (3, 9, 9), "reaches over 11 × 9", ["dilation", "kernel"]),
        (Conv2D(8, (9, 9), dilation=(1, 2)), (3, 7, 8), "reaches over 9 × 17", ["kernel"]),
        (Conv1D(8, padding=(0, 0), dilation=4), (3, 7), "over 9 positions", ["padding", "kernel"]),
        (Conv1D(8), (7,), "gets the 7 numbers of a vector", [""]),
        (Conv1D(8, groups=2), (3, 7), "2 groups do not divide 3 channels", ["groups"]),
        (ConvTranspose2D(6, groups=4), (6, 4, 4), "4 groups do not divide 6 channels", ["groups", "groups"]),
        (ConvTranspose2D(6, output_padding=(0, 2)), (6, 4, 4), "2 × 2, it is 0 × 2", ["output_padding"]),
        (ConvTranspose2D(6, padding=(9, 0, 0, 0)), (6, 4, 4), "all of the 8 × 8 picture", ["padding"]),
        (MaxPool2D(padding=(2, 0, 0, 0)), (1, 4, 4), "alone and has no largest", ["padding"]),
        (MaxPool2D(stride=(1, 1), padding=(0, 0, 0, 2)), (1, 4, 4), "padding 0 × 0 × 0 × 2", ["padding"]),
    ],
)
def test_every_repair_of_a_convolution_helps(
    layer: Layer, shape: Shape, said: str, repairs: list[str]
) -> None:
    graph = GraphSpec().add("x", Input(shape)).add("conv", layer, after="x")
    if len(shape) == 2:
        graph = GraphSpec().add("t", Input(shape[1:])).add("x", Embedding(5, shape[0]), after="t")
        graph = graph.add("conv", layer, after="x")
    graph = graph.add("flat", Flatten(), after="conv").add("fc", Dense(2), after="flat")
    graph = graph.add("out", Output(), after="fc")
    (problem,) = (p for p in infer(graph).problems if p.node == "conv")
    assert said in str(problem.message) and [r.field for r in problem.repairs] == repairs
    for repair in problem.repairs:
        assert infer(apply_repair(graph, repair)[0]).ready, str(repair.label)
