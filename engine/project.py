"""A project as a value, and its plain form: what a `.matrizen` file says in `project.json`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.data.source import SourceSpec
from engine.errors import N_, DataError, GraphError, Message, ProjectError
from engine.graph import RESERVED_UIDS, GraphSpec, LinkSpec, NodeSpec, check_name
from engine.initializers import INITIALIZER_CHOICES
from engine.layers import LAYERS, Layer
from engine.layers.unknown import Unknown
from engine.project_curves import curves_from_plain, curves_to_plain
from engine.run import Checkpoint, LiveChange
from engine.settings import TrainingSpec
from engine.watch import Watch
from engine.watch import from_plain as watch_from_plain
from engine.weight_rules import WeightRules

FORMAT_VERSION = 1
MAX_NODES, MAX_LINKS, MAX_LOG = 1_000, 4_000, 200_000
MAX_STEP = 2**53
"""Steps are exact as floats up to here."""
_UID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z")
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Project:
    """Everything a file keeps: the drawn network, its data source and settings, and the run."""

    graph: GraphSpec
    training: TrainingSpec
    source: SourceSpec | None = None
    positions: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    notes: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)
    """Small hints for the window: pace, unfolded layers, ..."""
    run: Checkpoint | None = None
    data_hash: str = ""
    messages: tuple[Message, ...] = ()
    """What reading it found and fixed; not saved."""


def training_to_plain(training: TrainingSpec) -> dict[str, Any]:
    """Every setting, as JSON has it."""
    values = {k: getattr(training, k) for k in TrainingSpec.settings()}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def to_plain(project: Project) -> dict[str, Any]:
    """JSON-ready form. State arrays are not in it, only the run's position and log."""
    run = project.run
    return {
        "format": "matrizen",
        "version": FORMAT_VERSION,
        "graph": graph_to_plain(project.graph),
        "positions": {k: [float(x), float(y)] for k, (x, y) in project.positions.items()},
        "training": training_to_plain(project.training),
        "source": project.source.to_json() if project.source else None,
        "notes": project.notes,
        "view": dict(project.view),
        "data_hash": run.data_hash if run else project.data_hash,
        "run": run_to_plain(run) if run is not None else None,
    }


def run_to_plain(run: Checkpoint) -> dict[str, Any]:
    """Where a run stands and what was changed on the way."""
    curves = curves_to_plain(run)
    return {
        "step": run.step,
        "epoch": run.epoch,
        "position": run.position,
        "updates": run.updates,
        "seed": run.seed,
        "log": [[c.step, c.name, c.value] for c in run.log],
        "manifest": dict(run.manifest),
        **({"watch": run.watch.plain()} if run.watch != Watch() else {}),
        **({"curves": curves} if curves is not None else {}),
    }


def graph_to_plain(graph: GraphSpec) -> dict[str, Any]:
    """Nodes and links as plain lists and dicts."""
    return {
        "nodes": [_node_to_plain(n) for n in graph.nodes],
        "links": [[k.source, k.source_port, k.target, k.port] for k in graph.links],
    }


def _node_to_plain(node: NodeSpec) -> dict[str, Any]:
    if isinstance(node.layer, Unknown):
        kind, settings = node.layer.original_kind, json.loads(node.layer.settings_json)
    else:
        kind = node.layer.kind
        settings = {
            k: list(v) if isinstance(v := getattr(node.layer, k), tuple) else v for k in node.layer.settings()
        }
    plain = {"uid": node.uid, "name": node.name, "kind": kind, "settings": settings}
    if node.shares:
        plain["shares"] = node.shares
    if node.frozen:
        plain["frozen"] = True
    if node.rules.active:
        plain["rules"] = {name: getattr(node.rules, name) for name in node.rules.active}
    if node.starts:
        plain["starts"] = dict(node.starts)
    return plain


