"""Cases 80 to 91 of BAD_INPUTS: devices that are not there, fail, compute wrongly, or are two.

Failures are made by a driver that is told to fail at its k-th call. Some tests take every k, others every
`stride`-th and the first call of each kind wherever a run is; marked thorough, these take every k, too.
Listing, self-test and choosing by themselves (81, 85-87) have their tests in tests/engine/backends, the
window in test_devices_window.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main
from engine.backends import devices
from engine.backends.opencl import jobs, runtime
from engine.cli import train as cli_train
from engine.data.loading import load
from engine.project import Project
from engine.project_file import load_project, save_project
from engine.rescue import Rescue
from engine.session import building, evaluating, motion, slots
from engine.session import protocol as p
from engine.session.segments import create
from engine.training import Trainer
from tests.engine.backends.faulty import Faults, every, faulty_backend
from tests.engine.backends.opencl_help import device_ids
from tests.engine.session.conftest import CIRCLE, SGD, Inline, circle_net, layer

DEVICE = next(iter(device_ids()), "")
here = pytest.mark.skipif(not DEVICE, reason="no OpenCL device here")
real_open = building.open_backend
thorough = (pytest.mark.thorough, pytest.mark.slow, pytest.mark.timeout(600))


class Broken:
    """An inline session on a device that fails when it is told to, and what it fell back to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, faults: Faults, **instead: Any) -> None:
        self.faults = faults
        self.states: list[p.RunState] = []
        """What the window held when the device failed."""
        self.segments = [create(3_000_000), create(3_000_000)]
        monkeypatch.setattr(
            building, "open_backend",
            lambda name: faulty_backend(name, faults, **instead) if name == DEVICE else real_open(name),
        )  # fmt: skip
        rescue = Rescue.on_numpy

        def noted(self_: Rescue, old: Trainer, *, alive: bool = False) -> Trainer:
            self.states.append(slots.newest(self.segments))
            return rescue(self_, old, alive=alive)

        monkeypatch.setattr(Rescue, "on_numpy", noted)
        # the same calls in every run, however busy the machine is: chunks of 4 steps, a clock that ticks
        monkeypatch.setattr(motion, "CHUNK_MS", 1e9)
        monkeypatch.setattr(motion, "MANY", 4)
        monkeypatch.setattr(evaluating, "SHARE", 1e9)
        ticks = itertools.count()
        self.inline = Inline(clock=lambda: next(ticks) / 50)
        self.inline.say(p.UseSlots((self.segments[0].name, self.segments[1].name), ""))

    def close(self) -> None:
        self.inline.session.close()
        for segment in self.segments:
            segment.unlink()

    def work(self, turns: int) -> None:
        for _ in range(turns):
            self.inline.session.work()

    @property
    def name(self) -> str:
        return runtime.open_device(DEVICE).found.name

    def ended_before(self, k: int, calls: int) -> bool:
        """Whether this run made less than k calls, which only the last few k may meet: an evaluation less."""
        assert self.faults.left is not None
        assert self.faults.left <= 0 or k > calls - 12
        return self.faults.left > 0

    def faults_told(self) -> list[p.Fault]:
        return self.inline.of(p.Fault)


def start(broken: Broken) -> None:
    """On the device, some steps behind the start, at rest, with a checkpoint in the window's hands."""
    broken.inline.say(p.Configure(circle_net(), SGD, CIRCLE, 1, device=DEVICE), p.SetPace(None))
    assert broken.inline.trainer.backend.name == DEVICE
    broken.inline.say(p.Play())
    broken.inline.work_until(lambda s: s.trainer is not None and s.trainer.step >= 40)
    broken.inline.say(p.Pause())
    broken.inline.session.run_until_settled()
    step = broken.inline.trainer.step
    assert slots.newest(broken.segments).checkpoint.step == step


def fast(broken: Broken) -> None:
    broken.inline.say(p.Play())
    broken.inline.work_until(lambda s: s.trainer is not None and s.trainer.step >= 70)
    broken.inline.say(p.Pause())


def watched(broken: Broken) -> None:
    broken.inline.say(p.Step("batch"), p.Step("batch"))
    broken.inline.session.motion.show()


def walked(broken: Broken) -> None:
    for _ in range(len(broken.inline.trainer.program.ops) + 3):
        broken.inline.say(p.Step("op"))


def commands(broken: Broken) -> None:
    cells = np.array([[0, 0]])
    broken.inline.say(p.EditCells("dense1.weight", cells, np.array([0.5]), id=1))
    broken.inline.say(p.SetTraining(replace(SGD, learning_rate=0.01)))
    broken.inline.say(p.CheckpointNow(2), p.Predict(np.zeros((3, 2), np.float32), (), 3), p.Step("batch"))
    broken.inline.say(p.Read("dense1.z", 4), p.Reset(), p.Step("batch"))


