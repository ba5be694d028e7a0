"""A layer as equations: every op of one step that belongs to it, in the order it is computed.

Pure functions of program and graph; what is shown of each matrix is decided in gui/labs/sheet.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph import GraphSpec, Uid
from engine.ops.over_time import longest
from engine.values import Phase, Program, Role
from gui.labs.equation import Equation, Style
from gui.labs.equation_slides import FORWARD
from gui.labs.equation_writer import Writer, letters_of
from gui.labs.recurrent_writer import at_position
from gui.panels import targets

SILENT = ("gather", "gather_labels", "count_correct")
"""Ops that only bring data or count."""

MASKED = ("dropout", "spatial_dropout")
"""Ops whose way back is a product with their mask."""


def family(program: Program, graph: GraphSpec, uid: Uid) -> tuple[Uid, ...]:
    """The nodes told together: a layer, the activation function behind it, and the loss it ends in."""
    if not graph.has(uid):
        return ()
    first = uid
    if graph.node(uid).layer.category == "activation":
        links = graph.inputs_of(uid)
        source = links[0].source if len(links) == 1 else None
        if source is not None and targets.activation_after(program, graph, source) == uid:
            first = source
    found = [first]
    after = targets.activation_after(program, graph, first)
    if after is not None:
        found.append(after)
    links = graph.outputs_of(found[-1])
    if len(links) == 1 and graph.node(links[0].target).layer.kind == "output":
        found.append(links[0].target)
    return tuple(found)


def positions(program: Program | None, graph: GraphSpec, uid: Uid) -> int:
    """Positions of the recurrence that a page shows one of; 0 where there is none."""
    nodes = family(program, graph, uid) if program is not None else ()
    return longest(op for op in program.ops if op.node in nodes) if program is not None else 0


def equations(program: Program, graph: GraphSpec, uid: Uid, style: Style | None = None) -> list[Equation]:
    """Every equation of a layer in one step, in the order they are computed."""
    style = style or Style()
    nodes = family(program, graph, uid)
    ops = [(i, op) for i, op in enumerate(program.ops)
           if op.node in nodes and op.kind not in SILENT and at_position(op, style.time)]
    writer = Writer(program, letters_of(program, [op for _, op in ops]), style)
    made: list[Equation] = []
    for index, op in ops:
        if style.folded and op.kind == "sum_samples" and any(e.kind == "dense_dw" for e in made):
            continue  # the last column of dW
        made += writer.write(index, op)
    first = next((op for _, op in ops if op.kind == "dense"), None)
    if first is not None and not any(e.kind == "dense_dx" for e in made):
        at = next((i for i, e in enumerate(made) if e.phase >= Phase.CLIP), len(made))
        made[at:at] = writer.ghost(first)
    return made


def companion(equation: Equation, others: Sequence[Equation]) -> Equation | None:
    """What is shown with an equation: the way back of a way forward, and the other way round."""
    if equation.phase in (Phase.BACKWARD, Phase.UPDATE):
        kinds = ["dense", *FORWARD]
    elif equation.kind in ("dense", *FORWARD):
        kinds = [f"{equation.kind}_dw"]
    else:
        back = "multiply" if equation.kind in MASKED else f"{equation.kind}_grad"
        kinds = [back, f"{equation.kind}_dx", "dense", *FORWARD]
    found = (other for kind in kinds for other in others if other.kind == kind and other is not equation)
    return next(found, None)


def chain(program: Program, value: str) -> list[tuple[str, int]]:
    """The way of a gradient back to the loss: (value id, index of the op that made it), the loss last."""
    found: list[tuple[str, int]] = []
    seen: set[str] = set()
    while value in program.values and value not in seen:
        seen.add(value)
        base = program.storage(program.values[value]).id
        at = program.producers.get(base)
        if at is None:
            break
        found.append((value, at))
        op = program.ops[at]
        if op.phase is not Phase.BACKWARD:
            break
        back = next((v.id for v in op.ins if v.role is Role.GRAD), None)
        if back is None:  # here the loss itself was taken the derivative of
            break
        value = back
    return found
