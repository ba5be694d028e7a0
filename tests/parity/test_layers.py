"""Layers beside PyTorch's own functions, from the same weights: prediction, every gradient, ten steps.

Norm of the difference over the norm: 1e-6 for predictions, 1e-5 for gradients and for weights after ten steps
of SGD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from engine.graph import GraphSpec
from engine.layers import (
    GRU,
    LSTM,
    Add,
    AffineWarp,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    LayerNorm,
    MultiHeadSelfAttention,
    OnePosition,
    Output,
    PositionalEncoding,
    ReLU,
    SimpleRNN,
    SpatialTransformer,
    Tanh,
)
from engine.network import Network
from engine.ops.base import Array
from engine.settings import TrainingSpec
from tests.contract.harness import distance, opencl_devices
from tests.contract.networks import chain
from tests.parity import measured

BATCH = 5
WARPED = 5e-6
"""A warp reads at places that are rounded, in PyTorch as here: 1e-7 of the width moves a value by more."""
Weights = Mapping[str, Any]


@dataclass(frozen=True)
class Peer:
    """A network here, and what PyTorch computes of the same weights (N first)."""

    graph: GraphSpec
    forward: Callable[[Any, Weights, Any], Any]
    inputs: Callable[[np.random.Generator], Array]
    start: Mapping[str, Array] | None = None
    forward_within: float = 1e-6
    rate: float = 0.01


def pixel_grid(torch: Any, matrices: Any, height: int, width: int, align: bool) -> Any:
    """PyTorch's θ (N, 2, 3), which reads output at input in -1..1, of our M about the center in pixels."""
    half = [(width - 1) / 2, (height - 1) / 2] if align else [width / 2, height / 2]
    scale = torch.diag(torch.tensor([*half, 1.0], dtype=matrices.dtype))
    last = torch.tensor([[[0.0, 0.0, 1.0]]], dtype=matrices.dtype).expand(len(matrices), 1, 3)
    back = torch.linalg.inv(torch.cat([matrices, last], 1))
    return (torch.linalg.inv(scale) @ back @ scale)[:, :2]


def warped(torch: Any, x: Any, matrices: Any, padding: str, align: bool) -> Any:
    f = torch.nn.functional
    theta = pixel_grid(torch, matrices, x.shape[2], x.shape[3], align)
    grid = f.affine_grid(theta, list(x.shape), align_corners=align)
    return f.grid_sample(x, grid, "bilinear", padding, align_corners=align)


def affine(border: str, padding: str, align: bool, trained: bool = True) -> Peer:
    warp = AffineWarp(25.0, 85.0, 0.2, 1.3, -0.8, border, trained)
    conv = Conv2D(filters=3, kernel=(3, 3), padding=(1, 1, 1, 1))
    graph = chain(conv, warp, Flatten(), Dense(units=4), shape=(2, 7, 9))

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        x = torch.nn.functional.conv2d(x, w["conv2d1.weight"], w["conv2d1.bias"], padding=1)
        fixed = torch.tensor(warp.theta, dtype=x.dtype).reshape(2, 3)
        x = warped(torch, x, w.get("affine_warp1.weight", fixed).expand(len(x), 2, 3), padding, align)
        return torch.nn.functional.linear(x.flatten(1), w["dense1.weight"], w["dense1.bias"])

    return Peer(graph, forward, lambda rng: rng.standard_normal((BATCH, 2, 7, 9)), None, WARPED)


def transformer(identity: bool) -> Peer:
    g = GraphSpec().add("x", Input((2, 6, 8)))
    g = g.add("conv", Conv2D(filters=2, kernel=(3, 3), padding=(1, 1, 1, 1)), after="x")
    g = g.add("flat", Flatten(), after="x").add("six", Dense(units=6), after="flat")
    g = g.add("warp", SpatialTransformer(identity), after=("conv", "six"))
    g = g.add("all", Flatten(), after="warp").add("dense", Dense(units=3), after="all")

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        f = torch.nn.functional
        theta = f.linear(x.flatten(1), w["six.weight"], w["six.bias"])
        one = torch.tensor([1.0, 0, 0, 0, 1, 0] if identity else [0.0] * 6, dtype=x.dtype)
        unit = torch.tensor([1.0, 1, 4, 1, 1, 3], dtype=x.dtype)
        matrices = (theta * unit + one).reshape(-1, 2, 3)
        y = warped(torch, f.conv2d(x, w["conv.weight"], w["conv.bias"], padding=1), matrices, "zeros", False)
        return f.linear(y.flatten(1), w["dense.weight"], w["dense.bias"])

    rng = np.random.default_rng(8)
    start = {"six.weight": rng.standard_normal((6, 96)) * 0.02}
    start["six.bias"] = rng.standard_normal(6) * 0.1 + (0 if identity else np.array([1, 0, 0, 0, 1, 0]))
    g = g.add("output", Output(), after="dense")
    return Peer(g, forward, lambda rng: rng.standard_normal((BATCH, 2, 6, 8)), start, WARPED, 1e-4)


