"""The outputs of a network: which are trained, and which one answers for it."""

from __future__ import annotations

from engine.graph import GraphSpec, NodeSpec
from engine.layers import Augment, Input, Output
from engine.layers.output import INPUT


def layer_of(node: NodeSpec) -> Output:
    """The declaration of an output node."""
    assert isinstance(node.layer, Output)
    return node.layer


def outputs_of(graph: GraphSpec) -> tuple[NodeSpec, ...]:
    """The outputs that an input leads to, in the order they were drawn; all while none is led to."""
    every = tuple(n for n in graph.nodes if isinstance(n.layer, Output))
    source = next((n.uid for n in graph.nodes if isinstance(n.layer, Input)), None)
    reached = tuple(n for n in every if source is not None and graph.reaches(source, n.uid))
    return reached or every


def main_output(graph: GraphSpec) -> NodeSpec | None:
    """The output that answers for the network, and whose hits are counted: the first that is compared with
    what the data says, else the first. None without any."""
    found = outputs_of(graph)
    return next((n for n in found if layer_of(n).target != INPUT), found[0] if found else None)


def leads_on(graph: GraphSpec, uid: str) -> bool:
    """Whether a layer leads to an output that is trained."""
    return any(graph.reaches(uid, end.uid) for end in outputs_of(graph))


def weighted(graph: GraphSpec) -> bool:
    """Whether the loss is a sum of several, or one times a weight."""
    found = outputs_of(graph)
    return len(found) > 1 or any(layer_of(n).weight != 1 for n in found)


def seen_by(graph: GraphSpec, end: NodeSpec) -> str:
    """The node whose values are the input as the network sees it: behind the one Augment on the way."""
    entry = next(n for n in graph.nodes if isinstance(n.layer, Input))
    behind = [
        k.target
        for k in graph.outputs_of(entry.uid)
        if isinstance(graph.node(k.target).layer, Augment) and graph.reaches(k.target, end.uid)
    ]
    return behind[0] if len(behind) == 1 else entry.uid
