"""Larger pictures and normalization beside PyTorch's own functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.layers import Conv2D, Dense, Flatten, Layer, Upsample
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


PEERS: dict[str, Callable[[], Peer]] = {
    "upsample, nearest": lambda: upsample("nearest"),
    "upsample, bilinear": lambda: upsample("bilinear"),
}


@pytest.mark.parametrize("name", list(PEERS))
def test_layer(torch: Any, backend_name: str, name: str) -> None:
    check(torch, backend_name, PEERS[name]())
