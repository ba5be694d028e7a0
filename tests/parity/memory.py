"""Ten networks from 1 k to 50 M numbers: what the planner says they take, and what they took.

NumPy's arrays are counted by tracemalloc, a device's buffers as they are made. In a process of its own:
`python -m tests.parity.memory numpy 3`.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.backends.opening import open_backend
from engine.data.dataset import make_dataset
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import Conv2D, Dense, Embedding, Flatten, Input, Layer, MaxPool2D, Output, ReLU
from engine.layers.base import Shape
from engine.layers.layer_norm import LayerNorm
from engine.layers.self_attention import MultiHeadSelfAttention
from engine.settings import TrainingSpec
from engine.training import Trainer
from tests.contract.networks import chain

CLASSES = 10


def mlp(inputs: int, *units: int) -> GraphSpec:
    layers: list[Layer] = []
    for width in units:
        layers += [Dense(width), ReLU()]
    return chain(*layers, Dense(CLASSES), shape=(inputs,))


def cnn(shape: Shape, *filters: int) -> GraphSpec:
    layers: list[Layer] = []
    for count in filters:
        layers += [Conv2D(count, padding=(1, 1, 1, 1)), ReLU(), MaxPool2D()]
    return chain(*layers, Flatten(), Dense(CLASSES), shape=shape)


def attention(tokens: int, width: int, length: int) -> GraphSpec:
    layers = [LayerNorm(), MultiHeadSelfAttention(4), LayerNorm(), Dense(4 * width), ReLU(), Flatten()]
    g = GraphSpec().add("x", Input((length,))).add("table", Embedding(tokens, width), after="x")
    before = "table"
    for layer in [*layers, Dense(CLASSES)]:
        name = g.fresh_name(layer.kind)
        g, before = g.add(name, layer, after=before), name
    return g.add("out", Output(), after=before)


NETWORKS: tuple[tuple[str, Callable[[], GraphSpec]], ...] = (
    ("dense 20-32-10", lambda: mlp(20, 32)),
    ("dense 64-128-10", lambda: mlp(64, 128)),
    ("two convolutions, 28 × 28", lambda: cnn((1, 28, 28), 8, 16)),
    ("dense 784-128-10", lambda: mlp(784, 128)),
    ("three convolutions, 32 × 32", lambda: cnn((3, 32, 32), 32, 64, 128)),
    ("attention, 32 tokens", lambda: attention(1000, 128, 32)),
    ("dense 784-1024-256-10", lambda: mlp(784, 1024, 256)),
    ("four convolutions, 32 × 32", lambda: cnn((3, 32, 32), 64, 128, 256, 512)),
    ("dense 784-4096-1800-10", lambda: mlp(784, 4096, 1800)),
    ("dense 784-8192-5350-10", lambda: mlp(784, 8192, 5350)),
)


def trainer(graph: GraphSpec, device: str, examples: int = 96) -> Callable[[], Trainer]:
    """The data are there before anything is counted."""
    shape = next(n.layer.shape for n in graph.nodes if isinstance(n.layer, Input))
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (examples, *shape)).astype(np.uint8)
    if any(isinstance(n.layer, Embedding) for n in graph.nodes):
        x = rng.integers(0, 9, (examples, *shape)).astype(np.float32)
    y = np.arange(examples) % CLASSES
    names = tuple("abcdefghij")
    kind: Any = "pictures" if len(shape) == 3 else "vectors"
    data = make_dataset(x, y, x[:32], y[:32], kind=kind, class_names=names)
    backend = open_backend(device)
    training = TrainingSpec("cross_entropy", "adam", 0.001, 64)
    return lambda: Trainer(graph, training, data, backend)


def counted_buffers() -> Callable[[], int]:
    """From now on every buffer of every device is counted; what lives at the moment."""
    import pyopencl

    living: dict[int, int] = {}
    made = pyopencl.Buffer

    class Buffer(made):  # type: ignore[misc]
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            living[id(self)] = int(self.size)
            weakref.finalize(self, living.pop, id(self))

    pyopencl.Buffer = Buffer
    return lambda: sum(living.values())


def counted_arrays() -> Callable[[], int]:
    """From now on NumPy's memory is counted; dataset bytes that are used in place were there before."""
    tracemalloc.start()
    own = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)

    def living() -> int:
        taken = tracemalloc.take_snapshot().filter_traces([own])
        return sum(s.size for s in taken.statistics("filename"))

    return living


def measured(device: str, number: int) -> dict[str, Any]:
    name, build = NETWORKS[number]
    graph = build()
    make = trainer(graph, device)
    living = counted_arrays() if device == "numpy" else counted_buffers()
    before = living()
    t = make()
    t.run(2)
    gc.collect()
    taken = living() - before
    if device == "numpy":  # bytes of the data set itself, not copied
        taken += sum(a.nbytes for a in t.store.data.values() if a.dtype == np.uint8)
    return {
        "name": name, "parameters": infer(graph).parameter_count, "estimate": t.bytes, "taken": taken,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