def tokens(length: int, vocabulary: int) -> Callable[[np.random.Generator], Array]:
    return lambda rng: rng.integers(0, vocabulary, (BATCH, length))


def embedded() -> Peer:
    """Tokens, learned positions, normalization, a product at every position."""
    g = GraphSpec().add("x", Input((6,))).add("embed", Embedding(9, 5), after="x")
    g = g.add("place", PositionalEncoding("learned"), after="embed").add("norm", LayerNorm(), after="place")
    g = g.add("each", Dense(units=7), after="norm").add("tanh", Tanh(), after="each")
    g = g.add("flat", Flatten(), after="tanh").add("dense", Dense(units=4), after="flat")

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        f = torch.nn.functional
        y = f.embedding(x.long(), w["embed.weight"]) + w["place.weight"].T
        y = f.layer_norm(y, (5,), w["norm.weight"], w["norm.bias"])
        y = torch.tanh(f.linear(y, w["each.weight"], w["each.bias"])).transpose(1, 2)
        return f.linear(y.flatten(1), w["dense.weight"], w["dense.bias"])

    start = {"place.weight": np.random.default_rng(5).standard_normal((5, 6))}
    return Peer(g.add("output", Output(), after="dense"), forward, tokens(6, 9), start)


def block(causal: bool) -> Peer:
    """A transformer block, normalization first, against PyTorch's own attention."""
    width, length, heads = 8, 5, 2
    g = GraphSpec().add("x", Input((length,))).add("embed", Embedding(11, width), after="x")
    g = g.add("place", PositionalEncoding(), after="embed").add("norm1", LayerNorm(), after="place")
    g = g.add("look", MultiHeadSelfAttention(heads, causal), after="norm1")
    g = g.add("sum1", Add(), after=("place", "look")).add("norm2", LayerNorm(), after="sum1")
    g = g.add("wide", Dense(units=16), after="norm2").add("relu", ReLU(), after="wide")
    g = g.add("back", Dense(units=width), after="relu").add("sum2", Add(), after=("sum1", "back"))
    g = g.add("flat", Flatten(), after="sum2").add("dense", Dense(units=3), after="flat")

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        f = torch.nn.functional
        y = f.embedding(x.long(), w["embed.weight"]) + w["place.weight"].T
        n = f.layer_norm(y, (width,), w["norm1.weight"], w["norm1.bias"]).transpose(0, 1)
        later = torch.triu(torch.ones(length, length, dtype=torch.bool), 1) if causal else None
        seen, _ = f.multi_head_attention_forward(
            n, n, n, width, heads, w["look.weight"], w["look.bias"], None, None, False, 0.0,
            w["look.out_weight"], w["look.out_bias"], attn_mask=later, need_weights=False,
        )  # fmt: skip
        y = y + seen.transpose(0, 1)
        n = f.layer_norm(y, (width,), w["norm2.weight"], w["norm2.bias"])
        n = torch.relu(f.linear(n, w["wide.weight"], w["wide.bias"]))
        n = f.linear(n, w["back.weight"], w["back.bias"])
        return f.linear((y + n).transpose(1, 2).flatten(1), w["dense.weight"], w["dense.bias"])

    rng = np.random.default_rng(6)
    start = {"look.bias": rng.standard_normal(3 * width) * 0.3}
    start["embed.weight"] = rng.standard_normal((11, width))
    return Peer(g.add("output", Output(), after="dense"), forward, tokens(length, 11), start)


