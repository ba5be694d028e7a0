"""Apply a proposed repair to a graph."""

from __future__ import annotations

from dataclasses import replace

from engine.graph import GraphSpec
from engine.layers.base import Repair
from engine.layers.output import Output


def apply_repair(graph: GraphSpec, repair: Repair) -> tuple[GraphSpec, str | None]:
    """The repaired graph, and the uid of a node that was added (None when none was).

    Raises GraphError when the repair no longer fits the graph. Repairs of the training settings change none.
    """
    if repair.kind == "set_training":  # the drawing stays as it is
        return graph, None
    node = graph.node(repair.node)
    if repair.kind == "replace_layer":
        return graph.replace_node(node.uid, layer=repair.layer), None
    if repair.kind == "own_weights":
        return graph.replace_node(node.uid, shares=None), None
    if repair.kind == "set_field":
        return graph.replace_node(node.uid, layer=replace(node.layer, **{repair.field: repair.value})), None
    if repair.kind == "remove_link":
        return graph.unlink(node.uid, repair.port), None
    if repair.kind == "add_link":
        return graph.link(graph.node(repair.value).uid, node.uid, repair.port), None
    if repair.kind == "remove_node":
        return graph.remove([node.uid]), None
    if repair.kind == "add_output":
        name = graph.fresh_name(Output.kind)
        graph = graph.add(name, Output(), after=node.name)
        return graph, graph.by_name(name).uid
    assert repair.layer is not None
    link = next(k for k in graph.inputs_of(node.uid) if k.port == repair.port)
    name = graph.fresh_name(repair.layer.stem or repair.layer.kind)
    graph = graph.add(name, repair.layer, after=graph.node(link.source).name)
    uid = graph.by_name(name).uid
    return graph.link(uid, node.uid, repair.port), uid
