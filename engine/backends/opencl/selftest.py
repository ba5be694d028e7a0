"""The self-test of a device, run in a process of its own: real kernels against the references.

`list` prints every device the loader lists; `test ID` builds and runs a small program with a matrix
product, a convolution and its gradients, reductions, softmax, pooling and an affine warp, and compares every
value with NumPy. Each prints one JSON object as its last line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.errors import N_, DeviceError, MatrizenError, Message
from engine.ops import REGISTRY, Context
from engine.values import Op, Program, Role, Value

Array = np.ndarray[Any, Any]
CAPACITY, LIVE = 20, 17
TOLERANCE = 1e-4
"""Largest difference to the reference in float64, relative to the largest number of the value. Rounding
alone stays below 1e-5; a driver that computes wrongly is off by far more."""


def program() -> Program:
    """A few ops of every family on one small batch."""
    v = Value
    n = CAPACITY
    x = v("x", ("C", "H", "W", "N"), (3, 9, 10, n), role=Role.INPUT)
    k = v("k", ("out", "in", "kH", "kW"), (8, 3, 3, 3), role=Role.INPUT)
    b = v("b", ("out",), (8,), role=Role.INPUT)
    w = v("w", ("out", "in"), (10, 160), role=Role.INPUT)
    matrix = v("m", ("M", "N"), (6, n), role=Role.INPUT)
    labels = v("labels", ("N",), (n,), "i32", role=Role.INPUT)
    inputs = (x, k, b, w, matrix, labels)
    ops: list[Op] = []

    def emit(kind: str, ins: Sequence[Value], **attrs: Any) -> tuple[Value, ...]:
        outs = tuple(
            Value(f"{len(ops)}.{o.name}", o.axes, o.shape, o.dtype, o.role)
            for o in REGISTRY[kind].infer(ins, attrs)
        )
        ops.append(Op(kind, tuple(ins), outs, attrs, controls=REGISTRY[kind].controls))
        return outs

    window = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
    slide = {"stride": (1, 1), "padding": (1, 1, 1, 1)}
    (warped,) = emit("affine_warp", (x, matrix), border="reflect")
    (z,) = emit("conv2d", (k, warped, b), **slide)
    (a,) = emit("tanh", (z,))
    pooled, places = emit("maxpool2d", (a,), **window)
    flat = Value("flat", ("F", "N"), (160, n), view=_view(pooled.id))
    (logits,) = emit("dense", (w, flat))
    p, _ = emit("softmax_xent", (logits, labels))
    (dz,) = emit("softmax_xent_grad", (p, labels))
    emit("sum_samples", (dz,))
    (dw,) = emit("dense_dw", (dz, flat))
    emit("sgd", (w, dw))
    (dflat,) = emit("dense_dx", (w, dz))
    dpooled = Value("dpooled", pooled.axes, pooled.shape, role=Role.GRAD, view=_view(dflat.id))
    (da,) = emit("maxpool2d_dx", (dpooled, places), **window, height=9, width=10)
    (dconv,) = emit("tanh_grad", (da, a))
    emit("conv2d_dx", (k, dconv), **slide, height=9, width=10)
    emit("conv2d_dw", (dconv, warped), **slide, kernel=(3, 3))
    return Program(
        "predict", n, tuple(ops), inputs, {}, controls={"n": float(LIVE), "pos": 0.0, "step": 0.0, "lr": 0.1}
    )


def _view(base: str) -> Any:
    from engine.values import View

    return View(base)


def inputs(p: Program) -> dict[str, Array]:
    """Repeatable numbers for its inputs; the matrices turn and shift a little."""
    rng = np.random.default_rng(20)
    arrays: dict[str, Array] = {v.id: rng.standard_normal(v.shape).astype(np.float32) for v in p.inputs}
    arrays["k"] *= np.float32(0.1)  # far from where tanh is 1 for many, and the largest of them is anyone's
    arrays["labels"] = rng.integers(0, 10, CAPACITY).astype(np.int32)
    angle = rng.uniform(-0.4, 0.4, CAPACITY)
    arrays["m"] = np.stack(
        [
            np.cos(angle),
            -np.sin(angle),
            rng.uniform(-2, 2, CAPACITY),
            np.sin(angle),
            np.cos(angle),
            rng.uniform(-2, 2, CAPACITY),
        ]
    ).astype(np.float32)
    return arrays


def expected(p: Program, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Every value by the references, in float64."""
    found: dict[str, Array] = {
        k: a.astype(np.float64) if a.dtype == np.float32 else a for k, a in arrays.items()
    }

    def look(v: Value) -> Array:
        return found[v.view.base].reshape(v.shape) if v.view else found[v.id]

    for op in p.ops:
        context = Context(LIVE, dict(p.controls))
        for v, array in zip(
            op.outs, REGISTRY[op.kind].reference([look(x) for x in op.ins], op.attrs, context), strict=True
        ):
            found[v.id] = array
    return found


def compare(p: Program, found: Mapping[str, Array], wanted: Mapping[str, Array]) -> Message | None:
    """The first value that is wrong, as a message; None when all are right."""
    for op in p.ops:
        for v in op.outs:
            got, want = found[v.id].astype(np.float64), wanted[v.id].astype(np.float64)
            if v.batched:
                got, want = got[..., :LIVE], want[..., :LIVE]
            size = max(1.0, float(np.abs(want).max(initial=0.0)))
            error = np.abs(got - want)
            worst = float(error.max(initial=0.0)) if np.isfinite(got).all() else float("inf")
            if not worst <= TOLERANCE * size:
                return Message(
                    N_("it computes wrong numbers: {kind} is off by {error}"),
                    {"kind": op.kind, "error": f"{worst:.3g}"},
                )
    return None


def test(id: str, engine: Any = None) -> tuple[str, Message]:
    """Verdict ("ok" or "refused") and reason for one device."""
    from engine.backends.opencl.backend import OpenCLBackend

    p = program()
    arrays = inputs(p)
    wanted = expected(p, arrays)
    try:
        backend = engine or OpenCLBackend(id)
        for traced in (True, False):
            keep = [v.id for op in p.ops for v in op.outs]
            plan = backend.compile(p, backend.store((), 1), traced=traced, keep=keep)
            for name, array in arrays.items():
                plan.write(name, array)
            plan.run([{}])
            wrong = compare(p, {name: plan.read(name) for name in keep}, wanted)
            if wrong is not None:
                return "refused", wrong
    except MatrizenError as problem:
        return "refused", problem.message
    return "ok", Message(N_("passed its test"))


test.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def listing() -> dict[str, Any]:
    """Every device the loader lists, or the problem."""
    from engine.backends.opencl import runtime

    try:
        return {"devices": [asdict(found) for found in runtime.enumerate_devices()]}
    except DeviceError as problem:
        return {"problem": _plain(problem.message)}


def _plain(message: Message) -> dict[str, Any]:
    values = {k: v if isinstance(v, (int, float, str)) else str(v) for k, v in message.values.items()}
    return {"template": message.template, "values": values}


def main(arguments: list[str]) -> None:
    """`list`, or `test ID`: prints one JSON object."""
    if arguments[:1] == ["list"]:
        answer = listing()
    else:
        verdict, reason = test(arguments[1])
        answer = {"verdict": verdict, **_plain(reason)}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    sys.stdout.flush()
