"""The real process: killed, restarted, orphaned and ended, with what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import pytest

from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.session import protocol as p
from engine.session import views as v
from engine.session.client import Client, Died
from engine.session.segments import PREFIX, Registry
from tests.contract.harness import BACKENDS, open_backend
from tests.engine.data.picture_bytes import many_pictures
from tests.engine.session.conftest import (
    ADAM,
    CIRCLE,
    DIGITS,
    SGD,
    Inline,
    circle_net,
    digits_net,
    dropped_net,
    layer,
)

T = TypeVar("T")
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(Registry(tmp_path / "segments"))
    made.start()
    yield made
    made.close()


def wait_for(client: Client, kind: type[T], test: Callable[[Any], bool] = lambda e: True,
             pulling: bool = False, seconds: float = 30.0) -> T:
    """The first event of a kind that passes; faults of other kinds fail the test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if pulling:
            client.pull()
        for event in client.poll():
            if isinstance(event, kind) and test(event):
                return event
            assert not isinstance(event, p.Fault), str(event.message)
        time.sleep(0.002)
    raise AssertionError(f"no {kind.__name__} came")


def memory() -> set[str]:
    folder = Path("/dev/shm")
    return {f.name for f in folder.iterdir() if f.name.startswith(PREFIX)} if folder.is_dir() else set()


def mine() -> set[str]:
    return {name for name in memory() if name.startswith(f"{PREFIX}{os.getpid():x}_")}


def test_a_run_in_the_process_is_the_run_inline(client: Client, inline: Inline) -> None:
    inline.circle()
    inline.say(p.Step("epoch"))
    inline.session.run_until_settled()
    client.send(p.Configure(circle_net(), SGD, CIRCLE, 1))
    told = wait_for(client, p.Configured)
    assert told.outputs["tanh2"] == "tanh2.a"
    assert told.data.n_train == 200 and told.program.values["dense1.weight@old"].shape == (3, 2)
    client.send(p.Watch("w", v.Matrix("dense1.weight@old")))
    client.send(p.Step("epoch"))
    client.send(p.CheckpointNow(7))
    wait_for(client, p.Status, lambda s: s.step == 13 and s.running == "paused", pulling=True)
    client.send(p.CheckpointNow(8))
    run = wait_for(client, p.Reply, lambda r: r.id == 8).payload
    assert isinstance(run, p.RunState)
    assert run.checkpoint.step == 13
    for key, array in inline.state().items():
        np.testing.assert_array_equal(run.checkpoint.state[key], array)


def test_frames_travel_through_shared_memory_and_large_ones_get_a_larger_segment(client: Client) -> None:
    client.send(p.Configure(digits_net(), ADAM, DIGITS, 1))
    client.send(p.Watch("w", v.Matrix("dense1.weight@old", max_rows=4096, max_cols=4096)))
    frame = wait_for(client, p.Frame, pulling=True)
    data = frame.views["w"]
    assert isinstance(data, v.MatrixData)
    assert data.values.shape == (10, 144) and data.values.flags.writeable
    assert frame.phase == "preview" and frame.step == 0
    assert client._frames is not None
    client._use_memory()  # a segment that is far too small
    tiny = client._frames
    client._frames = client._create(16)
    client._remove((tiny,))
    client._use_memory()
    # memory is rounded up to whole pages
    client.send(p.Watch("all", v.Matrix("relu1.a", max_rows=4096, max_cols=4096)))
    frame = wait_for(client, p.Frame, lambda f: "all" in f.views, pulling=True)
    assert frame.views["all"].values.shape == (4 * 6 * 6, 32)
    assert client._frames.size >= frame.views["all"].values.nbytes