def recurrent(layer: Any, torch_name: str, **settings: Any) -> Peer:
    """Tokens, a recurrent layer with our weights in PyTorch's module by its own names, a product."""
    graph = GraphSpec().add("x", Input((7,))).add("embed", Embedding(9, 5), after="x")
    graph = graph.add("rnn", layer, after="embed")
    end = "rnn"
    if layer.states == "all":
        graph, end = graph.add("third", OnePosition(3), after="rnn"), "third"
        graph = graph.add("last", OnePosition(), after="rnn").add("both", Add(), after=("third", "last"))
        end = "both"
    graph = graph.add("dense", Dense(units=4), after=end)

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        f = torch.nn.functional
        module = getattr(torch.nn, torch_name)(5, layer.units, batch_first=True, **settings).double()
        specs = layer.params([(5, 7)])
        assert {s.key: s.shape for s in specs} == {k: tuple(v.shape) for k, v in module.state_dict().items()}
        ours = {s.key: w[f"rnn.{s.name}"] for s in specs}
        h, _ = torch.func.functional_call(module, ours, f.embedding(x.long(), w["embed.weight"]))
        h = h[:, 2] + h[:, -1] if layer.states == "all" else h[:, -1]
        return f.linear(h, w["dense.weight"], w["dense.bias"])

    rng = np.random.default_rng(7)
    start = {f"rnn.{s.name}": rng.standard_normal(s.shape) * 0.5 for s in layer.params([(5, 7)])}
    start["embed.weight"] = rng.standard_normal((9, 5))
    return Peer(graph.add("output", Output(), after="dense"), forward, tokens(7, 9), start)


def slides() -> Peer:
    """Dilation, groups, four pads; then each channel by itself."""
    first = Conv2D(filters=6, kernel=(2, 3), stride=(1, 2), padding=(2, 0, 1, 3), dilation=(2, 1), groups=2)
    each = Conv2D(filters=12, kernel=(3, 2), bias=False, groups=6)
    graph = chain(first, Tanh(), each, Flatten(), Dense(units=4), shape=(4, 6, 7))

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        f = torch.nn.functional
        x = f.pad(x, (0, 3, 2, 1))
        x = f.conv2d(x, w["conv2d1.weight"], w["conv2d1.bias"], stride=(1, 2), dilation=(2, 1), groups=2)
        x = f.conv2d(torch.tanh(x), w["conv2d2.weight"], groups=6)
        return f.linear(x.flatten(1), w["dense1.weight"], w["dense1.bias"])

    return Peer(graph, forward, lambda rng: rng.standard_normal((BATCH, 4, 6, 7)))


def decoder() -> Peer:
    """Transposed convolutions: overlapping, with output padding; then with gaps and groups."""
    up = ConvTranspose2D(filters=4, kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1), output_padding=(1, 0))
    gaps = ConvTranspose2D(filters=6, kernel=(2, 3), stride=(1, 2), bias=False, dilation=(2, 1), groups=2)
    graph = chain(up, Tanh(), gaps, Flatten(), Dense(units=4), shape=(3, 4, 3))

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        f = torch.nn.functional
        first, second = w["conv_transpose2d1.weight"], w["conv_transpose2d2.weight"]
        bias = w["conv_transpose2d1.bias"]
        x = torch.tanh(f.conv_transpose2d(x, first, bias, stride=2, padding=1, output_padding=(1, 0)))
        x = f.conv_transpose2d(x, second, stride=(1, 2), dilation=(2, 1), groups=2)
        return f.linear(x.flatten(1), w["dense1.weight"], w["dense1.bias"])

    return Peer(graph, forward, lambda rng: rng.standard_normal((BATCH, 3, 4, 3)))


def along() -> Peer:
    """Convolutions along a sequence: causal with gaps; then groups and a stride."""
    g = GraphSpec().add("x", Input((9,))).add("embed", Embedding(11, 4), after="x")
    g = g.add("past", Conv1D(6, 3, padding=(4, 0), dilation=2), after="embed")
    g = g.add("tanh", Tanh(), after="past")
    g = g.add("each", Conv1D(8, 2, stride=2, padding=(1, 1), groups=2, bias=False), after="tanh")
    g = g.add("flat", Flatten(), after="each").add("dense", Dense(units=3), after="flat")

    def forward(torch: Any, w: Weights, x: Any) -> Any:
        f = torch.nn.functional
        y = f.embedding(x.long(), w["embed.weight"]).transpose(1, 2)
        y = torch.tanh(f.conv1d(f.pad(y, (4, 0)), w["past.weight"], w["past.bias"], dilation=2))
        y = f.conv1d(y, w["each.weight"], stride=2, padding=1, groups=2)
        return f.linear(y.flatten(1), w["dense.weight"], w["dense.bias"])

    start = {"embed.weight": np.random.default_rng(7).standard_normal((11, 4))}
    return Peer(g.add("output", Output(), after="dense"), forward, tokens(9, 11), start)


