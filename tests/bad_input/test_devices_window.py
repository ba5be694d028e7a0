"""Cases 80 to 91 of BAD_INPUTS as the window meets them: what it says, and an engine that dies or hangs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

import main
from engine.backends import devices
from engine.backends.opencl import runtime
from engine.errors import Message
from engine.session import building
from engine.session import protocol as p
from engine.session.client import Client
from engine.session.pace import Pace
from engine.session.segments import Registry
from gui import runner as running
from gui.live import short_device
from gui.panels.toast import Toast
from gui.runner import Runner
from tests.engine.backends.faulty import Faults, faulty_backend
from tests.engine.backends.opencl_help import device_ids
from tests.engine.session.conftest import CIRCLE, SGD, Inline, circle_net
from tests.gui.desk import Desk
from tests.gui.test_runner import Heard

DEVICE = next(iter(device_ids()), "")
here = pytest.mark.skipif(not DEVICE, reason="no OpenCL device here")
kills = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(qtbot, tmp_path / "settings.ini")
    yield made
    made.close()


def toasts(desk: Desk) -> list[str]:
    return [toast.text for toast in desk.window.toasts.findChildren(Toast)]


@here
@pytest.mark.parametrize("scale", [1600, 800])
def test_case_84_and_91_the_window_says_device_and_reason(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, scale: int
) -> None:
    desk.window.resize(scale, 1000 if scale > 800 else 600)
    desk.open("circle")
    faults = Faults()
    monkeypatch.setattr(building, "open_backend", lambda name: faulty_backend(name, faults))
    desk.runner.set_device(DEVICE)
    desk.runner.go()
    assert "chosen by you" in desk.window.status_bar._device.toolTip()
    desk.actions["play"].trigger()
    desk.runner.go(5)
    faults.arm(3)
    desk.runner.go(5)
    assert desk.bench.status.device == "numpy" and desk.bench.status.running == "playing"
    assert len(toasts(desk)) == 1 and "NumPy took over from the checkpoint at step" in toasts(desk)[0]
    tip = desk.window.status_bar._device.toolTip()
    assert tip.startswith("NumPy on ") and ", the device failed at step " in tip
    for part in (*desk.window.toasts.findChildren(Toast), desk.window.status_bar._device):
        corner = part.mapTo(desk.window, part.rect().bottomRight())
        assert part.isVisible() and desk.window.rect().contains(corner)
    step = desk.bench.status.step
    desk.runner.go(5)
    assert desk.bench.status.step > step


def found(*listed: devices.DeviceInfo, best: str = "") -> p.Devices:
    return p.Devices((devices.numpy_device(), *listed), best, True)


def card(id: str, name: str, **more: Any) -> devices.DeviceInfo:
    facts = replace(devices.numpy_device(), id=id, name=name, kind="gpu", reason=Message("passed its test"))
    return replace(facts, **more)


def test_case_89_two_cards_can_be_told_apart_and_chosen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    described = [
        runtime.Found(f"opencl:{d}:{i}", name, d, "", "", "1", "gpu", 1, 1, 1, False)
        for d, i, name in (
            ("nvidia", 0, "Card"),
            ("nvidia", 1, "Card"),
            ("amd", 0, "Other"),
            ("intel", 0, "CPU"),
            ("pocl", 0, "CPU"),
        )
    ]
    names = [f.name for f in runtime.told_apart(described)]
    assert names == ["Card #1", "Card #2", "Other", "CPU (intel)", "CPU (pocl)"]
    # short names keep the number
    status = p.Status(device="opencl:nvidia:1", device_name="Intel(R) Arc(TM) Card of a kind #2")
    assert short_device(status) == "Intel Arc Card of a… #2"
    chosen: list[str] = []
    monkeypatch.setattr(desk.runner, "set_device", chosen.append, raising=False)
    desk.runner.devices.emit(found(*(card(f"opencl:nvidia:{i}", f"Card #{i + 1}") for i in (0, 1))))
    menu = QMenu()
    desk.commands.devices.fill(menu)
    texts = [a.text() for a in menu.actions()]
    assert texts[1:3] == ["Card #1", "Card #2"]
    menu.actions()[2].trigger()
    assert chosen == ["opencl:nvidia:1"] == [desk.state.device]


def test_case_89_the_device_chosen_last_time_is_taken_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[str] = []
    monkeypatch.setattr(desk.runner, "set_device", chosen.append, raising=False)
    desk.state.device = "opencl:nvidia:1"
    two = [card("opencl:nvidia:0", "Card #1"), card("opencl:nvidia:1", "Card #2")]
    desk.runner.devices.emit(found(*two, best="opencl:nvidia:0"))
    desk.runner.devices.emit(found(*two, best="opencl:nvidia:0"))
    assert chosen == ["opencl:nvidia:1"] and not toasts(desk)


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ([], "opencl:nvidia:1, chosen last time, is not there"),
        ([card("opencl:nvidia:1", "Card #2", verdict="refused", reason=Message("wrong numbers"))],
         "Card #2, chosen last time, cannot be used: wrong numbers"),
    ],
)  # fmt: skip
def test_case_89_a_chosen_device_that_is_gone_is_missed(
    desk: Desk, listed: list[devices.DeviceInfo], says: str
) -> None:
    desk.state.device = "opencl:nvidia:1"
    desk.runner.devices.emit(found(*listed))
    assert len(toasts(desk)) == 1 and says in toasts(desk)[0]


def test_case_80_the_status_bar_keeps_its_place_with_a_long_reason(desk: Desk) -> None:
    desk.window.resize(800, 600)
    bar = desk.window.status_bar
    why = "No OpenCL driver is installed (clGetPlatformIDs failed: PLATFORM_NOT_FOUND_KHR)."
    desk.settle()
    bar.set_device("NumPy on 2 cores", why)
    assert bar._device.toolTip() == f"NumPy on 2 cores: {why}"
    bar.set_device("NumPy on 2 cores", why)
    assert desk.window.width() == 800
    assert bar._device.geometry().right() < bar.width() and bar._device.text().endswith("…")


# ---- 84, 90: an engine that dies with its device, sleeps or hangs ----------------------------------


@pytest.fixture
def heard(qtbot: QtBot, tmp_path: Path) -> Iterator[Heard]:
    made = Heard(Runner(client=Client(Registry(tmp_path / "segments"))), qtbot)
    yield made
    made.runner.close()


def training(heard: Heard, device: str) -> None:
    heard.runner.configure(circle_net(), SGD, CIRCLE, device=device)
    heard.wait("configured", seconds=60)
    heard.runner.play()
    heard.wait("status", lambda s: s.step > 5 and s.device == device, 60)
    heard.qtbot.waitUntil(lambda: heard.runner._client.newest() is not None, timeout=20_000)


def kill(heard: Heard, number: int) -> None:
    """Send a signal to the engine's process."""
    pid = heard.runner.pid
    assert pid is not None
    os.kill(pid, number)


