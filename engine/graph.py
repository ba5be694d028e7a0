"""The drawn network as an immutable value: nodes that carry layers, links from port to port.

An edit returns a new `GraphSpec`; undo keeps the old one, saving writes it, the engine gets it whole.
A graph may be half drawn: what is missing or does not fit is found by `engine.inference`, not here.
Only what could never be a network is refused (unknown node, two nodes of one name, a cycle).
"""

from __future__ import annotations

import heapq
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.errors import N_, GraphError
from engine.weight_rules import NO_RULES, WeightRules

if TYPE_CHECKING:
    from engine.layers.base import Layer

Uid = str
"""Stable identity of a node; it outlives renaming."""

RESERVED_UIDS = frozenset({"data", "test", "target"})
"""First parts of value ids that belong to the data, not to a node."""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class NodeSpec:
    """One node: `uid` for ever, `name` as shown and as used in file keys, `layer` with its settings.

    `shares` names the node whose parameters this one uses (shared weights), or None for its own. A `frozen`
    node has gradients, but its parameters stay as they are; running statistics go on. `rules` are about the
    parameters a node owns; `starts` names initializers of them, by name, where they are not the layer's own.
    """

    uid: Uid
    name: str
    layer: Layer
    shares: Uid | None = None
    frozen: bool = False
    rules: WeightRules = NO_RULES
    starts: tuple[tuple[str, str], ...] = ()

    @property
    def owner(self) -> Uid:
        """The node that owns the parameters used here."""
        return self.shares or self.uid


@dataclass(frozen=True)
class LinkSpec:
    """A link from an output port of `source` to an input port of `target`; ports count from 0."""

    source: Uid
    target: Uid
    port: int = 0
    source_port: int = 0


