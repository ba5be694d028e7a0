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
from gui.canvas.blocks import BlockSpec, blocks_of, made_of
from gui.canvas.blocks import read as read_blocks
from gui.canvas.state import DocumentState, Point

FORMAT = "matrizen/layers"
MIME = "application/x-matrizen-layers"
LIMIT = 1_000_000
"""Characters a piece may have; more is no clipboard of ours."""


@dataclass(frozen=True)
class Fragment:
    """Nodes, the links among them, their places, which of them are docked, and blocks around them."""

    nodes: tuple[NodeSpec, ...]
    links: tuple[LinkSpec, ...]
    positions: Mapping[Uid, Point]
    docked: frozenset[Uid]
    blocks: tuple[BlockSpec, ...] = ()


def piece_of(state: DocumentState, uids: Collection[Uid]) -> Fragment:
    """The chosen nodes, and the chosen blocks with all that is in them."""
    blocks = blocks_of(state)
    inside = set(blocks.expanded(uids))
    return Fragment(
        tuple(n for n in state.graph.nodes if n.uid in inside),
        tuple(k for k in state.graph.links if k.source in inside and k.target in inside),
        {u: state.positions.get(u, (0.0, 0.0)) for u in inside},
        state.docked & inside,
        blocks.chosen(uids),
    )


def write(piece: Fragment) -> str:
    """A piece as JSON text."""
    return json.dumps(plain_of(piece))


def plain_of(piece: Fragment, format: str = FORMAT) -> dict[str, Any]:
    """A piece as JSON values."""
    return {
        "format": format,
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
                "at": list(piece.positions.get(n.uid, (0.0, 0.0))),
            }
            for n in piece.nodes
        ],
        "links": [[k.source, k.target, k.port, k.source_port] for k in piece.links],
        "docked": sorted(piece.docked),
        "blocks": [spec.plain() for spec in piece.blocks],
    }


def read(text: str) -> Fragment:
    """The piece in a text. Raises GraphError when it is none or does not fit together."""
    problem = GraphError(N_("The clipboard holds no layers of Matrizen."))
    if len(text) > LIMIT:
        raise problem
    try:
        plain = json.loads(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise problem
        return piece_from(plain)
    except MatrizenError:
        raise
    except WRONG:
        raise problem from None


WRONG = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What JSON values raise that are no piece."""


def piece_from(plain: Mapping[str, Any]) -> Fragment:
    """A piece from JSON values. Raises GraphError, or one of `WRONG`."""
    nodes, positions = [], {}
    graph = GraphSpec()
    for item in plain["nodes"]:
        uid = str(item["uid"])
        name = str(item["name"])
        layer = layer_from_plain(item["kind"], item["settings"])
        shares = item["shares"]
        shares = str(shares) if shares is not None else None
        frozen = bool(item.get("frozen", False))
        rules = WeightRules(**item.get("rules", {}))
        starts = tuple((str(name), str(kind)) for name, kind in item.get("starts", ()))
        nodes.append(NodeSpec(uid, name, layer, shares, frozen, rules, starts))
        graph = graph.add(name, layer, uid=uid)
        x, y = item["at"]
        positions[uid] = (_coordinate(x), _coordinate(y))
    for source, target, port, source_port in plain["links"]:
        graph = graph.link(str(source), str(target), int(port), int(source_port))
    docked = frozenset(str(u) for u in plain["docked"])
    blocks = made_of(read_blocks(plain.get("blocks")), positions)
    return Fragment(tuple(nodes), graph.links, positions, docked, blocks.specs)


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