SCRIPTS: dict[str, Callable[[Broken], None]] = {
    "fast": fast, "watched": watched, "walked": walked, "commands": commands
}  # fmt: skip


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Broken]]:
    made: list[Broken] = []

    def make(faults: Faults, **instead: Any) -> Broken:
        made.append(Broken(monkeypatch, faults, **instead))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_of_thinned_out_calls_every_kind_is_left_wherever_a_run_is() -> None:
    made = [("steps", "copy")] * 7 + [("steps", "finish"), ("save", "copy"), ("save", "copy")]
    assert every(made, 5) == [1, 6, 8, 9]
    assert every(made, 1) == list(range(1, 11))


# ---- 80, 81: nothing there ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("No OpenCL driver is installed ({reason}).", {"reason": "PLATFORM_NOT_FOUND_KHR"}),
        ("The OpenCL drivers found ({names}) offer no device.", {"names": "Empty"}),
    ],
)
def test_case_80_and_81_numpy_computes_and_the_reason_is_in_the_status(
    monkeypatch: pytest.MonkeyPatch, text: str, values: dict[str, Any]
) -> None:
    monkeypatch.setattr(
        devices, "ask", lambda words, seconds: {"problem": {"template": text, "values": values}}
    )
    inline = Inline().circle()
    inline.say(p.FindDevices())
    inline.session._answers._finding.join(20)
    assert [d.id for d in inline.of(p.Devices)[-1].devices] == ["numpy"]
    _, status = inline.pull()
    assert status.device == "numpy" and str(status.reason) == text.format(**values)
    inline.session.close()


# ---- 82: kernels that cannot be built -------------------------------------------------------------

LOG = "clBuildProgram failed: BUILD_PROGRAM_FAILURE\n\nBuild on <Toy>:\n\nerror: no such register\nline 7"


def no_program(*args: Any, **more: Any) -> None:
    raise RuntimeError(LOG)


@here
def test_case_82_a_build_failure_shows_its_log_and_falls_back(broken: Callable[..., Broken]) -> None:
    b = broken(Faults(), Program=no_program)
    b.inline.say(p.Configure(circle_net(), SGD, CIRCLE, 1, device=DEVICE))
    (told,) = b.faults_told()
    assert told.kind == "device"
    assert "could not build the kernels" in str(told.message) and "no such register" in str(told.message)
    assert "NumPy computes it instead" in str(told.message)
    _, status = b.inline.pull()
    assert status.device == "numpy" and "cannot compute this network" in str(status.reason)
    b.inline.say(p.Play())
    b.inline.work_until(lambda s: s.trainer is not None and s.trainer.step > 5)


@here
def test_case_82_a_device_chosen_by_hand_is_refused_and_the_run_stays(broken: Callable[..., Broken]) -> None:
    b = broken(Faults(), Program=no_program)
    b.inline.circle()
    b.inline.say(p.Step("batch"), p.SetDevice(DEVICE))
    (told,) = b.faults_told()
    assert told.kind == "device" and "no such register" in str(told.message)
    assert b.inline.trainer.step == 1 and b.inline.session.status().device == "numpy"
    assert str(b.inline.session.status().reason) == "always available"


# ---- 83: not enough of something ------------------------------------------------------------------


@here
@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=thorough)])
@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("word", ["OUT_OF_RESOURCES", "MEM_OBJECT_ALLOCATION_FAILURE"])
def test_case_83_out_of_memory_at_any_call_while_a_network_is_built(
    broken: Callable[..., Broken], word: str, lasting: bool, stride: int
) -> None:
    faults = Faults(word, lasting=lasting)
    b = broken(faults)
    start(b)
    wider = circle_net().replace_node("dense1", layer=layer("dense", units=5))
    before = b.inline.state()
    calls = faults.calls
    b.inline.say(p.Configure(wider, SGD, CIRCLE, 2))
    made = faults.made[calls:]
    assert len(made) > 30
    for k in every(made, stride):
        faults = Faults(word, lasting=lasting)
        b = broken(faults)
        start(b)
        faults.arm(k)
        b.inline.say(p.Configure(wider, SGD, CIRCLE, 2))
        (told,) = b.faults_told()
        assert told.kind == "device" and told.generation == 2
        assert word in str(told.message) and "smaller batch size" in str(told.message)
        status = b.inline.session.status()
        assert status.device == "numpy" and "cannot compute" in str(status.reason)
        assert b.inline.of(p.Configured)[-1].generation == 2
        after = b.inline.state()
        np.testing.assert_array_equal(after["dense1.weight"][:3], before["dense1.weight"])
        np.testing.assert_array_equal(after["dense2.bias"], before["dense2.bias"])
        step = b.inline.trainer.step
        b.inline.say(p.Step("batch"))
        assert step > 20 and b.inline.trainer.step == step + 1


