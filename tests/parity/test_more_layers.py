"""Larger pictures and normalization beside PyTorch's own functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.graph import GraphSpec
from engine.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GroupNorm,
    Input,
    Layer,
    Output,
    Upsample,
)
from engine.network import Network
from engine.settings import TrainingSpec
from tests.contract.harness import distance, opencl_devices
from tests.contract.networks import chain
from tests.parity.test_layers import BATCH, Peer, Weights, check


def behind_convolution(layer: Layer, apply: Callable[[Any, Weights, Any], Any]) -> Peer:
    """A convolution, the layer, a dense one: so that there is a gradient to the layer's input."""
    graph = chain(Conv2D(filters=4, kernel=(3, 3)), layer, Flatten(), Dense(units=3), shape=(2, 6, 7))

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        f = torch.nn.functional
        y = apply(f, w, f.conv2d(x, w["conv2d1.weight"], w["conv2d1.bias"]))
        return f.linear(y.flatten(1), w["dense1.weight"], w["dense1.bias"])

    return Peer(graph, forward, lambda rng: rng.standard_normal((BATCH, 2, 6, 7)), rate=0.002)


def upsample(mode: str) -> Peer:
    more = {"align_corners": False} if mode == "bilinear" else {}
    return behind_convolution(
        Upsample((2, 3), mode), lambda f, w, x: f.interpolate(x, scale_factor=(2, 3), mode=mode, **more)
    )


def group_norm(affine: bool) -> Peer:
    def apply(f: Any, w: Weights, x: Any) -> Any:
        return f.group_norm(x, 2, w.get("group_norm1.weight"), w.get("group_norm1.bias"), 1e-3)

    return behind_convolution(GroupNorm(2, 1e-3, affine), apply)


PEERS: dict[str, Callable[[], Peer]] = {
    "upsample, nearest": lambda: upsample("nearest"),
    "upsample, bilinear": lambda: upsample("bilinear"),
    "group norm": lambda: group_norm(True),
    "group norm, without scale": lambda: group_norm(False),
}


@pytest.mark.parametrize("name", list(PEERS))
def test_layer(torch: Any, backend_name: str, name: str) -> None:
    check(torch, backend_name, name, PEERS[name]())


@pytest.mark.parametrize("shape", [(6,), (3, 5), (3, 4, 2)], ids=["vectors", "sequences", "pictures"])
def test_batch_norm_and_its_running_statistics(torch: Any, backend_name: str, shape: tuple[int, ...]) -> None:
    """A step in training, then a prediction with what the batches left behind."""
    device = opencl_devices()[backend_name.split(":")[1]] if ":" in backend_name else "numpy"
    graph = GraphSpec().add("x", Input(shape))
    rng = np.random.default_rng(4)
    x = rng.standard_normal((BATCH, *shape)).astype(np.float32) * 2 + 1
    given = torch.tensor(x.astype(np.float64))
    if len(shape) == 2:  # sequences come from tokens
        table = rng.standard_normal((9, shape[0])).astype(np.float32)
        x = rng.integers(0, 9, (BATCH, shape[1])).astype(np.float32)
        graph = GraphSpec().add("x", Input(shape[1:])).add("embed", Embedding(9, shape[0]), after="x")
        given = torch.tensor(table.astype(np.float64))[torch.tensor(x).long()].transpose(1, 2)
    graph = graph.add("norm", BatchNorm(1e-3, 0.3), after=graph.nodes[-1].name)
    end = "norm"
    if len(shape) > 1:
        graph, end = graph.add("flat", Flatten(), after="norm"), "flat"
    graph = graph.add("output", Output(), after=end)
    net = Network(graph, TrainingSpec("mse", "sgd", 0.05), batch=BATCH, device=device)
    if len(shape) == 2:
        net.load({"embed.weight": table})
    kind = torch.nn.BatchNorm2d if len(shape) == 3 else torch.nn.BatchNorm1d
    theirs = kind(shape[0], eps=1e-3, momentum=0.3).double()
    target = rng.standard_normal((BATCH, math.prod(shape))).astype(np.float32)
    out = theirs(given)
    loss = torch.nn.functional.mse_loss(out.flatten(1), torch.tensor(target.astype(np.float64)))
    loss.backward()
    assert net.step(x, target) == pytest.approx(loss.item(), rel=1e-5)
    for key, parameter in theirs.named_parameters():
        assert distance(net.gradient(f"norm.{key}"), parameter.grad.numpy()) < 1e-5
    for key in ("running_mean", "running_var"):
        assert distance(net.weights()[f"norm.{key}"], getattr(theirs, key).numpy()) < 1e-6
    theirs.eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter -= 0.05 * parameter.grad
        if len(shape) != 2:  # the table has moved, too
            assert distance(net.forward(x), theirs(given).flatten(1).numpy()) < 1e-6
