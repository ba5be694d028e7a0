"""How good the answers to the test data are, beyond their loss; all sums in float64, in a fixed order.

Classes: confusion matrix (rows are the truth, columns the answers), top-k accuracy, precision, recall and F1
of each class and their plain mean over the classes that occur ("macro"). What is divided by 0 is 0.
Numbers: mean absolute error, and R² = 1 - Σ (y - ŷ)² / Σ (y - mean y)², of each number that varies, and of
all with both sums over all of them ("variance weighted": what hardly varies hardly counts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
TOPS = (3, 5)
"""Among how many of the likeliest classes the right one is looked for, where there are more classes."""


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Of an output that names classes."""

    confusion: Array
    """(classes, classes) counts: row truth, column answer."""
    top: tuple[tuple[int, float], ...]
    """(k, share of examples whose class is among the k likeliest)."""
    guesses: Array
    """The answer to each test example, in their order."""

    @property
    def n(self) -> int:
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        return float(np.trace(self.confusion)) / max(1, self.n)

    @property
    def support(self) -> Array:
        """Test examples of each class."""
        return np.asarray(self.confusion.sum(1))

    @property
    def precision(self) -> Array:
        """Of the answers naming a class, the share that is right."""
        return _over(np.diag(self.confusion), self.confusion.sum(0))

    @property
    def recall(self) -> Array:
        """Of the examples of a class, the share that is found."""
        return _over(np.diag(self.confusion), self.confusion.sum(1))

    @property
    def f1(self) -> Array:
        """Harmonic mean of both: 2 right / (examples + answers)."""
        return _over(2 * np.diag(self.confusion), self.confusion.sum(0) + self.confusion.sum(1))

    @property
    def macro(self) -> tuple[float, float, float]:
        """Precision, recall, F1: the plain mean over the classes that occur or are answered."""
        seen = (self.confusion.sum(0) + self.confusion.sum(1)) > 0
        found = (self.precision, self.recall, self.f1)
        p, r, f = (float(each[seen].mean()) if seen.any() else 0.0 for each in found)
        return p, r, f


@dataclass(frozen=True, eq=False)
class NumberScores:
    """Of an output that gives numbers."""

    mae: float
    """Mean absolute error over all entries."""
    r2: float | None
    """Of all numbers together, each about its own mean; None when none varies."""
    mae_each: Array
    r2_each: Array
    """By number; NaN where it never changes."""
    n: int


@dataclass(frozen=True, eq=False)
class OutputScores:
    """One output's."""

    uid: str
    name: str
    classes: ClassScores | None = None
    numbers: NumberScores | None = None


@dataclass(frozen=True, eq=False)
class Report:
    """A whole test, made with the weights of `step`; the output that answers for the network first."""

    step: int
    outputs: tuple[OutputScores, ...]


def _over(a: Array, b: Array) -> Array:
    return np.asarray(np.divide(a, b, out=np.zeros(len(a)), where=b > 0))


class ClassTally:
    """Adds up answers. `cut`: above it a single output names the second class."""

    def __init__(self, classes: int, cut: float) -> None:
        self._classes, self._cut = classes, cut
        self._counts = np.zeros((classes, classes), np.int64)
        self._tops = tuple(k for k in TOPS if k < classes)
        self._hits = np.zeros(len(self._tops), np.int64)
        self._guesses: list[Array] = []

    def add(self, said: Array, truth: Array) -> None:
        """Outputs (n, F) and labels (n)."""
        if said.shape[1] == 1:
            guess = (said[:, 0] > np.float32(self._cut)).astype(np.int64)
        else:
            guess = said.argmax(1)
            own = said[np.arange(len(truth)), truth][:, None]
            before = np.arange(said.shape[1])[None, :] < truth[:, None]
            rank = ((said > own) | ((said == own) & before)).sum(1)  # of equals the first counts as larger
            self._hits += np.array([(rank < k).sum() for k in self._tops], np.int64)
        np.add.at(self._counts, (truth, guess), 1)
        self._guesses.append(guess)

    def scores(self) -> ClassScores:
        n = max(1, int(self._counts.sum()))
        top = tuple((k, int(h) / n) for k, h in zip(self._tops, self._hits, strict=True))
        guesses = np.concatenate(self._guesses) if self._guesses else np.zeros(0, np.int64)
        return ClassScores(self._counts, top, guesses)


class NumberTally:
    """Adds up errors; squares are taken about the first example, so that large means cost no digits."""

    def __init__(self) -> None:
        self._n = 0
        self._about: Array | None = None
        self._sums: Array = np.zeros(0)

    def add(self, said: Array, truth: Array) -> None:
        """Outputs and targets (n, F)."""
        y, t = (a.reshape(len(a), -1).astype(np.float64) for a in (said, truth))
        if self._about is None:
            self._about, self._sums = t[0].copy(), np.zeros((4, t.shape[1]))
        d, e = t - self._about, y - t
        self._sums += np.stack([np.abs(e).sum(0), (e * e).sum(0), d.sum(0), (d * d).sum(0)])
        self._n += len(t)

    def scores(self) -> NumberScores:
        n = max(1, self._n)
        off, squares, first, second = self._sums if self._about is not None else np.zeros((4, 1))
        spread = np.maximum(second - first * first / n, 0)
        varies = spread > 1e-12 * np.maximum(second, 1e-300)
        r2 = np.where(varies, 1 - squares / np.where(varies, spread, 1), np.nan)
        whole = 1 - float(squares.sum() / spread.sum()) if varies.any() else None
        return NumberScores(float(off.mean()) / n, whole, off / n, r2, self._n)
