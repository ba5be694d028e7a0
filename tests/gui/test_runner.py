"""The seam between window and engine: signals, the clock that stops, and an engine that is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.data.source import SourceSpec
from engine.session import protocol as p
from engine.session import views as v
from engine.session.client import Client
from engine.session.segments import Registry
from engine.training import Trainer
from gui.project_files import write_script
from gui.runner import Runner
from tests.engine.session.conftest import CIRCLE, SGD, Inline, circle_net


class Heard:
    """A runner with everything it emitted, in order."""

    def __init__(self, runner: Runner, qtbot: QtBot) -> None:
        self.runner, self.qtbot = runner, qtbot
        self.events: list[tuple[str, Any]] = []
        for name in ("configured", "status", "frame", "fault", "devices", "progress", "died", "restarted"):
            getattr(runner, name).connect(lambda thing, name=name: self.events.append((name, thing)))

    def all(self, name: str) -> list[Any]:
        return [thing for kind, thing in self.events if kind == name]

    def wait(self, name: str, test: Callable[[Any], bool] = lambda e: True, seconds: float = 20.0) -> Any:
        """The first event of this name, from now on or already there, that passes."""
        found: list[Any] = []

        def came() -> bool:
            found[:] = [e for e in self.all(name) if test(e)]
            return bool(found)

        self.qtbot.waitUntil(came, timeout=int(seconds * 1000))
        return found[0]

    def rest(self) -> None:
        self.qtbot.waitUntil(lambda: not self.runner.ticking, timeout=20_000)

    def ask(self, method: Callable[..., None], *arguments: Any) -> tuple[Any, Any]:
        got: list[tuple[Any, Any]] = []
        method(*arguments, lambda *answer: got.append(answer))
        self.qtbot.waitUntil(lambda: bool(got), timeout=20_000)
        return got[0] if len(got[0]) == 2 else (got[0][0], None)


@pytest.fixture
def heard(qtbot: QtBot, tmp_path: Path) -> Iterator[Heard]:
    runner = Runner(client=Client(Registry(tmp_path / "segments")))
    yield Heard(runner, qtbot)
    runner.close()


@pytest.fixture
def inline() -> Iterator[Inline]:
    made = Inline()
    yield made
    made.session.close()


def configured(heard: Heard) -> p.Configured:
    heard.runner.configure(circle_net(), SGD, CIRCLE)
    found = heard.wait("configured")
    assert isinstance(found, p.Configured)
    return found


def test_configure_play_pause_and_the_clock_stops(heard: Heard) -> None:
    told = configured(heard)
    assert told.generation == heard.runner.generation == 1
    assert told.data.class_names == ("0", "1") and told.data.n_test == 50
    heard.rest()
    assert heard.runner.last_status.running == "paused"
    heard.runner.play()
    assert heard.runner.ticking
    status = heard.wait("status", lambda s: s.step > 30 and s.running == "playing")
    assert status.pace == pytest.approx(13 * 15)  # about one epoch a frame
    assert status.device == "numpy" and status.parameters == 13
    heard.runner.pause()
    heard.rest()
    step = heard.runner.last_status.step
    assert heard.runner.last_status.running == "paused"
    # the test numbers of a pause are those of its step
    assert heard.runner.last_status.test_step == step
    heard.qtbot.wait(100)
    assert heard.runner.last_status.step == step and not heard.runner.ticking
    assert not heard.all("fault")


def test_frames_come_at_a_moderate_rate_and_the_last_one_is_exact(heard: Heard) -> None:
    configured(heard)
    heard.runner.watch("w", v.Matrix("dense1.weight@new"))
    heard.runner.watch("z", v.Matrix("dense1.z"))
    heard.runner.set_pace(None)
    heard.runner.play()
    heard.wait("frame")
    heard.events.clear()
    heard.qtbot.wait(1000)
    frames = len(heard.all("frame"))
    assert 4 <= frames <= 22
    heard.runner.pause()
    heard.rest()
    last = heard.all("frame")[-1]
    assert last.phase == "step" and last.step == heard.runner.last_status.step - 1
    run, _ = heard.ask(heard.runner.checkpoint)
    np.testing.assert_array_equal(last.views["w"].values, run.checkpoint.state["dense1.weight"])
    assert last.views["z"].values.shape == (3, last.n)


def test_questions_are_answered(heard: Heard, tmp_path: Path) -> None:
    configured(heard)
    heard.runner.step()
    found, error = heard.ask(heard.runner.explain, "dense1.z", (1, 2))
    assert error is None and found.step == 0 and len(found.terms.terms) == 3  # two products and the bias
    assert found.terms.total == pytest.approx(found.number, rel=1e-5)
    nothing, error = heard.ask(heard.runner.explain, "dense1.z", (77, 2))
    assert nothing is None and "dense1.z" in str(error)
    said, _ = heard.ask(heard.runner.predict, np.zeros((5, 2), np.float32), ("dense1.z",))
    assert said.shares.shape == (5, 2) and said.values["dense1.z"].shape == (5, 3)
    _, error = heard.ask(heard.runner.predict, np.zeros((5, 3), np.float32), ())
    assert error is not None
    data, _ = heard.ask(heard.runner.export)
    assert data.state["dense1.weight"].shape == (3, 2) and data.dataset.class_names == ("0", "1")
    assert data.run.checkpoint.step == 1
    script = write_script(tmp_path / "net.py", "jax", data)
    assert "tanh1 = jnp.tanh(dense1)" in script.read_text(encoding="utf-8")
    with np.load(tmp_path / "net_examples.npz") as held:
        assert np.array_equal(held["inputs"], data.dataset.x_test) and len(held["inputs"]) == 5
    old, _ = heard.ask(heard.runner.edit_cells, "dense1.bias", np.array([[2]]), np.array([4.5]))
    again, _ = heard.ask(heard.runner.edit_cells, "dense1.bias", np.array([[2]]), old)
    assert again[0] == 4.5
    whole, _ = heard.ask(heard.runner.read, "dense1.weight@old")
    assert whole.shape == (3, 2)


def test_what_is_refused_is_a_fault_and_the_program_stays(heard: Heard) -> None:
    configured(heard)
    heard.runner.configure(circle_net(), SGD, SourceSpec.toy("nowhere"))
    fault = heard.wait("fault")
    assert fault.kind == "configure" and "nowhere" in str(fault.message)
    heard.runner.step()
    assert heard.wait("status", lambda s: s.step == 1)
    heard.runner.set_device("opencl:none:9")
    assert heard.wait("fault", lambda f: f.kind == "device")
    assert heard.runner.last_status.device == "numpy"


def test_answers_about_an_older_program_are_dropped(heard: Heard) -> None:
    configured(heard)
    heard.runner.watch("w", v.Matrix("dense1.weight@old"))
    heard.runner.set_pace(None)
    heard.runner.play()
    heard.wait("frame")
    heard.runner.configure(circle_net(), SGD, CIRCLE)
    heard.events.clear()
    heard.wait("frame", lambda f: f.step > 0)
    assert {f.generation for f in heard.all("frame")} == {2}
    assert heard.runner.last_status.running == "playing"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_engine_is_replaced_and_continues_bitwise(heard: Heard, inline: Inline) -> None:
    configured(heard)
    heard.runner.watch("w", v.Matrix("dense1.weight@old"))
    heard.runner.set_pace(800.0)
    heard.runner.play()
    heard.wait("status", lambda s: s.step > 1500)
    pid = heard.runner.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    answers: list[Any] = []
    heard.runner.explain("dense1.z", (0, 0), lambda *a: answers.append(a))
    heard.wait("died")
    state = heard.wait("restarted")
    assert 0 < state.checkpoint.step <= heard.runner.last_status.step
    assert heard.wait("fault", lambda f: f.kind == "engine")
    heard.wait("status", lambda s: s.step > 3000)
    assert heard.runner.pid != pid
    assert len(answers) == 1  # answered, or told why not
    heard.runner.pause()
    heard.rest()
    run, _ = heard.ask(heard.runner.checkpoint)
    inline.circle()
    t = inline.trainer
    assert isinstance(t, Trainer)
    while t.step < run.checkpoint.step:
        t.run(run.checkpoint.step - t.step)
    for key, array in inline.state().items():
        np.testing.assert_array_equal(run.checkpoint.state[key], array)
    assert heard.all("frame")[-1].step == run.checkpoint.step - 1


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_an_engine_that_keeps_dying_is_left_alone_until_it_is_needed(heard: Heard) -> None:
    configured(heard)
    heard.runner.play()
    heard.wait("status", lambda s: s.step > 5)
    heard.qtbot.waitUntil(lambda: heard.runner._client.newest() is not None, timeout=10_000)
    for deaths in range(1, 5):
        pid = heard.runner.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        heard.runner.pause()
        heard.qtbot.waitUntil(lambda n=deaths: len(heard.all("died")) == n, timeout=10_000)
    assert len(heard.all("restarted")) == 3
    heard.qtbot.wait(50)
    assert not heard.runner.ticking
    heard.runner.step()
    assert len(heard.all("restarted")) == 4
    before = heard.all("restarted")[-1].checkpoint.step
    heard.wait("status", lambda s: s.step >= before + 1 and s.running == "paused")


def test_nothing_blocks_the_window(heard: Heard) -> None:
    configured(heard)
    heard.runner.set_pace(None)
    nodes = tuple((n.uid, "activations") for n in circle_net().nodes)
    heard.runner.watch("t", v.Thumbs(nodes))
    heard.runner.watch("b", v.Boundary(neurons=("tanh1",)))
    heard.runner.play()
    heard.wait("frame")
    longest = 0.0
    end = time.monotonic() + 1.0
    big = np.zeros((100_000, 2), np.float32)  # more than any pipe takes at once
    got: list[Any] = []
    while time.monotonic() < end:
        start = time.perf_counter()
        heard.runner.set_training(SGD)
        if not got:
            heard.runner.predict(big, (), lambda *a: got.append(a))
            got.append(None)
        longest = max(longest, time.perf_counter() - start)
        heard.qtbot.wait(5)
    assert longest < 0.05
    heard.qtbot.waitUntil(lambda: len(got) > 1, timeout=20_000)
    assert got[1][0].shares.shape == (100_000, 2)


def test_devices_are_looked_for_beside_the_loop(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(heard)
    heard.runner.play()
    heard.runner.find_devices()
    found = heard.wait("devices")
    assert found.devices[0].id == "numpy"
    step = heard.runner.last_status.step
    heard.wait("status", lambda s: s.step > step)


def test_close_is_quick_and_twice_does_nothing(heard: Heard) -> None:
    configured(heard)
    heard.runner.play()
    heard.wait("status", lambda s: s.step > 5)
    start = time.monotonic()
    heard.runner.close()
    assert time.monotonic() - start < 2.0
    heard.runner.close()
    heard.runner.play()
    assert not heard.runner.ticking
