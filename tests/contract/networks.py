"""Whole networks for the contract tests, with data and steps, at the level of plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.backends.base import Backend, Plan, Store
from engine.graph import GraphSpec
from engine.inference import infer
from engine.initializers import initialize
from engine.layers import (
    Add,
    Augment,
    AvgPool2D,
    BatchNorm,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPool2D,
    Output,
    ReLU,
    Softmax,
    Tanh,
)
from engine.ops.base import Array
from engine.optimizers import step_controls
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from engine.values import Program


def chain(*layers: object, shape: tuple[int, ...]) -> GraphSpec:
    """Layers one after the other between Input and Output."""
    graph = GraphSpec().add("input", Input(shape=shape))
    for layer in (*layers, Output()):
        name = "output" if isinstance(layer, Output) else graph.fresh_name(layer.kind)  # type: ignore[attr-defined]
        graph = graph.add(name, layer, after=graph.nodes[-1].name)  # type: ignore[arg-type]
    return graph


def mlp() -> GraphSpec:
    return chain(Dense(units=33), Tanh(), Dense(units=10), shape=(49,))


def cnn() -> GraphSpec:
    return chain(
        Conv2D(filters=5, kernel=(3, 3), padding=(1, 1, 1, 1)),
        ReLU(),
        MaxPool2D(),
        Conv2D(filters=7, kernel=(5, 5), padding=(2, 2, 2, 2)),
        ReLU(),
        MaxPool2D(),
        Flatten(),
        Dense(units=10),
        shape=(1, 12, 12),
    )


def residual() -> GraphSpec:
    """Two blocks around one shared convolution and normalization, joined by Add and Concatenate."""
    g = GraphSpec().add("input", Input(shape=(2, 9, 9)))
    g = g.add("augment", Augment(), after="input")
    g = g.add("conv1", Conv2D(filters=6, kernel=(3, 3), padding=(1, 1, 1, 1)), after="augment")
    g = g.add("norm1", BatchNorm(), after="conv1")
    g = g.add("relu1", ReLU(), after="norm1")
    g = g.add("conv2", Conv2D(filters=6, kernel=(3, 3), padding=(1, 1, 1, 1)), after="relu1")
    g = g.add("norm2", BatchNorm(), after="conv2")
    g = g.add("add1", Add(), after=("norm2", "relu1"))
    again = Conv2D(filters=6, kernel=(3, 3), padding=(1, 1, 1, 1))
    g = g.add("conv3", again, after="add1", shares="conv2")
    g = g.add("norm3", BatchNorm(), after="conv3", shares="norm2")
    g = g.add("add2", Add(), after=("norm3", "add1"))
    g = g.add("concat", Concatenate(), after=("add2", "relu1"))
    g = g.add("pool", AvgPool2D(), after="concat")
    g = g.add("drop", Dropout(rate=0.25), after="pool")
    g = g.add("flatten", Flatten(), after="drop")
    g = g.add("dense", Dense(units=10), after="flatten")
    g = g.add("softmax", Softmax(), after="dense")
    return g.add("output", Output(), after="softmax")


def learners() -> GraphSpec:
    """Little, but all that learns: dense, a convolution and a normalization, these two used twice."""
    conv = Conv2D(filters=2, kernel=(3, 3), padding=(1, 1, 1, 1))
    g = GraphSpec().add("input", Input(shape=(2, 5, 5)))
    g = g.add("conv1", conv, after="input").add("norm1", BatchNorm(), after="conv1")
    g = g.add("conv2", conv, after="norm1", shares="conv1")
    g = g.add("norm2", BatchNorm(), after="conv2", shares="norm1")
    g = g.add("flatten", Flatten(), after="norm2").add("dense", Dense(units=10), after="flatten")
    return g.add("output", Output(), after="dense")


@dataclass(frozen=True)
class Task:
    """A network, how it is trained and its data: 2 whole batches and a last one of 7."""

    graph: GraphSpec
    optimizer: str = "adam"
    rate: float = 0.01
    batch: int = 24
    loss: str = "cross_entropy"
    seed: int = 5
    classes: int = 10

    @property
    def count(self) -> int:
        return 2 * self.batch + 7

    @property
    def shape(self) -> tuple[int, ...]:
        layer = self.graph.nodes[0].layer
        assert isinstance(layer, Input)
        return layer.shape

    @cached_property
    def data(self) -> DataSpec:
        return DataSpec(self.shape, self.classes, count=self.count, dtype="u8", scale=1 / 255)

    @cached_property
    def training(self) -> TrainingSpec:
        return TrainingSpec(self.loss, self.optimizer, self.rate, self.batch, seed=self.seed)

    @cached_property
    def program(self) -> Program:
        return record(self.graph, self.training, self.data, "train", self.batch)

    @cached_property
    def start(self) -> dict[str, Array]:
        """State drawn from the seed; moments start at zero."""
        params = infer(self.graph, self.training, self.data).params
        return {
            f"{uid}.{s.name}": np.ascontiguousarray(initialize(s, self.seed, uid), np.float32)
            for uid, specs in params.items()
            for s in specs
        }

    @cached_property
    def examples(self) -> dict[str, Array]:
        rng = np.random.default_rng(3)
        return {
            "data.x": rng.integers(0, 256, (self.count, *self.shape)).astype(np.uint8),
            "data.y": rng.integers(0, self.classes, self.count).astype(np.int32),
            "data.order": rng.permutation(self.count).astype(np.int32),
        }

    def steps(self, count: int, first: int = 0) -> list[dict[str, float]]:
        """Controls of `count` steps from `first` on, epoch after epoch."""
        controls = {**self.program.controls, **self.training.controls()}
        out = []
        for k in range(first, first + count):
            pos = (k % 3) * self.batch
            n = min(self.batch, self.count - pos)
            out.append({"n": n, "pos": pos, "step": k, **step_controls(controls, k + 1)})
        return out

    def store(self, backend: Backend, state: Mapping[str, Array] | None = None) -> Store:
        store = backend.store(self.program.state(), self.seed)
        store.load(self.start if state is None else state)
        for name, array in self.examples.items():
            store.bind(name, array)
        return store

    def fast(self, backend: Backend, store: Store) -> Plan:
        return backend.compile(self.program, store, traced=False)

    def traced(self, backend: Backend, store: Store) -> Plan:
        return backend.compile(self.program, store, traced=True)


def walk(plan: Plan, controls: Mapping[str, float], stride: int = 1) -> float:
    """One step op by op; its loss."""
    plan.begin(controls)
    for until in range(stride, len(plan.program.ops) + stride, stride):
        plan.advance(min(until, len(plan.program.ops)))
    plan.commit()
    return float(plan.read(plan.program.losses[0].id))
