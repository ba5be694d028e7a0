"""What is made small, in words: the loss of an output, and of a network with several."""

from __future__ import annotations

from engine.graph import GraphSpec, NodeSpec
from engine.layers.output import INPUT
from engine.outputs import layer_of, outputs_of
from engine.settings import LOSS_CHOICES, TrainingSpec
from gui.i18n import format_number, tr


def loss_text(node: NodeSpec, training: TrainingSpec) -> str:
    """0.25 · Mean squared error: of one output."""
    layer = layer_of(node)
    name = tr(dict(LOSS_CHOICES)[layer.loss_of(training.loss)])
    return name if layer.weight == 1 else f"{format_number(layer.weight)} · {name}"


def output_text(node: NodeSpec, training: TrainingSpec) -> str:
    """The same, and that the target is the input, where it is."""
    said = loss_text(node, training)
    return tr("{loss}, of the input").format(loss=said) if layer_of(node).target == INPUT else said


def whole_loss(graph: GraphSpec, training: TrainingSpec) -> str:
    """What is made small: the loss, or the sum of all outputs' losses."""
    ends = outputs_of(graph)
    if not ends:
        return tr(dict(LOSS_CHOICES)[training.loss])
    return " + ".join(loss_text(node, training) for node in ends)
