"""Random acyclic networks out of every layer there is, with shared weights, joins and branches.

Which layers there are comes from the registry, their settings from their declarations: a new layer takes
part by itself. `SMALL` only keeps numbers in a range in which two roundings can be compared.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from engine.fields import Setting
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import LAYERS, Concatenate, Dense, Embedding, Flatten, Input, Layer, Output, Tanh
from engine.layers.base import Shape, ShapeProblem, elements
from engine.ops.base import Array

BATCH = 5
TOKENS = 7
MOST = 240
"""Numbers of one example in one value."""

INSIDE = sorted(kind for kind in LAYERS if kind not in ("input", "output"))
"""Kinds that are drawn; every network has an input and an output."""

SMALL: dict[str, tuple[Any, Any]] = {
    # what is random while training has to be still: no other program draws the same numbers
    "dropout.rate": (0.0, 0.0),
    "spatial_dropout.rate": (0.0, 0.0),
    "gaussian_noise.sigma": (0.0, 0.0),
    "augment.rotation": (0.0, 0.0),
    "augment.scale": (0.0, 0.0),
    "augment.shift": (0.0, 0.0),
    "epsilon": (1e-3, 1e-1),
    "momentum": (0.05, 0.5),
    "affine_warp.angle": (-50.0, 50.0),
    "affine_warp.scale": (70.0, 140.0),
    "affine_warp.shear": (-0.3, 0.3),
    "affine_warp.shift_x": (-1.4, 1.4),
    "affine_warp.shift_y": (-1.4, 1.4),
    # six random numbers can be a matrix close to none, whose inverse makes much of every rounding
    "spatial_transformer.identity": (True, True),
    "embedding.vocabulary": (TOKENS, TOKENS + 3),
}
"""(least, largest) of a setting, by `kind.field` or by field; otherwise four steps above its minimum."""


def random_layer(r: Random, kind: str, shape: Shape) -> Layer:
    """A layer of this kind with settings drawn from their declarations; some may not fit."""
    cls = LAYERS[kind]
    given = {name: _setting(r, kind, name, fact, shape) for name, (fact, _) in cls.settings().items()}
    return cls(**given)


def _setting(r: Random, kind: str, name: str, fact: Setting, shape: Shape) -> Any:
    small = SMALL.get(f"{kind}.{name}", SMALL.get(name))
    if fact.kind == "choice":
        return r.choice([value for value, _ in fact.choices])
    if fact.kind == "bool":
        return r.choice(small or (False, True))
    if fact.kind == "float":
        low, high = small or (max(fact.minimum or 0.0, -2.0), min(fact.maximum or 2.0, 2.0))
        return r.uniform(low, high)
    if fact.kind == "shape":  # the same numbers in another shape
        total = elements(shape)
        first = r.choice([d for d in range(1, total + 1) if total % d == 0])
        second = r.choice([d for d in range(1, total // first + 1) if total // first % d == 0])
        return r.choice([(total,), (first, second, total // first // second)])
    low, high = small or (int(fact.minimum or 0), int(fact.minimum or 0) + 3)
    count = {"pair": 2, "ends": 2, "pads": 4}.get(fact.kind, 0)
    if fact.kind in ("pads", "ends"):
        high = low + 1
    drawn = tuple(r.randint(low, high) for _ in range(count))
    return drawn if count else r.randint(low, high)


def random_graph(r: Random, layers: int) -> GraphSpec:
    """An input, about `layers` layers that fit, and what is left open put together into three outputs."""
    start = r.choice(("tokens", "vector", "picture", "picture", "picture"))
    size: Shape = (r.randint(2, 6),) if start != "picture" else tuple(r.randint(a, b) for a, b in _PICTURE)
    g = GraphSpec().add("data", Input(size))
    open_ends, shapes = ["data"], {"data": size}
    if start == "tokens":
        table = Embedding(r.randint(TOKENS, TOKENS + 2), r.choice((2, 4, 6)))
        g = g.add("table", table, after="data")
        shapes = {"table": table.output_shape([size])}
        open_ends = ["table"]
    for _ in range(layers):
        drawn = _again(r, g, shapes) if r.random() < 0.25 else _one_more(r, g, shapes)
        if drawn is None:
            continue
        g, name, out = drawn
        ins = [g.node(k.source).name for k in g.inputs_of(g.by_name(name).uid)]
        shapes[name] = out
        open_ends = [n for n in open_ends if n not in ins] + [name]
    return _closed(g, open_ends, shapes)


def graph_with(kind: str) -> GraphSpec:
    """The first random network with a layer of this kind."""
    for seed in range(5000):
        graph = random_graph(Random(seed), 7)
        if any(n.layer.kind == kind for n in graph.nodes):
            return graph
    raise AssertionError(f"{kind} is never drawn: none of its settings fits; see SMALL")


Drawn = tuple[GraphSpec, str, Shape]


def _one_more(r: Random, g: GraphSpec, shapes: dict[str, Shape]) -> Drawn | None:
    """A layer of a random kind behind values that fit it, if some do."""
    kind = r.choice(INSIDE)
    if kind == "spatial_transformer":
        g, shapes = _with_six(r, g, shapes)
    for _ in range(12):
        ins = _sources(r, LAYERS[kind], shapes)
        arriving = [shapes[n] for n in ins]
        layer = random_layer(r, kind, arriving[0])
        if layer.on_data and ins != ("data",):
            continue
        try:
            out = layer.output_shape(arriving)
        except ShapeProblem:
            continue
        if elements(out) <= MOST and 0 not in out:
            name = g.fresh_name(kind)
            return g.add(name, layer, after=ins), name, out
    return None


def _again(r: Random, g: GraphSpec, shapes: dict[str, Shape]) -> Drawn | None:
    """A layer drawn before once more with the same weights, behind another value of the shape it takes."""
    facts = infer(g)
    known = set(shapes.values())
    kept = [
        n
        for n in g.nodes
        if facts.params.get(n.uid) and not n.layer.on_data and known.issuperset(facts.inputs[n.uid])
    ]
    if not kept:
        return None
    node = r.choice(kept)
    takes = facts.inputs[node.uid]
    ins = [r.choice([n for n in shapes if shapes[n] == shape]) for shape in takes]
    name = g.fresh_name(node.layer.kind)
    return g.add(name, node.layer, after=ins, shares=node.name), name, facts.shapes[node.uid]


def _with_six(r: Random, g: GraphSpec, shapes: dict[str, Shape]) -> tuple[GraphSpec, dict[str, Shape]]:
    """Six small numbers for the matrix of a spatial transformer."""
    source = r.choice(list(shapes))
    flat, six, small = g.fresh_name("flat"), g.fresh_name("six"), g.fresh_name("small")
    g = g.add(flat, Flatten(), after=source).add(six, Dense(6), after=flat)
    return g.add(small, Tanh(), after=six), {**shapes, small: (6,)}


_PICTURE = ((1, 3), (3, 7), (3, 7))


def _sources(r: Random, cls: type[Layer], shapes: dict[str, Shape]) -> tuple[str, ...]:
    """Where the inputs of a layer come from: newer values more often; for joins of one shape if there are."""
    names = list(shapes)
    first = r.choice(names[-3:]) if r.random() < 0.8 else r.choice(names)
    count = r.randint(2, 3) if cls.many_inputs else len(cls.ports)
    like = [n for n in names if shapes[n] == shapes[first]]
    return (first, *(r.choice(like if r.random() < 0.8 else names) for _ in range(count - 1)))


def _closed(g: GraphSpec, ends: list[str], shapes: dict[str, Shape]) -> GraphSpec:
    flat = []
    for end in ends:
        if len(shapes[end]) > 1:
            name = g.fresh_name("flat")
            g = g.add(name, Flatten(), after=end)
            end = name
        flat.append(end)
    if len(flat) > 1:
        g = g.add("together", Concatenate(), after=flat)
        flat = ["together"]
    return g.add("last", Dense(3), after=flat).add("out", Output(), after="last")


def random_weights(graph: GraphSpec, rng: np.random.Generator) -> dict[str, Array]:
    """Weights by "<uid>.<name>" that are nowhere 0, so that nothing hides; fixed tables are left out."""
    out = {}
    for uid, specs in infer(graph).params.items():
        for s in specs:
            if s.fixed:
                continue
            fan = max(1, elements(s.shape[1:])) if len(s.shape) > 1 else 1
            drawn = rng.standard_normal(s.shape) / np.sqrt(fan)
            if s.name == "running_var":
                drawn = 0.5 + rng.random(s.shape)
            if uid.startswith("six"):  # a matrix near the identity: one close to none makes much of rounding
                drawn *= 0.2
            if s.start:  # a matrix: near where it starts
                drawn = np.reshape(s.start, s.shape) + 0.03 * rng.standard_normal(s.shape)
            out[f"{uid}.{s.name}"] = drawn.astype(np.float32)
    return out


def random_inputs(graph: GraphSpec, rng: np.random.Generator) -> Array:
    """A batch as the input wants it; whole numbers where it is tokens."""
    shape = next(n.layer.shape for n in graph.nodes if isinstance(n.layer, Input))
    size = (BATCH, *shape)
    if any(isinstance(n.layer, Embedding) for n in graph.nodes):
        return rng.integers(0, TOKENS, size).astype(np.float32)
    return rng.standard_normal(size).astype(np.float32)


def told(graph: GraphSpec) -> str:
    """The network in one line, for messages."""
    parts = []
    for n in graph.nodes:
        ins = ", ".join(graph.node(k.source).name for k in graph.inputs_of(n.uid))
        shared = f", weights of {graph.node(n.shares).name}" if n.shares else ""
        parts.append(f"{n.name} = {n.layer}({ins}{shared})")
    return "; ".join(parts)
