"""From a drawn graph to shapes, parameter counts and a list of problems. Never raises on a half-drawn net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.errors import N_, GraphError, Message
from engine.graph import GraphSpec, LinkSpec, NodeSpec, Uid
from engine.layers import Input, Output, Sigmoid, Softmax
from engine.layers.base import ParamSpec, Repair, Shape, ShapeProblem, elements, shape_text
from engine.layers.dense import Dense
from engine.layers.embedding import Embedding
from engine.layers.smaller import smaller
from engine.settings import NEEDS_CLASSES, DataSpec, TrainingSpec

MAX_PARAMETERS = 500_000_000
"""More float32 numbers than this are refused before anything is allocated (2 GB of weights alone)."""


@dataclass(frozen=True)
class Problem:
    """Something that keeps the network from running (or, with `warning`, deserves a look)."""

    node: Uid
    message: Message
    field: str = ""
    repairs: tuple[Repair, ...] = ()
    warning: bool = False
    aside: bool = False
    """A warning only because the layer stands beside what runs: as a part of it it would be a problem."""

    @property
    def blocks(self) -> bool:
        """Whether the layer itself cannot work like this."""
        return not self.warning or self.aside


@dataclass(frozen=True)
class Inference:
    """What is known of a graph. `shapes[uid]` is missing where no shape could be found."""

    shapes: Mapping[Uid, Shape]
    inputs: Mapping[Uid, tuple[Shape, ...]]
    """Shapes that arrive at each node, where all are known."""
    params: Mapping[Uid, tuple[ParamSpec, ...]]
    """Parameters by owning node."""
    problems: tuple[Problem, ...]
    order: tuple[Uid, ...]
    multiplications: Mapping[Uid, int] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether the network can run: no problems besides warnings."""
        return not any(not p.warning for p in self.problems)

    @property
    def parameter_count(self) -> int:
        """Trained numbers of the whole network."""
        return sum(self.count(uid) for uid in self.params)

    def count(self, uid: Uid) -> int:
        """Trained numbers a node owns."""
        return sum(elements(p.shape) for p in self.params.get(uid, ()) if p.trained)

    def of(self, uid: Uid) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.node == uid)


def infer(graph: GraphSpec, training: TrainingSpec | None = None, data: DataSpec | None = None) -> Inference:
    """Shapes, parameters and problems of a graph, as far as it is drawn.

    With `training` and `data` given, also whether output, loss and classes fit together.
    """
    shapes: dict[Uid, Shape] = {}
    arriving: dict[Uid, tuple[Shape, ...]] = {}
    params: dict[Uid, tuple[ParamSpec, ...]] = {}
    costs: dict[Uid, int] = {}
    problems: list[Problem] = []
    try:
        order = graph.order()
    except GraphError as error:
        return Inference({}, {}, {}, (Problem("", error.message),), ())
    for node in order:
        found = _problems_before(graph, node)
        problems += found
        sources = [k.source for k in graph.inputs_of(node.uid)]
        if any(not p.warning for p in found) or any(s not in shapes for s in sources):
            continue
        inputs = tuple(shapes[s] for s in sources)
        try:
            shape = node.layer.output_shape(inputs)
            specs = node.layer.params(inputs)
        except ShapeProblem as p:
            repairs = tuple(replace(r, node=node.uid) for r in p.repairs)
            problems.append(Problem(node.uid, p.message, p.field, repairs))
            continue
        total = sum(elements(p.shape) for p in specs)
        if total > MAX_PARAMETERS or elements(shape) > MAX_PARAMETERS:
            text = N_("{count} numbers are too many; at most {limit} fit here.")
            found_limit = {"count": f"{max(total, elements(shape)):,}", "limit": f"{MAX_PARAMETERS:,}"}
            name, repairs = smaller(node.layer, inputs, MAX_PARAMETERS)
            repairs = tuple(replace(r, node=node.uid) for r in repairs)
            problems.append(Problem(node.uid, Message(text, found_limit), name, repairs))
            continue
        if node.shares is not None:
            problem = _shared_problem(graph, node, specs, params)
            if problem:
                problems.append(problem)
                continue
        elif specs:
            params[node.uid] = specs
        shapes[node.uid], arriving[node.uid] = shape, inputs
        costs[node.uid] = node.layer.multiplications(inputs)
    problems = _aside(graph, problems) + _problems_of_whole(graph, shapes)
    if data is not None:
        problems += _problems_with_data(graph, shapes, arriving, training or TrainingSpec(), data)
    return Inference(shapes, arriving, params, tuple(problems), tuple(n.uid for n in order), costs)


