"""Help for the OpenCL tests: the devices of this machine, and single ops as programs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from engine.backends.opencl import runtime
from engine.backends.opencl.backend import OpenCLBackend
from engine.errors import DeviceError
from engine.ops import REGISTRY, Case
from engine.values import Op, Program, Role, Value

Array = np.ndarray[Any, Any]


@cache
def device_ids() -> tuple[str, ...]:
    """Every OpenCL device listed here, tested or not."""
    try:
        return tuple(f.id for f in runtime.enumerate_devices())
    except DeviceError:
        return ()


@cache
def backend(device: str) -> OpenCLBackend:
    return OpenCLBackend(device)


def all_cases() -> list[tuple[str, int, Case]]:
    return [(kind, i, case) for kind, rule in sorted(REGISTRY.items()) for i, case in enumerate(rule.cases())]


def odd_cases() -> list[tuple[str, int, Case]]:
    """Of every op the largest case with a last axis that is odd: even groups do not divide it."""

    def rank(case: Case) -> tuple[bool, int]:
        shapes = [np.shape(array) for array in case.arrays]
        odd = any(n % 2 for shape in shapes for n in shape[-1:])
        return odd, sum(int(np.prod(shape)) for shape in shapes)

    best: dict[str, tuple[str, int, Case]] = {}
    for kind, number, case in all_cases():
        if kind not in best or rank(case) > rank(best[kind][2]):
            best[kind] = kind, number, case
    return list(best.values())


def program_of(kind: str, case: Case) -> tuple[Program, list[Value]]:
    """A program of one op; its inputs are written from outside."""
    rule = REGISTRY[kind]
    ins = [replace(v, role=Role.INPUT) for v in case.ins]
    named = [replace(v, owner=v.owner or v.id, param=v.param or "p") for v in case.ins]
    outs = [
        Value(f"out.{i}", o.axes, o.shape, o.dtype, o.role)
        for i, o in enumerate(rule.infer(named, case.attrs))
    ]
    op = Op(
        kind,
        tuple(ins),
        tuple(outs),
        case.attrs,
        "node",
        controls=(*rule.controls, *rule.own_controls),
        stream=f"#{case.ctx.stream}",
    )
    capacity = next((v.shape[-1] for v in (*ins, *outs) if v.batched), 1)
    controls = {"n": float(case.ctx.n), "pos": 0.0, "step": float(case.ctx.step), **case.ctx.controls}
    return Program("predict", capacity, (op,), tuple(ins), {}, controls=controls), outs


def compute(device: str, kind: str, case: Case, traced: bool = True) -> list[Array]:
    """The outputs of a case, computed on a device."""
    program, outs = program_of(kind, case)
    engine = backend(device)
    store = engine.store((), case.ctx.seed)
    plan = engine.compile(program, store, traced=traced, keep=[v.id for v in outs])
    for v, array in zip(program.inputs, case.arrays, strict=True):
        if v.axes[:1] == ("S",):
            store.bind(v.id, np.asarray(array))
        else:
            plan.write(v.id, np.asarray(array))
    plan.run([{}])
    return [plan.read(v.id) for v in outs]
