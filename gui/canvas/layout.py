"""Where nodes go: columns by their distance from the input, in rows as wide as the canvas.

A block is laid out in itself first and then placed like a node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.errors import GraphError
from engine.graph import GraphSpec, Uid
from engine.inference import Inference, infer
from engine.layers import Dense
from gui.canvas.block_places import places_of
from gui.canvas.blocks import Blocks, blocks_of
from gui.canvas.edits import GAP, place_free, snap
from gui.canvas.geometry import Size, size_of, unfolds
from gui.canvas.state import DocumentState, Point, can_dock, dock_hosts

ROW_GAP = 56
"""Free space between rows: the gutter in which links run back to the left."""
STACK_GAP = 40
UNFOLDED_GAP = (72, 184)
"""Narrowest and widest space between unfolded layers: their weights are drawn there."""
DEFAULT_WIDTH = 1100.0
_TRIES = 60


@dataclass(frozen=True)
class _Unit:
    """What moves as one: a node with the activation docked on it, or the layers of a block.

    `shifts` are how far the layers of a block lie from its upper left corner.
    """

    uids: tuple[Uid, ...]
    widths: tuple[int, ...]
    height: int
    port_y: int
    shifts: Mapping[Uid, Point] | None = None

    @property
    def width(self) -> int:
        return sum(self.widths)

    def place(self, left: float, top: float, out: dict[Uid, Point]) -> None:
        """Put its layers where its upper left corner is wanted."""
        if self.shifts is not None:
            x, y = snap((left, top))
            out.update({uid: (x + dx, y + dy) for uid, (dx, dy) in self.shifts.items()})
            return
        for uid, w in zip(self.uids, self.widths, strict=True):
            # docked nodes must stay flush, so only the first of a unit is put on the grid
            out[uid] = (left, top) if uid != self.uids[0] else snap((left, top))
            left = out[uid][0] + (w if w else 0)


def completed(state: DocumentState) -> DocumentState:
    """The state with a place for every node; a network without places is laid out, activations docked."""
    positions = {u: p for u, p in state.positions.items() if state.graph.has(u)}
    missing = [n.uid for n in state.graph.nodes if n.uid not in positions]
    if not missing and len(positions) == len(state.positions):
        return state
    state = replace(state, positions=positions)
    if missing and not positions:
        hosts = {n.uid: can_dock(state.graph, n.uid) for n in state.graph.nodes}
        taken: set[Uid] = set()
        for uid, host in hosts.items():
            if host is not None and host not in taken:
                taken.add(host)
                state = state.with_docked(state.docked | {uid})
        return tidied(state, DEFAULT_WIDTH)
    for uid in missing:
        state = state.with_positions({uid: place_free(state)})
    return state


def tidied(
    state: DocumentState,
    width: float,
    inference: Inference | None = None,
    height: float = 0.0,
    inside: Uid | None = None,
) -> DocumentState:
    """The state with all nodes laid out in rows, or only those `inside` a block.

    Rows are no wider than `width` (where one column fits). With a `height` the rows are broken so that
    the whole can be shown as large as possible in that room, even if it must be made a little smaller.
    """
    graph = state.graph
    if not graph.nodes:
        return state
    inference = inference or infer(graph, state.training, state.data)
    hosts = dock_hosts(state)
    unfolded = unfolds(graph, inference, state.data, hosts)
    sizes = {n.uid: size_of(n.layer, unfolded.get(n.uid)) for n in graph.nodes}
    blocks = blocks_of(state)
    for spec in blocks:
        if blocks.parents.get(spec.uid) == inside and not spec.folded:
            state = tidied(state, width, inference, inside=spec.uid)
    here = {u: s for u, s in sizes.items() if blocks.parents.get(u) == inside}
    units = [*_nodes(graph, hosts, here), *_closed(state, blocks, sizes, inside)]
    columns, loose = _columns(graph, units)
    if any(isinstance(graph.node(u).layer, Dense) for u in unfolded if u in here):
        rows, gap = [columns] if columns else [], _unfolded_gap(columns, width)
    else:
        rows, gap = _wrapped(columns, _best_width(columns, width, height)), float(GAP)
    positions: dict[Uid, Point] = {}
    top = 0.0
    for row in rows:
        top = _place_row(row, top, gap, positions) + ROW_GAP
    for row in _wrapped([[b] for b in loose], width):
        top = _place_row(row, top, GAP, positions) + ROW_GAP
    return state.with_positions(positions)


def _closed(state: DocumentState, blocks: Blocks, sizes: Mapping[Uid, Size], home: Uid | None) -> list[_Unit]:
    """The blocks that lie directly in `home`, as they are shown."""
    places, out = places_of(state, sizes), []
    for spec in blocks:
        if blocks.parents.get(spec.uid) != home or spec.uid not in places.blocks:
            continue
        rect = places.blocks[spec.uid]
        uids = blocks.layers(spec.uid)
        at = {u: state.positions.get(u, (0.0, 0.0)) for u in uids}
        shifts = {u: (x - rect.left(), y - rect.top()) for u, (x, y) in at.items()}
        line = round(places.lines[spec.uid] - rect.top())
        out.append(_Unit(uids, (round(rect.width()),), round(rect.height()), line, shifts))
    return out


def _nodes(graph: GraphSpec, hosts: Mapping[Uid, Uid], sizes: Mapping[Uid, Size]) -> list[_Unit]:
    docked = {host: uid for uid, host in hosts.items() if uid in sizes}
    blocks = []
    for node in graph.nodes:
        if node.uid in hosts or node.uid not in sizes:
            continue
        size = sizes[node.uid]
        uids: tuple[Uid, ...] = (node.uid,)
        widths: tuple[int, ...] = (size.width,)
        follower = docked.get(node.uid)
        if follower is not None:
            uids = (node.uid, follower)
            # an unfolded layer shows its activation inside itself
            widths = (size.width, 0 if size.unfold else sizes[follower].width)
        blocks.append(_Unit(uids, widths, size.height, size.port_y))
    return blocks


def _columns(graph: GraphSpec, blocks: Sequence[_Unit]) -> tuple[list[list[_Unit]], list[_Unit]]:
    """Blocks by the longest path from the input, and those without any link."""
    home = {uid: i for i, b in enumerate(blocks) for uid in b.uids}
    before: dict[int, set[int]] = {i: set() for i in range(len(blocks))}
    linked: set[int] = set()
    for k in graph.links:
        a, b = home.get(k.source), home.get(k.target)
        if a is not None and b is not None and a != b:
            before[b].add(a)
            linked |= {a, b}
    try:
        order = list(dict.fromkeys(home[n.uid] for n in graph.order() if n.uid in home))
    except GraphError:
        order = list(range(len(blocks)))
    rank: dict[int, int] = {}
    for i in order:
        rank[i] = 1 + max((rank.get(j, -1) for j in before[i]), default=-1)
    columns: list[list[int]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for i in order:
        if i in linked:
            columns[rank[i]].append(i)
    place: dict[int, float] = {}
    for column in columns:
        keys = {i: _mean([place[j] for j in before[i] if j in place]) for i in column}
        column.sort(key=lambda i: keys[i])
        for slot, i in enumerate(column):
            place[i] = slot - (len(column) - 1) / 2
    used = [[blocks[i] for i in column] for column in columns if column]
    return used, [b for i, b in enumerate(blocks) if i not in linked]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _unfolded_gap(columns: Sequence[Sequence[_Unit]], width: float) -> float:
    used = sum(max(b.width for b in c) for c in columns)
    room = (width - used) / max(1, len(columns) - 1)
    low, high = UNFOLDED_GAP
    return float(int(min(max(room, low), high)) // 8 * 8)


def _best_width(columns: Sequence[list[_Unit]], width: float, height: float) -> float:
    """Where to break rows so that the network fills a room of `width` times `height` best."""
    if height <= 0 or not columns:
        return width
    widths = [max(b.width for b in c) for c in columns]
    total = sum(widths) + GAP * (len(widths) - 1)
    least = max(widths)
    best: tuple[float, int, float] | None = None
    for step in range(_TRIES + 1):
        limit = least + (total - least) * step / _TRIES
        rows = _wrapped(columns, limit)
        across = max(sum(max(b.width for b in c) for c in row) + GAP * (len(row) - 1) for row in rows)
        down = sum(max(_tall(c) for c in row) for row in rows) + ROW_GAP * (len(rows) - 1)
        zoom = min(1.0, width / across, height / down)
        # of equally large ones the one with fewer rows, then the one whose rows are fuller
        worth = (round(zoom, 3), -len(rows), limit)
        if best is None or worth > best:
            best = worth
    assert best is not None
    return best[2]


def _tall(column: Sequence[_Unit]) -> float:
    return sum(b.height for b in column) + STACK_GAP * (len(column) - 1)


def _wrapped(columns: Sequence[list[_Unit]], width: float) -> list[list[list[_Unit]]]:
    rows: list[list[list[_Unit]]] = []
    x = 0.0
    for column in columns:
        wide = max(b.width for b in column)
        if not rows or x + wide > width:
            rows.append([])
            x = 0.0
        rows[-1].append(column)
        x += wide + GAP
    return rows


def _place_row(row: Sequence[Sequence[_Unit]], top: float, gap: float, out: dict[Uid, Point]) -> float:
    """Place the columns of one row below `top`, ports on one line; returns the lower edge."""
    above = max(_above(column) for column in row)
    line = top + above
    x, bottom = 0.0, top
    for column in row:
        wide = max(b.width for b in column)
        y = line - _above(column)
        for block in column:
            block.place(x + (wide - block.width) / 2, y, out)
            bottom = max(bottom, y + block.height)
            y += block.height + STACK_GAP
        x += wide + gap
    return bottom


def _above(column: Sequence[_Unit]) -> float:
    """How far a column reaches above the line of the ports."""
    if len(column) == 1:
        return float(column[0].port_y)
    return _tall(column) / 2
