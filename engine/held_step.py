"""One step taken out of a run: what its ops read, as copies, so that the run may go on meanwhile.

What is drawn or gathered before the forward pass (the batch, augmented pictures) is taken as the engine had
it; everything behind it can be computed again from the ops' references, in any precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.graph import GraphSpec
from engine.ops.base import REGISTRY, Array, context_for
from engine.ops.over_time import states_of, time_of
from engine.training import Trainer
from engine.values import Op, Phase, Program, Role, Value

MOST = 4096
"""Cells that are looked at whole; a larger matrix is sampled."""
SIDE = 32
"""Rows and columns of a sample."""
LETTERS = {"weight": "W", "bias": "b", "state_weight": "W_h", "state_bias": "b_h",
           "out_weight": "W_O", "out_bias": "b_O"}  # fmt: skip
"""What parameters are called."""
STAGES = {"qkv": "QKV", "q": "Q", "k": "K", "v": "V", "scores": "S", "weights": "P", "mix": "Y",
          "matrix": "M"}  # fmt: skip
"""What lies inside of a layer, as the matrix lab calls it."""


@dataclass(frozen=True, eq=False)
class HeldStep:
    """`given`: value id -> float32 (or labels), live examples only."""

    graph: GraphSpec
    program: Program
    given: Mapping[str, Array]
    controls: Mapping[str, float]
    n: int
    seed: int
    step: int
    """Number of the step, from 0."""
    learned: Mapping[str, Array]
    """Value id -> the engine's own numbers, where they were asked for."""


def computed(program: Program) -> list[Op]:
    """The ops that can be computed again from a held step."""
    return [op for op in program.ops if op.phase is not Phase.AUGMENT]


def hold_step(trainer: Trainer, learned: Sequence[str] = ()) -> HeldStep:
    """The step that the traced plan of `trainer` holds; `learned` names values kept as it has them."""
    program = trainer.program
    ops = computed(program)
    made = {v.id for op in ops for v in op.outs}
    read = {program.storage(v).id for op in ops for v in op.ins}
    per_step = trainer.step_values()
    return HeldStep(
        trainer.graph,
        program,
        {id: np.array(trainer.read(id)) for id in sorted(read - made)},
        {**program.controls, **trainer.controls(), **per_step},
        trainer.live_n,
        trainer.seed,
        int(per_step["step"]),
        {id: np.array(trainer.read(id)) for id in learned},
    )


def first_examples(held: HeldStep, count: int) -> HeldStep:
    """The same step of the first examples of its batch alone; what the engine computed of all is left out."""
    values = held.program.values
    given = {id: a[..., :count].copy() if values[id].batched else a for id, a in held.given.items()}
    return replace(held, given=given, n=min(count, held.n), learned={})


def heaviest(held: HeldStep) -> int:
    """Multiplications of the op of the way forward that needs most, for the whole batch."""
    return max((_work(op, held.n) for op in computed(held.program)), default=0)


def _work(op: Op, n: int) -> int:
    weights = next((v for v in op.ins if v.role is Role.PARAM and len(v.shape) > 1), None)
    if weights is None or op.phase is not Phase.FORWARD or not op.out.batched:
        return 0
    return op.out.rows * n * int(np.prod(weights.shape[1:]))


class Again:
    """A held step computed again with the ops' references, op by op."""

    def __init__(self, held: HeldStep, dtype: type[np.floating] = np.float64) -> None:
        self.held = held
        self._dtype = dtype
        self.values: dict[str, Array] = {
            id: a.astype(dtype) if a.dtype.kind == "f" else a for id, a in held.given.items()
        }

    def read(self, value: Value, values: Mapping[str, Array] | None = None) -> Array:
        """A value by what was computed so far, through a view where it is one."""
        known = self.values if values is None else values
        if value.view is None:
            return known[value.id]
        base, n = known[value.view.base], self.held.n
        if not value.batched:
            flat = base.reshape(-1)
            return flat[value.view.offset : value.view.offset + value.size].reshape(value.shape)
        rows = base.reshape(-1, n)[value.view.offset : value.view.offset + value.rows]
        return rows.reshape(*value.shape[:-1], n)

    def compute(self, op: Op, values: dict[str, Array]) -> tuple[Array, ...]:
        """Run one op on `values` and put its outputs there."""
        held = self.held
        ctx = context_for(op, held.controls, held.n, held.seed, held.step)
        with np.errstate(all="ignore"):
            made = REGISTRY[op.kind].reference([self.read(v, values) for v in op.ins], op.attrs, ctx)
        for v, a in zip(op.outs, made, strict=True):
            values[v.id] = a.astype(self._dtype) if a.dtype.kind == "f" else a
        return made

    def walk(self, ops: Sequence[Op]) -> Iterator[None]:
        """Compute these ops, with a breath behind each."""
        for op in ops:
            self.compute(op, self.values)
            yield


