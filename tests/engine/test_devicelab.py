"""The device lab's engine: what is counted, fitted, compared and timed, and that a cancel leaves nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends.devices import numpy_device
from engine.devicelab.amdahl import serial_share, speedup
from engine.devicelab.experiments import BATCHES, Job, Task, core_counts, tasks, widths
from engine.devicelab.kept import compared, kept, largest_difference
from engine.devicelab.layers import profile
from engine.devicelab.network import Net, flops, flops_of
from engine.devicelab.run import Event, LabRun
from engine.devicelab.subjects import OpSubject, StepSubject
from engine.devicelab.timing import LEAST, in_turn, timing
from engine.devicelab.work import PRESETS, Work, cell_terms
from engine.errors import GraphError
from engine.graph import GraphSpec
from engine.layers import (
    LSTM,
    BatchNorm,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    Output,
    ReLU,
    Reshape,
)
from engine.settings import DataSpec, TrainingSpec
from tests.contract.harness import BACKENDS, open_backend, opencl_devices

SMALL = {
    "product": {"m": 33, "k": 17, "n": 20},
    "convolution": {"channels": 2, "filters": 3, "side": 6, "kernel": 3, "batch": 5},
    "elementwise": {"rows": 7, "columns": 9},
    "warp": {"channels": 1, "side": 8, "batch": 3},
}


def net(batch: int = 4) -> Net:
    graph = GraphSpec().add("x", Input((1, 6, 6))).add("conv1", Conv2D(4, (3, 3)), after="x")
    graph = graph.add("relu1", ReLU(), after="conv1").add("flat", Flatten(), after="relu1")
    graph = graph.add("fc", Dense(3), after="flat").add("out", Output(), after="fc")
    return Net(graph, TrainingSpec(optimizer="sgd", batch=batch), DataSpec((1, 6, 6), 3, count=40))


def drained(run: LabRun, seconds: float = 60.0) -> list[Event]:
    events: list[Event] = []
    stop = time.monotonic() + seconds
    while not run.done and time.monotonic() < stop:
        events += run.poll()
        time.sleep(0.01)
    assert run.done, events
    return events


def test_a_lone_example_under_batch_norm_is_timed_like_any_other() -> None:
    graph = GraphSpec().add("x", Input((3,))).add("norm", BatchNorm(), after="x")
    graph = graph.add("fc", Dense(2), after="norm")
    lone = Net(graph.add("out", Output(), after="fc"), TrainingSpec(batch=1), DataSpec((3,), 2, count=40))
    assert lone.program("train", 1, 40).ops and lone.program("train", 1).ops


def test_operations_are_those_of_the_definition() -> None:
    assert Work("product", PRESETS["product"]).flops == 2e9
    assert Work("product", SMALL["product"]).flops == 2 * 33 * 17 * 20
    assert Work("convolution", SMALL["convolution"]).flops == 2 * 3 * 2 * 9 * 36 * 5
    assert Work("elementwise", SMALL["elementwise"]).flops == 63
    assert Work("warp", SMALL["warp"]).pixels == 3 * 64
    assert Work("product", SMALL["product"]).moved == 4 * (33 * 17 + 17 * 20 + 33 * 20)


def test_a_step_counts_each_product_once() -> None:
    program = net().program("train", 4)
    counted = {op.kind: flops_of(op) for op in program.ops}
    assert counted["conv2d"] == counted["conv2d_dw"] == 2 * (4 * 9) * 16 * 4
    assert counted["dense"] == counted["dense_dx"] == counted["dense_dw"] == 2 * (3 * 64) * 4
    assert counted["relu"] == counted["sgd"] == 0
    assert flops(program) == sum(counted.values())  # the picture's gradient is nobody's


@pytest.mark.parametrize(
    ("kind", "sizes", "words"),
    [
        ("product", {"m": 0, "k": 1, "n": 1}, "1 to 16384"),
        ("product", {"m": 16384, "k": 16384, "n": 16384}, "MB"),
        ("convolution", {"channels": 64, "filters": 500, "side": 100, "kernel": 51, "batch": 9}, "billion"),
    ],
)
def test_sizes_that_cannot_be_measured_are_refused(kind: str, sizes: dict[str, int], words: str) -> None:
    with pytest.raises(GraphError, match=words):
        Work(kind, sizes)


def test_amdahl_is_found_again_in_made_up_numbers() -> None:
    made = [(n, speedup(0.07, n)) for n in (1, 2, 4, 8, 16)]
    assert serial_share(made) == pytest.approx(0.07)
    assert speedup(0.0, 8) == 8
    assert speedup(1.0, 8) == 1
    noisy = [(n, s * f) for (n, s), f in zip(made, (1, 1.03, 0.97, 1.02, 0.99), strict=True)]
    assert serial_share(noisy) == pytest.approx(0.07, abs=0.02)
    assert serial_share([(1, 1.0), (2, 0.5)]) == 1.0  # slower with two: nothing is gained
    assert serial_share([(1, 1.0)]) is None


def test_times_are_medians_with_quartiles() -> None:
    found = timing([4.0, 1.0, 2.0, 3.0, 100.0], calls=2)
    assert (found.low, found.median, found.high, found.repeats) == (1.0, 1.5, 2.0, 5)
    calls: list[str] = []
    first, second = in_turn([(lambda: calls.append("a"), 1), (lambda: calls.append("b"), 4)], 0.0)
    assert first.repeats == second.repeats == LEAST
    assert calls[:4] == ["a", "b", "a", "b"]
    assert 0 < first.low <= first.median <= first.high


@pytest.mark.parametrize("kind", list(SMALL))
@pytest.mark.parametrize("backend", BACKENDS)
def test_devices_agree_with_the_definition(backend: str, kind: str) -> None:
    work = Work(kind, SMALL[kind])
    subject = OpSubject(open_backend(backend), work)
    subject.compute()
    (found,) = subject.results().values()
    rng = np.random.default_rng(1)
    for _ in range(5):
        cell = tuple(int(rng.integers(0, n)) for n in found.shape)
        terms = cell_terms(work, subject.arrays, found, cell)
        assert abs(terms.difference) < 1e-4, cell


@pytest.mark.parametrize("backend", BACKENDS)
def test_steps_give_the_same_weights_on_every_device(backend: str) -> None:
    found = StepSubject(open_backend(backend), net(), 4).results()
    wanted = StepSubject(open_backend("numpy"), net(), 4).results()
    assert set(found) == {"conv1.weight", "conv1.bias", "fc.weight", "fc.bias"}
    assert largest_difference(found, wanted) < 1e-4


def test_a_planted_difference_is_found(tmp_path: Path) -> None:
    right = {"C": np.ones((3, 3), np.float32)}
    assert compared(right, tmp_path, "operation", "numpy") == {}
    wrong = {"C": right["C"] * np.float32(1.01)}
    assert compared(wrong, tmp_path, "operation", "opencl:pocl:0") == {"numpy": pytest.approx(0.01, rel=1e-3)}
    assert [d for d, _ in kept(tmp_path, "operation")] == ["numpy", "opencl:pocl:0"]
    assert largest_difference({"C": np.full((3, 3), np.nan)}, right) == float("inf")


@pytest.mark.parametrize("device", ["numpy", *opencl_devices().values()])
def test_every_op_of_a_step_is_timed_once(device: str) -> None:
    parts = profile(device, net())
    assert all(p.seconds >= 0 for p in parts)
    assert {"conv1", "fc"} <= {p.name for p in parts}
    assert sum(p.flops for p in parts) == flops(net().program("train", 4))
    if device != "numpy":  # ReLU rides behind the convolution
        assert any(p.name == "conv1" and "relu1" in p.also for p in parts)


def test_experiments_know_their_jobs() -> None:
    devices = [numpy_device(), replace(numpy_device(), id="opencl:x:0", units=6)]
    cores = tasks("cores", devices, None, "product", SMALL["product"])
    assert [t.cores for t in cores if t.device == "opencl:x:0"] == [1, 2, 4, 6]
    assert core_counts(1) == (1,)
    batches = tasks("batch", devices[:1], net(), "", {})
    assert [j.place for j in batches[0].jobs] == list(BATCHES)
    assert tasks("batch", devices, None, "", {}) == []
    sizes = [scaled.weights for _, scaled in widths(net())]
    assert sizes == sorted(set(sizes))
    assert net().weights in sizes
    assert net().scaled(2.0).graph.node("fc").layer == Dense(3)  # what the answer needs stays
    again = Net.from_plain(net().plain())
    assert again == net()


def test_layers_of_all_kinds_are_made_wider_but_where_a_size_is_set() -> None:
    g = GraphSpec().add("x", Input((4,))).add("embed", Embedding(9, 6), after="x")
    g = g.add("lstm", LSTM(4), after="embed").add("code", Dense(12), after="lstm")
    g = g.add("maps", Reshape((3, 2, 2)), after="code").add("up", ConvTranspose2D(2), after="maps")
    g = g.add("flat", Flatten(), after="up").add("last", Dense(3), after="flat")
    g = g.add("out", Output(), after="last")
    text = Net(g, TrainingSpec(), DataSpec((4,), 3, tokens=9, count=40))
    graph = text.scaled(2.0).graph
    assert graph.node("embed").layer == Embedding(9, 12)
    assert graph.node("lstm").layer == LSTM(8)
    assert graph.node("up").layer == ConvTranspose2D(4)
    for fixed in ("code", "last"):
        assert graph.node(fixed).layer == g.node(fixed).layer
    tokens, _ = text.examples(40)
    assert set(np.unique(tokens)) == set(range(9))


def test_a_run_tells_what_it_measured() -> None:
    devices = ["numpy", *opencl_devices().values()][:2]
    job = Job("operation", "product", 0.0, SMALL["product"], 0.05)
    step = Job("step", "step", 0.0, {"batch": 4}, 0.05)
    bad = Job("bad", "product", 0.0, {"m": 0, "k": 1, "n": 1}, 0.05)
    run = LabRun([Task(d, (job, bad, step)) for d in devices], net(), peaks=devices)
    events = drained(run)
    measured = [e for e in events if e["event"] == "measured"]
    assert [(e["device"], e["key"]) for e in measured] == [
        (d, k) for d in devices for k in ("operation", "step")
    ]
    for e in measured:
        assert e["first"] > 0
        assert 0 < e["compute"]["low"] <= e["compute"]["median"] <= e["compute"]["high"]
        assert all(difference < 1e-4 for difference in e["differences"].values())
    assert [e["key"] for e in events if e["event"] == "failed"] == ["bad"] * len(devices)
    assert len(dict(kept(run.folder, "operation"))) == len(devices)
    assert run.finished == run.total
    folder = run.folder
    run.close()
    assert not folder.exists()


def test_a_device_that_is_not_there_is_told_for_all_its_jobs() -> None:
    job = Job("operation", "product", 0.0, SMALL["product"], 0.05)
    run = LabRun([Task("opencl:nowhere:7", (job, replace(job, key="b")))], peaks=["opencl:nowhere:7"])
    (failed,) = [e for e in drained(run) if e["event"] == "failed"]
    assert failed["key"] == ""
    assert run.finished == 2
    run.close()


def test_cancel_leaves_no_process(alive: Callable[[int], bool]) -> None:
    job = Job("operation", "product", 0.0, {"m": 400, "k": 400, "n": 400}, 60.0)
    run = LabRun([Task("numpy", (job,)), Task("numpy", (job,))], peaks=["numpy"])
    pid = run.pid
    assert pid is not None
    assert alive(pid)
    stop = time.monotonic() + 30
    while not any(e["event"] == "begun" for e in run.poll()) and time.monotonic() < stop:
        time.sleep(0.01)
    start = time.monotonic()
    run.cancel()
    assert time.monotonic() - start < 2.0
    assert not alive(pid)
    assert run.done
    assert run.canceled
    assert run.poll() == []
    run.close()


def test_a_process_that_dies_is_told_and_the_next_begins() -> None:
    job = Job("operation", "product", 0.0, SMALL["product"], 30.0)
    run = LabRun([Task("numpy", (job,)), Task("numpy", (replace(job, seconds=0.05),))], peaks=["numpy"])
    current = run._current
    assert current is not None
    current.process.kill()
    events = drained(run)
    assert [e["event"] for e in events if e["event"] in ("failed", "measured")] == ["failed", "measured"]
    assert "stopped by itself" in next(e["template"] for e in events if e["event"] == "failed")
    run.close()


@pytest.fixture
def alive() -> Callable[[int], bool]:
    import os

    def ask(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    return ask


def test_a_process_ends_when_its_window_is_gone() -> None:
    job = Job("operation", "product", 0.0, SMALL["product"], 60.0)
    run = LabRun([Task("numpy", (job,))], peaks=["numpy"])
    current = run._current
    assert current is not None and current.process.stdin is not None
    stop = time.monotonic() + 30
    while not any(e["event"] == "begun" for e in run.poll()) and time.monotonic() < stop:
        time.sleep(0.01)
    current.process.stdin.close()
    assert current.process.wait(10) == 0
    run.close()
