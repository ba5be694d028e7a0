"""Whether saved weights fit the network they were saved with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.errors import N_, Message, listed
from engine.graph import GraphSpec
from engine.inference import infer
from engine.project import Project
from engine.run import misfit

Array = np.ndarray[Any, Any]


def weight_notes(project: Project, name: str) -> list[Message]:
    """What deserves a warning in saved weights: keys too many or missing, shapes, numbers not finite."""
    if project.run is None:
        return []
    state = project.run.state
    found: list[Message] = []

    def note(template: str, items: list[str]) -> None:
        if items:
            found.append(Message(template, {"file": name, "list": ", ".join(items)[:400]}))

    note(
        N_("{file}: {list} hold numbers that are not finite; training cannot go on from them."),
        sorted(k for k, a in state.items() if not np.isfinite(a).all()),
    )
    facts = infer(project.graph)
    shapes = {f"{uid}.{s.name}": s.shape for uid, specs in facts.params.items() for s in specs}
    if wrong := misfits(project.graph, state):
        text = N_("{file}: saved weights do not fit the network: {list}.")
        found.append(Message(text, {"file": name, "list": listed(wrong)}))
    note(
        N_("{file}: no saved weights for {list}; they start from the seed."),
        sorted(set(shapes) - set(state)),
    )
    inferred = set(facts.shapes)
    note(
        N_("{file}: weights without a place in the network: {list}."),
        sorted(
            k
            for k in state
            if k not in shapes
            and ".".join(k.split(".")[:2]) not in shapes
            and (not project.graph.has(k.split(".")[0]) or k.split(".")[0] in inferred)
        ),
    )
    return found


def misfits(graph: GraphSpec, state: Mapping[str, Array]) -> list[Message]:
    """Saved weights whose shape is not the drawn network's: key, expected, found."""
    facts = infer(graph)
    shapes = {f"{uid}.{s.name}": s.shape for uid, specs in facts.params.items() for s in specs}
    return [
        misfit(key, shape, state[key].shape)
        for key, shape in shapes.items()
        if key in state and state[key].shape != shape
    ]
