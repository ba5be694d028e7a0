"""Where blocks lie: the card of a folded one, the frame of an open one, and who gives way when it changes.

A block has no place of its own. Both card and frame follow from the places of its members, which are kept
while it is folded: to move a folded block is to move its members.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF

from engine.graph import Uid
from engine.inference import Inference
from gui.canvas.blocks import Blocks, blocks_of, home_by_links
from gui.canvas.geometry import GRID, NODE_HEIGHT, NODE_WIDTH, PORT_Y, Size, node_sizes
from gui.canvas.state import DocumentState, Point, dock_hosts

TITLE = 32
"""Height of the bar over an open block."""
PAD = 16
"""Space between the members of an open block and its frame."""
GAP, ROW_GAP, NEAR = 64.0, 56.0, 8.0
"""Free space beside and below what gives way; and the least between a frame and what lies above it."""


def card_of(content: QRectF, line: float) -> QRectF:
    """The card of a folded block whose members take `content`, its ports at the height `line`."""
    return QRectF(content.left(), line - PORT_Y, NODE_WIDTH, NODE_HEIGHT)


def frame_of(content: QRectF) -> QRectF:
    """The frame of an open block around its members, its title included."""
    return content.adjusted(-PAD, -PAD - TITLE, PAD, PAD)


@dataclass(frozen=True)
class Places:
    """Rectangles in the scene: of layers, and of blocks as they are shown (card or frame)."""

    layers: Mapping[Uid, QRectF]
    blocks: Mapping[Uid, QRectF] = field(default_factory=dict)
    content: Mapping[Uid, QRectF] = field(default_factory=dict)
    """What the members of a block take, without frame."""
    lines: Mapping[Uid, float] = field(default_factory=dict)
    """Height of the ports: of a block, where its leftmost member has them."""

    def of(self, uid: Uid) -> QRectF | None:
        """The place of a layer or block; None for an activation drawn inside its layer."""
        return self.blocks.get(uid, self.layers.get(uid))


def laid(blocks: Blocks, layers: Mapping[Uid, QRectF], ports: Mapping[Uid, float]) -> Places:
    """The places of blocks around layers that lie where `layers` says; `ports` are heights of their ports."""
    shown: dict[Uid, QRectF] = {}
    content: dict[Uid, QRectF] = {}
    lines: dict[Uid, float] = dict(ports)
    for spec in blocks.deepest_first():
        inside = [(rect, m) for m in spec.members if (rect := shown.get(m, layers.get(m))) is not None]
        if not inside:
            continue
        around = QRectF(inside[0][0])
        for rect, _ in inside:
            around = around.united(rect)
        first = min(inside, key=lambda pair: (pair[0].left(), pair[0].top()))[1]
        lines[spec.uid] = lines.get(first, around.top() + PORT_Y)
        content[spec.uid] = around
        shown[spec.uid] = card_of(around, lines[spec.uid]) if spec.folded else frame_of(around)
    return Places(dict(layers), shown, content, lines)


def places_of(
    state: DocumentState, sizes: Mapping[Uid, Size] | None = None, inference: Inference | None = None
) -> Places:
    """Where everything of a document lies."""
    sizes = sizes if sizes is not None else node_sizes(state, inference)
    hosts = dock_hosts(state)
    layers: dict[Uid, QRectF] = {}
    ports: dict[Uid, float] = {}
    for uid, size in sizes.items():
        host = hosts.get(uid)
        if host is not None and sizes[host].unfold is not None:
            continue
        x, y = state.positions.get(host or uid, (0.0, 0.0))
        left = x + sizes[host].width if host is not None else x
        layers[uid] = QRectF(left, y, size.width, size.height)
        ports[uid] = y + size.port_y
    return laid(blocks_of(state), layers, ports)


def giving_way(state: DocumentState, uid: Uid, before: QRectF, after: QRectF) -> DocumentState:
    """The state in which what lies beside and below a block follows it from `before` to `after`.

    Outside it the blocks around it grow with it, and what lies beside those gives way to them in turn.
    """
    while True:
        places = places_of(state)
        blocks = blocks_of(state)
        parent = blocks.parents.get(uid)
        beside = blocks[parent].members if parent is not None else _outermost(state, blocks)
        rects = {m: rect for m in beside if m != uid and (rect := places.of(m)) is not None}
        outer = _outer(places, parent, uid, rects, before)
        state = _shifted(state, blocks, _shifts(uid, rects, before, after))
        if parent is None or outer is None:
            return state
        grown = places_of(state).of(parent)
        if grown is None or blocks[parent].folded or grown == outer:
            return state
        uid, before, after = parent, outer, grown


def row_beside_blocks(state: DocumentState, uid: Uid, at: Point, gap: float) -> dict[Uid, Point]:
    """Where a layer `uid` goes, and what gives way to the right in its row: a block always as a whole.

    In the frame of an open block these are its members, elsewhere layers and blocks that lie in none.
    """
    blocks, places, hosts = blocks_of(state), places_of(state), dock_hosts(state)
    own = places.of(uid) or QRectF(0, 0, NODE_WIDTH, NODE_HEIGHT)
    place = QRectF(at[0], at[1], own.width(), own.height())
    home = blocks.parents.get(uid) or home_by_links(
        state.graph, blocks, blocks.parents, state.graph.node(uid)
    )
    home = home or frame_at(blocks, places, place.center())
    beside = blocks[home].members if home is not None else _outermost(state, blocks)
    row = sorted(
        (rect.left(), u, rect)
        for u in beside
        if u != uid
        and (rect := places.of(u)) is not None
        and rect.top() < place.bottom()
        and rect.bottom() > place.top()
        and rect.right() > place.left()
    )
    moved, edge, shifts = {uid: at}, place.right(), dict[Uid, float]()
    for left, unit, rect in row:
        host = hosts.get(unit)
        if host in shifts or host == uid:
            step = shifts.get(host, 0.0) if host is not None else 0.0
        else:
            step = _up(edge + gap - left) if left < edge + gap / 2 else 0.0
        shifts[unit] = step
        edge = max(edge, rect.right() + step)
        for layer in blocks.expanded([unit]):
            x, y = state.positions.get(layer, (0.0, 0.0))
            if step:
                moved[layer] = (x + step, y)
    return moved


def frame_at(blocks: Blocks, places: Places, point: QPointF) -> Uid | None:
    """The innermost open block under a point."""
    for spec in blocks.deepest_first():
        shown = not spec.folded and blocks.holder(spec.uid) is None
        if shown and spec.uid in places.blocks and places.blocks[spec.uid].contains(point):
            return spec.uid
    return None


def _outer(
    places: Places, parent: Uid | None, uid: Uid, rects: Mapping[Uid, QRectF], before: QRectF
) -> QRectF | None:
    """The frame around the block as it was while the block still took `before`."""
    if parent is None or parent not in places.blocks:
        return None
    around = QRectF(before)
    for rect in rects.values():
        around = around.united(rect)
    return frame_of(around)


def _outermost(state: DocumentState, blocks: Blocks) -> list[Uid]:
    return [
        *(n.uid for n in state.graph.nodes if n.uid not in blocks.parents),
        *(s.uid for s in blocks if s.uid not in blocks.parents),
    ]


def _shifts(uid: Uid, rects: Mapping[Uid, QRectF], before: QRectF, after: QRectF) -> dict[Uid, Point]:
    """How far each of `rects` moves so that `uid` fits; what is left over after folding closes again."""
    band = before.united(after)
    below = [u for u, r in rects.items() if r.top() >= before.bottom() - 1]
    right = [
        u
        for u, r in rects.items()
        if u not in below
        and r.left() >= before.right() - 1
        and r.top() < band.bottom()
        and r.bottom() > band.top()
    ]
    out: dict[Uid, Point] = {}
    if right:
        free = min(rects[u].left() for u in right) - after.right()
        room = after.right() - before.right()
        dx = _up(GAP - free) if free < GAP else -_down(min(free - GAP, max(0.0, -room)))
        out |= dict.fromkeys(right, (dx, 0.0))
    if below:
        lowest = max([after.bottom(), *(r.bottom() for u, r in rects.items() if u not in below)])
        free = min(rects[u].top() for u in below) - lowest
        room = after.bottom() - before.bottom()
        dy = _up(ROW_GAP - free) if free < ROW_GAP and room > 0 else 0.0
        if room < 0 and free > ROW_GAP:
            dy = -_down(min(free - ROW_GAP, -room))
        out |= dict.fromkeys(below, (0.0, dy))
    above = [r for u, r in rects.items() if u not in below and u not in right and r.top() < before.top() - 1]
    above = [r for r in above if r.left() < after.right() and r.right() > after.left()]
    lack = max((r.bottom() + NEAR - after.top() for r in above), default=0.0)
    if lack > 0 and after.top() < before.top():
        for u in (uid, *below, *right):
            x, y = out.get(u, (0.0, 0.0))
            out[u] = (x, y + _up(lack))
    return {u: shift for u, shift in out.items() if shift != (0.0, 0.0)}


def _shifted(state: DocumentState, blocks: Blocks, shifts: Mapping[Uid, Point]) -> DocumentState:
    moved: dict[Uid, Point] = {}
    for unit, (dx, dy) in shifts.items():
        for uid in blocks.expanded([unit]):
            x, y = state.positions.get(uid, (0.0, 0.0))
            moved[uid] = (x + dx, y + dy)
    return state.with_positions(moved) if moved else state


def _up(length: float) -> float:
    return math.ceil(length / GRID) * float(GRID)


def _down(length: float) -> float:
    return math.floor(length / GRID) * float(GRID)
