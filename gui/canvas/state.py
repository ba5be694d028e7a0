"""The document as one immutable value, and how far two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal

from engine.data.source import SourceSpec
from engine.graph import GraphSpec, Uid
from engine.settings import DataSpec, TrainingSpec

Point = tuple[float, float]
"""x to the right, y down, in logical pixels at 100 %: the upper left corner of a node."""

Difference = Literal["none", "cosmetic", "hot", "structural"]

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True)
class DocumentState:
    """All that is saved and undone: the network, where its nodes lie, how and on what it is trained.

    `data` holds the facts of the loaded source, or None while none is. `hints` are JSON values for the
    window only: "docked" lists the activations that sit flush on the layer before them.
    """

    graph: GraphSpec = field(default_factory=GraphSpec)
    positions: Mapping[Uid, Point] = field(default_factory=lambda: _NOTHING)
    training: TrainingSpec = field(default_factory=TrainingSpec)
    source: SourceSpec | None = None
    data: DataSpec | None = None
    notes: str = ""
    hints: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    @property
    def docked(self) -> frozenset[Uid]:
        """Nodes marked as docked; whether they can be is a question for `dock_host`."""
        return frozenset(self.hints.get("docked", ()))

    def with_docked(self, uids: frozenset[Uid]) -> DocumentState:
        hints = {k: v for k, v in self.hints.items() if k != "docked"}
        if uids:
            hints["docked"] = sorted(uids)
        return replace(self, hints=hints)

    def with_positions(self, moved: Mapping[Uid, Point]) -> DocumentState:
        return replace(self, positions={**self.positions, **moved})


def can_dock(graph: GraphSpec, uid: Uid) -> Uid | None:
    """The layer an activation could sit on: its one source, when nothing else reads that source."""
    node = graph.node(uid)
    if node.layer.category != "activation":
        return None
    links = graph.inputs_of(uid)
    if len(links) != 1:
        return None
    host = graph.node(links[0].source)
    if host.layer.category not in ("linear", "normalize", "merge") or len(graph.outputs_of(host.uid)) != 1:
        return None
    return host.uid


def dock_hosts(state: DocumentState) -> dict[Uid, Uid]:
    """Docked activation -> the layer it sits on, for those whose link still allows it."""
    hosts = {}
    for uid in state.docked:
        host = can_dock(state.graph, uid) if state.graph.has(uid) else None
        if host is not None:
            hosts[uid] = host
    return hosts


def difference(old: DocumentState, new: DocumentState) -> Difference:
    """How much a running engine must do: nothing, nothing but names, next step, or a new program."""
    if old == new:
        return "none"
    if old.source != new.source or old.data != new.data:
        return "structural"
    worst: Difference = "cosmetic"
    if old.training != new.training:
        hot = {name for name, (facts, _) in TrainingSpec.settings().items() if facts.hot}
        if not _same(old.training, new.training, hot):
            return "structural"
        worst = "hot"
    if old.graph == new.graph:
        return worst
    before = {n.uid: n for n in old.graph.nodes}
    after = {n.uid: n for n in new.graph.nodes}
    if before.keys() != after.keys() or set(old.graph.links) != set(new.graph.links):
        return "structural"
    for uid, a in before.items():
        b = after[uid]
        if (a.shares, a.frozen, a.starts) != (b.shares, b.frozen, b.starts):
            return "structural"
        if type(a.layer) is not type(b.layer):
            return "structural"
        if a.rules != b.rules:
            if a.rules.active != b.rules.active:
                return "structural"
            worst = "hot"
        if a.layer != b.layer:
            hot = {name for name, (facts, _) in a.layer.settings().items() if facts.hot}
            if not _same(a.layer, b.layer, hot):
                return "structural"
            worst = "hot"
    return worst


def hot_changes(old: GraphSpec, new: GraphSpec) -> dict[str, float]:
    """Hot settings of layers that changed, "<node>.<field>" -> value."""
    found: dict[str, float] = {}
    for node in new.nodes:
        before = next((n for n in old.nodes if n.uid == node.uid), None)
        if before is None:
            continue
        hot = [name for name, (facts, _) in node.layer.settings().items() if facts.hot]
        for a, b, names in ((before.layer, node.layer, hot), (before.rules, node.rules, node.rules.active)):
            changed = [name for name in names if a != b and getattr(a, name) != getattr(b, name)]
            found |= {f"{node.uid}.{name}": float(getattr(b, name)) for name in changed}
    return found


def _same(a: Any, b: Any, ignored: set[str]) -> bool:
    return all(getattr(a, f.name) == getattr(b, f.name) for f in fields(a) if f.name not in ignored)
