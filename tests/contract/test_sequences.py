"""A transformer block and a spatial transformer as whole networks: op by op as fast, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import pytest

from engine.carrying import Attic, start_state
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import (
    GRU,
    LSTM,
    Add,
    AffineWarp,
    Concatenate,
    Dense,
    Embedding,
    Flatten,
    Input,
    LayerNorm,
    MultiHeadSelfAttention,
    Output,
    PositionalEncoding,
    ReLU,
    SimpleRNN,
    SpatialTransformer,
)
from engine.ops.base import Array
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from tests.contract.harness import BACKENDS, distance, interpret, open_backend, same_bits
from tests.contract.networks import Task, chain, walk

STEPS = 3


def block() -> GraphSpec:
    g = GraphSpec().add("input", Input((5,))).add("embed", Embedding(12, 8), after="input")
    g = g.add("place", PositionalEncoding("learned"), after="embed")
    g = g.add("look", MultiHeadSelfAttention(heads=2), after="place")
    g = g.add("sum", Add(), after=("place", "look")).add("norm", LayerNorm(), after="sum")
    g = g.add("wide", Dense(units=6), after="norm").add("relu", ReLU(), after="wide")
    g = g.add("flat", Flatten(), after="relu").add("dense", Dense(units=10), after="flat")
    return g.add("output", Output(), after="dense")


def warps() -> GraphSpec:
    g = GraphSpec().add("input", Input((1, 6, 7))).add("flat", Flatten(), after="input")
    g = g.add("six", Dense(units=6), after="flat")
    g = g.add("learnt", AffineWarp(angle=20.0, scale=90.0, trained=True), after="input")
    g = g.add("warp", SpatialTransformer(), after=("learnt", "six")).add("all", Flatten(), after="warp")
    g = g.add("both", Concatenate(), after=("all", "six")).add("relu", ReLU(), after="both")
    return g.add("dense", Dense(units=10), after="relu").add("output", Output(), after="dense")


def recurrences() -> GraphSpec:
    """All three, one behind the other, one of them used twice."""
    g = GraphSpec().add("input", Input((3,))).add("embed", Embedding(12, 6), after="input")
    g = g.add("lstm", LSTM(6, "all"), after="embed")
    g = g.add("again", LSTM(6, "all"), after="lstm", shares="lstm")
    g = g.add("gru", GRU(4, "all"), after="again")
    g = g.add("rnn", SimpleRNN(3), after="gru").add("dense", Dense(units=10), after="rnn")
    return g.add("output", Output(), after="dense")


class TokenTask(Task):
    """The examples are tokens, not pixels."""

    @cached_property
    def data(self) -> DataSpec:
        return replace(super().data, scale=1.0, tokens=12)

    @cached_property
    def examples(self) -> dict[str, Array]:
        made = super().examples
        return {**made, "data.x": (made["data.x"] % 12).astype(np.uint8)}


TASKS = {
    "block": TokenTask(block(), "sgd", batch=8),
    "warps": Task(warps(), "sgd", batch=8),
    "recurrences": TokenTask(recurrences(), "sgd", batch=8),
}


# PoCL takes a quarter of a minute to compile them; each op by itself is tested there anyway
NAMES = [pytest.param(name, marks=[pytest.mark.thorough] if "pocl" in name else []) for name in BACKENDS]


@pytest.mark.parametrize("backend_name", NAMES)
@pytest.mark.parametrize("name", list(TASKS))
def test_fast_and_op_by_op_are_the_same_and_near_the_reference(backend_name: str, name: str) -> None:
    task, device = TASKS[name], open_backend(backend_name)
    fast_store, store = task.store(device), task.store(device)
    losses = task.fast(device, fast_store).run(task.steps(STEPS)).scalars["loss"]
    plan = task.traced(device, store)
    walked = [walk(plan, controls) for controls in task.steps(STEPS)]
    assert tuple(np.float32(walked)) == tuple(np.float32(losses))
    assert same_bits(store.state(), fast_store.state())
    arrays = {v.id: task.start[f"{v.owner}.{v.param}"].astype(np.float64) for v in task.program.state()
              if f"{v.owner}.{v.param}" in task.start}  # fmt: skip
    zeros = {v.id: np.zeros(v.shape) for v in task.program.state() if v.id not in arrays}
    plan = task.traced(device, task.store(device))
    (first,) = task.steps(1)
    walk(plan, first)
    values = interpret(task.program, {**arrays, **zeros, **task.examples}, first, task.seed)
    gradients = [g for k, g in task.program.gradients.items() if k.endswith("@old")]
    assert len(gradients) > 4
    for gradient in gradients:
        found, wanted = plan.read(gradient.id), values[gradient.id]
        if np.abs(wanted).max() > 1e-7:  # what softmax takes away again is nothing but rounding
            assert distance(found, wanted) < 1e-4, gradient.id


def test_waves_follow_the_network_and_are_never_carried() -> None:
    """Fixed by a formula; and of a size that is refused nothing is computed."""
    graph = chain(Embedding(3, 4), PositionalEncoding(), Flatten(), shape=(3,))
    program = record(graph, TrainingSpec("mse"), DataSpec((3,), target_width=12), "train", 2)
    key = "positional_encoding1.weight"
    old = {key: np.ones((4, 3), np.float32)}
    state = start_state(program, infer(graph), old, Attic(), 1)
    assert np.allclose(state[key][:, 1], [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)])
    huge = chain(Embedding(2, 65536), PositionalEncoding(), shape=(60000,))
    assert any("too many" in str(p.message) for p in infer(huge).problems)
