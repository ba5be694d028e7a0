"""From results to what the charts draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.backends.devices import DeviceInfo
from engine.devicelab.amdahl import serial_share, speedup
from engine.devicelab.timing import Timing
from engine.devicelab.work import Work
from gui import i18n
from gui.i18n import tr
from gui.labs.device_bars import Bar
from gui.labs.device_layers import DeviceLayers, LayerTime
from gui.labs.device_points import Frame, Line
from gui.labs.device_results import TOLERANCE, Measured, Results
from gui.labs.device_words import device_token, duration, percent, place_name, rate, short_name, tick

Peak = Callable[[str], float | None]


def bars(
    results: Results, asked: Sequence[DeviceInfo], devices: list[DeviceInfo], peak: Peak, busy: str
) -> list[Bar]:
    """One bar for each device that was asked; `busy` is the one being measured."""
    out = []
    for device in asked:
        name, token = short_name(device), device_token(device.id, devices)
        failed = next((r for d, r in results.failures if d == device.id), None)
        rows = results.of(device.id)
        if rows:
            out.append(_bar(results, rows[-1], name, token, peak(device.id)))
        elif failed is not None:
            out.append(Bar(name, token, failed=i18n.tr_message(failed)))
        else:
            begun = results.begun.get(device.id)
            notes = _notes(begun["first"], begun["ready"]) if begun else ""
            waiting = tr("measuring …") if device.id == busy else tr("waits: one device at a time")
            out.append(Bar(name, token, waiting=waiting if busy else "", notes=notes))
    return out


def _bar(results: Results, r: Measured, name: str, token: str, peak: float | None) -> Bar:
    figures = [rate(r.flops, r.compute.median)]
    if r.flops and peak and results.experiment == "operation":
        figures.append(
            tr("{share} of the peak").format(share=percent(r.flops / r.compute.median / 1e9 / peak))
        )
    if results.subject == "warp":
        pixels = Work("warp", results.sizes).pixels
        figures.append(tr("{n} million pixels/s").format(n=i18n.short(pixels / r.compute.median / 1e6, 3)))
    if results.subject == "elementwise":
        figures.append(f"{i18n.short(r.moved / r.compute.median / 1e9, 3)} GB/s")
    if results.subject == "step":
        figures.append(tr("{n} steps/s").format(n=i18n.short(1 / r.compute.median, 3)))
    notes = tr("with transfer {t}").format(t=duration(r.whole.median)) + " · " + _notes(r.first, r.ready)
    check = ""
    if r.difference is not None:
        check = tr("differs by {d} at most").format(d=i18n.short(r.difference, 2))
    elif len(results.devices()) > 1:
        check = tr("the others are compared with it")
    return Bar(
        name,
        token,
        _triple(r.compute),
        _triple(r.whole),
        r.first,
        " · ".join(f for f in figures if f),
        notes,
        check,
        r.difference is None or r.difference <= TOLERANCE,
    )


def _notes(first: float, ready: float) -> str:
    text = tr("first call {first}, made ready in {ready}")
    return text.format(first=duration(first), ready=duration(ready))


def _triple(t: Timing) -> tuple[float, float, float]:
    return t.median, t.low, t.high


def lines(results: Results, devices: list[DeviceInfo]) -> tuple[list[Line], Frame]:
    """Time over sizes; for cores the gain, with what is possible and what Amdahl's law gives."""
    known = {d.id: d for d in devices}
    out: list[Line] = []
    gains = results.experiment == "cores"
    for id in results.devices():
        name = short_name(known[id]) if id in known else id
        token = device_token(id, devices)
        if gains:
            out += _gain_lines(results, id, name, token)
        else:
            points = tuple((r.place, *_triple(r.compute)) for r in results.of(id))
            out.append(Line(name, token, points))
    place = place_name(results.experiment)
    if not gains:
        named = {
            "sizes": tr("time of one call, without transfer"),
            "data": tr("time of an epoch"),
        }.get(results.experiment, tr("time of a training step"))
        return out, Frame(place, named, duration, tick_text=tick)
    most = max((r.cores for r in results.rows), default=1)
    if out and most > 1:
        ideal = tuple((float(n), float(n), float(n), float(n)) for n in (1, most))
        out.append(Line(tr("as many times as cores"), "text3", ideal, dashed=True))
    return out, Frame(place, tr("times as fast as one core"), _times, log=False, tick_text=_short_times)


def _times(value: float) -> str:
    return f"{i18n.number(value, 2)} ×"


def _short_times(value: float) -> str:
    return f"{i18n.number(value, 1)} ×"


def _gain_lines(results: Results, id: str, name: str, token: str) -> list[Line]:
    rows = results.of(id)
    one = next((r.compute.median for r in rows if r.cores == 1), None)
    if one is None:
        return []
    points = tuple(
        (float(r.cores), one / r.compute.median, one / r.compute.high, one / r.compute.low) for r in rows
    )
    found = [Line(name, token, points)]
    share = serial_share(results.speedups(id))
    if share is not None:
        most = max(r.cores for r in rows)
        places = [1 + (most - 1) * i / 24 for i in range(25)]
        law = tuple((n, s, s, s) for n, s in ((n, speedup(share, n)) for n in places))
        text = tr("Amdahl, {share} serial").format(share=percent(share))
        found.append(Line(f"{name}: {text}", token, law, dashed=True))
    return found


def layers(results: Results, devices: list[DeviceInfo]) -> list[DeviceLayers]:
    """Each device's launches added up by layer, in the order of the network."""
    known = {d.id: d for d in devices}
    out = []
    for r in results.rows:
        by_node: dict[str, list[Mapping[str, object]]] = {}
        for part in r.parts:
            by_node.setdefault(str(part["node"]), []).append(part)
        times = []
        for parts in by_node.values():
            also = dict.fromkeys(str(n) for p in parts for n in p["also"])  # type: ignore[attr-defined]
            phases = tuple((str(p["phase"]), float(p["seconds"])) for p in parts)  # type: ignore[arg-type]
            head = parts[0]
            times.append(LayerTime(str(head["name"]), str(head["category"]), phases, tuple(also)))
        name = short_name(known[r.device]) if r.device in known else r.device
        out.append(DeviceLayers(name, device_token(r.device, devices), r.compute.median, tuple(times)))
    return out
