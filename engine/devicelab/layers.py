"""Where the time of a training step goes: each launch timed, and said which ops of which layers it did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.devicelab.network import Net, flops_of, input_id
from engine.graph import GraphSpec
from engine.values import Phase, Program

WARM_STEPS, STEPS = 3, 15
Timed = Sequence[tuple[tuple[int, ...], float]]
"""(ops, seconds) of each launch of a step."""


@dataclass(frozen=True)
class Part:
    """What one layer takes in one phase of a step. Fused ops stand with the op whose launch they ride in."""

    node: str
    name: str
    category: str
    phase: str
    kinds: tuple[str, ...]
    seconds: float
    flops: float
    also: tuple[str, ...] = ()
    """Other layers of which ops ride along."""

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def parts(graph: GraphSpec, program: Program, steps: Sequence[Timed]) -> list[Part]:
    """Medians over steps, added up by layer and phase, in the order of the step."""
    seconds = [float(np.median([step[i][1] for step in steps])) for i in range(len(steps[0]))]
    sums: dict[tuple[str, Phase], float] = defaultdict(float)
    kinds: dict[tuple[str, Phase], dict[str, None]] = defaultdict(dict)
    operations: dict[tuple[str, Phase], set[int]] = defaultdict(set)
    for (covers, _), time in zip(steps[0], seconds, strict=True):
        main = program.ops[covers[0]]
        key = (main.node, main.phase)
        sums[key] += time
        operations[key] |= set(covers)
        for i in covers:
            kinds[key][program.ops[i].kind] = None
    out = []
    for key, time in sums.items():
        ops = [program.ops[i] for i in sorted(operations[key])]
        also = dict.fromkeys(op.node for op in ops if op.node != key[0])
        names = tuple(graph.node(uid).name for uid in also if graph.has(uid))
        node = graph.node(key[0])
        work = sum(flops_of(op) for op in ops)
        phase = key[1].name.lower()
        out.append(
            Part(node.uid, node.name, node.layer.category, phase, tuple(kinds[key]), time, work, names)
        )
    return out


def profile(device: str, net: Net) -> list[Part]:
    """Time a few training steps of a network on a device, launch by launch. Raises DeviceError."""
    batch = net.training.batch
    program = net.program("train", batch)
    plan: Any
    if device == "numpy":
        from engine.backends.numpy import NumpyBackend

        backend = NumpyBackend()
        store: Any = backend.store(program.state(), net.training.seed)
        plan = backend.compile(program, store, traced=False)
    else:
        from engine.backends.opencl.timed import open_timed

        store, plan = open_timed(device, program, net.training.seed)
    store.load(net.start(program))
    x, y = net.examples(batch)
    plan.write(input_id(program), np.ascontiguousarray(np.moveaxis(x, 0, -1)))
    if "target" in plan.program.values:
        plan.write("target", y if y.ndim == 1 else np.ascontiguousarray(y.T))
    steps = [plan.timed(net.controls(k, batch)) for k in range(WARM_STEPS + STEPS)]
    return parts(net.graph, program, steps[WARM_STEPS:])
