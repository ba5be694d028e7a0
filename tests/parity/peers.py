"""The same network in PyTorch, written from the graph with PyTorch's own layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.graph import GraphSpec, NodeSpec
from engine.inference import infer
from engine.ops.base import Array


def build(torch: Any, graph: GraphSpec) -> Any:
    """A module whose `state_dict` has a key `<node>.<param>` for every parameter of the graph.

    It returns logits where a Softmax is drawn last: PyTorch's cross-entropy takes those.
    """
    inputs = infer(graph).inputs
    owned = {
        n.name: module
        for n in graph.nodes
        if n.shares is None and (module := _module(torch, n, inputs[n.uid])) is not None
    }
    shared = {n.name: owned[graph.node(n.shares).name] for n in graph.nodes if n.shares is not None}

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for name, module in {**owned, **shared}.items():
                self.add_module(name, module)

        def forward(self, x: Any) -> Any:
            values: dict[str, Any] = {}
            for node in graph.order():
                ins = [values[k.source] for k in graph.inputs_of(node.uid)]
                values[node.uid] = self._layer(node, ins, x)
            (output,) = (n for n in graph.nodes if n.layer.kind == "output")
            return values[output.uid]

        def _layer(self, node: NodeSpec, ins: list[Any], x: Any) -> Any:
            kind = node.layer.kind
            if kind == "input":
                return x
            if kind == "add":
                return sum(ins[1:], ins[0])
            if kind == "concatenate":
                return torch.cat(ins, 1)
            last = any(graph.node(k.target).layer.kind == "output" for k in graph.outputs_of(node.uid))
            if kind == "output" or (kind == "softmax" and last):
                return ins[0]
            return getattr(self, node.name)(ins[0])

    return Network()


def _module(torch: Any, node: NodeSpec, inputs: tuple[tuple[int, ...], ...]) -> Any:
    """PyTorch's own layer for a node, None for those without."""
    nn, at = torch.nn, node.layer
    kind = at.kind
    if kind == "dense":
        return nn.Linear(inputs[0][0], at.units, bias=at.bias)  # type: ignore[attr-defined]
    if kind == "conv2d":
        top, left, bottom, right = at.padding  # type: ignore[attr-defined]
        assert (top, left) == (bottom, right), "PyTorch pads both sides alike"
        more = {"dilation": at.dilation, "groups": at.groups, "bias": at.bias}  # type: ignore[attr-defined]
        return nn.Conv2d(inputs[0][0], at.filters, at.kernel, at.stride, (top, left), **more)  # type: ignore[attr-defined]
    if kind == "conv1d":
        before, after = at.padding  # type: ignore[attr-defined]
        assert before == after, "PyTorch pads both sides alike"
        more = {"dilation": at.dilation, "groups": at.groups, "bias": at.bias}  # type: ignore[attr-defined]
        return nn.Conv1d(inputs[0][0], at.filters, at.kernel, at.stride, before, **more)  # type: ignore[attr-defined]
    if kind == "conv_transpose2d":
        top, left, bottom, right = at.padding  # type: ignore[attr-defined]
        assert (top, left) == (bottom, right), "PyTorch pads both sides alike"
        more = {"dilation": at.dilation, "groups": at.groups, "bias": at.bias}  # type: ignore[attr-defined]
        more["output_padding"] = at.output_padding  # type: ignore[attr-defined]
        return nn.ConvTranspose2d(inputs[0][0], at.filters, at.kernel, at.stride, (top, left), **more)  # type: ignore[attr-defined]
    if kind == "batch_norm":
        norm = nn.BatchNorm2d if len(inputs[0]) == 3 else nn.BatchNorm1d
        return norm(inputs[0][0], eps=at.epsilon, momentum=at.momentum)  # type: ignore[attr-defined]
    if kind in ("max_pool2d", "avg_pool2d"):
        pool = nn.MaxPool2d if kind == "max_pool2d" else nn.AvgPool2d
        return pool(at.kernel, at.stride, at.padding[:2])  # type: ignore[attr-defined]
    plain = {
        "linear": nn.Identity, "relu": nn.ReLU, "selu": nn.SELU, "silu": nn.SiLU, "mish": nn.Mish,
        "sigmoid": nn.Sigmoid, "hard_sigmoid": nn.Hardsigmoid, "tanh": nn.Tanh, "softplus": nn.Softplus,
        "softsign": nn.Softsign, "flatten": nn.Flatten,
    }  # fmt: skip
    others = {
        "leaky_relu": lambda: nn.LeakyReLU(at.slope),  # type: ignore[attr-defined]
        "elu": lambda: nn.ELU(at.alpha),  # type: ignore[attr-defined]
        "gelu": lambda: nn.GELU("none" if at.form == "exact" else "tanh"),  # type: ignore[attr-defined]
        "prelu": lambda: nn.PReLU(inputs[0][0]),
        "softmax": lambda: nn.Softmax(1),
        "log_softmax": lambda: nn.LogSoftmax(1),
        "sine": lambda: _sine(torch),
    }
    made = {**plain, **others}
    return made[kind]() if kind in made else None


def _sine(torch: Any) -> Any:
    class Sine(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return torch.sin(x)

    return Sine()


def load(torch: Any, network: Any, weights: Mapping[str, Array]) -> None:
    """Put weights into the module by key. Only BatchNorm's own counter may be missing."""
    tensors = {k: torch.from_numpy(np.array(v)) for k, v in weights.items() if k != "__meta__"}
    missing, unexpected = network.load_state_dict(tensors, strict=False)
    assert not unexpected, unexpected
    assert all(k.endswith("num_batches_tracked") for k in missing), missing


def optimizer(torch: Any, name: str, parameters: Any, rate: float) -> Any:
    """PyTorch's optimizer of that name with its defaults; memory and epsilon as ours where they differ."""
    optim = torch.optim
    return {
        "sgd": lambda: optim.SGD(parameters, lr=rate),
        "momentum": lambda: optim.SGD(parameters, lr=rate, momentum=0.9),
        "rmsprop": lambda: optim.RMSprop(parameters, lr=rate),
        "nesterov": lambda: optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True),
        "adagrad": lambda: optim.Adagrad(parameters, lr=rate, eps=1e-8),
        "adadelta": lambda: optim.Adadelta(parameters, lr=rate, rho=0.99, eps=1e-8),
        "adam": lambda: optim.Adam(parameters, lr=rate),
        "adamw": lambda: optim.AdamW(parameters, lr=rate),
    }[name]()
