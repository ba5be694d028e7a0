"""What the op that a step rests at reads and writes, as the drawing shows it.

Pure functions of program and graph. A link carries numbers one way in the forward half and their gradients
the other way in the backward half; both go through the same link.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.graph import GraphSpec, LinkSpec, Uid
from engine.values import Op, Phase, Program, Role, Value

Word = Literal["", "reads", "writes", "both"]


@dataclass(frozen=True)
class Flow:
    """What an op does with a link; `back` where the numbers run against its drawn direction."""

    word: Word = ""
    back: bool = False


@dataclass(frozen=True)
class Touch:
    """What an op does with a neighbor: it is read, or what is written goes to it; and at which port."""

    word: Word = ""
    side: Literal["", "in", "out"] = ""


NO_FLOW, NO_TOUCH = Flow(), Touch()


@dataclass(frozen=True)
class Acting:
    """Everything around the acting node that an op touches."""

    links: Mapping[LinkSpec, Flow] = field(default_factory=dict)
    nodes: Mapping[Uid, Touch] = field(default_factory=dict)


STILL = Acting()


def acting_of(program: Program, graph: GraphSpec, op: Op) -> Acting:
    """Links and neighbors that an op reads from and writes to; an update touches its own node only."""
    if op.phase in (Phase.CLIP, Phase.UPDATE) or not graph.has(op.node):
        return STILL
    links: dict[LinkSpec, Flow] = {}
    nodes: dict[Uid, Touch] = {}

    def note(link: LinkSpec, word: Word, back: bool) -> None:
        known = links.get(link, Flow(word))
        if known.word != word:  # the arrows go where it writes
            back = back if word == "writes" else known.back
            word = "both"
        links[link] = Flow(word, back)
        end = link.source if link.target == op.node else link.target
        nodes[end] = Touch(word, "out" if end == link.source else "in")

    sent = program.outputs.get(op.node)
    own = (sent.id, program.storage(sent).id) if sent is not None else ()
    owners, busy = _Owners(program), {each.node for each in program.ops}
    for value in op.ins:
        subject, gradient = owners.subject(value)
        if subject.role in (Role.PARAM, Role.STATE):
            if subject.owner != op.node and graph.has(subject.owner):
                nodes.setdefault(subject.owner, Touch("reads"))
        elif gradient and subject.owner == op.node and subject.id not in own:
            continue  # from one part of the layer to another
        elif gradient:  # it comes from where the node's own output went
            for link in graph.outputs_of(op.node):
                note(link, "reads", True)
        elif subject.owner != op.node:
            for link in _between(graph, subject.owner, op.node, busy):
                note(link, "reads", False)
    for value in op.outs:
        subject, gradient = owners.subject(value)
        if gradient and subject.role not in (Role.PARAM, Role.STATE) and subject.owner != op.node:
            for link in _between(graph, subject.owner, op.node, busy):
                note(link, "writes", True)
        elif not gradient and value.id in own:
            for link in graph.outputs_of(op.node):
                note(link, "writes", False)
    return Acting(links, nodes)


class _Owners:
    """Whose number a value is, or the gradient of it."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._of = {gradient.id: name for name, gradient in program.gradients.items()}

    def subject(self, value: Value) -> tuple[Value, bool]:
        """The value itself; of a gradient what it is the gradient of, and True."""
        values = self._program.values
        if "@grad" not in value.id and value.role is not Role.GRAD:
            return value, False
        name = value.id.split("@grad")[0]
        for key in (name, f"{name}@old", self._of.get(value.id, "")):
            if key in values:
                return values[key], True
        return value, True


def _between(graph: GraphSpec, source: Uid, target: Uid, busy: Collection[Uid]) -> Iterator[LinkSpec]:
    """Links into `target` through which numbers of `source` come, also past layers that do nothing."""
    for link in graph.inputs_of(target):
        at = link.source
        while at != source and at not in busy:
            before = graph.inputs_of(at)
            if len(before) != 1:
                break
            at = before[0].source
        if at == source:
            yield link
