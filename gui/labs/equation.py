"""What an equation of a layer is: factors and the signs between them, and how a person likes it written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.as_matrix import Form
from engine.ops.functions import FUNCTIONS
from engine.values import Op, Phase

WHOLE = 96
"""A matrix up to so many rows and columns is always shown whole."""
PRODUCTS = ("dense", "dense_dw", "dense_dx", "as_matrix")
POINTWISE = frozenset(FUNCTIONS)


@dataclass(frozen=True)
class Factor:
    """One matrix of an equation. `symbol` is LaTeX; `heads` say what its rows and columns are.

    `extra` is a vector that stands as its last column and `ones` a last row of ones (the bias folded in);
    `derived` is what the op's own rule makes of the value: "slope" f'(z), "onehot" the labels as columns.
    """

    value: str
    symbol: str
    role: str = "activations"
    turned: bool = False
    heads: tuple[str, str] = ("", "")
    extra: str = ""
    ones: bool = False
    derived: str = ""

    def turn(self) -> Factor:
        """Transposed."""
        return replace(self, turned=not self.turned)


@dataclass(frozen=True)
class Equation:
    """One op with one of its outputs. `parts` are factors and, between them, signs as LaTeX."""

    op: int
    kind: str
    phase: Phase
    title: str
    words: str
    parts: tuple[Factor | str, ...]
    ghost: Op | None = None
    """An op that training leaves out; its reference makes the last matrix of the others."""
    form: Form | None = None
    """Where a convolution or a pooling is written as the matrix that it is."""

    @property
    def factors(self) -> tuple[Factor, ...]:
        return tuple(part for part in self.parts if isinstance(part, Factor))

    @property
    def out(self) -> Factor:
        """What comes out."""
        return self.factors[-1]

    @property
    def product(self) -> bool:
        """Whether it is a matrix product, which can be computed in several orders."""
        return self.kind in PRODUCTS


@dataclass(frozen=True)
class Style:
    """How a person likes it written: samples as rows (frameworks), the bias folded into W."""

    rows: bool = False
    folded: bool = False
    time: int = 0
    """Position of a recurrence that is in sight, from 0."""