@here
def test_case_83_a_network_that_numpy_cannot_take_either_leaves_a_run_that_goes_on(
    broken: Callable[..., Broken], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults("OUT_OF_RESOURCES")
    b = broken(faults)
    start(b)
    before, step = b.inline.state(), b.inline.trainer.step

    def refused(trainer: Trainer, *_: Any) -> None:
        trainer.store.state()  # the device fails here, NumPy below
        raise MemoryError

    monkeypatch.setattr(Trainer, "rebuild", refused)
    faults.arm(1)
    wider = circle_net().replace_node("dense1", layer=layer("dense", units=5))
    b.inline.say(p.Configure(wider, SGD, CIRCLE, 2))
    assert b.faults_told() and b.inline.session.status().device == "numpy"
    assert b.inline.trainer.backend.name == "numpy" and b.inline.trainer.step == step
    np.testing.assert_array_equal(b.inline.state()["dense1.weight"], before["dense1.weight"])
    b.inline.say(p.Step("batch"))
    assert b.inline.trainer.step == step + 1


@here
def test_case_83_the_first_network_does_not_fit(broken: Callable[..., Broken]) -> None:
    for k in range(1, 40):
        faults = Faults("MEM_OBJECT_ALLOCATION_FAILURE")
        b = broken(faults)
        faults.arm(k)
        b.inline.say(p.Configure(circle_net(), SGD, CIRCLE, 1, device=DEVICE))
        (told,) = b.faults_told()
        assert told.kind == "device" and "MEM_OBJECT_ALLOCATION_FAILURE" in str(told.message)
        b.inline.say(p.Step("batch"))
        assert b.inline.trainer.step == 1 and b.inline.session.status().device == "numpy"


# ---- 84: lost in mid-step -------------------------------------------------------------------------


@here
@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "single", "stride"),
    [
        ("fast", False, 1),
        ("watched", False, 1),
        ("walked", False, 5),
        ("fast", True, 11),
        pytest.param("walked", False, 1, marks=thorough),
        pytest.param("fast", True, 1, marks=thorough),
    ],
)
def test_case_84_lost_at_any_call_the_run_goes_on_from_its_checkpoint(
    broken: Callable[..., Broken], monkeypatch: pytest.MonkeyPatch, script: str, single: bool, stride: int
) -> None:
    if single:
        monkeypatch.setattr(jobs, "WHOLE_RUN", 0)  # every launch of a step by itself
    b = broken(faults := Faults())
    start(b)
    calls = faults.calls
    SCRIPTS[script](b)
    made = faults.made[calls:]
    assert len(made) > 40 and not b.faults_told()
    for k in every(made, stride):
        b = broken(faults := Faults())
        start(b)
        faults.arm(k)
        SCRIPTS[script](b)
        if b.ended_before(k, len(made)):
            break
        (told,) = b.faults_told()
        (state,) = b.states
        step = state.checkpoint.step
        assert told.kind == "device" and "DEVICE_NOT_AVAILABLE" in str(told.message)
        assert f"NumPy took over from the checkpoint at step {step}." in str(told.message)
        status = b.inline.session.status()
        assert status.device == "numpy"
        assert str(status.reason) == f"the device failed at step {step}: {b.name}"
        b.inline.say(p.Play())
        b.work(8)
        same_as_resumed(b.inline, state)


def same_as_resumed(found: Inline, state: p.RunState) -> None:
    """The run is bitwise the one that NumPy makes of the checkpoint."""
    t = found.trainer
    twin = Inline()
    twin.say(p.Configure(state.graph, state.training, state.source, 1, "numpy", resume=state))
    assert twin.trainer.step == state.checkpoint.step < t.step
    while twin.trainer.step < t.step:
        twin.trainer.run(t.step - twin.trainer.step, 1000)
    assert (t.step, t.epoch, t.position) == (twin.trainer.step, twin.trainer.epoch, twin.trainer.position)
    theirs = twin.state()
    for key, array in found.state().items():
        np.testing.assert_array_equal(array, theirs[key], err_msg=key)
    twin.session.close()


@here
@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=thorough)])
def test_case_84_lost_at_any_call_no_command_is_lost(broken: Callable[..., Broken], stride: int) -> None:
    b = broken(faults := Faults())
    start(b)
    calls = faults.calls
    commands(b)
    made = faults.made[calls:]
    assert len(made) > 100 and not b.faults_told()
    for k in every(made, stride):
        b = broken(faults := Faults())
        start(b)
        faults.arm(k)
        commands(b)
        if b.ended_before(k, len(made)):
            break
        (told,) = b.faults_told()
        assert told.kind == "device"
        replies = b.inline.of(p.Reply)
        assert [r.id for r in replies] == [1, 2, 3, 4] and not any(r.error for r in replies)
        kept = replies[1].payload.checkpoint
        assert kept.state["dense1.weight"][0, 0] == np.float32(0.5)
        assert b.inline.trainer.training.learning_rate == b.inline.trainer.controls()["lr"] == 0.01
        assert b.inline.trainer.step == 1 and b.inline.session.status().device == "numpy"


