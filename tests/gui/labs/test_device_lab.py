"""The device lab as a person uses it: choose, measure, look, cancel, copy, leave."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from engine.backends.devices import DeviceInfo, numpy_device
from engine.devicelab.run import Event
from engine.errors import Message
from engine.session.protocol import Devices
from gui import i18n
from gui.labs.device_bars import Bar
from gui.labs.device_charts import bars, layers, lines
from gui.labs.device_lab import DeviceLab
from gui.labs.device_results import Results, as_csv, finding
from gui.labs.device_words import duration, experiments, tick
from tests.gui.desk import Desk

REFUSED = DeviceInfo(
    "opencl:broken:0", "Broken card", "Nobody", "1.0", "gpu", 8, 1 << 30, False, "refused",
    Message("it computes wrong numbers: {kind} is off by {error}", {"kind": "dense", "error": "0.5"}),
    1000, "Broken",
)  # fmt: skip
GOOD = replace(REFUSED, id="opencl:good:0", name="Good card", verdict="ok", reason=Message("passed its test"))
DEVICES = [numpy_device(), GOOD, REFUSED]


@pytest.fixture
def lab(desk: Desk, qtbot: QtBot) -> Iterator[DeviceLab]:
    made = DeviceLab(desk.bench)
    qtbot.addWidget(made)
    made.resize(1600, 940)
    made.open()
    desk.runner.devices.emit(Devices(tuple(DEVICES), "", True))
    yield made
    made.end()


def event(device: str, place: float, seconds: float, **more: object) -> Event:
    took = {"median": seconds, "low": seconds * 0.9, "high": seconds * 1.2, "repeats": 9}
    whole = {k: v if k == "repeats" else v * 2 for k, v in took.items()}
    return {
        "event": "measured", "device": device, "cores": 0, "key": "k", "place": place, "compute": took,
        "whole": whole, "first": seconds * 10, "ready": 1.0, "flops": 2e9, "moved": 12_000_000, **more,
    }  # fmt: skip


def results(experiment: str, events: list[Event]) -> Results:
    made = Results(experiment, "product", {"m": 1000, "k": 1000, "n": 1000})
    for one in events:
        made.take(one)
    return made


def _in_german(lab: DeviceLab) -> DeviceLab:
    """The page built anew in another language, as the window does."""
    lab.end()
    i18n.install("de")
    try:
        again = DeviceLab(lab.bench, lab.kept)
        again.open()
        return again
    finally:
        i18n.install("en")


def test_measure_look_copy_and_leave(lab: DeviceLab, qtbot: QtBot) -> None:
    lab.cards.cards[1].box.setChecked(False)  # the made-up card cannot be opened
    for key in ("m", "k", "n"):
        lab.sizes.set_value(key, 40)
    qtbot.mouseClick(lab.measure_button, Qt.MouseButton.LeftButton)
    assert lab.cancel_button.isVisible()
    assert not lab.measure_button.isEnabled()
    qtbot.waitUntil(lambda: lab.run is not None and lab.run.done, timeout=60_000)
    (bar,) = lab.bars.bars()
    assert bar.compute is not None and "GFLOP/s" in bar.figures and "of the peak" in bar.figures
    assert "first call" in bar.notes
    assert lab.finding.text().startswith("NumPy: ")
    assert lab.measure_button.isEnabled()
    qtbot.waitUntil(lambda: bool(lab.product.rows.texts()), timeout=10_000)
    view = lab.product.view
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=view._places()[2].center().toPoint())
    assert "c(21, 21) = " in lab.product.formula.text()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.cell == (20, 21)
    said = dict(lab.product.rows.texts())
    assert said["NumPy"][:5] == said["sum of 40 products in 64 bits"][:5]
    qtbot.mouseClick(lab.copy, Qt.MouseButton.LeftButton)
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
    assert float(rows[0]["median s"]) == bar.compute[0]
    again = _in_german(lab)
    qtbot.addWidget(again)
    assert [b.compute for b in again.bars.bars()] == [bar.compute]
    assert again.sizes.sizes() == {"m": 40, "k": 40, "n": 40}
    assert "Summe von 40 Produkten in 64 Bit" in dict(again.product.rows.texts())
    assert [c.box.isChecked() for c in again.cards.cards] == [True, False, False]
    assert again.peak("numpy") == lab.peak("numpy")
    with qtbot.waitSignal(lab.closed):
        qtbot.keyClick(lab, Qt.Key.Key_Escape)
    assert lab.run is None


def test_cancel_ends_the_process_and_keeps_the_window(lab: DeviceLab, qtbot: QtBot) -> None:
    lab.cards.cards[1].box.setChecked(False)
    for key in ("m", "k", "n"):
        lab.sizes.set_value(key, 1500)
    lab.measure()
    assert lab.run is not None
    pid = lab.run.pid
    assert pid is not None
    qtbot.wait(150)
    qtbot.mouseClick(lab.cancel_button, Qt.MouseButton.LeftButton)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert lab.progress_text.text() == "canceled"
    assert lab.measure_button.isEnabled()


def test_cards_say_why_a_device_takes_no_part(lab: DeviceLab) -> None:
    good, refused = lab.cards.cards[1:]
    assert good.box.isChecked()
    assert not refused.box.isEnabled() and not refused.box.isChecked()
    assert "dense is off by 0.5" in refused.verdict.text()
    lab.cards.cards[0].box.setChecked(False)
    good.box.setChecked(False)
    assert "at least one device" in lab.trouble.text()
    assert not lab.measure_button.isEnabled()


def test_without_a_network_its_experiments_say_what_is_missing(lab: DeviceLab, desk: Desk) -> None:
    lab.choose("batch")
    assert not lab.measure_button.isEnabled()
    assert "empty" in lab.trouble.text()
    desk.open("circle")
    lab.choose("batch")
    assert lab.measure_button.isEnabled()
    assert lab.sizes.kind.findData("step") >= 0


def test_sizes_that_are_too_large_are_refused_in_words(lab: DeviceLab) -> None:
    for key in ("m", "k", "n"):
        lab.sizes.set_value(key, 16_384)
    lab.measure()
    assert lab.run is None
    assert "choose smaller ones" in lab.trouble.text()


def test_small_sizes_that_lose_are_shown_losing() -> None:
    events = [event("numpy", n, 1e-8 * n**3 + 1e-6) for n in (2.0, 16.0, 128.0)]
    events += [event("opencl:good:0", n, 1e-9 * n**3 + 5e-5) for n in (2.0, 16.0, 128.0)]
    made = results("sizes", events)
    assert finding(made, DEVICES) == "Good loses to NumPy up to 16 × 16 and wins above."
    drawn, frame = lines(made, DEVICES)
    assert [p[0] for p in drawn[0].points] == [2, 16, 128]
    assert frame.log


def test_cores_stand_beside_what_is_possible_and_amdahl() -> None:
    events = [event("numpy", float(n), 0.1 / g, cores=n) for n, g in ((1, 1.0), (2, 1.8), (4, 3.0))]
    made = results("cores", events)
    drawn, frame = lines(made, DEVICES)
    assert [line.dashed for line in drawn] == [False, True, True]
    assert drawn[0].points[-1][1] == pytest.approx(3.0)
    assert "Amdahl" in drawn[1].name
    assert "4 cores are 3.00 times as fast" in finding(made, DEVICES)
    assert not frame.log


def test_bars_say_what_failed_and_what_differs() -> None:
    other = event("opencl:good:0", 0, 0.01, differences={"numpy": 0.2})
    made = results("operation", [event("numpy", 0, 0.02), other])
    made.take({"event": "failed", "device": REFUSED.id, "template": "no memory", "values": {}, "key": ""})
    first, second, third = bars(made, DEVICES, DEVICES, lambda _d: 400.0, "")
    assert first == replace(first, agrees=True) and "25 % of the peak" in first.figures
    assert not second.agrees and "0.200" in second.check.replace("0.20 ", "0.200 ")
    assert third.failed == "no memory"
    assert isinstance(first, Bar)
    waiting = bars(results("operation", []), DEVICES[:2], DEVICES, lambda _d: None, "numpy")
    assert [b.waiting for b in waiting] == ["measuring …", "waits: one device at a time"]


def test_layers_are_added_up_by_name() -> None:
    parts = [
        {"node": "a", "name": "conv1", "category": "linear", "phase": p, "kinds": ["conv2d"],
         "also": ["relu1"], "seconds": s, "flops": 1.0} for p, s in (("forward", 1e-3), ("backward", 2e-3))
    ]  # fmt: skip
    made = results("layers", [{**event("numpy", 0, 0.004), "event": "layers", "parts": parts}])
    (device,) = layers(made, DEVICES)
    assert device.layers[0].total == pytest.approx(3e-3)
    assert "conv1 takes 100 %" in finding(made, DEVICES)
    assert "conv1,forward,conv2d,relu1" in as_csv(made, {})


@pytest.mark.parametrize("experiment", list(experiments()))
def test_every_page_paints(lab: DeviceLab, experiment: str) -> None:
    made = results(experiment, [event("numpy", n, 0.01 * n, cores=int(n)) for n in (1.0, 2.0)])
    lab.results[experiment], lab.asked[experiment] = made, DEVICES[:1]
    lab.choose(experiment)
    assert not lab.grab().isNull()
    lab.resize(1280, 740)
    assert lab.list.width() < 256
    for view in (lab.bars, lab.points, lab.layers):
        assert view._failure == ""


def test_times_are_written_with_their_unit() -> None:
    assert [duration(s) for s in (1.2345e-6, 0.0213, 3.0)] == ["1.23 µs", "21.3 ms", "3.00 s"]
    assert [tick(s) for s in (1e-5, 0.0025, 2.0)] == ["10 µs", "2.5 ms", "2 s"]
