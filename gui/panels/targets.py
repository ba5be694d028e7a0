"""Which numbers belong to a layer: the value each dock shows when that layer is selected.

Pure functions from the running program and the drawn graph to value ids, so that they can be tested
without a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from engine.graph import GraphSpec, Uid
from engine.ops.functions import FUNCTIONS
from engine.ops.over_time import states_of
from engine.values import Program, state_id

Look = Literal["matrix", "maps"]


@dataclass(frozen=True)
class Target:
    """A value to show. `extra` is the vector beside it (b beside W), "" for none.

    `shape` is the logical shape with the batch's capacity; `symbol` is LaTeX-free: W, Z, A, δ, dW.
    """

    node: Uid
    name: str
    value: str
    shape: tuple[int, ...]
    look: Look
    batched: bool
    extra: str = ""
    picture: tuple[int, int, int] | None = None
    """(C, H, W) where each row of a dense weight can be shown as a picture."""

    @property
    def sequence(self) -> bool:
        """Whether it is a matrix per example: features down, positions across."""
        return self.batched and len(self.shape) == 3

    def seen(self, sample: int) -> int | None:
        """The example that its matrix is of, None where it is of all or of none."""
        return sample if self.sequence else None

    @property
    def size_text(self) -> str:
        """8 × 5 × 5, without the batch."""
        sizes = self.shape[:-1] if self.batched else self.shape
        return " × ".join(str(n) for n in sizes)


def pixels_before(program: Program, graph: GraphSpec, uid: Uid) -> tuple[int, int, int] | None:
    """(C, H, W) when the inputs of a dense layer are the pixels of pictures, else None."""
    if not graph.has(uid) or graph.node(uid).layer.kind != "dense":
        return None
    for _ in graph.nodes:
        links = graph.inputs_of(uid)
        if len(links) != 1:
            return None
        uid = links[0].source
        value = program.outputs.get(uid)
        if value is not None and len(value.shape) == 4:
            channels, height, width, _ = value.shape
            return channels, height, width
        if graph.node(uid).layer.kind not in ("flatten", "dropout", "gaussian_noise"):
            return None
    return None


def as_matrix(target: Target | None) -> Target | None:
    """The same weights as rows and columns."""
    return replace(target, look="matrix") if target is not None and target.picture is not None else target


def make_target(program: Program, graph: GraphSpec, uid: Uid, value: str, extra: str = "") -> Target | None:
    """The target for a value id, None when the program has no such value."""
    found = program.values.get(value)
    if found is None:
        return None
    look: Look = "maps" if len(found.axes) == 4 else "matrix"
    name = graph.node(uid).name if graph.has(uid) else uid
    return Target(
        uid, name, value, found.shape, look, found.batched, extra if extra in program.values else ""
    )


def weighted(program: Program, graph: GraphSpec, uid: Uid) -> Uid | None:
    """The layer whose weights explain `uid`: itself, or the one it follows in a chain."""
    seen: set[Uid] = set()
    while graph.has(uid) and uid not in seen:
        seen.add(uid)
        node = graph.node(uid)
        if state_id(node.owner, "weight") in program.values:
            return uid
        links = graph.inputs_of(uid)
        if len(links) != 1:
            return None
        uid = links[0].source
    return None


def weights_of(program: Program, graph: GraphSpec, uid: Uid) -> Target | None:
    """The weights (before the step shown) and bias of a layer or of the one it follows."""
    source = weighted(program, graph, uid)
    if source is None:
        return None
    owner = graph.node(source).owner
    made = make_target(program, graph, source, state_id(owner, "weight"), state_id(owner, "bias"))
    return _in_pixels(made, program, graph)


def weight_gradients_of(program: Program, graph: GraphSpec, uid: Uid) -> Target | None:
    """dL/dW and dL/db of a layer or of the one it follows."""
    source = weighted(program, graph, uid)
    if source is None:
        return None
    owner = graph.node(source).owner
    weight = program.gradients.get(state_id(owner, "weight"))
    bias = program.gradients.get(state_id(owner, "bias"))
    if weight is None:
        return None
    return _in_pixels(make_target(program, graph, source, weight.id, bias.id if bias else ""), program, graph)


def _in_pixels(target: Target | None, program: Program, graph: GraphSpec) -> Target | None:
    """Weights of pixels are looked at as pictures."""
    picture = pixels_before(program, graph, target.node) if target is not None else None
    if target is None or picture is None or picture[1] * picture[2] < 2:
        return target
    return replace(target, look="maps", picture=picture)


def output_of(program: Program, graph: GraphSpec, uid: Uid) -> Target | None:
    """What leaves a layer: Z of a dense layer or convolution, A of an activation; attention's weights;
    all states of a recurrent layer."""
    value = program.outputs.get(uid)
    looks = next((op.out for op in program.ops if op.kind == "softmax_rows" and op.node == uid), None)
    if looks is not None:
        found = make_target(program, graph, uid, looks.id)
        return found and replace(found, name=f"{found.name}.weights")
    value = value and (states_of(program, uid) or value)
    return None if value is None else make_target(program, graph, uid, value.id)


def activation_after(program: Program, graph: GraphSpec, uid: Uid) -> Uid | None:
    """The activation function that alone reads a layer, None when there is none."""
    links = graph.outputs_of(uid) if graph.has(uid) else ()
    if len(links) != 1:
        return None
    target = links[0].target
    is_activation = graph.node(target).layer.category == "activation" and target in program.outputs
    return target if is_activation else None


def delta_of(program: Program, graph: GraphSpec, uid: Uid) -> Target | None:
    """The gradient of the loss by what leaves a layer; None where none is computed."""
    value = program.outputs.get(uid)
    if value is None:
        return None
    states = states_of(program, uid)
    first = program.values.get(f"{uid}.u") if states is not None else None  # by what enters the gates
    gradient = program.gradients.get(first.id if first is not None else value.id)
    if gradient is not None:
        return make_target(program, graph, uid, gradient.id)
    # behind a drawn softmax the loss starts at the layer before it
    links = graph.inputs_of(uid)
    return delta_of(program, graph, links[0].source) if len(links) == 1 else None


def first_weighted(program: Program, graph: GraphSpec) -> Uid | None:
    """What is shown while nothing is selected: the first layer that has weights."""
    for node in graph.nodes:
        if node.uid in program.outputs and state_id(node.owner, "weight") in program.values:
            return node.uid
    return None


def story_of(program: Program, graph: GraphSpec, value: str) -> tuple[str, str | None]:
    """What to explain when a cell of `value` is opened, and what came of it.

    An activation is told together with the sum before it, a weight with its update.
    """
    made = program.producers.get(value)
    if made is None:
        new = next((after.id for before, after in program.commits if before.id == value), None)
        return (new or value), None
    op = program.ops[made]
    if op.kind in FUNCTIONS and op.ins[0].id in program.producers:
        return op.ins[0].id, value
    reader = next((o for o in program.ops if o.kind in FUNCTIONS and o.ins[0].id == value), None)
    return value, reader.out.id if reader is not None and graph.has(reader.node) else None


def logical_cell(target: Target, cell: tuple[int, ...], sample: int, channel: int) -> tuple[int, ...]:
    """From a place in a view to the cell of the value.

    `cell` is (row, column) of a matrix or (map, row, column) of maps, unreduced.
    """
    if target.look == "maps":
        index, row, column = cell
        if target.picture is not None:
            _, height, width = target.picture
            return (index, (channel * height + row) * width + column)
        return (index, row, column, sample) if target.batched else (index, channel, row, column)
    row, column = cell
    if target.sequence:
        return (row, column, sample)
    if len(target.shape) == 3:  # kernels along a sequence, one filter's in a row
        return (row, *divmod(column, target.shape[2]))
    return (row,) if len(target.shape) == 1 else (row, column)


def stride_to(size: tuple[int, int], shown: tuple[int, int]) -> tuple[int, int]:
    """How many cells of the value one cell of a reduced map stands for, down and across."""
    return max(1, -(-size[0] // max(1, shown[0]))), max(1, -(-size[1] // max(1, shown[1])))


def with_room(start: int, stop: int, length: int) -> tuple[int, int] | None:
    """A stretch with a quarter more at both ends, so that panning finds something; None for all of it."""
    room = max(8, (stop - start) // 4)
    start, stop = max(0, start - room), min(length, stop + room)
    return None if (start, stop) == (0, length) else (start, stop)


def names_of_classes(names: tuple[str, ...], count: int) -> Mapping[int, str]:
    """Row names for an output of `count` units, empty when they are not classes."""
    return dict(enumerate(names)) if names and len(names) == count else {}
