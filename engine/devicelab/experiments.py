"""The experiments of the device lab as lists of jobs: plain values that travel to the measuring processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.backends.devices import DeviceInfo
from engine.devicelab.network import Net
from engine.devicelab.work import Work
from engine.errors import GraphError, Message

EXPERIMENTS = ("operation", "sizes", "cores", "batch", "data", "model", "latency", "layers")
NEED_NETWORK = ("batch", "data", "model", "latency", "layers")
"""These are about the person's own network."""
PRODUCT_SIDES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
BATCHES = (1, 4, 16, 64, 256)
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
LONG, SHORT = 1.0, 0.3
"""Seconds for the repetitions of one measurement, alone and as one of a curve."""


@dataclass(frozen=True)
class Job:
    """One measurement: `subject` is a kind of Work, "step", "answer", "epoch" or "layers"."""

    key: str
    subject: str
    place: float = 0.0
    """Where it stands on the horizontal axis: a size, a batch, a number of cores or weights."""
    sizes: dict[str, int] = field(default_factory=dict, hash=False)
    seconds: float = LONG
    factor: float = 1.0
    """How much wider the hidden layers are than drawn."""

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Task:
    """What one process does: jobs on a device, on so many of its cores (0: all)."""

    device: str
    jobs: tuple[Job, ...]
    cores: int = 0


def core_counts(units: int) -> tuple[int, ...]:
    """1, 2, 4, ... and all."""
    counts = [1]
    while counts[-1] * 2 < units:
        counts.append(counts[-1] * 2)
    return tuple(counts) if units <= 1 else (*counts, units)


def tasks(
    experiment: str, devices: Sequence[DeviceInfo], net: Net | None, subject: str, sizes: dict[str, int]
) -> list[Task]:
    """The processes of an experiment, in order. Raises GraphError for sizes that cannot be measured.

    `subject` and `sizes` say what "operation" and "cores" measure; the others know themselves.
    """
    ids = [d.id for d in devices]
    if experiment == "cores":
        job = _job("cores", subject, sizes)
        found = [
            Task(d.id, (Job(job.key, job.subject, float(n), job.sizes, LONG),), n)
            for d in devices
            if d.kind == "cpu"
            for n in core_counts(d.units)
        ]
        return found
    if experiment == "operation":
        jobs: tuple[Job, ...] = (_job("operation", subject, sizes),)
    elif experiment == "sizes":
        jobs = tuple(
            Job(f"product {n}", "product", float(n), {"m": n, "k": n, "n": n}, SHORT) for n in PRODUCT_SIDES
        )
    elif net is None:
        jobs = ()
    elif experiment == "batch":
        jobs = tuple(Job(f"batch {n}", "step", float(n), {"batch": n}, SHORT) for n in BATCHES)
    elif experiment == "data":
        jobs = tuple(
            Job(f"data {n}", "epoch", float(n), {"examples": n}, SHORT) for n in data_sizes(net.data.count)
        )
    elif experiment == "model":
        jobs = tuple(
            Job(f"model {f}", "step", float(small.weights), {"batch": net.training.batch}, SHORT, f)
            for f, small in widths(net)
        )
    elif experiment == "latency":
        jobs = (Job("latency", "answer", 1.0, {"batch": 1}, LONG),)
    else:
        jobs = (Job("layers", "layers", 0.0, {"batch": net.training.batch}, LONG),)
    return [Task(id, jobs) for id in ids] if jobs else []


def _job(key: str, subject: str, sizes: dict[str, int]) -> Job:
    if subject not in ("step", "answer"):
        Work(subject, sizes)  # refused here, before a process is started
    return Job(key, subject, 0.0, dict(sizes))


def data_sizes(count: int) -> tuple[int, ...]:
    """Five sizes of training sets up to the person's own (at least 64)."""
    most = max(64, min(count, 60_000))
    return tuple(sorted({max(1, most * part // 16) for part in (1, 2, 4, 8, 16)}))


def widths(net: Net) -> list[tuple[float, Net]]:
    """The network with hidden layers narrower and wider, where that fits, without two of one size."""
    found: dict[int, tuple[float, Net]] = {}
    for factor in FACTORS:
        try:
            scaled = net if factor == 1.0 else net.scaled(factor)
        except GraphError:
            continue
        if factor == 1.0 or scaled.weights not in found:
            found[scaled.weights] = (factor, scaled)
    return [found[weights] for weights in sorted(found)]


def lost(reason: Message) -> dict[str, Any]:
    """A failure as it travels."""
    values = {k: v if isinstance(v, int | float | str) else str(v) for k, v in reason.values.items()}
    return {"event": "failed", "template": reason.template, "values": values}
