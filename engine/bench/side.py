"""Our side of a measurement: a process that waits on its input and computes when told.

`python -m engine.bench.side WORK DEVICE`. Lines in: `check FILE` (run the check steps from the start weights,
save them as .npz), `block SECONDS` (compute for about that long). Lines out: JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from engine.backends.base import Plan
from engine.backends.opening import open_backend
from engine.bench.work import BATCH, CHECK_STEPS, LEARNING_RATE, batch, weights
from engine.graph import GraphSpec
from engine.layers import Conv2D, Dense, Flatten, Input, Layer, MaxPool2D, Output, ReLU
from engine.program import record
from engine.settings import DataSpec, TrainingSpec


def network(name: str) -> GraphSpec:
    """The drawn network of a work."""
    if name == "mlp":
        graph = GraphSpec().add("x", Input((784,))).add("fc1", Dense(128), after="x")
        graph = graph.add("relu1", ReLU(), after="fc1").add("fc2", Dense(10), after="relu1")
        return graph.add("out", Output(), after="fc2")
    graph, last = GraphSpec().add("x", Input((1, 28, 28))), "x"
    layers: list[tuple[str, Layer]] = [
        ("conv1", Conv2D(8, (5, 5), padding=(2, 2, 2, 2))),
        ("relu1", ReLU()),
        ("pool1", MaxPool2D()),
        ("conv2", Conv2D(16, (5, 5), padding=(2, 2, 2, 2))),
        ("relu2", ReLU()),
        ("pool2", MaxPool2D()),
        ("flat", Flatten()),
        ("fc", Dense(10)),
        ("out", Output()),
    ]
    for key, layer in layers:
        graph, last = graph.add(key, layer, after=last), key
    return graph


class Side:
    """A fast plan with its batch written once."""

    def __init__(self, name: str, device: str) -> None:
        x, y = batch(name)
        graph, training = (
            network(name),
            TrainingSpec(optimizer="sgd", learning_rate=LEARNING_RATE, batch=BATCH),
        )
        program = record(graph, training, DataSpec(x.shape[1:], 10), "train", BATCH)
        self.name = name
        self.backend = open_backend(device)
        self.store = self.backend.store(program.state(), 1)
        self.store.load(weights(name))
        self.plan: Plan = self.backend.compile(program, self.store, traced=False)
        self.plan.write("x.x", np.ascontiguousarray(np.moveaxis(x, 0, -1)))
        self.plan.write("target", y.astype(np.int32))

    def steps(self, count: int) -> None:
        self.plan.run([{"n": BATCH}] * count)

    def check(self, path: str) -> dict[str, Any]:
        self.store.load(weights(self.name))
        self.steps(CHECK_STEPS)
        np.savez(path, allow_pickle=False, **self.store.state())
        return {"device": self.backend.name, "detail": self.backend.device}


def serve(side: Any) -> None:
    """Answer commands until the input closes."""
    per_second = 0.0
    for line in sys.stdin:
        word, argument = line.split(maxsplit=1)
        if word == "check":
            answer = side.check(argument.strip())
        else:
            answer, per_second = block(side, float(argument), per_second)
        print(json.dumps(answer), flush=True)


def block(side: Any, seconds: float, known: float) -> tuple[dict[str, Any], float]:
    """Compute for about `seconds` in calls of about 20 ms; steps a second."""
    chunk = max(1, int(known * 0.02)) if known else 2
    side.steps(chunk)
    done, start = 0, time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        side.steps(chunk)
        done += chunk
    rate = done / (now - start)
    return {"rate": rate}, rate


if __name__ == "__main__":
    serve(Side(sys.argv[1], sys.argv[2]))