@here
def test_case_84_a_dead_device_can_be_left_and_is_not_offered_again(
    broken: Callable[..., Broken], monkeypatch: pytest.MonkeyPatch
) -> None:
    b = broken(faults := Faults())
    start(b)
    faults.arm(1)
    b.inline.say(p.SetDevice("numpy"))  # its state cannot be asked any more
    assert b.inline.session.status().device == "numpy" and len(b.faults_told()) == 1
    listed = [devices.numpy_device(), replace(devices.numpy_device(), id=DEVICE, name="Toy", kind="gpu")]
    monkeypatch.setattr(devices, "list_devices", lambda **options: listed)
    for fresh, verdict, best in ((False, "refused", ""), (True, "ok", DEVICE)):
        b.inline.say(p.FindDevices(fresh))
        b.inline.session._answers._finding.join(20)
        found = b.inline.of(p.Devices)[-1]
        assert (found.devices[1].verdict, found.best) == (verdict, best)
        assert fresh or "DEVICE_NOT_AVAILABLE" in str(found.devices[1].reason)


@here
@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=thorough)])
def test_case_84_the_command_line_goes_on_and_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], stride: int
) -> None:
    path, out = tmp_path / "p.matrizen", tmp_path / "q.matrizen"
    save_project(path, Project(circle_net(), SGD, CIRCLE))
    words = ["train", str(path), "--steps", "40", "--device", DEVICE, "--save", str(out)]

    def train(faults: Faults) -> str:
        monkeypatch.setattr(cli_train, "open_backend", lambda name: faulty_backend(name, faults))
        assert main.main(words) == 0
        return capsys.readouterr().err

    assert main.main(["numpy" if word == DEVICE else word for word in words]) == 0
    ours = load_project(out).run
    counted = Faults()
    assert train(counted) == ""
    theirs = load_project(out).run
    built = Faults()
    Trainer(circle_net(), SGD, load(CIRCLE), faulty_backend(DEVICE, built))
    assert counted.calls - built.calls > 20
    capsys.readouterr()
    # behind the first checkpoint; the very last call waits for the device to be free
    first = built.calls + 1
    for k in every(counted.made[first:-1], stride):
        (faults := Faults()).arm(first + k)
        said = train(faults)
        assert said.count("\n") == 1 and "DEVICE_NOT_AVAILABLE" in said and "NumPy took over" in said
        found = load_project(out).run
        assert found is not None and found.step == 40
        # kept before the first step or behind the last one: in between there was no time for it
        goal = ours if "at step 0." in said else theirs
        for key, array in found.state.items():
            np.testing.assert_array_equal(array, goal.state[key], err_msg=key)


@here
def test_case_83_the_command_line_takes_numpy_only_when_it_may_choose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.matrizen"
    save_project(path, Project(circle_net(), SGD, CIRCLE))
    real = cli_train.open_backend

    def open_backend(name: str) -> Any:
        return real(name) if name == "numpy" else faulty_backend(DEVICE, Faults(), Program=no_program)

    monkeypatch.setattr(cli_train, "open_backend", open_backend)
    assert main.main(["train", str(path), "--steps", "3"]) == 0
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "no such register line 7 NumPy computes it instead" in said.err
    assert "on numpy" in said.out
    assert main.main(["train", str(path), "--steps", "3", "--device", DEVICE]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "could not build the kernels" in said.err


# ---- 88: devices differ ---------------------------------------------------------------------------


@here
@pytest.mark.parametrize("id", device_ids())
def test_case_88_a_device_repeats_itself_and_differs_from_numpy_by_rounding(id: str) -> None:
    """What docs/engine.md states: bitwise on one device, 1e-4 of the largest weight after an epoch."""

    def epoch(device: str) -> Trainer:
        t = Trainer(circle_net(), SGD, load(CIRCLE), real_open(device))
        while t.epoch < 1:
            t.run(1000)
        return t

    once, again, ours = epoch(id), epoch(id), epoch("numpy")
    theirs = again.store.state()
    for key, array in once.store.state().items():
        np.testing.assert_array_equal(array, theirs[key], err_msg=key)
        wanted = ours.store.state()[key]
        np.testing.assert_allclose(array, wanted, rtol=0, atol=1e-4 * max(1.0, float(np.abs(wanted).max())))
    assert once.checkpoint().manifest["device"] == id  # the file says where it was computed