def from_plain(
    data: Any,
    state: Mapping[str, Array],
    file: str,
    start: Mapping[str, Array] | None = None,
    curves: Mapping[str, Array] | None = None,
) -> Project:
    """Build a project from its plain form and its arrays: state, given weights of the start, curves.

    Raises ProjectError naming file and field.
    """
    reader = _Reader(file)
    top = reader.mapping(data, "project.json")
    if top.get("format") != "matrizen":
        raise ProjectError(N_("{file} is not a Matrizen project; choose a .matrizen file."), file=file)
    version = reader.whole(top.get("version"), "version", 1, 10**6)
    if version > FORMAT_VERSION:
        raise ProjectError(
            N_(
                "{file} was made by a newer Matrizen (format {found}, this one reads up to {expected}); "
                "update to open it."
            ),
            file=file,
            found=version,
            expected=FORMAT_VERSION,
        )
    graph, messages = graph_from_plain(top.get("graph"), file)
    training_plain = reader.mapping(top.get("training", {}), "training")
    try:
        known = {k: v for k, v in training_plain.items() if k in TrainingSpec.settings()}
        training = TrainingSpec(**known)
        strange = sorted(set(training_plain) - set(known))
        source = SourceSpec.from_json(top["source"]) if top.get("source") is not None else None
    except (GraphError, DataError) as problem:
        raise ProjectError(N_("{file}: {problem}"), file=file, problem=problem.message) from problem
    positions = {}
    for uid, xy in reader.mapping(top.get("positions", {}), "positions").items():
        if not isinstance(xy, list) or len(xy) != 2:
            raise reader.refuse("positions", "[x, y]", xy)
        positions[uid] = (reader.number(xy[0], "positions"), reader.number(xy[1], "positions"))
    run, said = run_from_plain(top, state, start or {}, curves or {}, file)
    return Project(
        graph,
        training,
        source,
        positions,
        reader.text(top.get("notes", ""), "notes"),
        reader.mapping(top.get("view", {}), "view"),
        run,
        reader.text(top.get("data_hash", ""), "data_hash"),
        (*messages, *_left_out("training", strange), *said),
    )


def graph_from_plain(data: Any, file: str) -> tuple[GraphSpec, tuple[Message, ...]]:
    """The graph, and what had to be said about it (unknown layers)."""
    reader = _Reader(file)
    plain = reader.mapping(data, "graph")
    nodes: list[NodeSpec] = []
    messages: list[Message] = []
    uids: set[str] = set()
    names: set[str] = set()
    for entry in reader.items(plain.get("nodes"), "graph.nodes", MAX_NODES):
        n = reader.mapping(entry, "graph.nodes")
        uid, name = (reader.text(n.get(k), f"graph.nodes.{k}", 80) for k in ("uid", "name"))
        kind = reader.text(n.get("kind"), "graph.nodes.kind", 80)
        try:
            check_name(name)
        except GraphError as problem:
            raise ProjectError(N_("{file}: {problem}"), file=file, problem=problem.message) from problem
        if not _UID.match(uid) or uid.lower() in RESERVED_UIDS:
            raise reader.refuse("graph.nodes.uid", N_("a letter, then letters, digits or _"), uid)
        if uid in uids or name.lower() in names:
            raise ProjectError(N_("{file}: two layers are named “{name}”."), file=file, name=name)
        uids.add(uid)
        names.add(name.lower())
        settings = reader.mapping(n.get("settings", {}), name)
        layer, said = _layer(kind, name, settings, file)
        messages += said
        shares, frozen = n.get("shares"), n.get("frozen", False)
        if not isinstance(frozen, bool):
            raise reader.refuse("graph.nodes.frozen", N_("true or false"), frozen)
        owner = reader.text(shares, "shares", 80) if shares is not None else None
        rules, starts = _rules(reader, n.get("rules", {}), file), _starts(reader, n.get("starts", {}))
        nodes.append(NodeSpec(uid, name, layer, owner, frozen, rules, starts))
    graph = GraphSpec(tuple(nodes), _links(reader, plain.get("links"), nodes))
    try:
        graph.order()
    except GraphError as problem:
        raise ProjectError(N_("{file}: {problem}"), file=file, problem=problem.message) from problem
    return graph, tuple(messages)


def _rules(reader: _Reader, plain: Any, file: str) -> WeightRules:
    found, known = reader.mapping(plain, "graph.nodes.rules"), WeightRules.settings()
    try:
        return WeightRules(**{name: value for name, value in found.items() if name in known})
    except GraphError as problem:
        raise ProjectError(N_("{file}: {problem}"), file=file, problem=problem.message) from problem


def _starts(reader: _Reader, plain: Any) -> tuple[tuple[str, str], ...]:
    known = [name for name, _ in INITIALIZER_CHOICES]
    found = reader.mapping(plain, "graph.nodes.starts")
    for key, value in found.items():
        reader.text(key, "graph.nodes.starts", 80)
        if value not in known:
            raise reader.refuse("graph.nodes.starts", ", ".join(known), value)
    return tuple(sorted(found.items()))


def _links(reader: _Reader, plain: Any, nodes: list[NodeSpec]) -> tuple[LinkSpec, ...]:
    """Links between layers that are there, from ports to ports that are there, one at each input."""
    layers = {n.uid: n.layer for n in nodes}
    taken: set[tuple[str, int]] = set()
    links: list[LinkSpec] = []
    for entry in reader.items(plain, "graph.links", MAX_LINKS):
        if not isinstance(entry, list) or len(entry) != 4:
            raise reader.refuse("graph.links", N_("[source, port, target, port]"), entry)
        source, target = reader.text(entry[0], "graph.links", 80), reader.text(entry[2], "graph.links", 80)
        if source not in layers or target not in layers:
            raise reader.refuse("graph.links", N_("layers of this network"), entry)
        outputs = 64 if isinstance(layers[source], Unknown) else int(layers[source].has_output)
        inputs = min(64, layers[target].port_limit())
        if outputs == 0 or inputs == 0:
            raise reader.refuse("graph.links", N_("from an output to an input"), entry)
        link = LinkSpec(
            source,
            target,
            reader.whole(entry[3], "graph.links", 0, inputs - 1),
            reader.whole(entry[1], "graph.links", 0, outputs - 1),
        )
        if (target, link.port) in taken:
            raise reader.refuse("graph.links", N_("one link at each input"), entry)
        taken.add((target, link.port))
        links.append(link)
    return tuple(links)