def _aside(graph: GraphSpec, problems: list[Problem]) -> list[Problem]:
    """What is wrong with layers beside a path from input to output keeps nothing else from running."""
    source = next((n.uid for n in graph.nodes if isinstance(n.layer, Input)), None)
    end = next((n.uid for n in graph.nodes if isinstance(n.layer, Output)), None)
    if source is None or end is None or not graph.reaches(source, end):
        return problems
    return [
        replace(p, warning=True, aside=True)
        if not isinstance(graph.node(p.node).layer, Input | Output) and not graph.reaches(p.node, end)
        else p
        for p in problems
    ]


def _problems_before(graph: GraphSpec, node: NodeSpec) -> list[Problem]:
    """Missing links, and layers that stand where they cannot work."""
    links = graph.inputs_of(node.uid)
    if node.layer.many_inputs:
        if len(links) < 2 and node.layer.kind != "unknown":  # of that one nothing is known
            message = Message(N_("Needs at least two inputs, has {found}."), {"found": len(links)})
            return [Problem(node.uid, message, repairs=_link_from_loose_end(graph, node, len(links)))]
        return []
    missing = [p for p in range(len(node.layer.ports)) if not any(k.port == p for k in links)]
    if missing:
        message = Message(N_("Nothing is linked to the input."))
        return [Problem(node.uid, message, repairs=_link_from_loose_end(graph, node, missing[0]))]
    if node.layer.on_data and not isinstance(graph.node(links[0].source).layer, Input):
        text = N_("{layer} works on the data: put it right behind the input.")
        return [Problem(node.uid, Message(text, {"layer": Message(node.layer.label)}))]
    return []


def _link_from_loose_end(graph: GraphSpec, node: NodeSpec, port: int) -> tuple[Repair, ...]:
    """A link from the layer drawn last that leads nowhere yet, if there is one before `node`."""
    for end in reversed(graph.nodes):
        if end.layer.has_output and not graph.outputs_of(end.uid) and not graph.reaches(node.uid, end.uid):
            label = Message(N_("Link {name}"), {"name": end.name})
            return (Repair(label, "add_link", node.uid, port, value=end.uid),)
    return ()


def _shared_problem(
    graph: GraphSpec,
    node: NodeSpec,
    specs: tuple[ParamSpec, ...],
    params: Mapping[Uid, tuple[ParamSpec, ...]],
) -> Problem | None:
    owner = graph.node(node.owner) if graph.has(node.owner) else None
    if owner is None:
        return Problem(node.uid, Message(N_("The layer whose weights this one shares is gone.")))
    if [(s.name, s.shape) for s in specs] != [(s.name, s.shape) for s in params.get(owner.uid, ())]:
        return Problem(
            node.uid,
            Message(N_("Cannot share the weights of {owner}: the shapes differ."), {"owner": owner.name}),
        )
    return None


def _problems_of_whole(graph: GraphSpec, shapes: Mapping[Uid, Shape]) -> list[Problem]:
    found: list[Problem] = []
    inputs = [n for n in graph.nodes if isinstance(n.layer, Input)]
    outputs = [n for n in graph.nodes if isinstance(n.layer, Output)]
    if not graph.nodes:
        return [Problem("", Message(N_("The network is empty: drop an input and layers on the canvas.")))]
    if not inputs:
        found.append(Problem("", Message(N_("The network has no input."))))
    for extra in inputs[1:]:
        found.append(
            Problem(
                extra.uid,
                Message(N_("One input is enough: the data enters at {name}."), {"name": inputs[0].name}),
                repairs=(Repair(Message(N_("Remove")), "remove_node", extra.uid),),
            )
        )
    if not outputs and inputs:
        ends = [
            n for n in graph.nodes if n.layer.has_output and not graph.outputs_of(n.uid) and n.uid in shapes
        ]
        last = ends[-1] if ends else inputs[0]
        found.append(
            Problem(
                last.uid,
                Message(N_("The network has no output.")),
                repairs=(Repair(Message(N_("Add output")), "add_output", last.uid),),
            )
        )
    for extra in outputs[1:]:
        found.append(
            Problem(
                extra.uid,
                Message(
                    N_("Only one output can be trained; {name} is the first."), {"name": outputs[0].name}
                ),
                repairs=(Repair(Message(N_("Remove")), "remove_node", extra.uid),),
            )
        )
    if outputs and inputs and graph.inputs_of(outputs[0].uid):
        for n in graph.nodes:
            if n.layer.has_output and n.uid in shapes and not graph.reaches(n.uid, outputs[0].uid):
                found.append(
                    Problem(
                        n.uid, Message(N_("Does not lead to the output, so it does not learn.")), warning=True
                    )
                )
        if not graph.reaches(inputs[0].uid, outputs[0].uid):
            found.append(Problem(outputs[0].uid, Message(N_("No path leads from the input to the output."))))
    return found


