"""What is to be painted of a block: a value, made from the drawing and from what inference found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QRectF

from engine.graph import GraphSpec, LinkSpec, Uid
from engine.inference import Inference
from engine.layers.base import Shape
from gui.canvas.block_places import TITLE, Places
from gui.canvas.blocks import Blocks, BlockSpec
from gui.canvas.geometry import NODE_HEIGHT, NODE_WIDTH, PORT_Y, Size
from gui.canvas.look import NodeLook
from gui.canvas.state import Point
from gui.canvas.texts import compact_shape
from gui.i18n import integer, tr, tr_message, trn

CATEGORY = "merge"
"""Blocks are grey: colors say what kind of layer something is."""


@dataclass(frozen=True)
class Entry:
    """An input port: the layer and port inside that it leads to."""

    uid: Uid
    port: int
    name: str


@dataclass(frozen=True)
class Exit:
    """An output port: the layer inside of which the numbers come."""

    uid: Uid
    name: str


@dataclass(frozen=True)
class Piece:
    """A member in the small drawing: place in 0..1 of its width, kind, whether it has a problem."""

    place: tuple[float, float, float, float]
    category: str
    problem: bool
    block: bool
    layers: tuple[Uid, ...] = ()


@dataclass(frozen=True)
class BlockLook(NodeLook):
    """The card of a folded block, or the title and frame of an open one."""

    folded: bool = True
    frame_height: int = 0
    depth: int = 0
    weights: str = ""
    entries: tuple[Entry, ...] = ()
    exits: tuple[Exit, ...] = ()
    pieces: tuple[Piece, ...] = ()
    ways: tuple[tuple[float, float, float, float], ...] = ()
    """Links in the small drawing: from and to, in the same measure."""


def ports_of(
    graph: GraphSpec, blocks: Blocks, uid: Uid, inference: Inference, positions: Mapping[Uid, Point]
) -> tuple[tuple[Entry, ...], tuple[Exit, ...]]:
    """One input for every link that comes in and every one that is still missing, one output for every layer
    whose numbers go out or nowhere yet; from top to bottom as they lie."""
    inside = set(blocks.layers(uid))
    arriving: dict[Uid, list[LinkSpec]] = {}
    leaving: dict[Uid, list[Uid]] = {}
    for k in graph.links:
        arriving.setdefault(k.target, []).append(k)
        leaving.setdefault(k.source, []).append(k.target)
    nodes = sorted(
        (n for n in graph.nodes if n.uid in inside),
        key=lambda n: (positions.get(n.uid, (0.0, 0.0))[::-1]),
    )
    entries, exits = [], []
    for node in nodes:
        links = {k.port: k.source for k in arriving.get(node.uid, ())}
        need = max(2, len(links)) if node.layer.many_inputs else len(node.layer.ports)
        many = need > 1
        for port in range(need):
            if links.get(port) in inside:
                continue
            shapes = inference.inputs.get(node.uid, ())
            shape = shapes[port] if port < len(shapes) else None
            name = tr("{name}, input {n}").format(name=node.name, n=port + 1) if many else node.name
            entries.append(Entry(node.uid, port, _with_shape(name, shape)))
        goals = leaving.get(node.uid, ())
        if node.layer.has_output and (not goals or any(g not in inside for g in goals)):
            exits.append(Exit(node.uid, _with_shape(node.name, inference.shapes.get(node.uid))))
    return tuple(entries), tuple(exits)


def _with_shape(name: str, shape: Shape | None) -> str:
    return f"{name}: {compact_shape(shape)}" if shape is not None else name


def look_of_block(
    spec: BlockSpec, blocks: Blocks, graph: GraphSpec, inference: Inference, places: Places,
    positions: Mapping[Uid, Point],
) -> BlockLook:  # fmt: skip
    """The look of a block of a drawn network."""
    layers = blocks.layers(spec.uid)
    entries, exits = ports_of(graph, blocks, spec.uid, inference, positions)
    found = [(graph.node(u), p) for u in layers for p in inference.of(u)]
    said = {warning: [f"{n.name}: {tr_message(p.message)}" for n, p in found if p.warning is warning]
            for warning in (False, True)}  # fmt: skip
    weights = sum(inference.count(o) for o in {graph.node(u).owner for u in layers})
    frozen = {graph.node(graph.node(u).owner).frozen for u in layers if inference.count(graph.node(u).owner)}
    count = trn("{n} weight", "{n} weights", weights).format(n=integer(weights))
    if frozen == {True}:
        count = trn("{n} frozen weight", "{n} frozen weights", weights).format(n=integer(weights))
    summary = trn("{n} layer", "{n} layers", len(layers)).format(n=integer(len(layers)))
    look = BlockLook(
        spec.name,
        summary,
        flow_of(entries, exits, inference),
        "block",
        CATEGORY,
        Size(NODE_WIDTH, NODE_HEIGHT, PORT_Y),
        len(entries),
        bool(exits),
        next(iter(said[False]), ""),
        next(iter(said[True]), ""),
        entries=entries,
        exits=exits,
        depth=len(blocks.around(spec.uid)),
        weights=count if weights else "",
    )
    if not spec.folded:
        frame = places.blocks[spec.uid]
        return opened(look, frame)
    pieces, ways = drawing_of(spec, blocks, graph, inference, places)
    return replace(look, pieces=pieces, ways=ways)


def opened(look: BlockLook, frame: QRectF) -> BlockLook:
    """The look of an open block whose frame lies there."""
    size = Size(round(frame.width()), TITLE, TITLE // 2)
    return replace(
        look, size=size, folded=False, frame_height=round(frame.height()), inputs=0, has_output=False
    )


def flow_of(entries: tuple[Entry, ...], exits: tuple[Exit, ...], inference: Inference) -> str:
    """What goes in and what comes out: 1×28×28 → 8×14×14."""
    come = []
    for entry in entries:
        shapes = inference.inputs.get(entry.uid, ())
        if entry.port < len(shapes):
            come.append(compact_shape(shapes[entry.port]))
    go = [compact_shape(shape) for x in exits if (shape := inference.shapes.get(x.uid)) is not None]
    sides = [", ".join(dict.fromkeys(side)) for side in (come, go)]
    return " → ".join(side for side in sides if side)


def drawing_of(
    spec: BlockSpec, blocks: Blocks, graph: GraphSpec, inference: Inference, places: Places
) -> tuple[tuple[Piece, ...], tuple[tuple[float, float, float, float], ...]]:
    """The members as small shapes where they lie, and the links among them."""
    around = places.content[spec.uid]
    scale = 1.0 / max(around.width(), 1.0)
    spots: dict[Uid, QRectF] = {}
    pieces = []
    todo = list(spec.members)
    for member in todo:
        rect = places.of(member)
        if rect is None:
            continue
        rect = QRectF(
            (rect.left() - around.left()) * scale, (rect.top() - around.top()) * scale,
            rect.width() * scale, rect.height() * scale,
        )  # fmt: skip
        is_block = member in blocks
        inside = blocks.layers(member) if is_block else (member,)
        if is_block and not blocks[member].folded:
            todo += blocks[member].members
        spots |= dict.fromkeys(inside, rect)
        bad = any(not p.warning for u in inside for p in inference.of(u))
        category = CATEGORY if is_block else graph.node(member).layer.category
        place = (rect.x(), rect.y(), rect.width(), rect.height())
        pieces.append(Piece(place, category, bad, is_block, inside))
    ways = []
    for k in graph.links:
        a, b = spots.get(k.source), spots.get(k.target)
        if a is not None and b is not None and a is not b:
            ways.append((a.right(), a.center().y(), b.left(), b.center().y()))
    return tuple(pieces), tuple(ways)