def _layer(kind: str, name: str, settings: Mapping[str, Any], file: str) -> tuple[Layer, list[Message]]:
    if kind not in LAYERS:
        text = N_(
            "{name}: this version has no layer “{kind}”. It is kept with its weights, but cannot be computed."
        )
        return Unknown(kind, json.dumps(settings)), [Message(text, {"name": name, "kind": kind})]
    cls = LAYERS[kind]
    known = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items() if k in cls.settings()}
    try:
        layer = cls(**known)
    except GraphError as problem:
        raise ProjectError(
            N_("{file}: layer {name}: {problem}"), file=file, name=name, problem=problem.message
        ) from problem
    return layer, _left_out(name, sorted(set(settings) - set(known)))


def _left_out(name: str, strange: list[str]) -> list[Message]:
    if not strange:
        return []
    text = N_("{name}: the settings {settings} are not known here and were left out.")
    return [Message(text, {"name": name, "settings": ", ".join(strange)[:200]})]


def run_from_plain(
    top: Mapping[str, Any],
    state: Mapping[str, Array],
    start: Mapping[str, Array],
    arrays: Mapping[str, Array],
    file: str,
) -> tuple[Checkpoint | None, tuple[Message, ...]]:
    """The run in `top` and what has to be said about it. Raises ProjectError."""
    reader = _Reader(file)
    if top.get("run") is None:
        return None, ()
    run = reader.mapping(top["run"], "run")
    whole = {
        k: reader.whole(run.get(k), f"run.{k}", 0, MAX_STEP) for k in ("step", "epoch", "position", "updates")
    }
    seed = reader.whole(run.get("seed"), "run.seed", 0, 2**63 - 1)
    log = []
    for entry in reader.items(run.get("log", []), "run.log", MAX_LOG):
        if not isinstance(entry, list) or len(entry) != 3:
            raise reader.refuse("run.log", N_("[step, name, value]"), entry)
        log.append(
            LiveChange(
                reader.whole(entry[0], "run.log", 0, MAX_STEP),
                reader.text(entry[1], "run.log", 200),
                _log_value(reader, entry[2]),
            )
        )
    (curve, tests), said = curves_from_plain(run.get("curves"), arrays, whole["step"], reader.file)
    checkpoint = Checkpoint(
        dict(state),
        whole["step"],
        whole["epoch"],
        whole["position"],
        whole["updates"],
        seed=seed,
        log=tuple(log),
        manifest=reader.mapping(run.get("manifest", {}), "run.manifest"),
        data_hash=reader.text(top.get("data_hash", ""), "data_hash"),
        start=dict(start) if start else None,
        curve=curve,
        tests=tests,
        watch=watch_from_plain(run.get("watch"), whole["step"]),
    )
    return checkpoint, said


def _log_value(reader: _Reader, value: Any) -> Any:
    """What a live change can hold: a number, a text, the keys of weights edited by hand."""
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value)):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise reader.refuse("run.log", N_("a number, a text or a list of keys"), value)
    return value


@dataclass(frozen=True)
class _Reader:
    """Checks plain values one by one, naming file and field in every refusal."""

    file: str

    def refuse(self, where: str, expected: str, found: Any, **values: Any) -> ProjectError:
        """`expected` is a template of its own, with its `values`."""
        shown = repr(found)
        return ProjectError(
            N_("{file}: {field} should be {expected}, but is {found}."),
            file=self.file,
            field=where,
            expected=Message(expected, values),
            found=shown if len(shown) <= 60 else shown[:57] + "...",
        )

    def mapping(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.refuse(where, N_("an object"), value)
        return value

    def items(self, value: Any, where: str, limit: int) -> list[Any]:
        if not isinstance(value, list) or len(value) > limit:
            raise self.refuse(where, N_("a list of at most {limit} entries"), value, limit=limit)
        return value

    def text(self, value: Any, where: str, limit: int = 1_000_000) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise self.refuse(where, N_("a text"), value)
        return value

    def whole(self, value: Any, where: str, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.refuse(where, N_("a whole number from {low} to {high}"), value, low=low, high=high)
        return value

    def number(self, value: Any, where: str) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not math.isfinite(value)
            or abs(value) > 1e9
        ):
            raise self.refuse(where, N_("a number"), value)
        return float(value)
