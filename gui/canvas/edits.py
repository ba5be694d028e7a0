"""Edits of a document as functions from state to state; `gui.document` makes undo steps of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from engine.graph import GraphSpec, LinkSpec, NodeSpec, Uid
from engine.inference import infer
from engine.layers import LAYERS, Flatten, Input
from engine.layers.base import Layer, Repair
from engine.problems import Problem
from engine.repairs import apply_repair
from engine.settings import NEEDS_CLASSES, DataSpec
from gui.canvas.block_places import places_of, row_beside_blocks
from gui.canvas.blocks import blocks_of, home_by_links
from gui.canvas.geometry import GRID, NODE_HEIGHT, NODE_WIDTH, node_sizes
from gui.canvas.state import DocumentState, Point, can_dock, dock_hosts

GAP = 64
"""Free space between two nodes of a row."""


def fresh_uid(graph: GraphSpec, name: str, used: Collection[Uid]) -> Uid:
    """A uid that no node ever had in this document: weights are carried by uid."""
    uid, number = name, 2
    while uid in used or graph.has(uid):
        uid, number = f"{name}_{number}", number + 1
    return uid


def with_layer(
    state: DocumentState,
    layer: Layer,
    uid: Uid,
    pos: Point | None,
    *,
    link: LinkSpec | None = None,
    after: Uid | None = None,
) -> DocumentState:
    """Add a node; put it into `link`, or behind the node `after`, as far as its ports allow.

    Without `pos` it lies behind `after`, or where there is room.
    """
    graph = state.graph.add(state.graph.fresh_name(layer.stem or layer.kind), layer, uid=uid)
    if link is not None and link in graph.links:
        graph = _into_link(graph, link, uid)
    elif after is not None and graph.has(after) and graph.node(after).layer.has_output and layer.port_limit():
        leaving = graph.outputs_of(after)
        graph = graph.link(after, uid, 0)
        if layer.has_output and not layer.many_inputs:
            for k in leaving:
                graph = graph.link(uid, k.target, k.port, k.source_port)
    done = replace(state, graph=graph)
    if pos is None:
        pos = place_after(done, after, uid) if after is not None and graph.has(after) else place_free(state)
    return done.with_positions(make_room(done, uid, pos))


def _into_link(graph: GraphSpec, link: LinkSpec, uid: Uid) -> GraphSpec:
    layer = graph.node(uid).layer
    if not layer.port_limit() or not layer.has_output:
        return graph
    graph = graph.link(link.source, uid, 0, link.source_port)
    return graph.link(uid, link.target, link.port)  # takes the place of the old link


def into_link(state: DocumentState, uid: Uid, link: LinkSpec, pos: Point) -> DocumentState:
    """Put a node that is already there into a link."""
    done = replace(state, graph=_into_link(state.graph, link, uid))
    return done.with_positions(make_room(done, uid, pos))


def make_room(state: DocumentState, uid: Uid, pos: Point) -> dict[Uid, Point]:
    """Where `uid` goes, and the nodes of its row that give way to the right."""
    if blocks_of(state).specs:
        return row_beside_blocks(state, uid, snap(pos), GAP)
    sizes, hosts = node_sizes(state), dock_hosts(state)
    x, y = snap(pos)
    moved: dict[Uid, Point] = {uid: (x, y)}
    row = sorted(
        (left, other)
        for other, (left, top) in state.positions.items()
        if other != uid and other in sizes and top < y + sizes[uid].height and top + sizes[other].height > y
    )
    edge = x + sizes[uid].width
    for left, other in row:
        host = hosts.get(other)
        if host is not None and host != uid:
            # what is docked follows its layer; inside an unfolded one it takes no room
            if host in moved:
                beside = 0 if sizes[host].unfold else sizes[host].width
                moved[other] = (moved[host][0] + beside, moved[host][1])
                edge = max(edge, moved[other][0] + (0 if sizes[host].unfold else sizes[other].width))
            continue
        if left + sizes[other].width <= x:
            continue
        if left < edge + GAP / 2:
            moved[other] = snap((edge + GAP, state.positions[other][1]))
            edge = moved[other][0] + sizes[other].width
        else:
            edge = max(edge, left + sizes[other].width)
    return moved


def place_after(state: DocumentState, uid: Uid, new: Uid) -> Point:
    """Where the node `new` goes behind `uid`: to its right, beyond what is docked, ports on one line."""
    blocks = blocks_of(state)
    holder = blocks.holder(uid)
    home = home_by_links(state.graph, blocks, blocks.parents, state.graph.node(new)) if holder else None
    if holder is not None and blocks.parents[uid] != home:
        card = places_of(state).blocks[holder]  # it does not go into the folded block with it
        return snap((card.right() + GAP, card.top()))
    sizes = node_sizes(state)
    x, y = state.positions.get(uid, (0.0, 0.0))
    hosts = dock_hosts(state)
    if uid in hosts and sizes[hosts[uid]].unfold:
        uid = hosts[uid]
        x, y = state.positions.get(uid, (x, y))
    width = sizes[uid].width
    if not sizes[uid].unfold:
        width += sum(sizes[guest].width for guest, host in hosts.items() if host == uid)
    gap = GAP * 1.5 if sizes[uid].unfold else GAP
    line = y + sizes[uid].port_y - sizes[new].port_y if new in sizes else y
    return snap((x + width + gap, line))


def place_free(state: DocumentState) -> Point:
    """Where a node goes that belongs to nothing yet: right of everything, in the last row."""
    if not state.positions:
        return (0.0, 0.0)
    y = max(p[1] for p in state.positions.values())
    x = max(p[0] for p in state.positions.values() if abs(p[1] - y) < NODE_HEIGHT)
    return snap((x + NODE_WIDTH + GAP, y))


def snap(pos: Point) -> Point:
    """The nearest point of the 8 px grid."""
    return (float(round(pos[0] / GRID) * GRID), float(round(pos[1] / GRID) * GRID))


def without(
    state: DocumentState, uids: Iterable[Uid], links: Iterable[LinkSpec] = (), *, heal: bool = False
) -> DocumentState:
    """Remove nodes and links. With `heal`, what fed a removed node in a chain feeds what read it."""
    gone = {u for u in uids if state.graph.has(u)}
    graph = state.graph
    for k in links:
        if k in graph.links:
            graph = replace(graph, links=tuple(x for x in graph.links if x != k))
    bridges: list[LinkSpec] = []
    if heal:
        for k in graph.links:
            if k.source not in gone or k.target in gone:
                continue
            first: LinkSpec | None = k
            while first is not None and first.source in gone:  # back along the chain to what stays
                entering = graph.inputs_of(first.source)
                first = entering[0] if len(entering) == 1 else None
            if first is not None:
                bridges.append(replace(first, target=k.target, port=k.port))
    graph = graph.remove(gone)
    for k in bridges:
        graph = graph.link(k.source, k.target, k.port, k.source_port)
    graph = compact_ports(graph)
    positions = {u: p for u, p in state.positions.items() if u not in gone}
    return replace(state, graph=graph, positions=positions).with_docked(state.docked - gone)


def compact_ports(graph: GraphSpec) -> GraphSpec:
    """Ports of layers with any number of inputs count from 0 without a hole."""
    for node in graph.nodes:
        if node.layer.many_inputs:
            ports = {k.port: i for i, k in enumerate(graph.inputs_of(node.uid))}
            if any(a != b for a, b in ports.items()):
                graph = replace(
                    graph,
                    links=tuple(
                        replace(k, port=ports[k.port]) if k.target == node.uid else k for k in graph.links
                    ),
                )
    return graph


def with_repair(state: DocumentState, repair: Repair) -> DocumentState:
    """Apply a proposed repair; a node it adds gets its place."""
    if repair.kind == "set_training":
        return replace(state, training=replace(state.training, **{repair.field: repair.value}))
    links = {k.port: k for k in state.graph.inputs_of(repair.node)} if repair.kind == "insert_before" else {}
    graph, added = apply_repair(state.graph, repair)
    done = replace(state, graph=compact_ports(graph))
    if repair.kind == "remove_node":
        positions = {u: p for u, p in state.positions.items() if graph.has(u)}
        return replace(done, positions=positions)
    if added is None:
        return done
    before = links[repair.port].source if repair.port in links else repair.node
    return done.with_positions(make_room(done, added, place_after(done, before, added)))


def with_data(state: DocumentState, data: DataSpec | None, repair: bool = True) -> DocumentState:
    """The state with other data: the input takes its shape, and what follows without a doubt adapts.

    Without a doubt: the number of outputs, a Flatten in front of a vector layer, and mean squared error
    where the data has numbers as targets.
    """
    state = replace(state, data=data)
    if data is None or not repair:
        return state
    first = next((n for n in state.graph.nodes if isinstance(n.layer, Input)), None)
    if first is not None:
        layer = Input(data.shape)
        state = replace(state, graph=state.graph.replace_node(first.uid, layer=layer))
    if not data.classes and state.training.loss in NEEDS_CLASSES:
        state = replace(state, training=replace(state.training, loss="mse"))
    for _ in range(8):
        found = next((p for p in infer(state.graph, state.training, data).problems if _plain(p)), None)
        if found is None:
            break
        state = with_repair(state, found.repairs[0])
    return state


def _plain(problem: Problem) -> bool:
    if not problem.blocks or len(problem.repairs) != 1:
        return False
    repair = problem.repairs[0]
    return (repair.kind == "set_field" and repair.field in ("units", "shape")) or (
        repair.kind == "insert_before" and isinstance(repair.layer, Flatten)
    )


def with_fragment(
    state: DocumentState,
    nodes: Iterable[NodeSpec],
    links: Iterable[LinkSpec],
    positions: Mapping[Uid, Point],
    docked: Collection[Uid],
    used: Collection[Uid],
    shift: Point,
) -> tuple[DocumentState, tuple[Uid, ...]]:
    """Add nodes from elsewhere under new names and uids, moved by `shift`."""
    graph = state.graph
    new: dict[Uid, Uid] = {}
    moved: dict[Uid, Point] = {}
    nodes = list(nodes)
    for node in nodes:
        layer = node.layer
        name = graph.fresh_name(layer.stem or layer.kind)
        new[node.uid] = fresh_uid(graph, name, used)
        graph = graph.add(name, layer, uid=new[node.uid])
        graph = graph.replace_node(
            new[node.uid], frozen=node.frozen, rules=node.rules, starts=node.starts
        )
        x, y = positions.get(node.uid, (0.0, 0.0))
        moved[new[node.uid]] = snap((x + shift[0], y + shift[1]))
    for node in nodes:
        if node.shares in new:
            graph = graph.replace_node(new[node.uid], shares=new[node.shares])
        elif node.shares is not None and graph.has(node.shares):
            graph = graph.replace_node(new[node.uid], shares=node.shares)
    for k in links:
        graph = graph.link(new[k.source], new[k.target], k.port, k.source_port)
    done = replace(state, graph=graph).with_positions(moved)
    return done.with_docked(done.docked | {new[u] for u in docked if u in new}), tuple(new.values())


def docked_on(state: DocumentState, uid: Uid, host: Uid) -> DocumentState:
    """Put an activation flush on `host`, into the link that leaves it, and mark it as docked."""
    graph = state.graph
    if can_dock(graph, uid) != host:
        free = uid in {n.uid for n in graph.nodes} and not graph.inputs_of(uid) and not graph.outputs_of(uid)
        if not free:
            return state
        leaving = graph.outputs_of(host)
        graph = graph.link(host, uid, 0)
        for k in leaving:
            graph = graph.link(uid, k.target, k.port)
    x, y = state.positions.get(host, (0.0, 0.0))
    done = replace(state, graph=graph)
    width = node_sizes(done)[host].width
    moved = make_room(done, uid, (x + width, y))
    moved[uid] = (x + width, y)
    return done.with_positions(moved).with_docked(state.docked | {uid})


def layer_of(kind: str) -> Layer:
    """A layer of this kind with its defaults. Raises KeyError for an unknown kind."""
    return LAYERS[kind]()
