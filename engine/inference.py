"""From a drawn graph to shapes, parameter counts and a list of problems. Never raises on a half-drawn net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.errors import N_, GraphError, Message
from engine.graph import GraphSpec, NodeSpec, Uid
from engine.initializers import with_starts
from engine.layers import Input, Output
from engine.layers.base import ParamSpec, Repair, Shape, ShapeProblem, elements, shape_text
from engine.layers.batch_norm import BatchNorm
from engine.layers.embedding import Embedding
from engine.layers.smaller import smaller
from engine.lone_examples import lone_example
from engine.output_problems import problems_of_output
from engine.outputs import layer_of, leads_on, outputs_of
from engine.problems import Problem
from engine.settings import DataSpec, TrainingSpec

MAX_PARAMETERS = 500_000_000
"""More float32 numbers than this are refused before anything is allocated (2 GB of weights alone)."""


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
            specs = with_starts(node.layer.params(inputs), node.starts)
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
    ends = [n.uid for n in graph.nodes if isinstance(n.layer, Output)]
    if source is None or not any(graph.reaches(source, end) for end in ends):
        return problems
    return [
        replace(p, warning=True, aside=True) if p.node != source and not leads_on(graph, p.node) else p
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
    own = (Repair(Message(N_("Give it weights of its own")), "own_weights", node.uid),)
    if owner is None:
        text = N_("The layer whose weights this one shares is gone.")
        return Problem(node.uid, Message(text), repairs=own)
    if [(s.name, s.shape) for s in specs] != [(s.name, s.shape) for s in params.get(owner.uid, ())]:
        return Problem(
            node.uid,
            Message(N_("Cannot share the weights of {owner}: the shapes differ."), {"owner": owner.name}),
            repairs=own,
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
    reached = [n for n in outputs_of(graph) if graph.inputs_of(n.uid)]
    if reached and inputs:
        for n in graph.nodes:
            if n.layer.has_output and n.uid in shapes and not leads_on(graph, n.uid):
                found.append(
                    Problem(
                        n.uid, Message(N_("Does not lead to the output, so it does not learn.")), warning=True
                    )
                )
        if not graph.reaches(inputs[0].uid, reached[0].uid):
            found.append(Problem(reached[0].uid, Message(N_("No path leads from the input to the output."))))
        elif all(layer_of(n).weight == 0 for n in reached):
            text = N_("The weight of every output is 0: nothing would be learned.")
            first = reached[0].uid
            repair = Repair(Message(N_("Use weight 1")), "set_field", first, field="weight", value=1.0)
            found.append(Problem(first, Message(text), "weight", (repair,)))
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
        if isinstance(n.layer, BatchNorm) and n.uid in arriving:
            lone = lone_example(arriving[n.uid][0], training, data)
            if lone is not None:
                repairs = tuple(replace(r, node=n.uid) for r in lone[1])
                found += _aside(graph, [Problem(n.uid, lone[0], "", repairs, lone[2])])
    for out in outputs_of(graph):
        if out.uid in arriving:
            found += problems_of_output(graph, out, arriving[out.uid][0], training, data)
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
