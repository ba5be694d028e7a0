"""A gradient checked: what the ops' rules give beside (L(w + h) - L(w - h)) / 2h, cell by cell, in float64.

Both sides are computed from the ops' references on a held step, so the run may go on meanwhile. A check is a
job: `steps` pauses behind every op, `result` can be asked for at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import N_, GraphError
from engine.held_step import (
    Again,
    HeldStep,
    Spread,
    between,
    checkable,
    computed,
    first_examples,
    heaviest,
    hold_step,
    spread,
)
from engine.ops.base import Array
from engine.ops.functions import FUNCTIONS
from engine.training import Trainer
from engine.values import Op, Phase, Value

STEP = 1e-5
"""Half the distance of the two losses, where rounding and curvature spoil a difference least."""
TOLERANCE = 1e-5
"""A relative error up to this is agreement."""
HEAVY = 3_000_000
"""Multiplications in one op; of a batch that needs more only the first examples are taken."""
_ROUNDING = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Checked:
    """One value's gradient, as matrices of the cells looked at. What is not done yet is not-a-number."""

    value: str
    symbol: str
    part: Spread
    numbers: Array
    """The value itself."""
    analytic: Array
    numerical: Array
    error: Array
    """|analytic - numerical| over the larger of both, or over `floor` where both are smaller."""
    kinks: Array
    """Where a ReLU or a maximum chose otherwise within the step: no derivative is due there."""
    above: Array
    below: Array
    """L(w + h) and L(w - h)."""
    engine: Array | None
    """The gradient that the run itself computed, in float32."""
    loss: float
    step: float
    floor: float
    """Below this rounding of the losses hides a relative error of `tolerance`."""
    tolerance: float = TOLERANCE

    @property
    def done(self) -> int:
        return int(np.isfinite(self.error).sum())

    @property
    def worst(self) -> tuple[float, tuple[int, int]]:
        """The largest error away from kinks, and its cell."""
        errors = np.where(np.isfinite(self.error) & ~self.kinks, self.error, -1.0)
        row, column = (int(i) for i in np.unravel_index(int(errors.argmax()), errors.shape))
        return max(0.0, float(errors[row, column])), (row, column)

    def against_engine(self) -> tuple[Array, Array]:
        """The run's own gradient, and its relative error; the rules' where the run keeps none."""
        if self.engine is None:
            return self.analytic, self.error
        own = self.engine.astype(np.float64)
        size = np.maximum(np.maximum(np.abs(own), np.abs(self.numerical)), self.floor)
        return own, np.abs(own - self.numerical) / size

    @property
    def agrees(self) -> bool:
        """Whether every cell done, kinks left out, is within the tolerance."""
        return self.worst[0] <= self.tolerance


@dataclass(frozen=True, eq=False)
class LayerCheck:
    """What was found out about one layer so far."""

    node: str
    step: int
    """Number of the step it was made on, from 0."""
    n: int
    """Examples it was made with, the first of the batch."""
    batch: int
    """Examples in the batch of the run."""
    checked: tuple[Checked, ...]
    done: int
    total: int


