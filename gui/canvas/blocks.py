"""Blocks: named parts of the drawing that fold into one card. A grouping and nothing else.

The graph stays flat: no layer changes its uid, name or weights because it lies in a block, so nothing that is
computed, recorded or exported knows of blocks. They are JSON values among the hints of a document.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from engine.errors import N_, GraphError
from engine.graph import GraphSpec, NodeSpec, Uid
from gui.canvas.state import DocumentState, dock_hosts

KEY = "blocks"
"""Where the hints of a document keep them."""
MARK = "#"
"""First character of a block's uid; no layer's name can begin with it."""
LONGEST_NAME = 40


@dataclass(frozen=True)
class BlockSpec:
    """`members` are uids of layers and of other blocks that lie directly in it."""

    uid: Uid
    name: str
    members: tuple[Uid, ...]
    folded: bool = True

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {"uid": self.uid, "name": self.name, "members": list(self.members), "folded": self.folded}


@dataclass(frozen=True)
class Blocks:
    """The blocks of one document, which contain each other without loops."""

    specs: tuple[BlockSpec, ...] = ()
    parents: Mapping[Uid, Uid] = field(default_factory=dict)
    """Layer or block -> the block it lies directly in."""

    @cached_property
    def _by_uid(self) -> Mapping[object, BlockSpec]:
        return {spec.uid: spec for spec in self.specs}

    def __contains__(self, uid: object) -> bool:
        return uid in self._by_uid

    def __iter__(self) -> Iterator[BlockSpec]:
        return iter(self.specs)

    def __getitem__(self, uid: Uid) -> BlockSpec:
        """Raises GraphError when there is none."""
        found = self._by_uid.get(uid)
        if found is not None:
            return found
        raise GraphError(N_("There is no block “{uid}” in this network."), uid=uid)

    def around(self, uid: Uid) -> tuple[Uid, ...]:
        """The blocks that a layer or block lies in, the innermost first."""
        found: list[Uid] = []
        while uid in self.parents:
            uid = self.parents[uid]
            found.append(uid)
        return tuple(found)

    def holder(self, uid: Uid) -> Uid | None:
        """The folded block that hides a layer or block: the outermost one around it."""
        return next((b for b in reversed(self.around(uid)) if self[b].folded), None)

    def within(self, uid: Uid) -> tuple[Uid, ...]:
        """A block and the blocks in it, the outer ones first."""
        found = [uid]
        for each in found:
            found += [m for m in self[each].members if m in self]
        return tuple(found)

    def layers(self, uid: Uid) -> tuple[Uid, ...]:
        """The layers in a block at any depth."""
        return tuple(m for b in self.within(uid) for m in self[b].members if m not in self)

    def expanded(self, uids: Iterable[Uid]) -> tuple[Uid, ...]:
        """Layers, with those of every block in place of the block."""
        found = [x for uid in uids for x in (self.layers(uid) if uid in self else (uid,))]
        return tuple(dict.fromkeys(found))

    def chosen(self, uids: Iterable[Uid]) -> tuple[BlockSpec, ...]:
        """The blocks among `uids`, with those in them."""
        return tuple(self[b] for b in dict.fromkeys(b for u in uids if u in self for b in self.within(u)))

    def deepest_first(self) -> tuple[BlockSpec, ...]:
        """Every block after the blocks in it."""
        return tuple(sorted(self.specs, key=lambda s: -len(self.around(s.uid))))

    def fresh_uid(self) -> Uid:
        numbers = [int(s.uid[1:]) for s in self.specs if s.uid[1:].isdecimal()]
        return f"{MARK}{max(numbers, default=0) + 1}"

    def fresh_name(self, stem: str) -> str:
        """`stem`, or with the first number that is free: stem 2, stem 3, ..."""
        taken = {s.name.casefold() for s in self.specs}
        base = stem.rstrip("0123456789").rstrip() or stem
        name, number = stem, 2
        while name.casefold() in taken:
            tail = f" {number}"
            name, number = base[: LONGEST_NAME - len(tail)] + tail, number + 1
        return name

    def check_name(self, name: str, uid: Uid = "") -> None:
        """Raise GraphError unless a block may be called so."""
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise GraphError(
                N_("“{name}” cannot name a block: use 1 to {most} characters."), name=name, most=LONGEST_NAME
            )
        if any(s.uid != uid and s.name.casefold() == name.casefold() for s in self.specs):
            raise GraphError(N_("Two blocks cannot both be named “{name}”."), name=name)


_known: tuple[Mapping[str, Any], GraphSpec, Blocks] | None = None


def blocks_of(state: DocumentState) -> Blocks:
    """The blocks of a document. What the hints say that cannot be is left out."""
    global _known
    plain = state.hints.get(KEY)
    if not plain:
        return Blocks()
    if _known is None or _known[0] is not state.hints or _known[1] is not state.graph:
        _known = (state.hints, state.graph, made_of(read(plain), {n.uid for n in state.graph.nodes}))
    return _known[2]


def read(plain: object) -> list[BlockSpec]:
    """Blocks from JSON values, without a look at what their members are."""
    found = []
    for item in plain if isinstance(plain, (list, tuple)) else ():
        if not isinstance(item, dict) or not isinstance(item.get("members"), list):
            continue
        uid, name = item.get("uid"), item.get("name")
        if not isinstance(uid, str) or not uid.startswith(MARK) or not isinstance(name, str):
            continue
        name = "".join(c for c in name if c.isprintable()).strip()[:LONGEST_NAME]
        members = tuple(m for m in item["members"] if isinstance(m, str))
        found.append(BlockSpec(uid, name or uid, members, item.get("folded") is not False))
    return found


def made_of(specs: Iterable[BlockSpec], layers: Collection[Uid]) -> Blocks:
    """Blocks that can be: every member is there and in one block only, none is in itself, none is empty."""
    known = {s.uid: s for s in reversed(list(specs)) if s.uid not in layers}
    order = list(reversed(known))
    parents: dict[Uid, Uid] = {}

    def free(member: Uid, block: Uid) -> bool:
        at: Uid | None = block
        while at is not None:
            if at == member:
                return False
            at = parents.get(at)
        return member not in parents and (member in layers or member in known)

    members: dict[Uid, tuple[Uid, ...]] = {}
    for uid in order:
        kept = []
        for member in known[uid].members:
            if free(member, uid):
                parents[member] = uid
                kept.append(member)
        members[uid] = tuple(kept)

    def empty() -> list[Uid]:
        return [u for u, inside in members.items() if not any(m in layers or m in members for m in inside)]

    while gone := empty():
        for uid in gone:
            del members[uid]
    done = tuple(
        replace(known[u], members=tuple(m for m in members[u] if m in layers or m in members))
        for u in order
        if u in members
    )
    return Blocks(done, {m: s.uid for s in done for m in s.members})


def with_blocks(state: DocumentState, specs: Iterable[BlockSpec]) -> DocumentState:
    """The state with these blocks instead of its own."""
    hints = {k: v for k, v in state.hints.items() if k != KEY}
    kept = made_of(specs, {n.uid for n in state.graph.nodes})
    if kept.specs:
        hints[KEY] = [spec.plain() for spec in kept]
    return replace(state, hints=hints)


def kept(old: DocumentState, new: DocumentState) -> DocumentState:
    """The state after an edit: layers that are gone leave their blocks, and new ones find theirs.

    A new layer belongs where all it is linked to belongs, one behind a layer of an open block to that block;
    a docked one always belongs to its layer.
    """
    if not new.hints.get(KEY):
        return new
    blocks = blocks_of(new)
    homes = dict(blocks.parents)
    before = {n.uid for n in old.graph.nodes}
    for node in new.graph.nodes:
        if node.uid in before or node.uid in homes:
            continue
        home = home_by_links(new.graph, blocks, homes, node)
        if home is not None:
            homes = _put(homes, node.uid, home)
    for guest, host in dock_hosts(new).items():
        if homes.get(guest) != homes.get(host):
            homes = _put(homes, guest, homes.get(host))
    if homes == blocks.parents and [spec.plain() for spec in blocks] == new.hints[KEY]:
        return new
    return with_blocks(new, with_homes(blocks, homes))


def home_by_links(
    graph: GraphSpec, blocks: Blocks, homes: Mapping[Uid, Uid], node: NodeSpec
) -> Uid | None:
    """The block that a new layer belongs to because of what it is linked to."""
    ends = [k.source for k in graph.inputs_of(node.uid)] + [k.target for k in graph.outputs_of(node.uid)]
    home = homes.get(ends[0]) if ends else None
    if home is None or any(homes.get(end) != home for end in ends):
        return None
    return home if len(ends) > 1 or (node.layer.has_output and not blocks[home].folded) else None


def _put(homes: Mapping[Uid, Uid], uid: Uid, home: Uid | None) -> dict[Uid, Uid]:
    made = {k: v for k, v in homes.items() if k != uid}
    return made if home is None else {**made, uid: home}


def with_homes(blocks: Blocks, homes: Mapping[Uid, Uid]) -> tuple[BlockSpec, ...]:
    """The same blocks with other members; those that stay keep their order."""
    out = []
    for spec in blocks:
        stay = [m for m in spec.members if homes.get(m) == spec.uid]
        come = [m for m, home in homes.items() if home == spec.uid and m not in stay]
        out.append(replace(spec, members=(*stay, *come)))
    return tuple(out)
