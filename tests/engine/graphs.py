"""Random acyclic networks for property tests: half drawn ones, and ones that are ready."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from engine.errors import GraphError
from engine.graph import GraphSpec
from engine.layers import (
    GELU,
    LAYERS,
    Add,
    Augment,
    Average,
    AvgPool2D,
    BatchNorm,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Input,
    Layer,
    LeakyReLU,
    Maximum,
    MaxPool2D,
    Multiply,
    Output,
    Pad,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)

KINDS = list(LAYERS.values())
SAME: list[Callable[[], Layer]] = [ReLU, LeakyReLU, Sigmoid, Tanh, BatchNorm, Dropout, PReLU, GELU, Softplus]
"""Layers that take any shape and keep it."""


@st.composite
def half_drawn(draw: st.DrawFn) -> GraphSpec:
    """Any layers, linked at random wherever a link is possible at all."""
    graph = GraphSpec()
    for _ in range(draw(st.integers(0, 8))):
        cls = draw(st.sampled_from(KINDS))
        shape = draw(st.sampled_from([(3,), (1, 6, 6), (2, 1, 1), (4, 4), (1,)]))
        graph = graph.add(graph.fresh_name("n"), Input(shape=shape) if cls is Input else cls())
    names = [n.uid for n in graph.nodes]
    for _ in range(draw(st.integers(0, 12)) if names else 0):
        source, target = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        try:
            graph = graph.link(source, target, draw(st.integers(0, 3)))
        except GraphError:
            continue
    return graph


@st.composite
def ready(draw: st.DrawFn) -> GraphSpec:
    """A network that can be trained on 4 classes: branches, joins, shared weights, dead ends."""
    shape = draw(st.sampled_from([(3,), (7,), (1, 6, 6), (3, 5, 7)]))
    graph = GraphSpec().add("input", Input(shape=shape))
    shapes = {"input": shape}
    if len(shape) == 3 and draw(st.booleans()):
        graph, shapes = graph.add("augment", Augment(), after="input"), {**shapes, "augment": shape}

    def put(layer: Layer, *after: str, shares: str | None = None) -> str:
        nonlocal graph
        name = graph.fresh_name("n")
        graph = graph.add(name, layer, after=after, shares=shares)
        shapes[name] = layer.output_shape([shapes[a] for a in after])
        return name

    for _ in range(draw(st.integers(0, 7))):
        name = draw(st.sampled_from(list(shapes)))
        picture = len(shapes[name]) == 3
        twins = [n for n in shapes if shapes[n] == shapes[name]]
        owners = [
            n
            for n in graph.nodes
            if isinstance(n.layer, Dense | Conv2D | BatchNorm)
            and n.shares is None
            and shapes[graph.inputs_of(n.uid)[0].source] == shapes[name]
        ]
        move = draw(st.integers(0, 6))
        if move == 0:
            put(draw(st.sampled_from(SAME))(), name)
        elif move == 1:
            join = draw(st.sampled_from([Add, Concatenate, Multiply, Average, Maximum]))
            put(join(), *draw(st.permutations(twins))[:3], name)
        elif move == 2 and owners:
            owner = draw(st.sampled_from(owners))
            put(owner.layer, name, shares=owner.name)
        elif move == 3 and picture:
            put(draw(st.sampled_from([Flatten, GlobalAvgPool, GlobalMaxPool, Pad]))(), name)
        elif move == 4 and picture and min(shapes[name][1:]) >= 2:
            put(draw(st.sampled_from([MaxPool2D, AvgPool2D]))(), name)
        elif picture:
            pads = (1, 1, 1, 1) if draw(st.booleans()) or min(shapes[name][1:]) < 3 else (0, 0, 0, 0)
            put(Conv2D(filters=draw(st.integers(1, 3)), kernel=(3, 3), padding=pads), name)
        else:
            put(Dense(units=draw(st.integers(1, 5))), name)
    last = draw(st.sampled_from(list(shapes)))
    if len(shapes[last]) == 3:
        last = put(Flatten(), last)
    last = put(Dense(units=4), last)
    if draw(st.booleans()):
        last = put(Softmax(), last)
    return graph.add("output", Output(), after=last)