def _problems_with_data(
    graph: GraphSpec,
    shapes: Mapping[Uid, Shape],
    arriving: Mapping[Uid, tuple[Shape, ...]],
    training: TrainingSpec,
    data: DataSpec,
) -> list[Problem]:
    found: list[Problem] = []
    for n in graph.nodes:
        if isinstance(n.layer, Input) and n.uid in shapes and shapes[n.uid] != data.shape:
            found.append(
                Problem(
                    n.uid,
                    Message(
                        N_("The data has {data}, the input is set to {found}."),
                        {"data": shape_text(data.shape), "found": shape_text(shapes[n.uid])},
                    ),
                    "shape",
                    (
                        Repair(
                            Message(N_("Use {shape}"), {"shape": shape_text(data.shape)}),
                            "set_field",
                            n.uid,
                            field="shape",
                            value=data.shape,
                        ),
                    ),
                )
            )
        if isinstance(n.layer, Embedding):
            found += _problems_with_tokens(n, n.layer, data.tokens)
    out = next((n for n in graph.nodes if isinstance(n.layer, Output) and n.uid in arriving), None)
    if out is None:
        return found
    width = arriving[out.uid][0][0]
    source = graph.node(graph.inputs_of(out.uid)[0].source)
    wanted = data.classes if data.classes else data.target_width
    if training.loss in NEEDS_CLASSES and not data.classes and training.loss != "cross_entropy":
        text = N_("This loss needs classes, the data has numbers as targets: choose mean squared error.")
        found.append(Problem(out.uid, Message(text)))
    elif training.loss == "cross_entropy":
        if not data.classes:
            found.append(
                Problem(
                    out.uid,
                    Message(
                        N_(
                            "Cross-entropy needs classes, the data has numbers as targets: "
                            "choose mean squared error."
                        )
                    ),
                )
            )
        elif width != wanted:
            found.append(_width_problem(graph, out, source, width, wanted))
    elif data.classes == 2 and width in (1, 2):
        pass
    elif width != wanted:
        found.append(_width_problem(graph, out, source, width, wanted))
    return found


def _problems_with_tokens(node: NodeSpec, layer: Embedding, tokens: int) -> list[Problem]:
    """A table that has no row for a token, or data that are no tokens at all."""
    if not tokens:
        text = N_("The data are no tokens: every number is rounded and taken for one.")
        return [Problem(node.uid, Message(text), warning=True)]
    if layer.vocabulary >= tokens:
        return []
    message = Message(
        N_("The data has {found} different tokens, the vocabulary only {expected}."),
        {"found": tokens, "expected": layer.vocabulary},
    )
    label = Message(N_("Use a vocabulary of {tokens}"), {"tokens": tokens})
    repair = Repair(label, "set_field", node.uid, field="vocabulary", value=tokens)
    return [Problem(node.uid, message, "vocabulary", (repair,))]


def _width_problem(graph: GraphSpec, out: NodeSpec, source: NodeSpec, width: int, wanted: int) -> Problem:
    node: NodeSpec | None = source
    while node is not None and not isinstance(node.layer, Dense):
        links: tuple[LinkSpec, ...] = graph.inputs_of(node.uid)
        node = graph.node(links[0].source) if len(links) == 1 else None
    repairs = (
        (
            Repair(
                Message(N_("Give {name} {units} units"), {"name": node.name, "units": wanted}),
                "set_field",
                node.uid,
                field="units",
                value=wanted,
            ),
        )
        if node is not None
        else ()
    )
    return Problem(
        out.uid,
        Message(
            N_("The data needs {wanted} outputs, the network gives {found}."),
            {"wanted": wanted, "found": width},
        ),
        repairs=repairs,
    )


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


def loss_note(graph: GraphSpec, output: NodeSpec, loss: str) -> tuple[Message, ...]:
    """What a loss takes and which mean it is, in sentences."""
    over = Message(N_("The mean over all entries: outputs times examples."))
    if loss == "cross_entropy":
        return loss_takes(graph, output), Message(N_("The mean over the examples."))
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
