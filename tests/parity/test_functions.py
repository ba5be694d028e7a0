"""Every activation function beside PyTorch's own: forward, and ten steps of a network around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.export.npz import named_weights
from engine.layers import LAYERS, Conv2D, Dense, Flatten, Layer
from engine.layers.gelu import GELU
from tests.contract.harness import open_backend
from tests.contract.networks import Task, chain
from tests.parity import measured, peers
from tests.parity.test_training import assert_close, peer_batches

STEPS = 10
NEW_WAYS = {"step"}
"""Learnt with a stand-in that PyTorch does not have."""
KINDS = sorted(k for k, cls in LAYERS.items() if cls.category == "activation" and k not in NEW_WAYS)
FUNCTIONS: dict[str, Layer] = {**{k: LAYERS[k]() for k in KINDS}, "gelu by tanh": GELU(form="tanh")}


def around(layer: Layer) -> Any:
    """The function between two layers that learn; of pictures where it takes them."""
    if layer.kind in ("softmax", "log_softmax"):
        return chain(Dense(units=12), layer, Dense(units=10), shape=(20,))
    return chain(Conv2D(filters=5), layer, Flatten(), Dense(units=10), shape=(2, 6, 6))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_ten_steps(torch: Any, backend_name: str, name: str) -> None:
    task = Task(around(FUNCTIONS[name]), "sgd", 0.1)
    peer = peers.build(torch, task.graph)
    peers.load(torch, peer, named_weights(task.graph, task.start))
    steps = torch.optim.SGD(peer.parameters(), lr=task.rate)
    losses = []
    for x, y in peer_batches(torch, task)[:STEPS]:
        steps.zero_grad()
        loss = torch.nn.functional.cross_entropy(peer(x), y)
        loss.backward()
        steps.step()
        losses.append(float(loss.detach()))
    device = open_backend(backend_name)
    store = task.store(device)
    ours = task.fast(device, store).run(task.steps(STEPS)).scalars["loss"]
    assert np.allclose(ours, losses, rtol=2e-6, atol=1e-6)
    theirs, weights = peer.state_dict(), named_weights(task.graph, store.state())
    far = max(assert_close(key, array, theirs[key].numpy()) for key, array in weights.items())
    measured.keep(f"function: {name}, 10 steps", backend_name, 1, {"weights": far})
