"""Repairs that are proposed while a network is half drawn."""

from __future__ import annotations

from engine import Dense, GraphSpec, Input, Output, ReLU
from engine.inference import infer
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