PEERS: dict[str, Callable[[], Peer]] = {
    "affine warp, zero": lambda: affine("zero", "zeros", False),
    "affine warp, edge": lambda: affine("edge", "border", False),
    "affine warp, reflect": lambda: affine("reflect", "reflection", True),
    "affine warp, fixed": lambda: affine("zero", "zeros", True, trained=False),
    "spatial transformer": lambda: transformer(True),
    "spatial transformer, whole matrix": lambda: transformer(False),
    "convolutions with gaps and groups": slides,
    "transposed convolutions": decoder,
    "convolutions along sequences": along,
    "embedding, positions, layer norm": embedded,
    "transformer block": lambda: block(False),
    "transformer block, causal": lambda: block(True),
    "simple rnn, tanh": lambda: recurrent(SimpleRNN(6), "RNN"),
    "simple rnn, relu, all": lambda: recurrent(
        SimpleRNN(6, "all", activation="relu"), "RNN", nonlinearity="relu"
    ),
    "gru": lambda: recurrent(GRU(6), "GRU"),
    "gru, all": lambda: recurrent(GRU(6, "all"), "GRU"),
    "lstm": lambda: recurrent(LSTM(6), "LSTM"),
    "lstm, all": lambda: recurrent(LSTM(6, "all"), "LSTM"),
}


@pytest.mark.parametrize("name", list(PEERS))
def test_layer(torch: Any, backend_name: str, name: str) -> None:
    check(torch, backend_name, name, PEERS[name]())


def check(torch: Any, backend_name: str, name: str, peer: Peer) -> None:
    """Prediction, gradients and ten steps of both."""
    device = opencl_devices()[backend_name.split(":")[1]] if ":" in backend_name else "numpy"
    training = TrainingSpec("mse", "sgd", peer.rate, seed=3)
    net = Network(peer.graph, training, batch=BATCH, device=device)
    net.load({k: np.asarray(v, np.float32) for k, v in (peer.start or {}).items()})
    rng = np.random.default_rng(2)
    x = peer.inputs(rng).astype(np.float32)
    weights = net.weights()
    trained = {v.owner + "." + v.param for v in net.program.inputs if v.id in net.program.gradients}
    # double precision there: what is left is our own rounding
    theirs = {k: torch.tensor(v, dtype=torch.float64, requires_grad=k in trained) for k, v in weights.items()}
    given = torch.tensor(x.astype(np.float64))
    out = peer.forward(torch, theirs, given)
    forward, slope, weight = distance(net.forward(x), out.detach().numpy()), 0.0, 0.0
    assert forward < peer.forward_within
    target = rng.standard_normal(out.shape).astype(np.float32)
    wanted = torch.tensor(target.astype(np.float64))
    for step in range(10):
        loss = torch.nn.functional.mse_loss(peer.forward(torch, theirs, given), wanted)
        loss.backward()
        assert net.step(x, target) == pytest.approx(loss.item(), rel=1e-5)
        with torch.no_grad():
            for key in sorted(trained):
                grad = theirs[key].grad
                if step == 0 and grad.abs().max() > 1e-9:
                    slope = max(slope, distance(net.gradient(key), grad.numpy()))
                    assert slope < 1e-5, key
                theirs[key] -= training.learning_rate * grad
                grad.zero_()
    moved = 0.0
    for key, array in net.weights().items():
        weight = max(weight, distance(array, theirs[key].detach().numpy()))
        assert weight < 1e-5, key
        moved = max(moved, distance(array, weights[key]))
    assert moved > 1e-3, "nothing was learnt"
    most = {"forward": forward, "gradient": slope, "weights": weight}
    measured.keep(f"layer: {name}, 10 steps", backend_name, 1, most)
