"""Whether an output fits its target and its loss, and what is to be said of a loss."""

from __future__ import annotations

from typing import Literal

from engine.class_weights import class_weights, plain
from engine.errors import N_, Message, listed
from engine.graph import GraphSpec, NodeSpec
from engine.layers import LogSoftmax, Sigmoid, Softmax
from engine.layers.base import Repair, Shape, elements
from engine.layers.dense import Dense
from engine.layers.output import AS_TRAINED, DATA, INPUT
from engine.outputs import layer_of
from engine.problems import Problem
from engine.settings import LOSS_CHOICES, NEEDS_CLASSES, DataSpec, TrainingSpec


def problems_of_output(
    graph: GraphSpec, out: NodeSpec, arriving: Shape, training: TrainingSpec, data: DataSpec
) -> list[Problem]:
    """What keeps this output from being compared with its target."""
    loss = layer_of(out).loss_of(training.loss)
    if layer_of(out).target == INPUT:
        return _problems_of_copy(graph, out, arriving, loss, data)
    width, wanted = arriving[0], data.classes or data.target_width
    if loss in NEEDS_CLASSES and not data.classes:
        text = N_("This loss needs classes, the data has numbers as targets: choose mean squared error.")
        if loss == "cross_entropy":
            text = N_(
                "Cross-entropy needs classes, the data has numbers as targets: choose mean squared error."
            )
        return [Problem(out.uid, Message(text), "loss", (_use_mse(out, training),))]
    given = len(training.class_weights)
    if loss == "cross_entropy" and training.class_weighting == "own" and given != data.classes:
        text = N_("The data has {expected} classes, {found} class weights are listed.")
        filled = (training.class_weights + (1.0,) * data.classes)[: data.classes]
        label = Message(N_("Fill up with 1") if given < data.classes else N_("Leave out the last"))
        repair = Repair(label, "set_training", out.uid, field="class_weights", value=filled)
        values = {"expected": data.classes, "found": given}
        return [Problem(out.uid, Message(text, values), "loss", (repair,))]
    if loss != "cross_entropy" and data.classes == 2 and width in (1, 2):
        return []
    return [_width_problem(graph, out, width, wanted)] if width != wanted else []


def _problems_of_copy(
    graph: GraphSpec, out: NodeSpec, arriving: Shape, loss: str, data: DataSpec
) -> list[Problem]:
    """The input is the target: as many numbers, and a loss of numbers."""
    name = Message(dict(LOSS_CHOICES)[loss])
    repair = Repair(_MSE, "set_field", out.uid, field="loss", value="mse")
    if loss in ("cross_entropy", "hinge"):
        text = N_("{loss} needs classes, but the target here is the input itself.")
        return [Problem(out.uid, Message(text, {"loss": name}), "loss", (repair,))]
    if loss == "bce" and (data.low < 0 or data.high > 1):
        text = N_("{loss} needs targets from 0 to 1; the inputs run from {low} to {high}.")
        values = {"loss": name, "low": float(f"{data.low:.3g}"), "high": float(f"{data.high:.3g}")}
        return [Problem(out.uid, Message(text, values), "loss", (repair,))]
    have, wanted = elements(arriving), elements(data.shape)
    if have == wanted:
        return []
    found = _width_problem(graph, out, have, wanted)
    text = N_("The target is the input with {wanted} numbers, the network gives {found}.")
    repairs = found.repairs if len(arriving) == 1 else ()
    if not repairs:
        label = Message(N_("Use the data's target"))
        repairs = (Repair(label, "set_field", out.uid, field="target", value=DATA),)
    return [Problem(out.uid, Message(text, found.message.values), "target", repairs)]


_MSE = Message(N_("Use mean squared error"))


def _use_mse(out: NodeSpec, training: TrainingSpec) -> Repair:
    """Mean squared error where the loss was chosen: here, or for training."""
    kind: Literal["set_field", "set_training"] = "set_field"
    if layer_of(out).loss == AS_TRAINED:
        kind = "set_training"
    return Repair(_MSE, kind, out.uid, field="loss", value="mse")


