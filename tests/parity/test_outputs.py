"""Cross-entropy with smoothed labels and class weights, and sums of two outputs' losses, beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.graph import GraphSpec
from engine.layers import Dense, Input, Output, ReLU, Tanh
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from tests.contract.harness import open_backend
from tests.contract.networks import Task, chain
from tests.parity import peers
from tests.parity.test_training import assert_close

STEPS = 10
WEIGHTS = (0.25, 1.0, 3.5)
COUNTS = (10, 40, 6)
XENT = {
    "smoothed": ({"label_smoothing": 0.1}, None),
    "weighted": ({"class_weighting": "own", "class_weights": WEIGHTS}, WEIGHTS),
    "both": ({"label_smoothing": 0.2, "class_weighting": "own", "class_weights": WEIGHTS}, WEIGHTS),
    "balanced": ({"class_weighting": "balanced"}, tuple(56 / (3 * n) for n in COUNTS)),
}


def batches() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(4)
    sizes = [7 if k % 4 == 3 else 16 for k in range(STEPS)]
    return [(rng.random((5, n)).astype(np.float32), rng.integers(0, 3, n).astype(np.int32)) for n in sizes]


@pytest.mark.parametrize("name", XENT)
def test_cross_entropy(torch: Any, backend_name: str, name: str) -> None:
    settings, weights = XENT[name]
    training = TrainingSpec("cross_entropy", "sgd", 0.05, 16, **settings)  # type: ignore[arg-type]
    graph = chain(Dense(units=16), ReLU(), Dense(units=3), shape=(5,))
    start = Task(graph).start
    program = record(graph, training, DataSpec((5,), 3, counts=COUNTS), "train", 16)
    device = open_backend(backend_name)
    store = device.store(program.state(), 1)
    store.load(start)
    plan = device.compile(program, store, traced=False, keep=("dense2.z@grad",))
    peer = peers.build(torch, graph)
    peers.load(torch, peer, start)
    steps = torch.optim.SGD(peer.parameters(), lr=0.05)
    loss_of = torch.nn.CrossEntropyLoss(
        None if weights is None else torch.tensor(weights), label_smoothing=training.label_smoothing
    )
    for k, (x, y) in enumerate(batches()):
        plan.write("input.x", x)
        plan.write("target", y)
        (ours,) = plan.run([{"n": len(y), "pos": 0, "step": k}]).scalars["loss"]
        steps.zero_grad()
        z = peer(torch.from_numpy(x.T))
        z.retain_grad()
        loss = loss_of(z, torch.from_numpy(y).long())
        loss.backward()
        steps.step()
        assert ours == pytest.approx(float(loss.detach()), rel=2e-6)
        ours_dz = plan.read("dense2.z@grad")[:, : len(y)]
        np.testing.assert_allclose(ours_dz, z.grad.numpy().T, rtol=1e-5, atol=1e-7)
    for key, array in store.state().items():
        assert_close(key, array, peer.state_dict()[key].numpy())


@pytest.mark.parametrize("copy", ["mse", "bce"])
def test_two_outputs(torch: Any, backend_name: str, copy: str) -> None:
    graph = GraphSpec().add("x", Input((5,))).add("h", Dense(8), after="x").add("t", Tanh(), after="h")
    graph = graph.add("c", Dense(3), after="t").add("named", Output(weight=0.5), after="c")
    graph = graph.add("d", Dense(5), after="t")
    graph = graph.add("copied", Output(weight=3.0, loss=copy, target="input"), after="d")
    training = TrainingSpec("cross_entropy", "sgd", 0.05, 16)
    program = record(graph, training, DataSpec((5,), 3), "train", 16)
    device = open_backend(backend_name)
    store = device.store(program.state(), 1)
    start = Task(graph, classes=3).start
    store.load(start)
    plan = device.compile(program, store, traced=False)
    w = {k: torch.tensor(v.copy(), requires_grad=True) for k, v in start.items()}
    steps, f = torch.optim.SGD(w.values(), lr=0.05), torch.nn.functional
    second = f.mse_loss if copy == "mse" else f.binary_cross_entropy_with_logits
    for k, (x, y) in enumerate(batches()):
        plan.write("x.x", x)
        plan.write("target", y)
        ours = plan.run([{"n": len(y), "pos": 0, "step": k}]).scalars
        steps.zero_grad()
        given = torch.from_numpy(x.T.copy())
        hidden = torch.tanh(f.linear(given, w["h.weight"], w["h.bias"]))
        named = f.cross_entropy(f.linear(hidden, w["c.weight"], w["c.bias"]), torch.from_numpy(y).long())
        copied = second(f.linear(hidden, w["d.weight"], w["d.bias"]), given)
        loss = 0.5 * named + 3.0 * copied
        loss.backward()
        steps.step()
        wanted = [float(v.detach()) for v in (loss, named, copied)]
        found = [float(ours[n][0]) for n in ("loss", "loss:named", "loss:copied")]
        assert found == pytest.approx(wanted, rel=3e-6)
    for key, array in store.state().items():
        assert_close(key, array, w[key].detach().numpy())
