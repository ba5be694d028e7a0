"""What an op kind is: shapes, the definition of correct, gradient rule and how one cell comes about."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import numpy as np

from engine.values import Axes, DType, Op, Role, Value

Array = np.ndarray[Any, Any]
Attrs = Mapping[str, Hashable]


@dataclass(frozen=True)
class Out:
    """One output as `infer` promises it. `name` is the default last part of the value's id."""

    name: str
    axes: Axes
    shape: tuple[int, ...]
    dtype: DType = "f32"
    role: Role = Role.ACT


@dataclass(frozen=True)
class Context:
    """What an op may know besides its inputs: live lanes, controls, and its random stream."""

    n: int
    controls: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    step: int = 0
    stream: int = 0


@dataclass(frozen=True)
class Term:
    """One term of a cell: `text` with indices from 1 for the screen, its factors and its value."""

    factors: tuple[tuple[str, tuple[int, ...], float], ...]
    """(value id, cell from 0, number) of each factor."""
    value: float
    label: str = ""


MOST_TERMS = 512
"""Of so many terms at most a cell's story is told one by one."""


def largest(values: Array | Sequence[float], most: int = MOST_TERMS) -> set[int]:
    """Places of the terms that count most, and of the first and the last: between them lie all others."""
    if len(values) <= most:
        return set(range(len(values)))
    found = np.argpartition(-np.abs(np.asarray(values, np.float64)), most - 3)[: most - 2]
    return {0, len(values) - 1, *found.tolist()}


@dataclass(frozen=True)
class Terms:
    """How one cell came about: `rule` says how the terms make the value."""

    rule: str
    """One of "sum" and "mean" (terms add up), "max" (the largest term), "share" (the term labeled
    numerator over the sum of all), "function" (the one term is the value)."""
    terms: tuple[Term, ...]
    total: float
    """What the terms give in float64."""
    engine: float
    """The cell as the engine computed it."""
    note: str = ""
    """LaTeX of the rule with its symbols."""
    left_out: tuple[int, float] = (0, 0.0)
    """How many terms are not listed because there are very many, and their sum; the total has them."""

    @classmethod
    def sum_of(cls, terms: Sequence[Term], engine: float, note: str) -> Terms:
        """Terms that add up."""
        return cls("sum", tuple(terms), sum(t.value for t in terms), engine, note)

    def shortened(self, most: int = MOST_TERMS) -> Terms:
        """Only the largest and the labeled ones of very many: nobody reads more."""
        if len(self.terms) <= most or self.rule != "sum":
            return self
        kept = largest([t.value for t in self.terms], most) | {i for i, t in enumerate(self.terms) if t.label}
        left = [t.value for i, t in enumerate(self.terms) if i not in kept]
        count, amount = self.left_out
        terms = tuple(t for i, t in enumerate(self.terms) if i in kept)
        return replace(self, terms=terms, left_out=(count + len(left), amount + sum(left)))

    @property
    def difference(self) -> float:
        return self.engine - self.total


Read = Callable[[Value], Array]
"""Gives the engine's array of a value, logical shape, for the step looked at."""


@dataclass(frozen=True)
class Case:
    """One test case of an op: input values with arrays, attributes, context."""

    ins: tuple[Value, ...]
    arrays: tuple[Array, ...]
    attrs: Attrs
    ctx: Context
    label: str = ""
    smooth: bool = True
    """False at kinks, where numerical differentiation does not apply."""


class Recording(Protocol):
    """What a gradient rule writes on (`engine.recorder.Recorder`, which says more)."""

    def emit(
        self, kind: str, ins: Sequence[Value], names: Sequence[str] | str = (), *,
        attrs: dict[str, Hashable] | None = None, role: Role | None = None,
    ) -> tuple[Value, ...]:
        """Append an op and return its outputs."""

    def emit1(self, kind: str, ins: Sequence[Value], name: str = "", **more: object) -> Value:
        """`emit` for ops with one output."""

    def view(self, value: Value, name: str, axes: Axes, shape: tuple[int, ...], offset: int = 0) -> Value:
        """A view of `value`, `offset` feature rows in."""

    def grad_name(self, value: Value) -> str:
        """Id for a contribution to dL/d(value)."""

    def use(self, op: Op, delta: Value) -> None:
        """Note δ of a product at one position of a recurrence: dW is one product over all of them."""


class OpRule:
    """Base of all op rules; one subclass per kind, in the file of its family.

    `infer` gives the outputs' shapes before any data. `reference` is the definition of correct, in the
    dtype of its inputs (float32 or float64): lanes from `ctx.n` on are finite in activations and zero in
    gradients. `gradient` records the ops of the backward half. `explain` lists a cell's terms.
    """

    kind: ClassVar[str]
    reduces_samples: ClassVar[bool] = False
    elementwise: ClassVar[bool] = False
    """Every output cell depends on the same cell of each input only."""
    differentiable: ClassVar[bool] = True
    controls: ClassVar[tuple[str, ...]] = ()
    """Names of controls every op of this kind reads (besides those named per op)."""
    own_controls: ClassVar[tuple[str, ...]] = ()
    """What the controls named per op are called inside the rule, in the same order."""

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        raise NotImplementedError

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        raise NotImplementedError

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        """Record dL/d(input) for each wanted input from dL/d(output) of each output (None: not needed)."""
        raise NotImplementedError

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        raise NotImplementedError

    def cases(self) -> Iterable[Case]:
        """Odd sizes, kinks, masks: the contract tests run them on every backend."""
        raise NotImplementedError


REGISTRY: dict[str, OpRule] = {}


def register(cls: type[OpRule]) -> type[OpRule]:
    """Class decorator: make one instance known under its kind."""
    assert cls.kind not in REGISTRY, cls.kind
    REGISTRY[cls.kind] = cls()
    return cls


def rule(kind: str) -> OpRule:
    return REGISTRY[kind]


def context_for(op: Op, controls: Mapping[str, float], n: int, seed: int = 0, step: int = 0) -> Context:
    """The context an op sees: a program's controls under the names its rule uses, its stream's number."""
    r = REGISTRY[op.kind]
    named = op.controls[len(r.controls) :]
    names = (*r.own_controls, *named[len(r.own_controls) :])
    own = dict(zip(names, (controls[c] for c in named), strict=True))
    shared = {c: controls[c] for c in r.controls}
    return Context(n, {**shared, **own}, seed, step, stream_number(op.stream) if op.stream else 0)


def stream_number(stream: str) -> int:
    """The 32-bit number of a random stream's name."""
    return zlib.crc32(stream.encode())


def live(array: Array, n: int) -> Array:
    """A copy of a batched array with the lanes from n on set to zero."""
    out = array.copy()
    out[..., n:] = 0
    return out


# ---- help for cases() ------------------------------------------------------------------------------

SIZES = (1, 7, 33)


def value(name: str, axes: str, shape: Sequence[int], role: Role = Role.ACT, dtype: DType = "f32") -> Value:
    """A value for a case: `value("x", "F N", (3, 7))`."""
    return Value(name, tuple(axes.split()), tuple(shape), dtype, role)


def normal(seed: int, *shape: int, scale: float = 1.0) -> Array:
    """Repeatable float64 test data."""
    return np.random.default_rng(seed).standard_normal(shape) * scale


def fill(array: Array, n: int, poison: float) -> Array:
    """A copy with the lanes from n on set to `poison`."""
    out = array.copy()
    out[..., n:] = poison
    return out
