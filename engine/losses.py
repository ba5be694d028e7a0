"""Losses as recorded: targets from labels, the loss, its gradient, and how many examples are right.

Cross-entropy takes logits. Behind a drawn Softmax it is computed from that layer's input, so softmax is
never applied twice; binary cross-entropy does the same behind Sigmoid. The others take the prediction as it
is; classes become rows of 0 and 1, or -1 and 1 for the hinge and where the last activation is Tanh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.graph import GraphSpec, NodeSpec
from engine.layers import Layer, Sigmoid, Softmax, Tanh
from engine.ops.base import Array
from engine.recorder import Recorder
from engine.settings import DataSpec, TrainingSpec
from engine.values import Phase, Value, grad_id


@dataclass(frozen=True)
class Encoding:
    """How class labels become numbers, and where a single output is cut in two."""

    off: float
    on: float
    cut: float
    logit: bool = False
    """Whether the output is the logarithm of the odds, and no share yet."""

    def share(self, output: Array) -> Array:
        """Share of the second class, from a single output."""
        if self.logit:
            return np.asarray(1 / (1 + np.exp(-output)))
        return np.clip((output - self.off) / (self.on - self.off), 0, 1)


def encoding(graph: GraphSpec, output: NodeSpec, loss: str) -> Encoding:
    """Hinge: -1 and 1. Behind Tanh the same, else 0 and 1. Binary cross-entropy takes logits."""
    links = graph.inputs_of(output.uid)
    last = graph.node(links[0].source).layer if links else None
    if loss == "hinge" or (isinstance(last, Tanh) and loss != "bce"):
        return Encoding(-1.0, 1.0, 0.0)
    if loss == "bce" and not isinstance(last, Sigmoid):
        return Encoding(0.0, 1.0, 0.0, logit=True)
    return Encoding(0.0, 1.0, 0.5)


def record_loss(
    rec: Recorder,
    graph: GraphSpec,
    output: NodeSpec,
    prediction: Value,
    training: TrainingSpec,
    data: DataSpec,
    gradients: bool,
) -> tuple[Value, dict[str, Value]]:
    """Record targets, loss, hits (for classes) and, with `gradients`, dL/d(what the loss takes).

    Returns the loss value and the metrics by name.
    """
    rec.node, rec.phase = output.uid, Phase.LOSS
    target = _target(rec, data)
    metrics: dict[str, Value] = {}
    code = encoding(graph, output, training.loss)
    if data.classes:
        cut = {"threshold": code.cut}
        metrics["hits"] = rec.emit1("count_correct", (prediction, target), "hits", attrs=cut)
    if training.loss == "cross_entropy":
        logits, only = _before(rec, graph, output, prediction, Softmax)
        p, value = rec.emit("softmax_xent", (logits, target), ("p", "loss"))
        if gradients:
            _contribute(rec, logits, only, "softmax_xent_grad", (p, target), {})
        return value, metrics
    if data.classes:
        attrs = {"units": prediction.shape[0], "off": code.off, "on": code.on}
        target = rec.emit1("encode_labels", (target,), "target", attrs=attrs)
    kind, taken, only = training.loss, prediction, True
    if kind == "bce":
        kind, (taken, only) = "bce_logits", _before(rec, graph, output, prediction, Sigmoid)
    settings = {"delta": training.huber_delta} if kind == "huber" else {}
    value = rec.emit1(kind, (taken, target), "loss", attrs=settings)
    if gradients:
        _contribute(rec, taken, only, f"{kind}_grad", (taken, target), settings)
    return value, metrics


def _contribute(
    rec: Recorder, taken: Value, only: bool, kind: str, ins: tuple[Value, Value], attrs: Mapping[str, float]
) -> None:
    """The gradient of the loss by what it takes."""
    rec.phase = Phase.BACKWARD
    name = grad_id(taken.id) if only else f"{grad_id(taken.id)}/loss"
    rec.contribute(taken, rec.emit1(kind, ins, name, attrs=attrs))


def _before(
    rec: Recorder, graph: GraphSpec, output: NodeSpec, prediction: Value, function: type[Layer]
) -> tuple[Value, bool]:
    """What a loss of logits takes, and whether nothing else reads it on the way forward."""
    link = graph.inputs_of(output.uid)[0]
    source = graph.node(link.source)
    others = len(graph.outputs_of(source.uid)) > 1
    if not isinstance(source.layer, function):
        return prediction, not others
    op = next(op for op in rec.ops if op.kind == function.kind and op.out.id == prediction.id)
    below = graph.inputs_of(source.uid)[0].source
    return op.ins[0], not others and len(graph.outputs_of(below)) == 1


def _target(rec: Recorder, data: DataSpec) -> Value:
    """Labels (N) for classes or numbers (F, N): gathered, or written from outside."""
    if not data.count:
        if data.classes:
            return rec.input("target", ("N",), (rec.capacity,), "i32")
        return rec.input("target", ("F", "N"), (data.target_width, rec.capacity))
    order = rec.input(f"{data.source}.order", ("S",), (data.count,), "i32")
    rec.phase = Phase.AUGMENT
    if data.classes:
        source = rec.input(f"{data.source}.y", ("S",), (data.count,), "i32")
        out = rec.emit1("gather_labels", (source, order), "target.labels", attrs={"capacity": rec.capacity})
    else:
        source = rec.input(f"{data.source}.y", ("S", "F"), (data.count, data.target_width))
        out = rec.emit1(
            "gather",
            (source, order),
            "target.values",
            attrs={"scale": 1.0, "shift": 0.0, "capacity": rec.capacity, "axes": ("F", "N")},
        )
    rec.phase = Phase.LOSS
    return out
