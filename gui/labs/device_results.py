"""What was measured in one run: rows for the charts, a sentence of what they show, and CSV. No widgets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.backends.devices import DeviceInfo, numpy_device
from engine.devicelab.amdahl import serial_share
from engine.devicelab.run import Event
from engine.devicelab.timing import Timing
from engine.errors import Message
from gui import i18n
from gui.i18n import tr
from gui.labs.device_words import duration, percent, short_name

TOLERANCE = 1e-4
"""Largest difference between two devices, relative to the largest number, that rounding explains."""


@dataclass(frozen=True)
class Measured:
    """One measurement as it came; seconds. `compute` is without, `whole` with transfer."""

    device: str
    cores: int
    key: str
    place: float
    compute: Timing
    whole: Timing
    first: float
    ready: float
    flops: float
    moved: int
    differences: dict[str, float] = field(default_factory=dict, hash=False)
    tiles: dict[str, int] | None = None
    parts: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, event: Event) -> Measured:
        return cls(
            event["device"],
            event["cores"],
            event["key"],
            float(event["place"]),
            Timing(**event["compute"]),
            Timing(**event["whole"]),
            event["first"],
            event["ready"],
            event["flops"],
            event["moved"],
            event.get("differences", {}),
            event.get("tiles"),
            tuple(event.get("parts", ())),
        )

    @property
    def difference(self) -> float | None:
        """The largest to any device measured before; None for the first."""
        return max(self.differences.values()) if self.differences else None


class Results:
    """Of one run of one experiment; `subject` and `sizes` say what of."""

    def __init__(self, experiment: str, subject: str, sizes: dict[str, int]) -> None:
        self.experiment, self.subject, self.sizes = experiment, subject, dict(sizes)
        self.rows: list[Measured] = []
        self.failures: list[tuple[str, Message]] = []
        """(device, reason)."""
        self.begun: dict[str, Event] = {}
        """Device -> the first call of what is being measured on it."""

    def take(self, event: Event) -> None:
        kind = event["event"]
        if kind == "first":
            self.begun[event["device"]] = event
        elif kind in ("measured", "layers"):
            self.begun.pop(event["device"], None)
            self.rows.append(Measured.of(event))
        elif kind == "failed":
            self.begun.pop(event["device"], None)
            self.failures.append((event["device"], Message(event["template"], event["values"])))

    def of(self, device: str) -> list[Measured]:
        """Rows of a device in the order of their places."""
        return sorted((r for r in self.rows if r.device == device), key=lambda r: r.place)

    def devices(self) -> list[str]:
        return list(dict.fromkeys(r.device for r in self.rows))

    def speedups(self, device: str) -> list[tuple[int, float]]:
        """(cores, how many times faster than one core)."""
        rows = self.of(device)
        one = next((r.compute.median for r in rows if r.cores == 1), None)
        return [(r.cores, one / r.compute.median) for r in rows] if one else []


@dataclass
class Kept:
    """What outlives the page: it is built anew when the language changes, the numbers stay."""

    results: dict[str, Results] = field(default_factory=dict)
    asked: dict[str, list[DeviceInfo]] = field(default_factory=dict)
    """Experiment -> the devices it was measured on, or was to be."""
    peaks: dict[str, float] = field(default_factory=dict)
    devices: list[DeviceInfo] = field(default_factory=lambda: [numpy_device()])
    devices_done: bool = False
    """Whether all of them were found."""
    left_out: set[str] = field(default_factory=set)
    experiment: str = "operation"
    sizes: tuple[str, dict[str, int]] | None = None
    product: Any = None
    """What the drawing of the product shows."""


def finding(results: Results, devices: Sequence[DeviceInfo]) -> str:
    """What the numbers say, in a sentence or two; "" before there are enough."""
    names = {d.id: short_name(d) for d in devices}
    if not results.rows:
        return ""
    if results.experiment == "sizes":
        return "\n".join(_crossings(results, names))
    if results.experiment == "cores":
        return "\n".join(_gains(results, names))
    if results.experiment in ("batch", "data", "model"):
        return "\n".join(_growth(results, names))
    if results.experiment == "layers":
        return "\n".join(_heaviest(results, names))
    return _fastest(results, names)


def _fastest(results: Results, names: dict[str, str]) -> str:
    alone = min(results.rows, key=lambda r: r.compute.median)
    whole = min(results.rows, key=lambda r: r.whole.median)
    if len(results.devices()) == 1:
        text = tr("{device}: {s} computing alone, {t} with transfer there and back.")
        return text.format(
            device=names.get(alone.device, alone.device),
            s=duration(alone.compute.median),
            t=duration(whole.whole.median),
        )
    text = tr("Computing alone, {a} is first with {s}; with transfer there and back, {b} with {t}.")
    return text.format(
        a=names.get(alone.device, alone.device),
        s=duration(alone.compute.median),
        b=names.get(whole.device, whole.device),
        t=duration(whole.whole.median),
    )


def _crossings(results: Results, names: dict[str, str]) -> Iterable[str]:
    numpy = {r.place: r.compute.median for r in results.of("numpy")}
    for device in results.devices():
        both = [(r.place, r.compute.median, numpy[r.place]) for r in results.of(device) if r.place in numpy]
        if device == "numpy" or not both:
            continue
        losing = [int(p) for p, mine, theirs in both if mine > theirs]
        name = names.get(device, device)
        if not losing:
            yield tr("{device} is faster than NumPy in every size.").format(device=name)
        elif len(losing) == len(both):
            yield tr("{device} loses to NumPy in every size.").format(device=name)
        elif losing == [int(p) for p, _, _ in both[: len(losing)]]:
            yield tr("{device} loses to NumPy up to {n} × {n} and wins above.").format(
                device=name, n=i18n.integer(losing[-1])
            )
        else:
            sides = ", ".join(i18n.integer(n) for n in losing)
            yield tr("{device} loses to NumPy with sides {sides}.").format(device=name, sides=sides)


def _gains(results: Results, names: dict[str, str]) -> Iterable[str]:
    for device in results.devices():
        gains = results.speedups(device)
        share = serial_share(gains)
        if share is None:
            continue
        cores, gain = gains[-1]
        if gain <= 1:
            yield tr("{device}: {n} cores are no faster than one here ({gain} times).").format(
                device=names.get(device, device), n=cores, gain=i18n.number(gain, 2)
            )
            continue
        yield tr(
            "{device}: {n} cores are {gain} times as fast as one; a serial share of {share} fits."
        ).format(device=names.get(device, device), n=cores, gain=i18n.number(gain, 2), share=percent(share))


def _growth(results: Results, names: dict[str, str]) -> Iterable[str]:
    texts = {
        "batch": tr("{device}: {small} for an example alone, {large} in a batch of {n}."),
        "data": tr("{device}: {small} for an example in the smallest set, {large} in the largest."),
        "model": tr("{device}: {small} for a step of the smallest network, {large} of the largest."),
    }
    for device in results.devices():
        rows = results.of(device)
        if len(rows) < 2:
            continue
        share = results.experiment != "model"
        small, large = (r.compute.median / (r.place if share else 1.0) for r in (rows[0], rows[-1]))
        yield texts[results.experiment].format(
            device=names.get(device, device),
            small=duration(small),
            large=duration(large),
            n=i18n.integer(int(rows[-1].place)),
        )


def _heaviest(results: Results, names: dict[str, str]) -> Iterable[str]:
    for r in results.rows:
        total = sum(p["seconds"] for p in r.parts) or 1.0
        by_node: dict[str, float] = {}
        for p in r.parts:
            by_node[p["name"]] = by_node.get(p["name"], 0.0) + p["seconds"]
        node = max(by_node, key=lambda n: by_node[n], default="")
        yield tr("{device}: {layer} takes {share} of the {time} of all launches.").format(
            device=names.get(r.device, r.device),
            layer=node,
            share=percent(by_node.get(node, 0.0) / total),
            time=duration(total),
        )


HEAD = (
    "experiment", "what", "device", "cores", "place", "median s", "quartile 1 s", "quartile 3 s", "repeats",
    "with transfer s", "with transfer quartile 1 s", "with transfer quartile 3 s", "first call s",
    "made ready s", "GFLOP/s", "peak GFLOP/s", "bytes moved", "largest difference",
)  # fmt: skip


def as_csv(results: Results, peaks: dict[str, float]) -> str:
    """Every number of a run, with the point, one row a measurement; layers follow as rows of their own."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    sizes = " ".join(f"{k}={v}" for k, v in results.sizes.items())
    what = f"{results.subject} {sizes}".strip()
    write(HEAD)
    for r in results.rows:
        gflops = r.flops / r.compute.median / 1e9 if r.flops else ""
        c, w = r.compute, r.whole
        write([
            results.experiment, what, r.device, r.cores or "all", f"{r.place:g}", c.median, c.low, c.high,
            c.repeats, w.median, w.low, w.high, r.first, r.ready, gflops, peaks.get(r.device, ""), r.moved,
            "" if r.difference is None else r.difference,
        ])  # fmt: skip
    if any(r.parts for r in results.rows):
        write([])
        write(["device", "layer", "phase", "operations", "also", "seconds", "flops"])
        for r in results.rows:
            for p in r.parts:
                write([r.device, p["name"], p["phase"], " ".join(p["kinds"]), " ".join(p["also"]),
                       p["seconds"], p["flops"]])  # fmt: skip
    for device, reason in results.failures:
        write([])
        write([device, str(reason)])
    return out.getvalue()
