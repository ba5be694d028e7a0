"""A piece of a network as JSON: what copy puts on the clipboard and paste takes from it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import N_, GraphError, MatrizenError
from engine.graph import GraphSpec, LinkSpec, NodeSpec, Uid
from engine.layers import LAYERS
from engine.layers.base import Layer
from engine.weight_rules import WeightRules
from gui.canvas.state import DocumentState, Point

FORMAT = "matrizen/layers"
MIME = "application/x-matrizen-layers"
LIMIT = 1_000_000
"""Characters a piece may have; more is no clipboard of ours."""


@dataclass(frozen=True)
class Fragment:
    """Nodes, the links among them, their places, and which of them are docked."""

    nodes: tuple[NodeSpec, ...]
    links: tuple[LinkSpec, ...]
    positions: Mapping[Uid, Point]
    docked: frozenset[Uid]


def write(state: DocumentState, uids: Collection[Uid]) -> str:
    """The chosen nodes as JSON text."""
    nodes = [n for n in state.graph.nodes if n.uid in uids]
    inside = {n.uid for n in nodes}
    return json.dumps(
        {
            "format": FORMAT,
            "nodes": [
                {
                    "uid": n.uid,
                    "name": n.name,
                    "kind": n.layer.kind,
                    "settings": layer_plain(n.layer),
                    "shares": n.shares,
                    "frozen": n.frozen,
                    "starts": [list(each) for each in n.starts],
                    "rules": {name: getattr(n.rules, name) for name in n.rules.active},
                    "at": list(state.positions.get(n.uid, (0.0, 0.0))),
                }
                for n in nodes
            ],
            "links": [
                [k.source, k.target, k.port, k.source_port]
                for k in state.graph.links
                if k.source in inside and k.target in inside
            ],
            "docked": sorted(state.docked & inside),
        }
    )


def read(text: str) -> Fragment:
    """The piece in a text. Raises GraphError when it is none or does not fit together."""
    problem = GraphError(N_("The clipboard holds no layers of Matrizen."))
    if len(text) > LIMIT:
        raise problem
    try:
        plain = json.loads(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise problem
        nodes, positions = [], {}
        graph = GraphSpec()
        for item in plain["nodes"]:
            uid = str(item["uid"])
            name = str(item["name"])
            layer = layer_from_plain(item["kind"], item["settings"])
            shares = item["shares"]
            frozen = bool(item.get("frozen", False))
            rules = WeightRules(**item.get("rules", {}))
            shares = str(shares) if shares is not None else None
            starts = tuple((str(name), str(kind)) for name, kind in item.get("starts", ()))
            nodes.append(NodeSpec(uid, name, layer, shares, frozen, rules, starts))
            graph = graph.add(name, layer, uid=uid)
            x, y = item["at"]
            positions[uid] = (_coordinate(x), _coordinate(y))
        for source, target, port, source_port in plain["links"]:
            graph = graph.link(str(source), str(target), int(port), int(source_port))
        docked = frozenset(str(u) for u in plain["docked"])
    except MatrizenError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise problem from None
    return Fragment(tuple(nodes), graph.links, positions, docked)


def layer_plain(layer: Layer) -> dict[str, Any]:
    """The settings of a layer as JSON values."""
    return {name: list(v) if isinstance(v := getattr(layer, name), tuple) else v for name in layer.settings()}


def layer_from_plain(kind: str, settings: Mapping[str, Any]) -> Layer:
    """The layer again; its own checks run. Raises GraphError, KeyError or TypeError."""
    cls = LAYERS[kind]
    known = cls.settings()
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items() if k in known})


def _coordinate(value: Any) -> float:
    number = float(value)
    if not abs(number) < 1e7:
        raise ValueError(value)
    return number
