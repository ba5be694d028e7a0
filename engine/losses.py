"""Losses as recorded: targets from labels, the loss, its gradient, and how many examples are right.

Cross-entropy takes logits. Behind a drawn Softmax it is computed from that layer's input, so softmax is
never applied twice. Mean squared error takes the prediction as it is; classes become rows of 0 and 1, or
-1 and 1 where the last activation is Tanh.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.graph import GraphSpec, NodeSpec
from engine.layers import Softmax, Tanh
from engine.recorder import Recorder
from engine.settings import DataSpec
from engine.values import Phase, Value, grad_id


@dataclass(frozen=True)
class Encoding:
    """How class labels become numbers for mean squared error, and where a single output is cut."""

    off: float
    on: float

    @property
    def threshold(self) -> float:
        return (self.off + self.on) / 2


def encoding(graph: GraphSpec, output: NodeSpec) -> Encoding:
    """-1 and 1 behind Tanh, else 0 and 1."""
    links = graph.inputs_of(output.uid)
    tanh = bool(links) and isinstance(graph.node(links[0].source).layer, Tanh)
    return Encoding(-1.0 if tanh else 0.0, 1.0)


def record_loss(
    rec: Recorder,
    graph: GraphSpec,
    output: NodeSpec,
    prediction: Value,
    loss: str,
    data: DataSpec,
    gradients: bool,
) -> tuple[Value, dict[str, Value]]:
    """Record targets, loss, hits (for classes) and, with `gradients`, dL/d(what the loss takes).

    Returns the loss value and the metrics by name.
    """
    rec.node, rec.phase = output.uid, Phase.LOSS
    target = _target(rec, data)
    metrics: dict[str, Value] = {}
    code = encoding(graph, output)
    if data.classes:
        cut = code.threshold if loss == "mse" else 0.5
        metrics["hits"] = rec.emit1("count_correct", (prediction, target), "hits", attrs={"threshold": cut})
    if loss == "cross_entropy":
        logits, only = _logits(rec, graph, output, prediction)
        p, value = rec.emit("softmax_xent", (logits, target), ("p", "loss"))
        if gradients:
            rec.phase = Phase.BACKWARD
            name = grad_id(logits.id) if only else f"{grad_id(logits.id)}/loss"
            rec.contribute(logits, rec.emit1("softmax_xent_grad", (p, target), name))
        return value, metrics
    if data.classes:
        target = rec.emit1(
            "encode_labels",
            (target,),
            "target",
            attrs={"units": prediction.shape[0], "off": code.off, "on": code.on},
        )
    value = rec.emit1("mse", (prediction, target), "loss")
    if gradients:
        rec.phase = Phase.BACKWARD
        rec.contribute(prediction, rec.emit1("mse_grad", (prediction, target), grad_id(prediction.id)))
    return value, metrics


def _logits(rec: Recorder, graph: GraphSpec, output: NodeSpec, prediction: Value) -> tuple[Value, bool]:
    """What cross-entropy takes, and whether nothing else reads it on the way forward."""
    link = graph.inputs_of(output.uid)[0]
    source = graph.node(link.source)
    others = len(graph.outputs_of(source.uid)) > 1
    if not isinstance(source.layer, Softmax):
        return prediction, not others
    op = next(op for op in rec.ops if op.kind == "softmax" and op.out.id == prediction.id)
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