@dataclass(frozen=True)
class GraphSpec:
    """Nodes in the order they were drawn and the links between them."""

    nodes: tuple[NodeSpec, ...] = ()
    links: tuple[LinkSpec, ...] = ()

    # ---- reading -------------------------------------------------------------------------------

    def node(self, uid: Uid) -> NodeSpec:
        """The node with this uid; raises GraphError when there is none."""
        for node in self.nodes:
            if node.uid == uid:
                return node
        raise GraphError(N_("There is no layer “{uid}” in this network."), uid=uid)

    def has(self, uid: Uid) -> bool:
        return any(node.uid == uid for node in self.nodes)

    def by_name(self, name: str) -> NodeSpec:
        """The node shown as `name` (case does not matter); raises GraphError when there is none."""
        for node in self.nodes:
            if node.name.lower() == name.lower():
                return node
        raise GraphError(N_("There is no layer named “{name}” in this network."), name=name)

    def inputs_of(self, uid: Uid) -> tuple[LinkSpec, ...]:
        """Links that arrive at a node, in port order."""
        return tuple(sorted((k for k in self.links if k.target == uid), key=lambda k: k.port))

    def outputs_of(self, uid: Uid) -> tuple[LinkSpec, ...]:
        """Links that leave a node, in drawing order."""
        return tuple(k for k in self.links if k.source == uid)

    def reaches(self, start: Uid, goal: Uid) -> bool:
        """Whether a path of links leads from `start` to `goal` (a node reaches itself)."""
        following: dict[Uid, list[Uid]] = {}
        for k in self.links:
            following.setdefault(k.source, []).append(k.target)
        seen, todo = set[Uid](), [start]
        while todo:
            uid = todo.pop()
            if uid == goal:
                return True
            if uid not in seen:
                seen.add(uid)
                todo += following.get(uid, ())
        return False

    def order(self) -> tuple[NodeSpec, ...]:
        """Nodes so that every link leads forward; ties keep the drawing order."""
        places = {node.uid: i for i, node in enumerate(self.nodes)}
        missing: dict[Uid, set[Uid]] = {node.uid: set() for node in self.nodes}
        following: dict[Uid, list[Uid]] = {}
        for k in self.links:
            if k.target in missing:
                missing[k.target].add(k.source)
                following.setdefault(k.source, []).append(k.target)
        ready = [i for uid, i in places.items() if not missing[uid]]
        heapq.heapify(ready)
        done: list[NodeSpec] = []
        while ready:
            node = self.nodes[heapq.heappop(ready)]
            done.append(node)
            for target in following.get(node.uid, ()):
                if node.uid in missing[target]:
                    missing[target].discard(node.uid)
                    if not missing[target]:
                        heapq.heappush(ready, places[target])
        if len(done) < len(self.nodes):
            raise GraphError(N_("The links form a loop; remove one of them."))
        return tuple(done)

    # ---- editing: each returns a new graph --------------------------------------------------------

    def add(
        self,
        name: str,
        layer: Layer,
        *,
        after: str | Iterable[str] | None = None,
        shares: str | None = None,
        uid: Uid | None = None,
    ) -> GraphSpec:
        """Add a node, linked from the nodes named in `after` (in port order)."""
        check_name(name)
        if any(n.name.lower() == name.lower() for n in self.nodes):
            raise GraphError(N_("Two layers cannot both be named “{name}”."), name=name)
        uid = uid or self.fresh_uid(name)
        if self.has(uid):
            raise GraphError(N_("The layer id “{uid}” is taken."), uid=uid)
        owner = self.by_name(shares).owner if shares else None
        graph = replace(self, nodes=(*self.nodes, NodeSpec(uid, name, layer, owner)))
        sources = [after] if isinstance(after, str) else list(after or ())
        for port, source in enumerate(sources):
            graph = graph.link(graph.by_name(source).uid, uid, port)
        return graph

    def remove(self, uids: Iterable[Uid]) -> GraphSpec:
        """Remove nodes with their links; nodes that shared their weights get their own."""
        gone = set(uids)
        return GraphSpec(
            tuple(
                replace(n, shares=None) if n.shares in gone else n for n in self.nodes if n.uid not in gone
            ),
            tuple(k for k in self.links if k.source not in gone and k.target not in gone),
        )

    def replace_node(self, uid: Uid, **changes: object) -> GraphSpec:
        """Change fields of one node (`layer=`, `name=`, `shares=`)."""
        old = self.node(uid)
        new = replace(old, **changes)  # type: ignore[arg-type]
        if new.name != old.name:
            check_name(new.name)
            if any(n.uid != uid and n.name.lower() == new.name.lower() for n in self.nodes):
                raise GraphError(N_("Two layers cannot both be named “{name}”."), name=new.name)
        return replace(self, nodes=tuple(new if n.uid == uid else n for n in self.nodes))

    def link(self, source: Uid, target: Uid, port: int = 0, source_port: int = 0) -> GraphSpec:
        """Add a link; what arrived at that port before is replaced. Raises GraphError on a loop."""
        a, b = self.node(source), self.node(target)
        if self.reaches(target, source):
            raise GraphError(
                N_("A link from {source} to {target} would close a loop."), source=a.name, target=b.name
            )
        if not 0 <= port < b.layer.port_limit():
            raise GraphError(N_("{target} has no input {port}."), target=b.name, port=port + 1)
        kept = tuple(k for k in self.links if not (k.target == target and k.port == port))
        return replace(self, links=(*kept, LinkSpec(source, target, port, source_port)))

    def unlink(self, target: Uid, port: int) -> GraphSpec:
        """Remove the link at an input port. Later ports of a layer with any number of inputs move up."""
        links = []
        many = self.node(target).layer.many_inputs
        for k in self.links:
            if k.target == target and k.port == port:
                continue
            links.append(replace(k, port=k.port - 1) if many and k.target == target and k.port > port else k)
        return replace(self, links=tuple(links))

    def free_port(self, uid: Uid) -> int | None:
        """The first input port nothing is linked to, or None."""
        used = {k.port for k in self.links if k.target == uid}
        for port in range(min(self.node(uid).layer.port_limit(), len(used) + 1)):
            if port not in used:
                return port
        return None

    def fresh_name(self, stem: str) -> str:
        """`stem` with the first number that is free: dense1, dense2, ..."""
        taken = {n.name.lower() for n in self.nodes}
        number = 1
        while f"{stem}{number}".lower() in taken:
            number += 1
        return f"{stem}{number}"

    def fresh_uid(self, name: str) -> Uid:
        """An id nobody has; the names of resident data are not given to layers."""
        uid, number = name, 2
        while self.has(uid) or uid.lower() in RESERVED_UIDS:
            uid, number = f"{name}_{number}", number + 1
        return uid


def check_name(name: str) -> None:
    """Raise GraphError unless `name` can be a key in files: letters, digits and _, not a keyword."""
    if not _IDENTIFIER.match(name) or keyword.iskeyword(name) or len(name) > 64:
        raise GraphError(
            N_("“{name}” cannot name a layer: use a letter, then letters, digits or _ (at most 64)."),
            name=name,
        )


def rename_map(old: GraphSpec, new: GraphSpec) -> Mapping[Uid, tuple[str, str]]:
    """Nodes present in both whose name changed: uid -> (old, new)."""
    before = {n.uid: n.name for n in old.nodes}
    return {n.uid: (before[n.uid], n.name) for n in new.nodes if n.uid in before and before[n.uid] != n.name}
