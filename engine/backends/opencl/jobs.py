"""From launches to kernels with preset arguments, in the form that suits the device and the network.

A traced plan runs launch by launch. A fast plan on a CPU does launches that do not depend on each other in
one; and for a small network one work-item does whole steps, many per launch. All three call the same
functions, so they compute the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.backends.opencl.kernel import Launch, Source, Target, items, side_by_side
from engine.backends.opencl.memory import PlanMemory
from engine.backends.opencl.programs import build
from engine.backends.opencl.runtime import Device
from engine.ops.over_time import longest
from engine.values import Op, Program

WHOLE_RUN = 1_000_000
"""Multiplications of a step up to which one work-item does it all: about the time of its launches."""
PER_LAUNCH = 100_000_000
"""Multiplications one launch of whole steps may do: a few milliseconds, so that others get their turn."""
HEAVY = ("lanes_product", "dense_dw", "conv_forward", "conv_dw", "conv_dx", "batchnorm", "batchnorm_grad",
         "conv_forward_wide", "conv_dw_wide")  # fmt: skip
"""Templates with enough work for all cores."""
PORTION = 32
"""PoCL hands out work-items in portions of at least this many."""
PORTIONS = 256
"""Work-items, empty ones included, of a launch that PoCL would else give to one core."""


@dataclass
class Job:
    """A kernel object of its own (arguments are part of its state) and how to enqueue it."""

    kernel: Any
    size: tuple[int, ...]
    local: tuple[int, ...] | None
    row: int
    """Index of the argument step_row, -1 where it has none."""
    last: int
    """Last op of the program it computes."""
    covers: tuple[int, ...] = ()
    """All ops it computes, or with other jobs of its group."""


@dataclass
class Jobs:
    """All kernels of a plan."""

    steps: list[Job]
    """One step; or a single job that does whole steps."""
    whole: int = 0
    """Steps a launch may do when one kernel does whole steps, else 0."""


def build_jobs(
    device: Device,
    target: Target,
    program: Program,
    launches: Sequence[Launch],
    memory: PlanMemory,
    columns: int,
    *,
    traced: bool,
    alone: bool,
    separate: bool = False,
) -> Jobs:
    """Build the kernels. `alone`: the launches are the whole step, nothing is copied between.

    `separate`: one kernel for each launch, whatever is faster, so that each can be timed.
    """
    source = Source(target, columns)
    offsets = {p.value: memory.offset(p.value) for launch in launches for p in launch.pointers}
    work = sum(multiplications(op, target.lanes) for op in program.ops)
    limit = int(device.handle.max_parameter_size) // 8 - 2
    joined = device.cpu and not traced and not separate
    # of a recurrence every position would be compiled into that one kernel: ten seconds for a small one
    if joined and alone and work <= WHOLE_RUN and not longest(program.ops):
        name, ids = source.add_whole(launches, offsets, memory.identity)
        if len(ids) < limit:
            (kernel,) = build(device, source.text(), [name])
            _preset(kernel, ids, memory)
            kernel.set_arg(len(ids), memory.table)
            job = Job(kernel, (1,), (1,), len(ids) + 1, len(program.ops) - 1, tuple(range(len(program.ops))))
            return Jobs([job], max(1, PER_LAUNCH // (work + 20_000)))
        source = Source(target, columns)
    rounds = [[launch] for launch in launches]
    if joined:
        rounds = side_by_side(launches, memory.part)
        rounds = [part for r in rounds for part in _within(r, limit)]
    spreads = [_spread(parts, device) for parts in rounds]
    built = [
        source.add(parts, offsets, memory.identity, spread)
        for parts, spread in zip(rounds, spreads, strict=True)
    ]
    kernels = build(device, source.text(), [name for name, _ in built])
    jobs = []
    for parts, spread, (_, ids), kernel in zip(rounds, spreads, built, kernels, strict=True):
        _preset(kernel, ids, memory)
        row = -1
        if any(launch.controls for launch in parts):
            row = len(ids) + 1
            kernel.set_arg(row - 1, memory.table)
            kernel.set_arg(row, np.int32(0))
        size = (items(parts) * spread,) if spread else parts[0].size
        last = max(launch.covers[-1] for launch in parts)
        covers = tuple(sorted({op for launch in parts for op in launch.covers}))
        jobs.append(Job(kernel, size, (1,) * len(size) if device.cpu else None, row, last, covers))
    return Jobs(jobs)


def multiplications(op: Op, lanes: int) -> int:
    """A rough count of the work of an op, for choosing a kind of plan."""
    if op.kind.startswith(("dense", "conv")):
        weights = next((v for v in (*op.ins, *op.outs) if not v.batched and len(v.axes) > 1), op.out)
        maps = [v for v in (*op.ins, *op.outs) if v.batched]
        places = min(math.prod(v.shape[1:-1]) for v in maps)
        return weights.size * lanes * places
    if op.kind in ("heads_scores", "heads_mix"):
        return op.out.rows * lanes * op.ins[1].shape[0 if op.kind == "heads_scores" else 1]
    return 4 * sum(v.rows * lanes if v.batched else v.size for v in op.outs)


def _preset(kernel: Any, ids: Sequence[str], memory: PlanMemory) -> None:
    for i, id in enumerate(ids):
        kernel.set_arg(i, memory.buffer(id))


def _within(parts: list[Launch], limit: int) -> list[list[Launch]]:
    """The launches of a round in as many kernels as the device's limit of arguments asks for."""
    out: list[list[Launch]] = [[]]
    count = 0
    for launch in parts:
        if out[-1] and count + len(launch.pointers) > limit:
            out.append([])
            count = 0
        out[-1].append(launch)
        count += len(launch.pointers)
    return out


def _spread(parts: Sequence[Launch], device: Device) -> int:
    """0: one launch with its own global size; 1: numbered in one dimension; more: with gaps, for PoCL."""
    few = items(parts) < 2 * PORTION and any(launch.template in HEAVY for launch in parts)
    if few and device.cpu and ":pocl:" in device.found.id:
        return -(-PORTIONS // items(parts))
    return int(len(parts) > 1)