def _width_problem(graph: GraphSpec, out: NodeSpec, width: int, wanted: int) -> Problem:
    node = _before(graph, out)
    while node is not None and node.layer.category in ("activation", "normalize"):  # as many leave as come
        node = _before(graph, node)
    if node is not None and isinstance(node.layer, Dense):
        label = Message(N_("Give {name} {units} units"), {"name": node.name, "units": wanted})
        repair = Repair(label, "set_field", node.uid, field="units", value=wanted)
    else:
        label, last = Message(N_("Insert Dense with {units} units"), {"units": wanted}), _before(graph, out)
        shares = last is not None and isinstance(last.layer, (Softmax, LogSoftmax, Sigmoid))
        place = last.uid if last is not None and shares else out.uid
        repair = Repair(label, "insert_before", place, layer=Dense(wanted))
    return Problem(
        out.uid,
        Message(
            N_("The data needs {wanted} outputs, the network gives {found}."),
            {"wanted": wanted, "found": width},
        ),
        repairs=(repair,),
    )


def _before(graph: GraphSpec, node: NodeSpec) -> NodeSpec | None:
    """The layer that alone is linked to this one."""
    links = graph.inputs_of(node.uid)
    return graph.node(links[0].source) if len(links) == 1 else None


def loss_takes(graph: GraphSpec, output: NodeSpec) -> Message:
    """What cross-entropy is computed from, in a sentence: a drawn Softmax is never applied twice."""
    links = graph.inputs_of(output.uid)
    source = graph.node(links[0].source) if links else None
    if source is not None and isinstance(source.layer, Softmax):
        return Message(
            N_("Computed from the input of {name} (stable); softmax is not applied twice."),
            {"name": source.name},
        )
    return Message(N_("Computed from these values with softmax inside the loss."))


def _weighing(training: TrainingSpec, data: DataSpec | None) -> tuple[Message, ...]:
    """How cross-entropy weighs classes and smooths labels."""
    found = []
    if training.label_smoothing:
        text = N_("The right class gets {share} of the target, the rest goes to all classes alike.")
        found.append(Message(text, {"share": f"{1 - training.label_smoothing:g}"}))
    if training.class_weighting == "equal":
        return (*found, Message(N_("The mean over the examples.")))
    text = N_("Each example counts by the weight of its class; the sum is divided by the weights.")
    found.append(Message(text))
    if data is not None:
        weights = class_weights(training, data)
        numbers = [Message("{w}", {"w": int(w) if w.is_integer() else float(f"{w:.3g}")}) for w in weights]
        found.append(Message(N_("Weights of the classes: {weights}."), {"weights": listed(numbers)}))
    return tuple(found)


def loss_note(
    graph: GraphSpec,
    output: NodeSpec,
    loss: str,
    training: TrainingSpec | None = None,
    data: DataSpec | None = None,
) -> tuple[Message, ...]:
    """What a loss takes and which mean it is, in sentences."""
    over = Message(N_("The mean over all entries: outputs times examples."))
    if loss == "cross_entropy":
        if training is None or plain(training):
            return loss_takes(graph, output), Message(N_("The mean over the examples."))
        return loss_takes(graph, output), *_weighing(training, data)
    links = graph.inputs_of(output.uid)
    source = graph.node(links[0].source) if links else None
    if loss == "bce" and source is not None and isinstance(source.layer, Sigmoid):
        text = N_("Computed from the input of {name} (stable); the sigmoid is not applied twice.")
        return Message(text, {"name": source.name}), over
    if loss == "bce":
        return Message(N_("Computed from these values with the sigmoid inside the loss.")), over
    if loss == "hinge":
        return Message(N_("Classes are −1 and 1; what is beyond 1 on the right side costs nothing.")), over
    return (over,)
