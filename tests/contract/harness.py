"""What the contract tests share: the backends there are, one-op programs, references for whole programs."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from engine.backends.base import Backend, Plan, state_key
from engine.backends.numpy import NumpyBackend
from engine.errors import DeviceError
from engine.ops.base import REGISTRY, Array, Case, Context, OpRule, context_for
from engine.values import Op, Phase, Program, Role, Value

POISON = 1e30
STREAM = "case.stream"


# ---- backends --------------------------------------------------------------------------------------


def required() -> frozenset[str]:
    """OpenCL drivers that must be there: MATRIZEN_REQUIRE_OPENCL=pocl,intel."""
    text = os.environ.get("MATRIZEN_REQUIRE_OPENCL", "")
    return frozenset(word.strip().lower() for word in text.split(",") if word.strip())


@cache
def opencl_devices() -> Mapping[str, str]:
    """Driver -> id of its first device, for the drivers present."""
    try:
        runtime = importlib.import_module("engine.backends.opencl.runtime")
        found = [d.id for d in runtime.enumerate_devices()]
    except DeviceError:
        return {}
    out: dict[str, str] = {}
    for id in sorted(found):
        out.setdefault(id.split(":")[1], id)
    return out


def backend_names() -> list[str]:
    """ "numpy", "opencl:pocl", ...: what is present or required, the same in every test process."""
    return ["numpy", *(f"opencl:{k}" for k in sorted({*opencl_devices(), *required()}))]


@cache
def open_backend(name: str) -> Backend:
    """The backend of that name, opened once. A required driver that is missing fails the test."""
    if name == "numpy":
        return NumpyBackend()
    driver = name.partition(":")[2]
    if driver not in opencl_devices():
        pytest.fail(f"no OpenCL device of kind {driver!r}, but MATRIZEN_REQUIRE_OPENCL asks for it")
    module = importlib.import_module("engine.backends.opencl.backend")
    backend: Backend = module.OpenCLBackend(opencl_devices()[driver])
    return backend


BACKENDS = backend_names()


# ---- cases -----------------------------------------------------------------------------------------


def all_cases() -> list[Any]:
    """(kind, number of the case) for every case of every op kind, with readable ids."""
    out = []
    for kind, rule in REGISTRY.items():
        for number, case in enumerate(rule.cases()):
            label = "".join(c if c.isalnum() or c in "-x=." else "_" for c in case.label)
            out.append(pytest.param(kind, number, id=f"{kind}-{number}-{label}"))
    return out


def case_of(kind: str, number: int) -> Case:
    return list(REGISTRY[kind].cases())[number]


def lanes_of(case: Case) -> int:
    """Capacity of the case."""
    sizes = {v.shape[-1] for v in case.ins if v.batched}
    if "capacity" in case.attrs:
        sizes.add(int(case.attrs["capacity"]))  # type: ignore[call-overload]
    assert len(sizes) <= 1, sizes
    return sizes.pop() if sizes else 1


def with_lanes(case: Case, capacity: int, n: int, poison: float = POISON) -> Case:
    """The case with another capacity and live count; new lanes of activations are poisoned."""
    ins, arrays = [], []
    for v, a in zip(case.ins, case.arrays, strict=True):
        if v.batched:
            v = replace(v, shape=(*v.shape[:-1], capacity))
            lanes = np.zeros((*a.shape[:-1], capacity), a.dtype)
            lanes[..., :n] = a[..., :n]
            if v.role is not Role.GRAD and v.dtype == "f32":
                lanes[..., n:] = poison
            a = lanes
        ins.append(v)
        arrays.append(a)
    attrs = {**case.attrs, "capacity": capacity} if "capacity" in case.attrs else case.attrs
    return replace(case, ins=tuple(ins), arrays=tuple(arrays), attrs=attrs, ctx=replace(case.ctx, n=n))


def variants(kind: str, case: Case) -> Iterator[tuple[str, Case]]:
    """The case as written, with poisoned lanes behind it, and its first example alone at capacity 1.

    Where a lane is multiplied by itself the poison stays below the square root of the largest float32;
    sums over lanes get all of it.
    """
    yield "as written", case
    if any(v.batched for v in case.ins) or "capacity" in case.attrs:
        poison = POISON if REGISTRY[kind].reduces_samples else math.sqrt(POISON)
        yield "poisoned", with_lanes(case, lanes_of(case) + 5, case.ctx.n, poison)
        yield "capacity 1", with_lanes(case, 1, 1)


@dataclass(frozen=True)
class OneOp:
    """A program of one op, with what its inputs hold (float32 numbers)."""

    program: Program
    state: Mapping[str, Array]
    data: Mapping[str, Array]
    inputs: Mapping[str, Array]
    ctx: Context

    @property
    def op(self) -> Op:
        return self.program.ops[0]

    @property
    def rule(self) -> OpRule:
        return REGISTRY[self.op.kind]

    def arrays(self) -> list[Array]:
        """Inputs in order."""
        every = {**self.inputs, **self.data}
        return [
            self.state[state_key(v)] if v.role in (Role.PARAM, Role.STATE) else every[v.id]
            for v in self.op.ins
        ]

    def reference(self, dtype: Any = np.float64) -> tuple[Array, ...]:
        """The definition of correct, in float64 from the float32 inputs."""
        ins = [a.astype(dtype) if a.dtype == np.float32 else a for a in self.arrays()]
        with np.errstate(all="ignore"):
            return self.rule.reference(ins, self.op.attrs, self.ctx)

    def compile(self, backend: Backend, traced: bool) -> Plan:
        store = backend.store(self.program.state(), self.ctx.seed)
        store.load(self.state)
        for name, a in self.data.items():
            store.bind(name, a)
        keep = [v.id for v in self.op.outs]
        plan = backend.compile(self.program, store, traced=traced, keep=keep)
        for name, a in self.inputs.items():
            plan.write(name, a)
        return plan

    def steps(self) -> dict[str, float]:
        return {"n": self.ctx.n, "pos": self.ctx.controls.get("pos", 0), "step": self.ctx.step}

    def run(self, backend: Backend, traced: bool = True) -> list[Array]:
        """All outputs, full capacity, as a backend computes them."""
        plan = self.compile(backend, traced)
        if traced:
            plan.begin(self.steps())
            plan.advance(1)
        else:
            plan.run([self.steps()])
        return [plan.read(v.id) for v in self.op.outs]


@dataclass(frozen=True)
class Ran:
    """One variant of a case and what a backend made of it, traced and fast."""

    label: str
    one: OneOp
    traced: tuple[Array, ...]
    fast: tuple[Array, ...]

    def read(self, v: Value) -> Array:
        """The number as the engine has it, as `explain` reads it."""
        if v in self.one.op.outs:
            return self.traced[self.one.op.outs.index(v)]
        return self.one.arrays()[self.one.op.ins.index(v)]


@cache
def programs_of(kind: str, number: int) -> tuple[tuple[str, OneOp], ...]:
    """All variants of a case, by label."""
    return tuple((label, one_op(kind, case)) for label, case in variants(kind, case_of(kind, number)))


@cache
def _built(backend: str, kind: str) -> dict[int, dict[str, Any]]:
    """Of every case of a kind what an OpenCL device needs for it, built at once."""
    device = open_backend(backend)
    return _together().build_together(
        device,
        {
            number: [
                partial(one.compile, device, traced)
                for _, one in programs_of(kind, number)
                for traced in (True, False)
            ]
            for number, _ in enumerate(REGISTRY[kind].cases())
        },
    )


def _together() -> Any:
    """Of use only where pyopencl is."""
    return importlib.import_module("tests.contract.together")


def ready_for(backend: str, kind: str, number: int) -> Backend:
    """The backend, with all kernels of the case at hand."""
    device = open_backend(backend)
    if backend != "numpy":
        _together().put_at_hand(device, _built(backend, kind)[number])
    return device


@cache
def ran(backend: str, kind: str, number: int) -> tuple[Ran, ...]:
    """All variants of a case on a backend; kept, because compiling for a device takes its time."""
    device = ready_for(backend, kind, number)
    out = []
    for label, one in programs_of(kind, number):
        traced, fast = one.run(device, traced=True), one.run(device, traced=False)
        out.append(Ran(label, one, tuple(traced), tuple(fast)))
    return tuple(out)


def one_op(kind: str, case: Case) -> OneOp:
    """The case as a program; parameters become state, sets become resident data."""
    rule = REGISTRY[kind]
    ins: list[Value] = []
    state: dict[str, Array] = {}
    data: dict[str, Array] = {}
    inputs: dict[str, Array] = {}
    for v, a in zip(case.ins, case.arrays, strict=True):
        a = np.asarray(a, {"f32": np.float32, "i32": np.int32, "u8": np.uint8}[v.dtype], order="C")
        if v.role in (Role.PARAM, Role.STATE):
            v = replace(v, id=f"case.{v.id}", owner="case", param=v.id)
            state[state_key(v)] = a
        elif v.axes[:1] == ("S",):
            v = replace(v, id=f"data.{v.id}", role=Role.INPUT)
            data[v.id] = a
        else:
            v = replace(v, id=f"in.{v.id}", role=v.role if v.role is Role.GRAD else Role.INPUT)
            inputs[v.id] = a
        ins.append(v)
    outs = tuple(
        Value(o.name if "." in o.name else f"out.{o.name}", o.axes, o.shape, o.dtype, o.role, "case")
        for o in rule.infer(ins, case.attrs)
    )
    names = (*rule.controls, *rule.own_controls)
    op = Op(kind, tuple(ins), outs, dict(case.attrs), "case", Phase.FORWARD, names, STREAM)
    capacity = lanes_of(case)
    controls = {"n": float(capacity), "pos": 0.0, "step": float(case.ctx.step), **case.ctx.controls}
    program = Program("predict", capacity, (op,), tuple(ins), {}, controls=controls, gathered=bool(data))
    ctx = context_for(op, controls, case.ctx.n, case.ctx.seed, case.ctx.step)
    return OneOp(program, state, data, inputs, ctx)


# ---- whole programs by their references ------------------------------------------------------------


def interpret(
    program: Program,
    arrays: Mapping[str, Array],
    controls: Mapping[str, float],
    seed: int = 0,
) -> dict[str, Array]:
    """Every value of one step, op by op through `OpRule.reference`, in the dtype of `arrays`.

    `arrays`: inputs by value id.
    """
    values: dict[str, Array] = dict(arrays)
    every = {**program.controls, **controls}
    n, step = int(every["n"]), int(every["step"])

    def get(v: Value) -> Array:
        if v.view is None:
            return values[v.id]
        base = values[v.view.base]
        rows = base.reshape(-1, base.shape[-1])
        return rows[v.view.offset : v.view.offset + v.rows].reshape(v.shape)

    with np.errstate(all="ignore"):
        for op in program.ops:
            ctx = context_for(op, every, n, seed, step)
            outs = REGISTRY[op.kind].reference([get(v) for v in op.ins], op.attrs, ctx)
            for v, a in zip(op.outs, outs, strict=True):
                values[v.id] = np.asarray(a)
    for v in program.values.values():
        if v.view is not None and v.view.base in values:
            values[v.id] = get(v)
    return values


# ---- comparing -------------------------------------------------------------------------------------


def distance(got: Array, expected: Array) -> float:
    """Norm of the difference over the norm of what is expected."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    scale = float(np.linalg.norm(expected))
    return float(np.linalg.norm(got - expected)) / scale if scale else float(np.linalg.norm(got))


def same_bits(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    """Whether two states are equal bit for bit."""
    return a.keys() == b.keys() and all(np.asarray(a[k]).tobytes() == np.asarray(b[k]).tobytes() for k in a)


def live_part(v: Value, a: Array, n: int) -> Array:
    return a[..., :n] if v.batched else a


def random_cells(shape: Sequence[int], n: int, batched: bool, count: int, seed: int) -> list[tuple[int, ...]]:
    """Random cells in the live part of an array."""
    limits = (*shape[:-1], n) if batched else tuple(shape)
    rng = np.random.default_rng(seed)
    return [tuple(int(rng.integers(0, size)) for size in limits) for _ in range(count)]
