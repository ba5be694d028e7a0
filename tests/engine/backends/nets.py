"""Networks of many kinds for the tests of the backends, with data and start values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.graph import GraphSpec
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
    LeakyReLU,
    MaxPool2D,
    Output,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from engine.optimizers import step_controls
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from engine.values import Mode, Program, Role

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Net:
    """A network with how it is trained and what data it takes."""

    graph: GraphSpec
    training: TrainingSpec
    data: DataSpec

    def program(self, mode: Mode = "train", capacity: int = 16) -> Program:
        return record(self.graph, self.training, self.data, mode, capacity)


def chain(*layers: Any) -> GraphSpec:
    """A network without branches; names n0, n1, ..."""
    graph = GraphSpec()
    for i, layer in enumerate(layers):
        graph = graph.add(f"n{i}", layer, after=f"n{i - 1}") if i else graph.add("n0", layer)
    return graph


def mlp(
    optimizer: str = "sgd", *, inputs: int = 20, hidden: int = 33, classes: int = 7, count: int = 96
) -> Net:
    graph = chain(Input((inputs,)), Dense(hidden), ReLU(), Dense(classes), Softmax(), Output())
    return Net(
        graph,
        TrainingSpec(optimizer=optimizer, learning_rate=0.05),
        DataSpec((inputs,), classes=classes, count=count),
    )


def regression(optimizer: str = "momentum") -> Net:
    graph = chain(
        Input((2,)), Dense(8), Tanh(), Dense(8), Sigmoid(), Dropout(0.3), Dense(1), Tanh(), Output()
    )
    return Net(
        graph,
        TrainingSpec(loss="mse", optimizer=optimizer, learning_rate=0.05),
        DataSpec((2,), classes=2, count=96),
    )


def cnn(optimizer: str = "adam", *, size: int = 12, channels: int = 1) -> Net:
    graph = chain(
        Input((channels, size, size)),
        Augment(10.0, 5.0, 1.0),
        Conv2D(8, (5, 5), (1, 1), (2, 2, 2, 2)),
        ReLU(),
        MaxPool2D(),
        Conv2D(12, (3, 3), (2, 1), (1, 0, 1, 2), False),
        BatchNorm(),
        LeakyReLU(),
        AvgPool2D(),
        Flatten(),
        Dense(10),
        Softmax(),
        Output(),
    )
    return Net(
        graph,
        TrainingSpec(optimizer=optimizer, learning_rate=0.01),
        DataSpec((channels, size, size), classes=10, count=96, dtype="u8", scale=1 / 255),
    )


def residual(optimizer: str = "rmsprop") -> Net:
    """A shortcut, a concatenation, and one layer used twice (shared weights, shared running statistics)."""
    graph = (
        GraphSpec()
        .add("x", Input((3, 6, 6)))
        .add("c1", Conv2D(4, (3, 3), (1, 1), (1, 1, 1, 1), False), after="x")
        .add("b1", BatchNorm(), after="c1")
        .add("r1", ReLU(), after="b1")
        .add("c2", Conv2D(4, (3, 3), (1, 1), (1, 1, 1, 1)), after="r1")
        .add("c3", Conv2D(4, (3, 3), (1, 1), (1, 1, 1, 1)), after="c2", shares="c2")
        .add("sum", Add(), after=["c3", "r1"])
        .add("cat", Concatenate(), after=["sum", "c2"])
        .add("f", Flatten(), after="cat")
        .add("d", Dense(5), after="f")
        .add("out", Output(), after="d")
    )
    return Net(
        graph, TrainingSpec(optimizer=optimizer, learning_rate=0.01), DataSpec((3, 6, 6), classes=5, count=96)
    )


# no bias in front of BatchNorm: its gradient is exactly 0 but for rounding, which Adam would blow up
NETS = {"mlp": mlp, "regression": regression, "cnn": cnn, "residual": residual}


def start_state(program: Program, seed: int = 1) -> dict[str, Array]:
    """Small random weights; moments and running means 0, running variances 1."""
    rng = np.random.default_rng(seed)
    state = {}
    for v in program.state():
        key = f"{v.owner}.{v.param}"
        if v.role is Role.PARAM:
            state[key] = (
                rng.standard_normal(v.shape) * (1.0 / np.sqrt(max(v.size // v.shape[0], 1)))
            ).astype(np.float32)
        else:
            state[key] = np.full(v.shape, float(v.param == "running_var"), np.float32)
    return state


def bind_data(store: Any, net: Net, seed: int = 2) -> None:
    """Random data of the shape the network wants."""
    rng = np.random.default_rng(seed)
    d = net.data
    x = (
        rng.integers(0, 256, (d.count, *d.shape)).astype(np.uint8)
        if d.dtype == "u8"
        else rng.standard_normal((d.count, *d.shape)).astype(np.float32)
    )
    store.bind(f"{d.source}.x", x)
    store.bind(f"{d.source}.y", rng.integers(0, d.classes, d.count).astype(np.int32))
    store.bind(f"{d.source}.order", rng.permutation(d.count).astype(np.int32))


def steps(
    program: Program, count: int, first: int = 0, batch: int | None = None, examples: int = 96
) -> list[dict[str, float]]:
    """Controls of `count` steps, the last batch of an epoch smaller, the rate changed half-way."""
    batch = batch or program.capacity
    out = []
    per_epoch = -(-examples // batch)
    for i in range(first, first + count):
        pos = i % per_epoch * batch
        row = {
            "n": min(batch, examples - pos),
            "pos": pos,
            "step": i,
            **step_controls(dict(program.controls), i + 1),
        }
        if i >= 5:
            row["lr"] = 0.02
        out.append(row)
    return out
