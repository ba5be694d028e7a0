"""A network made ready to train: recorded, allocated, its data resident, compiled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.backends.base import Array, Backend, Plan
from engine.carrying import Attic, locked_parameters, start_state
from engine.data.dataset import Dataset
from engine.errors import N_, TrainingError
from engine.forward import Forward
from engine.graph import GraphSpec
from engine.inference import Inference, infer
from engine.plan import check_room
from engine.program import record
from engine.run import data_spec
from engine.settings import DataSpec, TrainingSpec
from engine.values import Program


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything that belongs to one program; made whole or not at all."""

    graph: GraphSpec
    training: TrainingSpec
    dataset: Dataset
    seed: int
    spec: DataSpec
    program: Program
    facts: Inference
    store: Any
    fast: Plan
    forward: Forward


def prepare(
    backend: Backend,
    graph: GraphSpec,
    training: TrainingSpec,
    dataset: Dataset,
    seed: int,
    carried: Mapping[str, Array],
    attic: Attic,
    lockable: Collection[str] = (),
) -> Prepared:
    """Record, allocate, bind, compile. Raises GraphError, TrainingError or DeviceError.

    Parameters have a mask where cells of them are locked, and those in `lockable`.
    """
    spec = data_spec(dataset)
    if dataset.n_train == 0:
        raise TrainingError(N_("There are no examples to train on; add some or lower the test share."))
    facts = infer(graph, training, spec)
    locked = locked_parameters(facts, carried, attic) | set(lockable)
    program = record(graph, training, spec, "train", min(training.batch, dataset.n_train), locked)
    check_room(program, backend)
    store = backend.store(program.state(), seed)
    store.load(start_state(program, facts, carried, attic, seed))
    for part, x, y in (
        ("data", dataset.x_train, dataset.y_train),
        ("test", dataset.x_test, dataset.y_test),
    ):
        if len(x):
            store.bind(f"{part}.x", x if spec.dtype == "u8" else dataset.to_float(x))
            store.bind(f"{part}.y", y.astype(np.int32 if spec.classes else np.float32))
            store.bind(f"{part}.order", np.arange(len(x), dtype=np.int32))
    fast = backend.compile(program, store, traced=False)
    forward = Forward(graph, training, dataset, backend, store)
    return Prepared(graph, training, dataset, seed, spec, program, facts, store, fast, forward)
