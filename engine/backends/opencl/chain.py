"""Chains of cell by cell ops: one expression per kind, written once and used alone or behind another kernel.

An expression holds the same operations in the same order wherever it stands, so a fused chain gives the
same bits as its ops one by one. Registers come in three forms: lanes of a batched value (`vf`), cells of an
unbatched array (`pf`), and a single cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from engine.backends.opencl.kernel import Pointer, Target
from engine.ops.accumulating import APPLY
from engine.ops.updates import lock_of
from engine.values import Op, Role, Value

Form = Literal["lanes", "cells", "cell"]


def number(x: object) -> str:
    """A float32 constant in C, exact."""
    return float.hex(float(cast(float, x))) + "f"


@dataclass(frozen=True)
class Site:
    """What code may know about the plan it is written for."""

    target: Target
    controls: Mapping[str, int]
    """Column of each control in the table."""

    def control(self, name: str) -> str:
        return f"CONTROL({self.controls[name]})"

    @property
    def live(self) -> str:
        return f"CONTROL_INT({self.controls['n']})"


@dataclass(frozen=True)
class Cells:
    """The register an expression is written for."""

    site: Site
    form: Form

    @property
    def type(self) -> str:
        return {"lanes": "vf", "cells": "pf", "cell": "float"}[self.form]

    def function(self, name: str) -> str:
        """One of our elementary functions for this register."""
        if self.form == "cell" or (self.form == "lanes" and self.site.target.vw == 1):
            return f"{name}_float"
        return (
            f"{name}_vf"
            if self.form == "lanes" or self.site.target.vw == self.site.target.pw
            else f"{name}_pf"
        )

    def call(self, name: str, *arguments: str) -> str:
        """A call of one of our elementary functions."""
        return f"{self.function(name)}({', '.join(arguments)})"

    def constant(self, x: object) -> str:
        return f"({self.type})({number(x)})"

    def masked(self, text: str) -> str:
        """Zero in lanes from n on."""
        return (
            f"select(({self.type})(0.0f), ({self.type})({text}), LIVE_LANES((at) % LANES, {self.site.live}))"
        )

    def load(self, pointer: str, at: str = "(at)") -> str:
        return {
            "lanes": f"LOAD({pointer} + {at})",
            "cells": f"LOAD_PF({pointer} + {at})",
            "cell": f"{pointer}[{at}]",
        }[self.form]

    def store(self, text: str, pointer: str, at: str = "(at)") -> str:
        return {
            "lanes": f"STORE({text}, {pointer} + {at});",
            "cells": f"STORE_PF({text}, {pointer} + {at});",
            "cell": f"{pointer}[{at}] = {text};",
        }[self.form]


Rule = Callable[[Cells, Op, Sequence[str], Sequence[str]], Sequence[str]]
"""(register, op, cells of the main inputs, pointers of the others) -> one expression per output."""

RULES: dict[str, Rule] = {}
MAIN_INPUTS: dict[str, int] = {
    "softmax_xent_grad": 1, "batchnorm_eval": 1, "encode_labels": 0, "positions": 1,
}  # fmt: skip
"""How many inputs are read cell by cell; the others through their pointers. Not listed: all."""
BATCH_ONLY = {"mse_grad", "softmax_xent_grad", "batchnorm_eval", "encode_labels", "positions"}
"""Kinds that need to know lane or row."""


def main_inputs(op: Op) -> tuple[Value, ...]:
    return op.ins[: MAIN_INPUTS.get(op.kind, len(op.ins))]


def _rule(kind: str) -> Callable[[Rule], Rule]:
    def keep(rule: Rule) -> Rule:
        RULES[kind] = rule
        return rule

    return keep


RULES["add"] = lambda c, op, x, _: (" + ".join(x),)
RULES["multiply"] = lambda c, op, x, _: (f"{x[0]} * {x[1]}",)
@_rule("mse_grad")
def _mse_grad(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    return (c.masked(f"({x[0]} - {x[1]}) * (2.0f / (float)({op.ins[0].shape[0]} * {c.site.live}))"),)


@_rule("softmax_xent_grad")
def _softmax_xent_grad(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    hit = f"LOAD_INT({others[0]} + (at) % LANES) == (vi)((at) / LANES)"
    one_hot = f"select((vf)(0.0f), (vf)(1.0f), {hit})"
    return (c.masked(f"({x[0]} - {one_hot}) * (1.0f / (float)({c.site.live}))"),)


@_rule("encode_labels")
def _encode_labels(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    first = 1 if op.attrs["units"] == 1 else 0
    hit = f"LOAD_INT({others[0]} + (at) % LANES) == (vi)((at) / LANES + {first})"
    return (c.masked(f"select({c.constant(op.attrs['off'])}, {c.constant(op.attrs['on'])}, {hit})"),)


@_rule("batchnorm_eval")
def _batchnorm_eval(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    channel = f"[(at) / ({op.ins[0].rows // op.ins[0].shape[0]} * LANES)]"
    w, b, mean, var = (pointer + channel for pointer in others)
    invstd = f"(1.0f / sqrt({var} + {number(op.attrs['epsilon'])}))"
    return (f"({x[0]} - {mean}) * ({invstd} * {w}) + {b}",)


@_rule("positions")
def _positions(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    return (f"{x[0]} + {others[0]}[(at) / LANES]",)


def _update(kind: str) -> Callable[[Rule], Rule]:
    """An update; the old numbers stay where its mask is not zero, and where it waits for more batches."""

    def keep(free: Rule) -> Rule:
        def rule(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
            new, old = free(c, op, x, others), (x[0], *x[2 : len(op.outs) + 1])
            if lock_of(op) is not None:
                locked = f"{x[-1]} != ({c.type})(0.0f)"
                new = [f"select({n}, {o}, {locked})" for n, o in zip(new, old, strict=True)]
            if APPLY not in op.controls:
                return new
            waits = f"{c.site.control(APPLY)} == 0.0f"
            return [f"({waits} ? {o} : {n})" for n, o in zip(new, old, strict=True)]

        return _rule(kind)(rule)

    return keep


@_update("sgd")
def _sgd(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    return (f"{x[0]} - {c.site.control('lr')} * {x[1]}",)


@_update("momentum")
def _momentum(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    velocity = f"({c.site.control('momentum')} * {x[2]} + {x[1]})"
    return f"{x[0]} - {c.site.control('lr')} * {velocity}", velocity


@_update("rmsprop")
def _rmsprop(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    decay, lr, epsilon = (c.site.control(k) for k in ("decay", "lr", "epsilon"))
    square = f"({decay} * {x[2]} + (1.0f - {decay}) * {x[1]} * {x[1]})"
    return f"{x[0]} - {lr} * {x[1]} / (sqrt({square}) + {epsilon})", square


@_update("adam")
def _adam(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    lr, b1, b2, epsilon, c1, c2 = (c.site.control(k) for k in ("lr", "beta1", "beta2", "epsilon", "c1", "c2"))
    m = f"({b1} * {x[2]} + (1.0f - {b1}) * {x[1]})"
    v = f"({b2} * {x[3]} + (1.0f - {b2}) * {x[1]} * {x[1]})"
    return f"{x[0]} - ({lr} / {c1}) * {m} / (sqrt({v}) / sqrt({c2}) + {epsilon})", m, v


@_update("adamw")
def _adamw(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    shrink = f"(1.0f - {c.site.control('lr')} * {c.site.control('weight_decay')})"
    return _adam(c, op, [f"({shrink} * {x[0]})", *x[1:]], others)


@_update("nesterov")
def _nesterov(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    momentum = c.site.control("momentum")
    velocity = f"({momentum} * {x[2]} + {x[1]})"
    return f"{x[0]} - {c.site.control('lr')} * ({x[1]} + {momentum} * {velocity})", velocity


@_update("adagrad")
def _adagrad(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    square = f"({x[2]} + {x[1]} * {x[1]})"
    lr, epsilon = c.site.control("lr"), c.site.control("epsilon")
    return f"{x[0]} - {lr} * {x[1]} / (sqrt({square}) + {epsilon})", square


@_update("adadelta")
def _adadelta(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    decay, lr, epsilon = (c.site.control(k) for k in ("decay", "lr", "epsilon"))
    square = f"({decay} * {x[2]} + (1.0f - {decay}) * {x[1]} * {x[1]})"
    step = f"(sqrt({x[3]} + {epsilon}) / sqrt({square} + {epsilon}) * {x[1]})"
    return f"{x[0]} - {lr} * {step}", square, f"{decay} * {x[3]} + (1.0f - {decay}) * {step} * {step}"


@dataclass
class Chain:
    """Ops in order behind a source value (the result `v` of a kernel), or on their own (no source)."""

    site: Site
    source: Value | None
    ops: Sequence[Op]
    stored: frozenset[str]
    """Ids of the results to be stored."""
    alias: Mapping[str, str] = field(default_factory=dict)
    """View id -> id of the value it shows whole."""
    _names: dict[str, str] = field(default_factory=dict)
    _pointers: dict[str, Pointer] = field(default_factory=dict)

    @property
    def controls(self) -> bool:
        """Whether the code reads controls or knows the step."""
        return any(op.controls or op.kind in BATCH_ONLY for op in self.ops) or any(
            v.role is Role.SCALAR for v in self._results()
        )

    def _results(self) -> list[Value]:
        return [*([self.source] if self.source else []), *(v for op in self.ops for v in op.outs)]

    def code(self, form: Form) -> str:
        """The body of an epilogue macro with parameters `at` and `v`."""
        cells = Cells(self.site, form)
        lines: list[str] = []
        known: dict[str, str] = {}

        def keep(value: Value, text: str) -> None:
            name = f"result_{len(known)}"
            known[value.id] = name
            lines.append(f"const {cells.type} {name} = {text};")
            if value.id in self.stored:
                lines.append(cells.store(name, self._pointer(value, write=True), _place(value)))

        def cell(value: Value) -> str:
            id = self.alias.get(value.id, value.id)
            if id not in known:
                known[id] = f"input_{len(known)}"
                lines.append(
                    f"const {cells.type} {known[id]} = {cells.load(self._pointer(value), _place(value))};"
                )
            return known[id]

        if self.source is not None:
            keep(self.source, "(v)")
        for op in self.ops:
            main = main_inputs(op)
            texts = RULES[op.kind](
                cells, op, [cell(x) for x in main], [self._pointer(x) for x in op.ins[len(main) :]]
            )
            for value, text in zip(op.outs, texts, strict=True):
                keep(value, text)
        return "{ " + " ".join(lines) + " }"

    def pointers(self) -> list[Pointer]:
        """What the code needs; complete after `code`."""
        return list(self._pointers.values())

    def _pointer(self, value: Value, write: bool = False) -> str:
        name = self._names.setdefault(value.id, f"extra_{len(self._names)}")
        if write or name not in self._pointers:
            self._pointers[name] = Pointer(name, value.id, write, restrict=False, dtype=value.dtype)
        return name


def _place(value: Value) -> str:
    """Scalars are kept per step of a chunk."""
    return "((at) + step_row)" if value.role is Role.SCALAR else "(at)"
