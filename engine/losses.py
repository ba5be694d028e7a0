"""Losses as recorded: targets, the loss of each output, its gradient, and how many examples are right.

With several outputs, or a weight that is not 1, the loss is L = Σ w_i L_i.

Cross-entropy takes logits. Behind a drawn Softmax it is computed from that layer's input, so softmax is
never applied twice; binary cross-entropy does the same behind Sigmoid. The others take the prediction as it
is; classes become rows of 0 and 1, or -1 and 1 for the hinge and where the last activation is Tanh.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.class_weights import class_weights, plain
from engine.graph import GraphSpec, NodeSpec
from engine.layers import Layer, Sigmoid, Softmax, Tanh
from engine.layers.output import INPUT
from engine.ops.base import Array
from engine.outputs import layer_of, main_output, outputs_of, seen_by, weighted
from engine.recorder import Recorder
from engine.settings import DataSpec, TrainingSpec
from engine.values import Phase, Value, grad_id

PART = "loss:"
MASS = "mass:"
"""Before the uid of an output, names among the metrics: its own loss where the loss is a sum of several, and
what its mean divides by where that is not the number of examples or entries."""


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


def record_losses(
    rec: Recorder,
    graph: GraphSpec,
    values: Mapping[str, Value],
    training: TrainingSpec,
    data: DataSpec,
    gradients: bool,
) -> tuple[tuple[Value, ...], dict[str, Value]]:
    """Record targets, losses, hits (for classes) and, with `gradients`, dL/d(what each loss takes).

    `values` is what leaves each node. Returns the losses, the one that is made small first and behind it,
    where that is a sum, its parts in the order of the outputs; and the metrics by name.
    """
    ends, main = outputs_of(graph), main_output(graph)
    summed = weighted(graph)
    parts: list[Value] = []
    slopes: list[Callable[[], None]] = []
    metrics: dict[str, Value] = {}
    told: Value | None = None
    for number, end in enumerate(ends, 1):
        if layer_of(end).target == INPUT:
            rec.node, rec.phase = end.uid, Phase.LOSS
            target = _flat(rec, values[seen_by(graph, end)], f"{end.uid}.target")
        else:
            rec.node, rec.phase = end.uid, Phase.LOSS
            target = told = told if told is not None else _target(rec, data)
            if data.classes and end is main:
                cut = {"threshold": encoding(graph, end, loss_of(end, training)).cut}
                hits = rec.emit1("count_correct", (values[end.uid], target), "hits", attrs=cut)
                metrics["hits"] = hits
        share = (f"/L{number}", layer_of(end).weight) if summed else None
        value, slope = _record_loss(rec, graph, end, values[end.uid], target, training, data, share, metrics)
        parts.append(value)
        slopes.append(slope)
    losses = tuple(parts)
    if summed:
        rec.node = ends[0].uid
        weights = tuple(layer_of(end).weight for end in ends)
        losses = (rec.emit1("weighted_sum", parts, "total", attrs={"weights": weights}), *parts)
        metrics |= {f"{PART}{end.uid}": part for end, part in zip(ends, parts, strict=True)}
    if gradients:
        for end, slope in zip(ends, slopes, strict=True):
            rec.node, rec.phase = end.uid, Phase.BACKWARD
            slope()
    return losses, metrics


def loss_of(end: NodeSpec, training: TrainingSpec) -> str:
    """The loss of an output: its own, or the one chosen for training."""
    return layer_of(end).loss_of(training.loss)


def _record_loss(
    rec: Recorder,
    graph: GraphSpec,
    output: NodeSpec,
    prediction: Value,
    target: Value,
    training: TrainingSpec,
    data: DataSpec,
    share: tuple[str, float] | None,
    metrics: dict[str, Value],
) -> tuple[Value, Callable[[], None]]:
    """One output's loss, and what records its gradient.

    `share`: what that is called by itself, and the weight in the sum. What the mean divides by, where that
    is not the number of examples, goes into `metrics`.
    """
    loss, own = loss_of(output, training), layer_of(output).target == INPUT
    code = encoding(graph, output, loss)
    if loss == "cross_entropy":
        logits, only = _before(rec, graph, output, prediction, Softmax)
        if not plain(training):
            attrs: dict[str, Hashable] = {"weights": class_weights(training, data)}
            w, mass = rec.emit("class_weights", (target,), ("w", "mass"), attrs=attrs)
            metrics[f"{MASS}{output.uid}"] = mass
            attrs["smoothing"] = training.label_smoothing
            ins = target, w, mass
            p, value = rec.emit("weighted_xent", (logits, *ins), ("p", "loss"), attrs=attrs)
            return value, partial(
                _contribute, rec, logits, only, "weighted_xent_grad", (p, *ins), attrs, share
            )
        p, value = rec.emit("softmax_xent", (logits, target), ("p", "loss"))
        return value, partial(_contribute, rec, logits, only, "softmax_xent_grad", (p, target), {}, share)
    if data.classes and not own:
        coded = {"units": prediction.shape[0], "off": code.off, "on": code.on}
        target = rec.emit1("encode_labels", (target,), "target", attrs=coded)
    source = graph.inputs_of(output.uid)[0].source
    kind, taken, only = loss, prediction, len(graph.outputs_of(source)) == 1
    if kind == "bce":
        kind, (taken, only) = "bce_logits", _before(rec, graph, output, prediction, Sigmoid)
    if len(taken.shape) > 2:
        taken, only = _flat(rec, taken, f"{output.uid}.flat"), True
    settings = {"delta": training.huber_delta} if kind == "huber" else {}
    value = rec.emit1(kind, (taken, target), "loss", attrs=settings)
    return value, partial(_contribute, rec, taken, only, f"{kind}_grad", (taken, target), settings, share)


def _flat(rec: Recorder, value: Value, name: str) -> Value:
    """A picture as the vector that losses look at."""
    if len(value.shape) == 2:
        return value
    return rec.view(value, name, ("F", "N"), (value.rows, value.shape[-1]))


def _contribute(
    rec: Recorder,
    taken: Value,
    only: bool,
    kind: str,
    ins: tuple[Value, ...],
    attrs: Mapping[str, Hashable],
    share: tuple[str, float] | None,
) -> None:
    """The gradient of the loss by what it takes; as part of a sum times its weight."""
    name = grad_id(taken.id) if only else f"{grad_id(taken.id)}/loss"
    if share is None or share[1] == 1:
        rec.contribute(taken, rec.emit1(kind, ins, name, attrs=dict(attrs)))
        return
    own = rec.emit1(kind, ins, grad_id(taken.id) + share[0], attrs=dict(attrs))
    rec.contribute(taken, rec.emit1("scale", (own,), name, attrs={"factor": share[1]}))


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
