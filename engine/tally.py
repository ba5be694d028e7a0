"""A test put together from its slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.graph import NodeSpec
from engine.metrics import Array, ClassTally, NumberTally, OutputScores, Report
from engine.run import Evaluation


@dataclass(frozen=True)
class Slice:
    """Some test examples: the mean loss of each output, how much each mean counts, and hits (for classes)."""

    losses: tuple[float, ...]
    masses: tuple[float, ...]
    """Examples, or the sum of their classes' weights where the mean divides by that."""
    hits: float | None
    n: int
    start: int
    """Place of the first among the test examples."""
    said: tuple[Array, ...] = ()
    """What each output gave, the sample first."""
    penalty: float = 0.0
    """What the penalties of the weights add to a sum of losses."""


Scorer = tuple[NodeSpec, ClassTally | NumberTally, Callable[[slice], Array]]
"""An output, what adds its answers up, and what they should have been."""


class Tally:
    """Adds slices up. `weights`: of the outputs in the sum that is the loss; `scorers`: one for each."""

    def __init__(self, weights: Sequence[float], scorers: Sequence[Scorer]) -> None:
        self._weights, self._scorers = tuple(weights), tuple(scorers)
        self._sums = [0.0] * len(self._weights)
        self._masses = [0.0] * len(self._weights)
        self._hits: float | None = None
        self._penalty = 0.0
        self.n = 0

    def add(self, part: Slice) -> None:
        for i, (loss, mass) in enumerate(zip(part.losses, part.masses, strict=True)):
            self._sums[i] += loss * mass
            self._masses[i] += mass
        if part.hits is not None:
            self._hits = (self._hits or 0.0) + part.hits
        self.n += part.n
        self._penalty = part.penalty
        for (_, scores, truth), said in zip(self._scorers, part.said, strict=True):
            scores.add(said, truth(slice(part.start, part.start + part.n)))

    def result(self, step: int) -> Evaluation:
        """The whole test, made with the weights of `step`."""
        losses = tuple(s / m if m else 0.0 for s, m in zip(self._sums, self._masses, strict=True))
        loss = sum(w * each for w, each in zip(self._weights, losses, strict=True)) + self._penalty
        summed = len(self._weights) > 1 or self._weights != (1.0,)
        accuracy = None if self._hits is None else self._hits / self.n
        return Evaluation(step, loss, accuracy, losses if summed else ())

    def report(self, step: int, main: NodeSpec) -> Report:
        """The same test beyond its loss, `main` first."""
        found = []
        for end, scores, _ in sorted(self._scorers, key=lambda s: s[0].uid != main.uid):
            if isinstance(scores, ClassTally):
                found.append(OutputScores(end.uid, end.name, classes=scores.scores()))
            else:
                found.append(OutputScores(end.uid, end.name, numbers=scores.scores()))
        return Report(step, tuple(found))
