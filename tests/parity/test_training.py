"""Twenty steps beside PyTorch, from the same weights on the same batches, for every optimizer.

Both compute in float32. Every number of the state may differ by 1e-5 + 1e-5 · |number|.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.export.npz import export_npz, named_weights
from engine.graph import GraphSpec
from engine.layers import (
    Add,
    BatchNorm,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    Input,
    MaxPool2D,
    Output,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from engine.program import record
from tests.contract.harness import distance, open_backend
from tests.contract.networks import Task, chain
from tests.parity import measured, peers

STEPS = 20
RATES = {
    "sgd": 0.05, "momentum": 0.01, "nesterov": 0.01, "adagrad": 0.01, "adadelta": 0.5, "rmsprop": 0.001,
    "adam": 0.001, "adamw": 0.001,
}  # fmt: skip


def mlp() -> GraphSpec:
    return chain(Dense(units=32), Tanh(), Dense(units=16), Sigmoid(), Dense(units=10), shape=(49,))


def cnn() -> GraphSpec:
    return chain(
        Conv2D(filters=8, kernel=(5, 5), padding=(2, 2, 2, 2)),
        ReLU(),
        MaxPool2D(),
        Conv2D(filters=16, kernel=(3, 3), stride=(2, 1), padding=(1, 1, 1, 1)),
        ReLU(),
        Flatten(),
        Dense(units=10),
        Softmax(),
        shape=(1, 12, 12),
    )


def residual() -> GraphSpec:
    """Shared convolution, normalization (so no bias before it), a sum and two branches side by side."""
    same = Conv2D(filters=6, kernel=(3, 3), padding=(1, 1, 1, 1), bias=False)
    g = GraphSpec().add("input", Input(shape=(2, 8, 8)))
    g = g.add("conv1", same, after="input").add("norm1", BatchNorm(), after="conv1")
    g = g.add("relu1", ReLU(), after="norm1").add("conv2", same, after="relu1")
    g = g.add("norm2", BatchNorm(), after="conv2").add("sum1", Add(), after=("norm2", "relu1"))
    g = g.add("conv3", same, after="sum1", shares="conv2").add("norm3", BatchNorm(), after="conv3")
    g = g.add("sum2", Add(), after=("norm3", "sum1")).add("concat", Concatenate(), after=("sum2", "relu1"))
    g = g.add("flat", Flatten(), after="concat").add("dense", Dense(units=10), after="flat")
    return g.add("output", Output(), after="dense")


NETWORKS = {"mlp": mlp, "cnn": cnn, "residual": residual}


def peer_batches(torch: Any, task: Task) -> list[tuple[Any, Any]]:
    """The batches of every step, examples first."""
    data = task.examples
    out = []
    for s in task.steps(STEPS):
        chosen = data["data.order"][int(s["pos"]) : int(s["pos"] + s["n"])]
        x = data["data.x"][chosen].astype(np.float32) * np.float32(1 / 255)
        out.append((torch.from_numpy(x), torch.from_numpy(data["data.y"][chosen].astype(np.int64))))
    return out


def assert_close(key: str, ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> float:
    """Number by number; how far apart they are as a norm."""
    apart = np.abs(ours.astype(np.float64) - theirs)
    limit = 1e-5 + 1e-5 * np.abs(theirs)
    assert (apart <= limit).all(), f"{key}: {apart.max():.2e} apart, {int((apart > limit).sum())} too far"
    return distance(ours, theirs)


@pytest.mark.parametrize("optimizer", list(RATES))
@pytest.mark.parametrize("network", list(NETWORKS))
def test_twenty_steps(torch: Any, backend_name: str, network: str, optimizer: str) -> None:
    build: Callable[[], GraphSpec] = NETWORKS[network]
    task = Task(build(), optimizer, RATES[optimizer])
    peer = peers.build(torch, task.graph)
    peers.load(torch, peer, named_weights(task.graph, task.start))
    steps = peers.optimizer(torch, optimizer, peer.parameters(), task.rate)
    losses = []
    for x, y in peer_batches(torch, task):
        steps.zero_grad()
        loss = torch.nn.functional.cross_entropy(peer(x), y)
        loss.backward()
        steps.step()
        losses.append(float(loss.detach()))
    device = open_backend(backend_name)
    store = task.store(device)
    ours = task.fast(device, store).run(task.steps(STEPS)).scalars["loss"]
    assert np.allclose(ours, losses, rtol=1e-5, atol=1e-5)
    theirs = peer.state_dict()
    weights = named_weights(task.graph, store.state())
    assert set(weights) == {k for k in theirs if not k.endswith("num_batches_tracked")}
    far = max(assert_close(key, array, theirs[key].numpy()) for key, array in weights.items())
    measured.keep(f"optimizer: {optimizer}, 20 steps", backend_name, 1, {"weights": far})
    moved = max(float(np.abs(weights[k] - v).max()) for k, v in named_weights(task.graph, task.start).items())
    assert moved > 1e-3, "nothing was learnt"


@pytest.mark.parametrize("network", list(NETWORKS))
def test_exported_weights_go_on_in_pytorch(
    torch: Any, backend_name: str, network: str, tmp_path: Path
) -> None:
    """Train here, export, load there: the same predictions."""
    task = Task(NETWORKS[network](), "adam")
    device = open_backend(backend_name)
    store = task.store(device)
    task.fast(device, store).run(task.steps(STEPS))
    path = export_npz(tmp_path / "weights.npz", task.graph, store.state())
    peer = peers.build(torch, task.graph)
    with np.load(path, allow_pickle=False) as archive:
        peers.load(torch, peer, {k: archive[k] for k in archive.files})
    peer.eval()
    rng = np.random.default_rng(9)
    x = rng.random((5, *task.shape), dtype=np.float32)
    program = record(task.graph, task.training, task.data, "predict", 16)
    out = program.outputs["output"]
    plan = device.compile(program, store, traced=False, keep=[out.id])
    plan.write("input.x", np.ascontiguousarray(np.moveaxis(x, 0, -1)))
    plan.run([{"n": 5}])
    with torch.no_grad():
        theirs = peer(torch.from_numpy(x))
    if any(n.layer.kind == "softmax" for n in task.graph.nodes):
        theirs = torch.softmax(theirs, 1)
    assert_close("prediction", plan.read(out.id)[:, :5].T, theirs.numpy())


LOSSES = {
    "mse": lambda torch: torch.nn.functional.mse_loss,
    "mae": lambda torch: torch.nn.functional.l1_loss,
    "huber": lambda torch: lambda y, t: torch.nn.functional.huber_loss(y, t, delta=0.5),
    "bce": lambda torch: torch.nn.functional.binary_cross_entropy_with_logits,
    "hinge": lambda torch: lambda y, t: torch.clamp(1 - y * (2 * t - 1), min=0).mean(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_entries(torch: Any, backend_name: str, name: str) -> None:
    """The mean over all entries, the same loss and weights as PyTorch's; classes as one output each."""
    from engine.settings import NEEDS_CLASSES, DataSpec, TrainingSpec

    graph = chain(Dense(units=16), ReLU(), Dense(units=3), shape=(5,))
    task, classes = Task(graph), name in NEEDS_CLASSES
    training = TrainingSpec(name, "sgd", 0.05, 16, huber_delta=0.5)
    data = DataSpec((5,), 3) if classes else DataSpec((5,), target_width=3)
    program = record(graph, training, data, "train", 16)
    device = open_backend(backend_name)
    store = device.store(program.state(), 1)
    store.load(task.start)
    plan = device.compile(program, store, traced=False)
    peer = peers.build(torch, graph)
    peers.load(torch, peer, task.start)
    steps = torch.optim.SGD(peer.parameters(), lr=0.05)
    rng = np.random.default_rng(4)
    for k in range(STEPS):
        n = 7 if k % 4 == 3 else 16
        x = rng.standard_normal((5, n)).astype(np.float32)
        y = rng.standard_normal((3, n)).astype(np.float32)
        labels = y.argmax(0)
        wanted = np.eye(3, dtype=np.float32)[labels] if classes else y.T
        plan.write("input.x", x)
        plan.write("target", labels.astype(np.int32) if classes else y)
        (ours,) = plan.run([{"n": n, "pos": 0, "step": k}]).scalars["loss"]
        steps.zero_grad()
        loss = LOSSES[name](torch)(peer(torch.from_numpy(x.T)), torch.from_numpy(np.array(wanted)))
        loss.backward()
        steps.step()
        assert ours == pytest.approx(float(loss.detach()), rel=1e-5)
    theirs = peer.state_dict()
    far = max(assert_close(key, a, theirs[key].numpy()) for key, a in store.state().items())
    measured.keep(f"loss: {name}, 20 steps", backend_name, 1, {"weights": far})
