"""Rules for weights as recorded: penalties beside the loss, the largest norm behind the update."""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph import GraphSpec
from engine.recorder import Recorder
from engine.values import Phase, Role, Value
from engine.weight_rules import PENALTIES

PENALTY = "penalty"
"""The metric of a program with penalties: what they add to the loss."""
AT_ONCE = 32


def ruled(graph: GraphSpec, parameters: Sequence[Value], rule: str) -> list[Value]:
    """The weights a rule is about: of two axes or more, in layers that learn and have it."""
    return [
        w
        for w in parameters
        if len(w.shape) > 1
        and rule in (node := graph.node(w.owner)).rules.active
        and not node.frozen
    ]


def record_penalties(
    rec: Recorder, graph: GraphSpec, parameters: Sequence[Value], loss: Value, gradients: bool
) -> tuple[Value, dict[str, Value]]:
    """The loss with all penalties, and what they add, as a metric; the loss alone where there are none."""
    added: list[Value] = []
    for rule in PENALTIES:
        for w in ruled(graph, parameters, rule):
            rec.node, rec.phase = w.owner, Phase.LOSS
            strength = rec.control(f"{w.owner}.{rule}", getattr(graph.node(w.owner).rules, rule))
            added.append(rec.emit1(rule, [w], f"{w.owner}.{w.param}@{rule}", controls=(strength,)))
            if gradients:
                rec.phase = Phase.BACKWARD
                name = f"{w.owner}.{w.param}@{rule}_slope"
                rec.contribute(w, rec.emit1(f"{rule}_slope", [w], name, controls=(strength,)))
    if not added:
        return loss, {}
    rec.node, rec.phase = loss.owner, Phase.LOSS
    while len(added) > 1:
        parts = [added[i : i + AT_ONCE] for i in range(0, len(added), AT_ONCE)]
        added = [rec.emit1("add", part, PENALTY, role=Role.SCALAR) for part in parts]
    return rec.emit1("add", [loss, added[0]], "penalized", role=Role.SCALAR), {PENALTY: added[0]}


def record_largest_norm(
    rec: Recorder,
    graph: GraphSpec,
    w: Value,
    moved: Value,
    lock: Sequence[Value],
    applied: tuple[str, ...] = (),
) -> Value:
    """The new weight behind the rule about its norm."""
    limit = rec.control(f"{w.owner}.max_norm", graph.node(w.owner).rules.max_norm)
    return rec.emit1("max_norm", [moved, *lock], controls=(limit, *applied), role=Role.PARAM)
