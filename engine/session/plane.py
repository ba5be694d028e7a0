"""Data with two inputs: what the network and its units say all over the plane."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.data.dataset import Dataset
from engine.session.views import Array, Boundary, BoundaryData, Points, PointsData
from engine.training import Trainer
from engine.values import Uid

MOST_UNITS = 16
MARGIN = 0.08

Extent = tuple[float, float, float, float]


def extent_of(dataset: Dataset) -> Extent:
    """A square around all points, with a margin."""
    x = np.concatenate([dataset.train_inputs(), dataset.test_inputs()])
    low, high = x.min(axis=0).astype(float), x.max(axis=0).astype(float)
    half = float((high - low).max()) / 2 * (1 + 2 * MARGIN) or 1.0
    x1, x2 = (float(v) for v in (low + high) / 2)
    return x1 - half, x1 + half, x2 - half, x2 + half


def grid(extent: Extent, size: int) -> Array:
    """(size * size, 2) float32: rows upwards in x2, x1 running fastest, corners included."""
    x1 = np.linspace(extent[0], extent[1], size, dtype=np.float32)
    x2 = np.linspace(extent[2], extent[3], size, dtype=np.float32)
    return np.stack([np.tile(x1, size), np.repeat(x2, size)], axis=1)


def boundary(request: Boundary, trainer: Trainer, extent: Extent) -> BoundaryData | None:
    """The output over the plane with the present weights; None unless the data has two inputs."""
    if trainer.dataset.shape != (2,):
        return None
    where = request.extent or extent
    size = min(max(request.size, 2), 256)
    output = trainer.output_value(trainer.program).id
    said = trainer.predict(grid(where, size), keep=(output,))[output]
    shown = trainer.probabilities(said) if trainer.classifies else said
    field = np.ascontiguousarray(shown.T, np.float32).reshape(-1, size, size)
    return BoundaryData(field, where, neurons(request.neurons, trainer, where, request.neuron_size),
                        trainer.classifies)


def neurons(uids: Iterable[Uid], trainer: Trainer, extent: Extent, size: int) -> dict[Uid, Array]:
    """Each unit's own map (units, size, size) for nodes of at most 16 units."""
    if trainer.dataset.shape != (2,):
        return {}
    size = min(max(size, 2), 128)
    wanted: dict[Uid, str] = {}
    for uid in uids:
        value = trainer.program.outputs.get(uid)
        if value is not None and len(value.shape) == 2 and value.shape[0] <= MOST_UNITS:
            wanted[uid] = value.id
    points = grid(extent, size)
    out: dict[Uid, Array] = {}
    # the input's own maps are the coordinates themselves
    inputs = {n.uid for n in trainer.graph.nodes if n.layer.kind == "input"}
    ids = tuple(dict.fromkeys(id for uid, id in wanted.items() if uid not in inputs))
    said = trainer.predict(points, keep=ids) if ids else {}
    for uid, id in wanted.items():
        array = points if uid in inputs else said[id]
        out[uid] = np.ascontiguousarray(array.T, np.float32).reshape(-1, size, size)
    return out


def points(request: Points, dataset: Dataset, extent: Extent) -> PointsData | None:
    """The examples themselves; None unless the data has two inputs."""
    if dataset.shape != (2,):
        return None
    some = slice(0, request.limit)
    return PointsData(dataset.train_inputs(some), dataset.y_train[some], dataset.test_inputs(some),
                      dataset.y_test[some], extent)
