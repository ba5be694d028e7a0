"""Thumbnails of nodes: a few tiles, a histogram and the facts that are written beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from engine.ops.over_time import states_of
from engine.session import reduce
from engine.session.views import Array, NodeStats, NodeThumb, ThumbRole, Thumbs
from engine.training import Trainer
from engine.values import Program, Uid, Value, state_id

MOST_TILES = 64
FEW = 100
"""So few numbers are colored up to the largest; of more, the last percent lies in the end colors."""
SMALLEST_TILE = 6


class NotYet(Exception):
    """A value has not been computed in the step that is walked."""


class Reader:
    """Values of the step shown, each read once. Inside a step only what was computed so far."""

    def __init__(self, trainer: Trainer, committed: bool) -> None:
        self.trainer = trainer
        self.program: Program = trainer.program
        self.committed = committed
        self._kept: dict[str, Array] = {}

    def __contains__(self, value_id: str) -> bool:
        value = self.program.values.get(value_id)
        if value is None:
            return False
        at = self.program.producers.get(self.program.storage(value).id)
        until = self.trainer.op_index
        return at is None or until is None or at < until

    def __call__(self, value_id: str) -> Array:
        """The live array. Raises KeyError for unknown values, NotYet for those of ops to come."""
        if value_id not in self._kept:
            if value_id not in self.program.values:
                raise KeyError(value_id)
            if value_id not in self:
                raise NotYet(value_id)
            self._kept[value_id] = self.trainer.read(value_id)
        return self._kept[value_id]

    def state(self, owner: Uid, param: str) -> str | None:
        """Id of the newest version of a parameter in the step shown."""
        old = state_id(owner, param)
        if old not in self.program.values:
            return None
        new = next((new.id for before, new in self.program.commits if before.id == old), old)
        return new if new in self else old


def picture_of(trainer: Trainer, owner: Uid) -> tuple[int, ...] | None:
    """(C, H, W) when the inputs of a dense node are the pixels of a picture, else None."""
    graph = trainer.graph
    if not graph.has(owner) or graph.node(owner).layer.kind != "dense":
        return None
    uid = owner
    for _ in range(len(graph.nodes)):
        links = graph.inputs_of(uid)
        if len(links) != 1:
            return None
        uid = links[0].source
        shape = trainer.facts.shapes.get(uid, ())
        if len(shape) == 3:
            return shape
        if graph.node(uid).layer.kind not in ("flatten", "dropout", "gaussian_noise"):
            return None
    return None


def make(request: Thumbs, read: Reader, maps: Mapping[Uid, Array]) -> dict[Uid, NodeThumb]:
    """Thumbnails of the nodes asked for; `maps` holds the neurons' own maps where those are shown.

    Nodes without a value (not part of the path to the output, or not reached yet) are left out.
    """
    out: dict[Uid, NodeThumb] = {}
    for uid, role in request.nodes:
        value = read.program.outputs.get(uid)
        value = value and (states_of(read.program, uid) or value)
        if value is None or value.id not in read:
            continue
        tiles, total, source = _tiles(request, read, uid, role, value, maps)
        if source is None:
            continue
        low, high, span = reduce.extremes(source)
        bars = reduce.counts(source, request.bins, low, high)
        if role == "neurons":
            places, ends = _own_places(tiles), (-1.0, 1.0)
        else:
            ends = _ends(tiles, role, read.trainer.graph.node(uid).layer.kind, low, span)
            places = _places(tiles, *ends)
        out[uid] = NodeThumb(places, ends, total, low, high, span, bars, _stats(read, uid, value))
    return out


def _ends(tiles: Array, role: ThumbRole, kind: str, low: float, span: float) -> tuple[float, float]:
    """Where the colors end: pictures at 1 or 255, numbers of both signs symmetric about zero."""
    if kind in ("input", "augment"):
        return 0.0, 255.0 if tiles.max(initial=0.0) > 1.5 else 1.0
    if tiles.size <= FEW:
        span = float(np.abs(tiles[np.isfinite(tiles)]).max(initial=0.0))
    span = span or 1.0
    return (-span, span) if role in ("weights", "gradients", "deltas") or low < 0 else (0.0, span)


def _places(tiles: Array, low: float, high: float) -> Array:
    """The place of every number on a ramp of 256; not-a-number sits at zero."""
    with np.errstate(all="ignore"):
        place = np.multiply(tiles, np.float32(255.0 / (high - low)), dtype=np.float32)
        place += np.float32(0.5 - low * 255.0 / (high - low))
        np.clip(place, 0.0, 255.0, out=place)
        if np.isnan(place.sum()):
            np.nan_to_num(place, copy=False, nan=-low * 255.0 / (high - low))
    return place.astype(np.uint8)


def _own_places(tiles: Array) -> Array:
    """Every tile on a ramp that ends at its own largest |number|."""
    flat = np.nan_to_num(np.abs(tiles.reshape(len(tiles), -1)), posinf=0.0)
    largest = flat.max(axis=1, initial=0.0)[:, None, None]
    return _places(tiles / np.where(largest > 0, largest, 1.0), -1.0, 1.0)


def _tiles(request: Thumbs, read: Reader, uid: Uid, role: ThumbRole, value: Value,
           maps: Mapping[Uid, Array]) -> tuple[Array, int, Array | None]:
    """Tiles, how many there are in all, and the array the histogram is of (None: nothing to show)."""
    trainer = read.trainer
    if role == "neurons" and uid in maps:
        return _fit(maps[uid], request), len(maps[uid]), maps[uid]
    if role in ("weights", "gradients"):
        owner = trainer.graph.node(uid).owner
        name = read.state(owner, "weight")
        if role == "gradients":
            gradient = read.program.gradients.get(state_id(owner, "weight"))
            name = gradient.id if gradient is not None and gradient.id in read else None
        if name is not None:
            array = read(name)
            return (*_weight_tiles(array, picture_of(trainer, owner), request), array)
    if role == "deltas":
        gradient = read.program.gradients.get(value.id)
        if gradient is None or gradient.id not in read:
            return np.zeros((0, 1, 1)), 0, None
        value = gradient
    array = read(value.id)
    if array.ndim == 4 and trainer.graph.node(uid).layer.kind in ("input", "augment"):
        # the data shows several examples rather than its channels: the batch as it enters
        return _fit(np.moveaxis(array[..., :16].mean(axis=0), -1, 0), request), array.shape[-1], array
    if array.ndim == 4:
        tiles = array[..., min(request.sample, array.shape[-1] - 1)]
        return _fit(tiles, request), len(tiles), array
    sample = min(request.sample, array.shape[-1] - 1) if array.ndim == 3 and value.batched else None
    return _fit(reduce.as_matrix(value, array, sample)[None], request), 1, array


def _weight_tiles(array: Array, picture: tuple[int, ...] | None, request: Thumbs) -> tuple[Array, int]:
    if array.ndim == 4:
        tiles = array.reshape(-1, *array.shape[2:])
        return _fit(tiles, request), len(tiles)
    if array.ndim == 2 and picture is not None:
        tiles = array.reshape(array.shape[0], *picture)[:MOST_TILES].mean(axis=1)
        return _fit(tiles, request), array.shape[0]
    return _fit(array.reshape(1, array.shape[0], -1), request), 1


def _fit(tiles: Array, request: Thumbs) -> Array:
    """As many tiles as leave each a visible size, each no larger than its share of the thumbnail."""
    most = min(MOST_TILES, max(1, request.width * request.height // SMALLEST_TILE**2))
    tiles = tiles[:most]
    if len(tiles) == 1:
        return reduce.means(reduce.means(tiles, 1, request.height), 2, request.width)
    side = max(SMALLEST_TILE, int(math.sqrt(request.width * request.height / max(1, len(tiles)))))
    return reduce.shrink_tiles(tiles, side)


def _stats(read: Reader, uid: Uid, value: Value) -> NodeStats:
    array = read(value.id)
    layer = read.trainer.graph.node(uid).layer
    some = reduce.thin(array, 32_768)
    active, dead = None, 0
    if layer.category == "activation":
        active = float((some > 0).mean()) if some.size else 0.0
    if layer.kind == "relu":
        dead = int((array.reshape(array.shape[0], -1).max(axis=1) <= 0).sum()) if array.size else 0
    mean = float(np.abs(some).mean()) if some.size else 0.0
    norm = gradient_norm = ratio = None
    owner = read.trainer.graph.node(uid).owner
    old = state_id(owner, "weight")
    if old in read.program.values:
        w = read(old)
        norm = float(np.linalg.norm(w))
        gradient = read.program.gradients.get(old)
        if gradient is not None and gradient.id in read:
            gradient_norm = float(np.linalg.norm(read(gradient.id)))
        new = read.state(owner, "weight")
        if new is not None and new != old and norm > 0:
            ratio = float(np.linalg.norm(read(new) - w)) / norm
    return NodeStats(mean, active, dead, array.shape[0], norm, gradient_norm, ratio)
