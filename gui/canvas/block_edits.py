"""Edits of blocks as functions from state to state: fold, unfold, dissolve, take in and out, copy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from PySide6.QtCore import QRectF

from engine.graph import GraphSpec, LinkSpec, Uid
from engine.inference import Inference, infer
from gui.canvas import layout
from gui.canvas.block_look import ports_of
from gui.canvas.block_places import GAP, PAD, Places, giving_way, places_of
from gui.canvas.blocks import MARK, Blocks, BlockSpec, blocks_of, kept, with_blocks, with_homes
from gui.canvas.clipboard import Fragment
from gui.canvas.edits import place_free, snap, with_fragment
from gui.canvas.state import DocumentState, Point, dock_hosts


def foldable(state: DocumentState, uids: Iterable[Uid]) -> tuple[Uid, ...]:
    """What would lie directly in a block made of these: the members of one block, or the outermost ones.

    A layer comes with what is docked on it. Where the chosen lie in different blocks, these go in whole.
    """
    blocks, hosts = blocks_of(state), dock_hosts(state)
    chosen = {u for u in uids if state.graph.has(u) or u in blocks}
    chosen |= {guest for guest, host in hosts.items() if host in chosen}
    chosen |= {host for guest, host in hosts.items() if guest in chosen}
    around = [set(blocks.around(u)) for u in chosen]
    common = set.intersection(*around) if around else set()
    home = max(common, key=lambda b: len(blocks.around(b)), default=None)
    lifted = {_lifted(blocks, u, home) for u in chosen}
    order = [*(n.uid for n in state.graph.nodes), *(s.uid for s in blocks)]
    return tuple(u for u in order if u in lifted)


def _lifted(blocks: Blocks, uid: Uid, home: Uid | None) -> Uid:
    """`uid`, or the block around it that lies directly in `home`."""
    for block in (uid, *blocks.around(uid)):
        if blocks.parents.get(block) == home:
            return block
    return uid


def folded_up(state: DocumentState, uids: Iterable[Uid], name: str) -> tuple[DocumentState, Uid | None]:
    """The state with a new folded block around `uids`, and its uid; None where there is nothing to fold."""
    members = foldable(state, uids)
    blocks = blocks_of(state)
    if not members or (len(members) == 1 and members[0] in blocks):
        return state, None
    uid = blocks.fresh_uid()
    home = blocks.parents.get(members[0])
    spec = BlockSpec(uid, name, members, folded=False)
    specs = [replace(s, members=_exchanged(s.members, members, uid)) if s.uid == home else s for s in blocks]
    opened = with_blocks(state, (*specs, spec))
    places = places_of(opened)
    if _strangers(opened, places, uid):
        opened = _gathered(opened, uid)
        places = places_of(opened)
    done = with_blocks(opened, [replace(s, folded=s.folded or s.uid == uid) for s in blocks_of(opened)])
    return giving_way(done, uid, places.content[uid], places_of(done).blocks[uid]), uid


def _exchanged(members: tuple[Uid, ...], gone: Collection[Uid], come: Uid) -> tuple[Uid, ...]:
    kept = [m for m in members if m not in gone]
    return (*kept, come)


def _strangers(state: DocumentState, places: Places, uid: Uid) -> bool:
    """Whether something lies among the members of a block that does not belong to it."""
    blocks = blocks_of(state)
    inside = {*blocks.layers(uid), *blocks.within(uid), *blocks.around(uid)}
    frame = places.content[uid].adjusted(-PAD, -PAD, PAD, PAD)
    shown = {**places.layers, **places.blocks}
    return any(
        frame.intersects(rect) for u, rect in shown.items() if u not in inside and blocks.holder(u) is None
    )


def _gathered(state: DocumentState, uid: Uid) -> DocumentState:
    """The members of a block side by side, where its first one lies."""
    blocks = blocks_of(state)
    layers = blocks.layers(uid)
    corner = places_of(state).content[uid].topLeft()
    first = min(layers, key=lambda u: state.positions.get(u, (0.0, 0.0))[::-1])
    x, y = state.positions.get(first, (corner.x(), corner.y()))
    alone = layout.tidied(part_of(state, layers), layout.DEFAULT_WIDTH)
    dx, dy = x - alone.positions[first][0], y - alone.positions[first][1]
    return state.with_positions({u: snap((p[0] + dx, p[1] + dy)) for u, p in alone.positions.items()})


def part_of(state: DocumentState, uids: Collection[Uid]) -> DocumentState:
    """Some layers with the links among them, as a document of their own."""
    graph = GraphSpec(
        tuple(n for n in state.graph.nodes if n.uid in uids),
        tuple(k for k in state.graph.links if k.source in uids and k.target in uids),
    )
    positions = {u: p for u, p in state.positions.items() if u in uids}
    return replace(state, graph=graph, positions=positions)


def with_folded(state: DocumentState, uid: Uid, folded: bool) -> DocumentState:
    """The state with a block folded or open, and what lies around it moved to where there is room."""
    blocks = blocks_of(state)
    if blocks[uid].folded == folded:
        return state
    before = places_of(state).blocks[uid]
    specs = [replace(s, folded=folded) if s.uid == uid else s for s in blocks]
    done = with_blocks(state, specs)
    # card and frame begin at the same place, so that what is left of them has its room
    aside = (before.left() - places_of(done).blocks[uid].left(), 0.0)
    done = done.with_positions(_moved(done, blocks.layers(uid), aside))
    return giving_way(done, uid, before, places_of(done).blocks[uid])


def unfolded_to(state: DocumentState, uid: Uid) -> DocumentState:
    """The state in which every block around a layer or block is open."""
    for block in reversed(blocks_of(state).around(uid)):
        state = with_folded(state, block, False)
    return state


def dissolved(state: DocumentState, uids: Iterable[Uid]) -> DocumentState:
    """The state without some blocks; their members lie where they lay in the open block."""
    for uid in uids:
        if uid not in blocks_of(state):
            continue
        state = with_folded(state, uid, False)
        blocks = blocks_of(state)
        spec, home = blocks[uid], blocks.parents.get(uid)
        rest = [
            replace(s, members=tuple(x for m in s.members for x in (spec.members if m == uid else (m,))))
            if s.uid == home
            else s
            for s in blocks
            if s.uid != uid
        ]
        state = with_blocks(state, rest)
    return state


def renamed(state: DocumentState, uid: Uid, name: str) -> DocumentState:
    """Raises GraphError when the name is taken or too long."""
    blocks = blocks_of(state)
    blocks.check_name(name, uid)
    return with_blocks(state, [replace(s, name=name) if s.uid == uid else s for s in blocks])


def taken_out(state: DocumentState, uids: Iterable[Uid]) -> DocumentState:
    """Layers and blocks leave the block they lie in, and lie right of it."""
    for uid in uids:
        blocks, places = blocks_of(state), places_of(state)
        home = blocks.parents.get(uid)
        own, frame = places.of(uid), places.blocks.get(home or "")
        if home is None or own is None or frame is None or uid in dock_hosts(state):
            continue
        going = {uid, *(guest for guest, host in dock_hosts(state).items() if host == uid)}
        further = blocks.parents.get(home)
        homes = {m: b for m, b in blocks.parents.items() if m not in going}
        if further is not None:
            homes |= dict.fromkeys(going, further)
        state = with_blocks(state, with_homes(blocks, homes))
        shift = snap((frame.right() + GAP - own.left(), 0.0))
        state = state.with_positions(_moved(state, blocks_of(state).expanded(going), shift))
        new = places_of(state).of(uid)
        if new is not None:  # as if it had grown there out of nothing
            nothing = QRectF(new.left(), new.top(), 0.0, new.height())
            state = giving_way(state, uid, nothing, new)
    return state


def taken_in(state: DocumentState, uids: Collection[Uid]) -> DocumentState:
    """Layers and blocks of which the middle lies in the frame of an open block belong to that now."""
    blocks = blocks_of(state)
    if all(spec.folded for spec in blocks):
        return state
    places, homes = places_of(state), dict(blocks.parents)
    hosts = dock_hosts(state)
    moved = set(blocks.expanded(uids)) | {b.uid for b in blocks.chosen(uids)}
    for uid in uids:
        rect = places.of(uid)
        if uid in homes or rect is None or uid in hosts:
            continue
        still = _frames_without(state, moved)
        inner = [b for b in blocks.deepest_first() if not b.folded and b.uid not in moved]
        for block in inner:
            open_ = all(not blocks[b].folded for b in blocks.around(block.uid))
            if open_ and block.uid in still and still[block.uid].contains(rect.center()):
                homes[uid] = block.uid
                homes |= {guest: block.uid for guest, host in hosts.items() if host == uid}
                break
    return state if homes == blocks.parents else with_blocks(state, with_homes(blocks, homes))


def beside(state: DocumentState, uid: Uid, other: Uid) -> DocumentState:
    """A new layer belongs to the open block in which the layer lies that it was put behind."""
    blocks = blocks_of(state)
    home = blocks.parents.get(other)
    if home is None or blocks[home].folded or uid in blocks.parents:
        return state
    return with_blocks(state, with_homes(blocks, {**blocks.parents, uid: home}))


def settled(old: DocumentState, new: DocumentState) -> DocumentState:
    """The state after an edit: layers are in the blocks they belong to, and what lies around an open block
    gives way where layers came into it."""
    new = kept(old, new)
    return grown(old, new) if len(new.graph.nodes) > len(old.graph.nodes) else new


def grown(old: DocumentState, new: DocumentState) -> DocumentState:
    """The state in which what lies around an open block that is larger now gave way."""
    if all(s.folded for s in blocks_of(new)):
        return new
    before = places_of(old).blocks
    for spec in blocks_of(new).deepest_first():
        after = places_of(new).blocks.get(spec.uid)
        known = before.get(spec.uid)
        if spec.folded or after is None or known is None:
            continue
        if after.width() <= known.width() and after.height() <= known.height():
            continue
        if spec.uid in blocks_of(old) and not blocks_of(old)[spec.uid].folded:
            new = giving_way(new, spec.uid, known, after)
    return new


def wholes(state: DocumentState, uids: Collection[Uid]) -> tuple[Uid, ...]:
    """Layers, with a block in place of all its layers where all of them are among `uids`."""
    blocks, found = blocks_of(state), []
    for uid in uids:
        for block in blocks.around(uid):
            if not all(u in uids for u in blocks.layers(block)):
                break
            uid = block
        found.append(uid)
    return tuple(dict.fromkeys(found))


def _frames_without(state: DocumentState, moved: Collection[Uid]) -> Mapping[Uid, QRectF]:
    rest = [n.uid for n in state.graph.nodes if n.uid not in moved]
    return places_of(part_of(state, rest)).blocks


def _moved(state: DocumentState, uids: Iterable[Uid], shift: Point) -> dict[Uid, Point]:
    at = {u: state.positions.get(u, (0.0, 0.0)) for u in uids}
    return {u: (x + shift[0], y + shift[1]) for u, (x, y) in at.items()}


def with_piece(
    state: DocumentState, piece: Fragment, used: Collection[Uid], shift: Point
) -> tuple[DocumentState, tuple[Uid, ...]]:
    """Add a piece of a network under new names; its outermost blocks, and the layers in none of them."""
    done, copies = with_fragment(
        state, piece.nodes, piece.links, piece.positions, piece.docked, used, shift
    )
    new = dict(zip((n.uid for n in piece.nodes), copies, strict=True))
    if not piece.blocks:
        return done, copies
    blocks = blocks_of(done)
    number = int(blocks.fresh_uid()[len(MARK) :])
    made = {spec.uid: f"{MARK}{number + i}" for i, spec in enumerate(piece.blocks)}
    specs = list(blocks)
    for spec in piece.blocks:
        members = tuple(x for m in spec.members if (x := new.get(m) or made.get(m)))
        name = Blocks(tuple(specs)).fresh_name(spec.name)
        specs.append(BlockSpec(made[spec.uid], name, members, spec.folded))
    done = with_blocks(done, specs)
    now = blocks_of(done)
    outer = [u for u in made.values() if u in now and u not in now.parents]
    return done, (*outer, *(u for u in copies if u not in now.parents))


def inserted(
    state: DocumentState, piece: Fragment, used: Collection[Uid], at: Point | None,
    after: Uid | None = None, link: LinkSpec | None = None,
) -> tuple[DocumentState, Uid]:  # fmt: skip
    """Add a kept block with its card at `at`, in a `link` or behind `after`, as far as its ports allow."""
    done, made = with_piece(state, piece, used, (0.0, 0.0))
    uid = made[0]
    card = places_of(done).blocks[uid]
    source = _source(state, after) if after is not None else None
    if at is None:
        beside = places_of(state).of(after) if after is not None else None
        at = place_free(state) if beside is None else (beside.right() + GAP, beside.top())
    inside = blocks_of(done).layers(uid)
    done = done.with_positions(_moved(done, inside, snap((at[0] - card.left(), at[1] - card.top()))))
    if source is not None:
        done = _linked(done, source, uid)
    if link is not None and passes(done, uid):
        return taken_in(into_link(done, uid, link), [uid]), uid
    return taken_in(_with_room(done, uid), [uid]), uid


def passes(state: DocumentState, uid: Uid) -> bool:
    """Whether a block can go into a link: one way in and one out, linked to nothing yet."""
    blocks = blocks_of(state)
    inside = blocks.layers(uid)
    entries, exits = ports_of(state.graph, blocks, uid, _seen(state), state.positions)
    loose = not any((k.source in inside) != (k.target in inside) for k in state.graph.links)
    return loose and len(entries) == len(exits) == 1


def into_link(state: DocumentState, uid: Uid, link: LinkSpec) -> DocumentState:
    """Put a block into a link; what lies right of it in its row gives way."""
    if not passes(state, uid):
        return state
    entries, exits = ports_of(state.graph, blocks_of(state), uid, _seen(state), state.positions)
    graph = state.graph.link(link.source, entries[0].uid, entries[0].port, link.source_port)
    done = replace(state, graph=graph.link(exits[0].uid, link.target, link.port))
    blocks, places = blocks_of(done), places_of(done)
    card, before = places.blocks[uid], places.of(blocks.holder(link.source) or link.source)
    if before is not None and before.top() < card.bottom() and before.bottom() > card.top():
        # in the row of the layer before it: right behind that, and not on it
        aside = snap((max(0.0, before.right() + GAP - card.left()), before.top() - card.top()))
        done = done.with_positions(_moved(done, blocks.layers(uid), aside))
    return _with_room(done, uid)


def _with_room(state: DocumentState, uid: Uid) -> DocumentState:
    """As if a block had grown where it lies out of nothing."""
    place = places_of(state).blocks[uid]
    nothing = QRectF(place.left(), place.top(), 0.0, place.height())
    return giving_way(state, uid, nothing, place)


def _source(state: DocumentState, after: Uid) -> Uid | None:
    """The layer whose numbers leave a layer or block, with what is docked on it."""
    blocks = blocks_of(state)
    if after in blocks:
        exits = ports_of(state.graph, blocks, after, _seen(state), state.positions)[1]
        return exits[0].uid if exits else None
    after = next((guest for guest, host in dock_hosts(state).items() if host == after), after)
    return after if state.graph.has(after) and state.graph.node(after).layer.has_output else None


def _linked(state: DocumentState, source: Uid, uid: Uid) -> DocumentState:
    """Put a block behind a layer: what read that reads the block now."""
    entries, exits = ports_of(state.graph, blocks_of(state), uid, _seen(state), state.positions)
    if not entries:
        return state
    graph, leaving = state.graph, state.graph.outputs_of(source)
    graph = graph.link(source, entries[0].uid, entries[0].port)
    if len(entries) == len(exits) == 1:
        for k in leaving:
            graph = graph.link(exits[0].uid, k.target, k.port, k.source_port)
    return replace(state, graph=graph)


def _seen(state: DocumentState) -> Inference:
    return infer(state.graph, state.training, state.data)
