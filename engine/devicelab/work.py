"""Single operations to be measured: one op of the engine on made-up numbers, the same on every device."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from engine.errors import N_, GraphError
from engine.ops import REGISTRY
from engine.ops.base import Context, Terms
from engine.values import Op, Program, Role, Value

Array = np.ndarray[Any, Any]
Sizes = Mapping[str, int]
PRESETS: Mapping[str, Sizes] = MappingProxyType(
    {
        "product": {"m": 1000, "k": 1000, "n": 1000},
        "convolution": {"channels": 8, "filters": 16, "side": 28, "kernel": 5, "batch": 64},
        "elementwise": {"rows": 1000, "columns": 1000},
        "warp": {"channels": 1, "side": 64, "batch": 64},
    }
)
"""Kind of work -> its sizes as they are proposed."""
MOST_SIZE = 16_384
MOST_BYTES = 1 << 30
MOST_FLOPS = 4e12
"""A person may wait, and cancel; more than this would take minutes on a processor."""


@dataclass(frozen=True)
class Work:
    """One op with its sizes, keys as in PRESETS. Raises GraphError for sizes that cannot be measured.

    product: C (m, n) = A (m, k) · B (k, n). convolution: `filters` kernels of kernel x kernel on `batch`
    pictures of channels x side x side, zeros around. elementwise: two matrices, cell times cell.
    warp: `batch` pictures turned and shifted, bilinear.
    """

    kind: str
    sizes: Sizes

    def __post_init__(self) -> None:
        for name, size in self.sizes.items():
            if not 1 <= size <= MOST_SIZE:
                raise GraphError(
                    N_("{name} = {found} cannot be measured; choose 1 to {most}."),
                    name=name,
                    found=size,
                    most=MOST_SIZE,
                )
        if self.moved > MOST_BYTES:
            raise GraphError(
                N_("These sizes need {need} MB; choose smaller ones, up to {most} MB are measured."),
                need=self.moved >> 20,
                most=MOST_BYTES >> 20,
            )
        if self.flops > MOST_FLOPS:
            raise GraphError(
                N_("These sizes need {need} billion operations; choose smaller ones, up to {most}."),
                need=round(self.flops / 1e9),
                most=round(MOST_FLOPS / 1e9),
            )

    @property
    def flops(self) -> float:
        """Operations of the definition: two for each multiplication with its addition.

        A convolution's count includes the zeros around the picture. A warp is counted in pixels, not here.
        """
        s = self.sizes
        if self.kind == "product":
            return 2.0 * s["m"] * s["k"] * s["n"]
        if self.kind == "convolution":
            return 2.0 * s["filters"] * s["channels"] * s["kernel"] ** 2 * self._side**2 * s["batch"]
        return float(s["rows"] * s["columns"]) if self.kind == "elementwise" else 0.0

    @property
    def pixels(self) -> int:
        """Numbers that come out of a warp; else 0."""
        s = self.sizes
        return s["channels"] * s["side"] ** 2 * s["batch"] if self.kind == "warp" else 0

    @property
    def _side(self) -> int:
        """Side of the maps that come out of the convolution: that of the picture for odd kernels."""
        s = self.sizes
        return s["side"] + 2 * (s["kernel"] // 2) - s["kernel"] + 1

    @property
    def moved(self) -> int:
        """Bytes of all inputs and of the output."""
        return 4 * sum(v.size for v in (*self._inputs(), self.program().ops[0].out))

    def _inputs(self) -> tuple[Value, ...]:
        s = self.sizes
        if self.kind == "product":
            a = Value("A", ("out", "in"), (s["m"], s["k"]), role=Role.INPUT)
            return a, Value("B", ("F", "N"), (s["k"], s["n"]), role=Role.INPUT)
        if self.kind == "convolution":
            k, c = s["kernel"], s["channels"]
            kernels = Value("K", ("out", "in", "kH", "kW"), (s["filters"], c, k, k), role=Role.INPUT)
            shape = (c, s["side"], s["side"], s["batch"])
            return kernels, Value("X", ("C", "H", "W", "N"), shape, role=Role.INPUT)
        if self.kind == "elementwise":
            cells = (s["rows"], s["columns"])
            return tuple(Value(name, ("F", "N"), cells, role=Role.INPUT) for name in "AB")
        shape = (s["channels"], s["side"], s["side"], s["batch"])
        x = Value("X", ("C", "H", "W", "N"), shape, role=Role.INPUT)
        return x, Value("M", ("M", "N"), (6, s["batch"]), role=Role.INPUT)

    def program(self) -> Program:
        """One op; its output is called C."""
        ins = self._inputs()
        half = self.sizes.get("kernel", 0) // 2
        slide: dict[str, Hashable] = {"stride": (1, 1), "padding": (half,) * 4}
        kinds: dict[str, tuple[str, dict[str, Hashable]]] = {
            "product": ("dense", {}),
            "convolution": ("conv2d", slide),
            "elementwise": ("multiply", {}),
            "warp": ("affine_warp", {"border": "zero"}),
        }
        kind, attrs = kinds[self.kind]
        (out,) = REGISTRY[kind].infer(ins, attrs)
        op = Op(kind, ins, (Value("C", out.axes, out.shape),), attrs)
        capacity = out.shape[-1]
        controls = {"n": float(capacity), "pos": 0.0, "step": 0.0}
        return Program("predict", capacity, (op,), ins, {}, controls=controls)

    def arrays(self) -> dict[str, Array]:
        """Repeatable float32 numbers for the inputs, between -1 and 1; a warp's matrices turn and shift."""
        rng = np.random.default_rng(20)
        found = {v.id: 2 * rng.random(v.shape, dtype=np.float32) - 1 for v in self._inputs()}
        if self.kind == "warp":
            n, half = self.sizes["batch"], (self.sizes["side"] - 1) / 2
            angle, shift = rng.uniform(-0.4, 0.4, n), rng.uniform(-2, 2, (2, n))
            c, s = np.cos(angle), np.sin(angle)
            tx, ty = half - c * half + s * half + shift[0], half - s * half - c * half + shift[1]
            found["M"] = np.stack([c, -s, tx, s, c, ty]).astype(np.float32)
        return found


def cell_terms(work: Work, arrays: Mapping[str, Array], result: Array, cell: tuple[int, ...]) -> Terms:
    """How one cell of `result` comes about, by the op's own rule."""
    op = work.program().ops[0]
    held = {**arrays, "C": result}
    context = Context(op.out.shape[-1])
    return REGISTRY[op.kind].explain(op, 0, cell, lambda v: held[v.id], context)