def between(program: Program, start: Value, end: Value) -> list[Op]:
    """The ops of the way forward that carry a change of `start` to `end`, in order."""
    touched, ops = {start.id}, []
    for op in computed(program):
        if op.phase <= Phase.LOSS and any(program.storage(v).id in touched for v in op.ins):
            touched.update(v.id for v in op.outs)
            ops.append(op)
    needed, kept = {end.id}, []
    for op in reversed(ops):
        if any(v.id in needed for v in op.outs):
            needed.update(program.storage(v).id for v in op.ins)
            kept.append(op)
    return kept[::-1]


def checkable(program: Program, graph: GraphSpec, uid: str) -> tuple[tuple[str, str], ...]:
    """(value id, symbol) of all that a layer has a gradient for: parameters, what goes in, what comes out.

    Views are left out: their numbers belong to the layer before.
    """
    if not graph.has(uid):
        return ()
    owner = graph.node(uid).owner
    found = [
        (v.id, LETTERS.get(v.param, v.param))
        for v in program.inputs
        if v.role is Role.PARAM and v.owner == owner and v.id in program.gradients
    ]
    known = {id for id, _ in found}
    # of a recurrence: what goes in and comes out, not every position in between
    forward = [op for op in program.ops if op.node == uid and op.phase is Phase.FORWARD
               and time_of(op) is None and op.kind not in ("split_time", "stack_time", "zero_state")]
    states, entering = states_of(program, uid), 0
    for op in forward:
        for v in op.ins:
            fresh = v.id in program.gradients and v.id not in known and v != states
            if fresh and v.view is None and v.role is Role.ACT:
                inside = STAGES.get(v.id.removeprefix(f"{uid}."))
                entering += inside is None
                found.append((v.id, inside or ("X" if entering == 1 else f"X_{entering}")))
                known.add(v.id)
    out = program.outputs.get(uid)
    if out is not None and out.view is None and out.id in program.gradients and out.id not in known:
        found.append((out.id, "Z" if out.id.endswith(".z") else "A"))
    return tuple(found)


def as_matrix(array: Array) -> Array:
    """Any array as rows and columns: a vector stands, kernels and maps lie one to a row."""
    if array.ndim < 2:
        return array.reshape(-1, 1)
    return np.ascontiguousarray(array).reshape(array.shape[0], -1)


@dataclass(frozen=True, eq=False)
class Spread:
    """The rows and columns of a matrix that are looked at: all, or some drawn evenly."""

    shape: tuple[int, int]
    rows: Array
    columns: Array

    @property
    def whole(self) -> bool:
        return (len(self.rows), len(self.columns)) == self.shape

    def of(self, array: Array) -> Array:
        """This part of an array of that shape, as a matrix."""
        return np.array(as_matrix(array)[np.ix_(self.rows, self.columns)])


def spread(shape: Sequence[int], most: int = MOST, side: int = SIDE) -> Spread:
    """All cells of an array of this shape, or some side² of them where it has more than `most`."""
    rows = int(shape[0]) if shape else 1
    columns = int(np.prod(shape[1:])) if len(shape) > 1 else 1
    if rows * columns <= most:
        return Spread((rows, columns), np.arange(rows), np.arange(columns))
    few = min(rows, side)
    wide = min(columns, side * side // few)
    few = min(rows, side * side // wide)

    def evenly(n: int, k: int) -> Array:
        return np.unique(np.linspace(0, n - 1, k).round().astype(np.intp))

    return Spread((rows, columns), evenly(rows, few), evenly(columns, wide))