@here
@kills
def test_case_84_an_engine_that_dies_twice_on_a_device_goes_on_on_numpy(heard: Heard) -> None:
    training(heard, DEVICE)
    kill(heard, signal.SIGKILL)
    heard.qtbot.waitUntil(lambda: len(heard.all("restarted")) == 1, timeout=20_000)
    step = heard.all("restarted")[0].checkpoint.step
    again = heard.wait("status", lambda s: s.step > step + 50, 60)
    assert again.device == DEVICE  # once may be chance
    kill(heard, signal.SIGKILL)
    heard.qtbot.waitUntil(lambda: len(heard.all("restarted")) == 2, timeout=20_000)
    told = heard.wait("fault", lambda f: f.kind == "device")
    assert "NumPy took over: the engine died on " in str(told.message)
    state = heard.all("restarted")[1]
    now = heard.wait("status", lambda s: s.device == "numpy" and s.step > state.checkpoint.step, 60)
    assert now.running == "playing" and "the engine died on" in str(now.reason)


@kills
@pytest.mark.parametrize("device", ["numpy", pytest.param(DEVICE, marks=here)])
def test_case_90_an_engine_that_hangs_is_told_of_and_can_be_replaced(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    training(heard, device)
    monkeypatch.setattr(running, "SILENT_MS", 400)
    kill(heard, signal.SIGSTOP)
    told = heard.wait("fault", lambda f: f.kind == "silent")
    assert "has not answered" in str(told.message)
    heard.qtbot.wait(700)
    assert len([f for f in heard.all("fault") if f.kind == "silent"]) == 1
    monkeypatch.setattr(running, "SILENT_MS", 60_000)
    heard.runner.replace_engine()
    heard.qtbot.waitUntil(lambda: len(heard.all("restarted")) == 1, timeout=20_000)
    step = heard.all("restarted")[0].checkpoint.step
    heard.wait("status", lambda s: s.device == "numpy" and s.step > step + 50, 60)


@kills
def test_case_90_suspended_and_resumed_it_goes_on_as_if_nothing_had_been(heard: Heard) -> None:
    training(heard, "numpy")
    kill(heard, signal.SIGSTOP)
    heard.qtbot.wait(1500)
    kill(heard, signal.SIGCONT)
    step = heard.runner.last_status.step
    heard.wait("status", lambda s: s.step > step + 100)
    heard.runner.pause()
    heard.wait("status", lambda s: s.running == "paused")
    run, error = heard.ask(heard.runner.checkpoint)
    assert error is None and not heard.all("fault") and not heard.all("died")
    twin = Inline().circle()
    while twin.trainer.step < run.checkpoint.step:
        twin.trainer.run(run.checkpoint.step - twin.trainer.step)
    for key, array in twin.state().items():
        np.testing.assert_array_equal(run.checkpoint.state[key], array)
    twin.session.close()


def test_case_90_an_hour_asleep_is_not_caught_up_on() -> None:
    pace = Pace()
    pace.rate = 100.0
    pace.start(0.0)
    assert pace.due(1.0) == 10  # a tenth of a second at most
    pace.took(10)
    assert pace.due(3600.0) == 10


# ---- 91: screens that are none, large or small -----------------------------------------------------


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
def test_case_91_a_dead_wayland_is_noticed_before_qt_aborts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "QT_QPA_PLATFORM", "WAYLAND_SOCKET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    assert main.main([]) == 1
    said = capsys.readouterr().err
    assert "WAYLAND_DISPLAY is wayland-7, but nothing answers there" in said and said.count("\n") == 1
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen(1)
        assert main.no_screen() == ""


SMALL_AND_LARGE = """
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
app = QApplication([])
from gui.actions import Actions
from gui.commands import Commands
from gui.main_window import MainWindow
from gui.windows_state import WindowsState
from gui.workbench import Workbench
from tests.gui.desk import InlineRunner
bench = Workbench(WindowsState(QSettings({settings!r}, QSettings.Format.IniFormat)), InlineRunner())
window = MainWindow(bench, Actions())
window.resize(800, 600)
window.show()
app.processEvents()
picture = window.grab()
print(window.width(), window.height(), picture.width(), picture.height())
print(window.training_bar.play.isVisible(), window.status_bar.isVisible())
"""


@pytest.mark.parametrize("scale", [1, 2])
def test_case_91_800_by_600_and_twice_the_size(root: Path, tmp_path: Path, scale: int) -> None:
    environment = {**os.environ, "QT_SCALE_FACTOR": str(scale), "QT_QPA_PLATFORM": "offscreen",
                   "PYTHONPATH": str(root)}  # fmt: skip
    code = SMALL_AND_LARGE.format(settings=str(tmp_path / "settings.ini"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8",
                          timeout=60, env=environment, cwd=root)  # fmt: skip
    assert done.stdout.split("\n")[:2] == [f"800 600 {800 * scale} {600 * scale}", "True True"], done.stderr