class GradientCheck:
    """The check of some values of one layer, as a job."""

    def __init__(
        self, held: HeldStep, node: str, values: Sequence[tuple[str, str]], h: float = STEP,
        batch: int = 0, **size: int,
    ) -> None:  # fmt: skip
        self.held, self.node, self.h, self.batch = held, node, h, batch or held.n
        program = held.program
        shapes = {id: self._shape(program.values[id]) for id, _ in values}
        self.parts = {id: spread(shapes[id], **size) for id, _ in values}
        self.total = sum(len(p.rows) * len(p.columns) for p in self.parts.values())
        self.done = 0
        self._values = tuple(values)
        self._loss = program.losses[0]
        self._again = Again(held)
        self._found: dict[str, Checked] = {}

    def _shape(self, value: Value) -> tuple[int, ...]:
        return (*value.shape[:-1], self.held.n) if value.batched else value.shape

    def result(self) -> LayerCheck:
        """A copy of what is known by now."""
        found = tuple(_copied(c) for c in self._found.values())
        return LayerCheck(self.node, self.held.step, self.held.n, self.batch, found, self.done, self.total)

    def steps(self) -> Iterator[None]:
        """Do it, with a pause behind every op."""
        again, program = self._again, self.held.program
        yield from again.walk([op for op in computed(program) if op.phase <= Phase.BACKWARD])
        for id, symbol in self._values:
            self._found[id] = self._blank(id, symbol)
        for id, _ in self._values:
            yield from self._cells(program.values[id], self._found[id])

    def _blank(self, id: str, symbol: str) -> Checked:
        part, again = self.parts[id], self._again
        gradient = self.held.program.gradients[id]
        loss = float(again.values[self._loss.id])
        kept = self.held.learned.get(gradient.id)
        size = (len(part.rows), len(part.columns))
        unknown = [np.full(size, np.nan) for _ in range(4)]
        floor = _ROUNDING * max(abs(loss), 1.0) / STEP / TOLERANCE
        return Checked(
            id, symbol, part, part.of(again.values[id]), part.of(again.read(gradient)), unknown[0],
            unknown[1], np.zeros(size, np.bool_), unknown[2], unknown[3],
            None if kept is None else part.of(kept), loss, self.h, floor,
        )  # fmt: skip

    def _cells(self, value: Value, found: Checked) -> Iterator[None]:
        again, h = self._again, self.h
        ops = between(self.held.program, value, self._loss)
        whole = again.values[value.id]
        columns = found.part.shape[1]
        for i, row in enumerate(found.part.rows):
            for j, column in enumerate(found.part.columns):
                at = np.unravel_index(int(row) * columns + int(column), whole.shape)
                losses, chosen = [], []
                for signed in (h, -h):
                    moved = whole.copy()
                    moved[at] += signed
                    values = {**again.values, value.id: moved}
                    taken: list[Array] = []
                    for op in ops:
                        self._choose(op, again.compute(op, values), values, taken)
                        yield
                    losses.append(float(values[self._loss.id]))
                    chosen.append(taken)
                self._note(found, i, j, losses)
                found.kinks[i, j] = any(not np.array_equal(a, b) for a, b in zip(*chosen, strict=True))
                self.done += 1
                yield

    def _choose(self, op: Op, outs: Sequence[Array], values: dict[str, Array], taken: list[Array]) -> None:
        """Which branch each cell of an op that chooses took. Another choice within the step is a kink."""
        if op.kind == "maxpool2d":
            taken.append(outs[1])
        branch = FUNCTIONS[op.kind].branch if op.kind in FUNCTIONS else None
        if branch is not None:
            taken.append(branch(self._again.read(op.ins[0], values), op.attrs))

    def _note(self, found: Checked, i: int, j: int, losses: Sequence[float]) -> None:
        above, below = losses
        numerical, analytic = (above - below) / (2 * self.h), float(found.analytic[i, j])
        found.above[i, j], found.below[i, j], found.numerical[i, j] = above, below, numerical
        size = max(abs(numerical), abs(analytic), found.floor)
        found.error[i, j] = abs(analytic - numerical) / size


def _copied(c: Checked) -> Checked:
    """The same, not touched by what is computed later."""
    return Checked(
        c.value, c.symbol, c.part, c.numbers, c.analytic, c.numerical.copy(), c.error.copy(), c.kinks.copy(),
        c.above.copy(), c.below.copy(), c.engine, c.loss, c.step, c.floor, c.tolerance,
    )  # fmt: skip


def check_layer(trainer: Trainer, node: str, values: Sequence[str] = (), h: float = STEP) -> GradientCheck:
    """The check of a layer on the step that the traced plan holds; `values` restricts it.

    Raises GraphError when the layer has nothing to check or `h` is no length.
    """
    program, graph = trainer.program, trainer.graph
    known = checkable(program, graph, node)
    wanted = [(id, symbol) for id, symbol in known if not values or id in values]
    if not wanted:
        name = graph.node(node).name if graph.has(node) else node
        raise GraphError(
            N_("{layer} has no gradient to check; choose a layer the loss depends on."), layer=name
        )
    if not 0 < h < 1:
        raise GraphError(N_("The step h must lie between 0 and 1, not at {h}."), h=h)
    held = hold_step(trainer, [program.gradients[id].id for id, _ in wanted])
    work = heaviest(held)
    if work > HEAVY:  # one op must not keep the run waiting
        held = first_examples(held, max(1, held.n * HEAVY // work))
    return GradientCheck(held, node, wanted, h, batch=trainer.live_n)