@pytest.mark.parametrize(("graph", "backend"), [("digits", "numpy"), *(("circle", b) for b in BACKENDS)])
def test_killed_in_mid_training_it_continues_bitwise(client: Client, inline: Inline, graph: str,
                                                     backend: str) -> None:
    goal = 400
    device = open_backend(backend).name
    start = (p.Configure(dropped_net(), SGD, CIRCLE, 1, device) if graph == "circle"
             else p.Configure(digits_net(), ADAM, DIGITS, 1, device))
    client.send(start)
    client.send(p.SetPace(goal / 2.5))
    client.send(p.Watch("w", v.Matrix("dense1.z")))  # now and then a traced step among the fast ones
    wait_for(client, p.Configured, seconds=60.0)
    client.send(p.Play())
    wait_for(client, p.Saved, lambda s: s.step > goal // 10)
    status = wait_for(client, p.Status, lambda s: s.step > goal // 2, pulling=True)
    assert status.running == "playing"
    assert client.pid is not None
    os.kill(client.pid, signal.SIGKILL)
    with pytest.raises(Died) as caught:
        wait_for(client, p.Status, lambda s: False, pulling=True)
    assert caught.value.code == -signal.SIGKILL
    state = client.restart()
    assert state is not None and 0 < state.checkpoint.step <= status.step + goal
    assert state.device == device
    wait_for(client, p.Status, lambda s: s.step >= goal and s.running == "playing", pulling=True)
    client.send(p.Pause())
    client.send(p.CheckpointNow(1))
    run = wait_for(client, p.Reply).payload
    # the same run without a kill, inline
    inline.say(start, p.SetPace(None))
    t = inline.trainer
    # batch normalization, dropout and a last batch that is not full were in it, over several epochs
    assert t.dataset.n_train % t.capacity and goal > 3 * t.steps_per_epoch
    while t.step < run.checkpoint.step:
        t.run(run.checkpoint.step - t.step)
    assert set(run.checkpoint.state) == set(inline.state())
    for key, array in inline.state().items():
        np.testing.assert_array_equal(run.checkpoint.state[key], array, key)
    kept, whole = run.checkpoint.curve, t.curve.state()  # no point is lost or doubled
    assert (kept.first, kept.stride, kept.open, kept.last) == (0, whole.stride, whole.open, whole.last)
    np.testing.assert_array_equal(kept.points, whole.points)


def test_what_no_checkpoint_contains_is_told_again(client: Client, inline: Inline) -> None:
    client.send(p.Configure(circle_net(), SGD, CIRCLE, 1))
    wait_for(client, p.Saved)
    assert client.pid is not None
    os.kill(client.pid, signal.SIGKILL)
    # said to an engine that is dead already
    client.send(p.EditCells("dense1.weight", np.array([[0, 1]]), np.array([0.75])))
    for _ in range(3):
        client.send(p.Step("batch"))
    with pytest.raises(Died):
        wait_for(client, p.Status, lambda s: False)
    client.restart()
    client.send(p.CheckpointNow(1))
    run = wait_for(client, p.Reply, lambda r: r.id == 1).payload
    inline.circle()
    inline.say(p.EditCells("dense1.weight", np.array([[0, 1]]), np.array([0.75])), *[p.Step("batch")] * 3)
    assert run.checkpoint.step == 3
    for key, array in inline.state().items():
        np.testing.assert_array_equal(run.checkpoint.state[key], array, key)


def test_a_structural_edit_survives_a_kill_before_the_next_checkpoint(client: Client) -> None:
    client.send(p.Configure(circle_net(), SGD, CIRCLE, 1))
    client.send(p.Step("epoch"))
    wait_for(client, p.Saved, lambda s: s.step == 13)
    client.send(p.CheckpointNow(1))
    before = wait_for(client, p.Reply).payload.checkpoint.state
    assert client.pid is not None
    os.kill(client.pid, signal.SIGKILL)
    from dataclasses import replace as change

    graph = circle_net()
    wider = graph.replace_node("dense1", layer=change(graph.node("dense1").layer, units=5))
    client.send(p.Configure(wider, SGD, CIRCLE, 2))
    with pytest.raises(Died):
        wait_for(client, p.Status, lambda s: False)
    client.restart()
    told = wait_for(client, p.Configured, lambda c: c.generation == 2)
    assert told.program.values["dense1.weight@old"].shape == (5, 2)
    client.send(p.CheckpointNow(2))
    after = wait_for(client, p.Reply, lambda r: r.id == 2).payload.checkpoint
    assert after.step == 13
    np.testing.assert_array_equal(after.state["dense1.weight"][:3], before["dense1.weight"])


def test_pause_is_acknowledged_within_50_ms(client: Client) -> None:
    client.send(p.Configure(digits_net(), ADAM, DIGITS, 1))
    nodes = tuple((n.uid, "activations") for n in digits_net().nodes)
    client.send(p.Watch("t", v.Thumbs(nodes)))
    client.send(p.Watch("w", v.Matrix("dense1.weight@old")))
    client.send(p.Play())
    wait_for(client, p.Status, lambda s: s.step > 100, pulling=True)
    took = []
    for _ in range(7):
        client.send(p.Play())
        wait_for(client, p.Status, lambda s: s.running == "playing", pulling=True)
        time.sleep(0.1)
        while client.waiting:
            client.poll()
        start = time.perf_counter()
        client.send(p.Pause())
        wait_for(client, p.Status, lambda s: s.running == "paused", pulling=True)
        took.append(time.perf_counter() - start)
    assert sorted(took)[3] < 0.05, took


def picture_net() -> GraphSpec:
    g = GraphSpec().add("input", layer("input", shape=(1, 8, 8)))
    g = g.add("flatten1", layer("flatten"), after="input")
    g = g.add("dense1", layer("dense", units=2), after="flatten1")
    return g.add("output", layer("output"), after="dense1")


def test_loading_says_how_far_it_is_and_can_be_canceled(client: Client, tmp_path: Path) -> None:
    pictures = SourceSpec.folder(str(many_pictures(tmp_path / "set", 1500)))
    client.send(p.Configure(circle_net(), SGD, CIRCLE, 1))
    wait_for(client, p.Saved)
    client.send(p.Configure(picture_net(), ADAM, pictures, 2))
    told = wait_for(client, p.Progress)
    assert told.generation == 2 and told.total == 3000 and told.done < 2000
    client.send(p.CancelLoading())
    end = time.monotonic() + 20
    events: list[Any] = []
    while not any(isinstance(e, p.Fault) for e in events) and time.monotonic() < end:
        events += client.poll()
        time.sleep(0.002)
    (fault,) = [e for e in events if isinstance(e, p.Fault)]
    assert (fault.kind, fault.generation) == ("canceled", 2) and "canceled" in str(fault.message)
    assert all(e.done < 3000 for e in events if isinstance(e, p.Progress))
    while any(isinstance(e.command, p.Configure) for e in client._journal):
        client.poll()  # what was canceled is not told a new engine again
        assert time.monotonic() < end
    client.send(p.Step("batch"))  # the program before stays
    wait_for(client, p.Status, lambda s: s.step == 1 and s.running == "paused", pulling=True)
    client.send(p.CancelLoading())  # nothing is loaded: nothing is said, and the next load is not meant
    client.send(p.Configure(picture_net(), ADAM, pictures, 3, fresh=True))
    data = wait_for(client, p.Configured).data
    assert data.n_train + data.n_test == 3000


def test_a_clean_exit_leaves_nothing(tmp_path: Path) -> None:
    client = Client(Registry(tmp_path))
    client.start()
    client.send(p.Configure(circle_net(), SGD, CIRCLE, 1))
    client.send(p.Play())
    wait_for(client, p.Saved)
    assert client.pid is not None
    process = psutil.Process(client.pid)
    assert len(mine()) == 3
    start = time.monotonic()
    client.close()
    assert time.monotonic() - start < 2.0
    assert not process.is_running()
    assert mine() == set()
    assert list(tmp_path.iterdir()) == []


def test_the_pipe_is_not_closed_under_the_thread_that_writes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that hears nothing any more is ended while half a command is in the pipe."""
    assert client.pid is not None
    os.kill(client.pid, signal.SIGSTOP)
    troubles: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", troubles.append)
    client.send(p.Watch("x" * 3_000_000, v.Matrix("y")))
    end = time.monotonic() + 10
    while not client._outbox.empty() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.05)
    client.close(0.0)
    assert not troubles


def test_a_killed_window_leaves_no_process_and_no_memory(tmp_path: Path, root: Path) -> None:
    program = f"""
        import sys, time
        sys.path.insert(0, {str(root)!r})
        from pathlib import Path
        from engine.session import protocol as p
        from engine.session.client import Client
        from engine.session.segments import Registry
        from tests.engine.session.conftest import CIRCLE, SGD, circle_net
        if __name__ == "__main__":
            client = Client(Registry(Path({str(tmp_path)!r})))
            client.start()
            client.send(p.Configure(circle_net(), SGD, CIRCLE, 1))
            client.send(p.Play())
            saved = False
            while True:
                for event in client.poll():
                    if isinstance(event, p.Saved) and not saved:
                        saved = True
                        print(client.pid, flush=True)
                time.sleep(0.01)
    """
    file = tmp_path / "window.py"
    file.write_text(textwrap.dedent(program))
    window = subprocess.Popen([sys.executable, str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert window.stdout is not None
    engine = psutil.Process(int(window.stdout.readline()))
    family = psutil.Process(window.pid).children(recursive=True)
    segments = {n for n in memory() if n.startswith(f"{PREFIX}{window.pid:x}_")}
    assert engine.is_running() and engine in family
    assert len(segments) == 3
    window.send_signal(signal.SIGKILL)
    window.wait()
    window.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive, alive
    # the next window sweeps what is still there
    end = time.monotonic() + 5
    while memory() & segments and time.monotonic() < end:
        Registry(tmp_path).sweep()
        time.sleep(0.05)
    assert not memory() & segments


def test_the_process_knows_no_qt(root: Path) -> None:
    code = ("import sys, engine.session.worker, engine.session.session; "
            "print([m for m in sys.modules if m.startswith(('PySide6', 'shiboken', 'pyqtgraph', 'gui'))])")
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_idle_engine_sleeps(client: Client) -> None:
    client.send(p.Configure(circle_net(), SGD, CIRCLE, 1))
    wait_for(client, p.Status, lambda s: s.settled and s.generation == 1, pulling=True)
    wait_for(client, p.Status, lambda s: s.settled, pulling=True)
    assert client.pid is not None
    process = psutil.Process(client.pid)
    time.sleep(0.3)
    before = process.cpu_times()
    time.sleep(0.5)
    after = process.cpu_times()
    assert (after.user + after.system) - (before.user + before.system) < 0.03
