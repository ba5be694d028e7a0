"""A small network with given weights, written into a lesson: a table becomes a project, paused at step 0."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from engine import random
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import N_, MatrizenError, Message
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import LAYERS
from engine.project import Project
from engine.run import Checkpoint
from engine.settings import DataSpec, TrainingSpec
from engine.training import SHUFFLE, data_spec

NETWORK_KEYS = frozenset({"layers", "links", "inputs", "targets", "names", "classes", "training", "weights"})
MOST = 64
"""Layers of a network in a lesson; larger ones are projects beside it."""


def network_project(plain: Mapping[str, Any]) -> Project:
    """The project a table describes. Raises MatrizenError (or TypeError, ... for what is no table at all)."""
    graph = _graph(plain)
    inputs, targets = plain["inputs"], plain["targets"]
    names, classes = tuple(plain.get("names", ())), tuple(plain.get("classes", ()))
    source = SourceSpec.array(inputs, targets, feature_names=names, class_names=classes)
    settings = {"loss": "mse", "optimizer": "sgd", "batch": len(inputs), **plain.get("training", {})}
    settings.setdefault("seed", ordered_seed(len(inputs)))
    training = TrainingSpec(**settings)
    weights = {key: np.array(value, np.float32) for key, value in plain.get("weights", {}).items()}
    if not weights:
        return Project(graph, training, source)
    run = Checkpoint(weights, 0, 0, 0, 0, training.seed)
    return Project(graph, training, source, run=run)


def data_of(project: Project) -> DataSpec:
    """The facts of its few numbers. Raises DataError."""
    if project.source is None:
        raise ValueError("no data")
    return data_spec(load(project.source))


def check_network(plain: Mapping[str, Any]) -> Message | None:
    """Why a table is no network, None when it is one."""
    for key in ("layers", "inputs", "targets"):
        if not isinstance(plain.get(key), list) or not plain[key]:
            return Message(N_("the network needs a list “{name}”"), {"name": key})
    try:
        project = network_project(plain)
        data = data_of(project)
    except MatrizenError as refusal:
        return refusal.message
    except (TypeError, ValueError, KeyError, AttributeError) as fault:
        return Message(N_("the network cannot be read: {what}"), {"what": str(fault)})
    problem = next((p for p in infer(project.graph, project.training, data).problems if not p.warning), None)
    if problem is not None:
        return Message(N_("{file}: {problem}"), {"file": problem.node, "problem": problem.message})
    return _misfit(project)


def _misfit(project: Project) -> Message | None:
    if project.run is None:
        return None
    shapes = {
        f"{uid}.{param.name}": tuple(param.shape)
        for uid, params in infer(project.graph).params.items()
        for param in params
    }
    for key, array in project.run.state.items():
        if shapes.get(key) != array.shape:
            values = {"key": key, "expected": str(shapes.get(key)), "found": str(array.shape)}
            return Message(N_("{key}: the network has shape {expected}, the array {found}."), values)
    missing = sorted(set(shapes) - set(project.run.state))
    if missing:
        return Message(N_("the weights of {names} are missing"), {"names": ", ".join(missing)})
    return None


def _graph(plain: Mapping[str, Any]) -> GraphSpec:
    """Layers one behind the other, or as `links` (pairs of names, in the order of the ports) say."""
    layers, links = plain["layers"], plain.get("links")
    if len(layers) > MOST:
        raise ValueError(f"more than {MOST} layers")
    graph, last = GraphSpec(), None
    for entry in layers:
        settings = dict(entry)
        name, kind = settings.pop("name"), settings.pop("kind")
        if kind not in LAYERS:
            raise ValueError(f"{kind} is not one of {', '.join(LAYERS)}")
        made = LAYERS[kind](**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()})
        graph = graph.add(name, made, after=last if links is None else None)
        last = name
    ports: dict[str, int] = {}
    for source, target in links or ():
        port = ports.get(target, 0)
        ports[target] = port + 1
        graph = graph.link(source, target, port)
    return graph


@lru_cache(maxsize=16)
def ordered_seed(count: int) -> int:
    """A seed whose first epochs keep the order of a few examples, so that X stands as it is printed."""
    if not 1 < count <= 5:
        return 1
    epochs = {2: 8, 3: 3, 4: 2, 5: 1}[count]
    order = list(range(count))
    return next(
        seed
        for seed in range(1, 100_000)
        if all(random.permutation(seed, SHUFFLE, e, count).tolist() == order for e in range(epochs))
    )
