"""Sizes of nodes in logical pixels at 100 %: normal, compact, and unfolded into their neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.graph import GraphSpec, Uid
from engine.inference import Inference, infer
from engine.layers import Dense, Flatten, Input, InputFeatures, Layer, Output
from engine.settings import DataSpec, TrainingSpec
from gui.canvas.state import DocumentState, dock_hosts

GRID = 8
NODE_WIDTH, NODE_HEIGHT, COMPACT_WIDTH = 152, 200, 64
HEADER, FOOTER = 46, 30
PICTURE_TOP, PICTURE_HEIGHT = HEADER + 1, 122
PORT_Y = 110
PORT, PORT_HOVER, PORT_HIT = 11, 15, 24
MAGNET = 24
TILE = 26
UNFOLD_LIMIT = 16
UNFOLDED_WIDTH, UNFOLDED_TOP, UNFOLDED_FOOT = 96, 54, 8


@dataclass(frozen=True)
class Unfold:
    """A layer drawn as its neurons: `units` small maps of `side` pixels; `merged` is its activation."""

    units: int
    side: int
    gap: int
    merged: Uid | None = None

    def top(self, unit: int) -> int:
        return UNFOLDED_TOP + unit * (self.side + self.gap)

    @property
    def height(self) -> int:
        return self.top(self.units) - self.gap + UNFOLDED_FOOT


@dataclass(frozen=True)
class Size:
    """Outline of a node and the height of its ports."""

    width: int
    height: int
    port_y: int
    unfold: Unfold | None = None


def map_side(units: int) -> tuple[int, int]:
    """Side of one neuron's map and the gap below it, so that a layer stays about 550 high."""
    if units == 1:
        return 80, 6
    if units <= 8:
        return 56, 6
    side = max(24, 496 // units - 4)
    return side, 4


AS_NEURONS = (Input, InputFeatures, Dense, Output)


def unfolds(
    graph: GraphSpec, inference: Inference, data: DataSpec | None, hosts: Mapping[Uid, Uid]
) -> dict[Uid, Unfold]:
    """Layers to draw as neurons: small vectors in a project whose data are points of a plane."""
    inputs = [n for n in graph.nodes if isinstance(n.layer, Input)]
    shape = data.shape if data is not None else inputs[0].layer.shape if inputs else ()  # type: ignore[attr-defined]
    if tuple(shape) != (2,):
        return {}
    merged = {host: uid for uid, host in hosts.items()}
    out: dict[Uid, Unfold] = {}
    for node in graph.nodes:
        found = inference.shapes.get(node.uid)
        if not isinstance(node.layer, AS_NEURONS) or found is None or len(found) != 1:
            continue
        if 1 <= found[0] <= UNFOLD_LIMIT:
            side, gap = map_side(found[0])
            out[node.uid] = Unfold(found[0], side, gap, merged.get(node.uid))
    return out


def size_of(layer: Layer, unfold: Unfold | None = None) -> Size:
    """Outline of a node that shows `layer`."""
    if unfold is not None:
        width = UNFOLDED_WIDTH + (24 if unfold.units == 1 else 0)
        return Size(width, unfold.height, (UNFOLDED_TOP + unfold.height - UNFOLDED_FOOT) // 2, unfold)
    return Size(COMPACT_WIDTH if isinstance(layer, Flatten) else NODE_WIDTH, NODE_HEIGHT, PORT_Y)


_known: tuple[GraphSpec, TrainingSpec, DataSpec | None, Inference] | None = None


def _inferred(state: DocumentState) -> Inference:
    """What inference says of a document; kept, since one edit asks several times about one graph."""
    global _known
    asked = (state.graph, state.training, state.data)
    if _known is None or any(a is not b for a, b in zip(_known, asked, strict=False)):
        _known = (*asked, infer(*asked))
    return _known[3]


def node_sizes(state: DocumentState, inference: Inference | None = None) -> dict[Uid, Size]:
    """The outline of every node of a document."""
    inference = inference or _inferred(state)
    unfolded = unfolds(state.graph, inference, state.data, dock_hosts(state))
    return {n.uid: size_of(n.layer, unfolded.get(n.uid)) for n in state.graph.nodes}
