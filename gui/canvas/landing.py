"""Where a layer under the pointer would land: on a link, on a layer it docks to, or just there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from engine.graph import LinkSpec, Uid
from engine.layers import Layer
from gui.canvas.geometry import MAGNET, NODE_HEIGHT

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene

HOSTS = ("linear", "normalize", "merge")


@dataclass(frozen=True)
class Landing:
    """At most one of `link` (insert into it) and `host` (dock on it) is set."""

    link: LinkSpec | None = None
    host: Uid | None = None


def landing(
    canvas: CanvasScene,
    layer: type[Layer] | Layer,
    corner: QPointF,
    center: QPointF,
    *,
    moving: Uid | None = None,
) -> Landing:
    """Where a layer with its upper left at `corner` would land; `moving` is the node being dragged."""
    graph = canvas.document.graph
    if layer.category == "activation":
        host = dock_at(canvas, corner, center, moving)
        if host is not None:
            return Landing(host=host)
    if not layer.port_limit() or not layer.has_output:
        return Landing()
    if moving is not None and (graph.inputs_of(moving) or graph.outputs_of(moving)):
        return Landing()
    own = [k for k in graph.links if moving in (k.source, k.target)]
    found = canvas.link_at(center, own, MAGNET)
    if found is None:
        found = next((k for k, wire in canvas.wires.items() if k not in own and wire.holds(center)), None)
    return Landing(link=found)


def show_landing(canvas: CanvasScene, found: Landing) -> None:
    """Light up what would take the layer."""
    for link, item in canvas.links.items():
        item.set_state(dropping=link == found.link)
    for link, wire in canvas.wires.items():
        wire.set_state(dropping=link == found.link)
    for uid, node in canvas.nodes.items():
        node.set_state(dropping=uid == found.host)


def dock_at(canvas: CanvasScene, corner: QPointF, center: QPointF, moving: Uid | None) -> Uid | None:
    """The layer an activation would dock on: dropped on it, or held against its right side."""
    graph = canvas.document.graph
    taken = {host for uid, host in canvas.hosts.items() if uid != moving}
    for node in reversed(canvas.visible_nodes()):
        if node.uid in canvas.blocks:
            continue
        spec = graph.node(node.uid)
        if node.uid == moving or node.uid in taken or spec.layer.category not in HOSTS:
            continue
        if moving is not None and not _may_dock(canvas, moving, node.uid):
            continue
        rect = node.rect()
        beside = abs(corner.x() - rect.right()) <= MAGNET and abs(corner.y() - rect.top()) <= NODE_HEIGHT / 3
        if beside or rect.contains(center):
            return node.uid
    return None


def _may_dock(canvas: CanvasScene, uid: Uid, host: Uid) -> bool:
    graph = canvas.document.graph
    entering, leaving = graph.inputs_of(uid), graph.outputs_of(uid)
    if not entering and not leaving:
        return True
    return len(entering) == 1 and entering[0].source == host and len(graph.outputs_of(host)) == 1
