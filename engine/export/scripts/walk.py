"""The one walk over a drawn network that every framework's script is made by.

A framework is a table: for each kind of layer, how it is built and how it is called. What a script needs of
its own functions is found by their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import N_, GraphError, Message
from engine.graph import GraphSpec, NodeSpec
from engine.inference import infer
from engine.layers import Input
from engine.layers.base import Shape
from engine.outputs import outputs_of

OWN_NAMES = ("Path", "json", "os", "sys", "np", "here", "weights", "meta", "prepared", "predict", "main")
"""Names of every script; values are called otherwise."""


@dataclass(frozen=True)
class Place:
    """A layer where it stands in the network."""

    at: Any
    """The layer with its settings."""
    owner: str
    """Name of the layer whose weights it uses, mostly its own."""
    ins: tuple[str, ...]
    """What the values that arrive are called in the script."""
    shapes: tuple[Shape, ...]
    shape: Shape
    """Of one example that leaves it."""

    @property
    def x(self) -> str:
        return self.ins[0]

    @property
    def rank(self) -> int:
        """1 for vectors, 2 for sequences, 3 for pictures."""
        return len(self.shapes[0])

    @property
    def width(self) -> int:
        """Features or channels that arrive."""
        return self.shapes[0][0]


@dataclass(frozen=True)
class Part:
    """A layer in a script: the expression of its value; if it is built first, the expression for that."""

    call: str
    made: str = ""
    loads: tuple[str, ...] = ()
    """Expressions of its weights in the framework's order, where the framework does not find them by key."""
    note: str = ""
    """A remark behind the line."""


Writer = Callable[[Place], Part | None]
"""None where the framework has nothing for these settings."""


@dataclass(frozen=True)
class Framework:
    """`parts` by kind of layer; `layout` puts what was walked into the lines of the network."""

    word: str
    """As in file names and on the command line."""
    name: str
    imports: tuple[str, ...]
    how: tuple[str, ...]
    """How one goes on, for the head of the script."""
    parts: Mapping[str, Writer]
    helpers: Mapping[str, str]
    """Name -> source; a function calls only those above it."""
    layout: Callable[[Walked], list[str]]
    taken: frozenset[str]
    """Names that mean something else in the script."""
    refused: frozenset[str] = frozenset()
    """Names no layer that is built may have."""
    standard: tuple[str, ...] = ()
    """Modules of Python itself that it needs besides."""
    suffix: str = ""
    """Behind a layer's name where its value would be called like the layer itself."""


@dataclass
class Walked:
    """What the walk found."""

    made: list[tuple[str, Part]] = field(default_factory=list)
    """(name of the layer, its part) of what is built, once for shared weights."""
    lines: list[str] = field(default_factory=list)
    """name = call, in order."""
    result: str = ""
    """What the network gives; with commas between several outputs."""
    shape: Shape = ()
    """Of one input."""

    @property
    def several(self) -> bool:
        """Whether there are several outputs."""
        return ", " in self.result


def walk(graph: GraphSpec, to: Framework) -> Walked:
    """Every layer on the way to an output. Raises GraphError naming the one that cannot be written."""
    facts = infer(graph)
    if not facts.ready:
        raise GraphError(N_("The network cannot run yet; what is missing is marked on its layers."))
    ends = outputs_of(graph)
    shape = next(n.layer.shape for n in graph.nodes if isinstance(n.layer, Input))
    out, names, taken = Walked(shape=shape), dict[str, str](), set(to.taken)
    for node in graph.order():
        if not any(graph.reaches(node.uid, end.uid) for end in ends):
            continue
        sources = [k.source for k in graph.inputs_of(node.uid)]
        owner = graph.node(node.owner).name
        ins, shapes = tuple(names[s] for s in sources), facts.inputs[node.uid]
        place = Place(node.layer, owner, ins, shapes, facts.shapes[node.uid])
        part = _part(node, place, to)
        if part.made and node.shares is None:
            if node.name in to.refused:
                text = N_("{framework} has its own use for the name “{name}”: give the layer another one.")
                raise GraphError(text, framework=to.name, name=node.name)
            out.made.append((node.name, part))
        if part.call == place_value(place) and not part.note:
            names[node.uid] = part.call
            continue
        names[node.uid] = _fresh(node.name + to.suffix, taken)
        out.lines.append(f"{names[node.uid]} = {part.call}" + (f"  # {part.note}" if part.note else ""))
    results = [names[n.uid] for n in ends]
    out.result = ", ".join(results)
    return out


def place_value(place: Place) -> str:
    """What a layer that changes nothing gives on; the input gives x."""
    return place.ins[0] if place.ins else "x"


def _part(node: NodeSpec, place: Place, to: Framework) -> Part:
    writer = to.parts.get(node.layer.kind)
    part = writer(place) if writer else None
    if part is None:
        raise GraphError(
            N_("{name}: a script for {framework} cannot be written with the layer “{layer}”."),
            name=node.name,
            framework=to.name,
            layer=Message(node.layer.label),
        )
    return part


def _fresh(name: str, taken: set[str]) -> str:
    made, number = name, 2
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    taken.add(made)
    return made


def helpers_for(lines: Sequence[str], helpers: Mapping[str, str]) -> list[str]:
    """The functions that the lines call, and those that these call, in the table's order."""
    text, wanted = "\n".join(lines), set[str]()
    for name in reversed(list(helpers)):
        if re.search(rf"(?<![\w.\"]){name}\b(?!\")", text):
            wanted.add(name)
            text += helpers[name]
    return [source for name, source in helpers.items() if name in wanted]
