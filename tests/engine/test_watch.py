"""A loss watched from epoch to epoch: the rate falls on a plateau, and the run rests at the right step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.project import Project
from engine.project_file import load_project, save_project
from engine.settings import TrainingSpec
from engine.training import Trainer
from engine.watch import Watch, from_plain, judged
from tests.contract.harness import same_bits
from tests.engine.project_help import dense

DATA = load(SourceSpec.toy("circle", count=60))
PLATEAU = TrainingSpec("mse", "momentum", 2.0, 16, schedule="plateau", schedule_factor=0.5, patience=1)


def trainer(**more: object) -> Trainer:
    return Trainer(dense(), replace(PLATEAU, **more), DATA, open_backend("numpy"))  # type: ignore[arg-type]


def test_the_rate_falls_after_more_bad_epochs_than_patience_has() -> None:
    watch, factors = Watch(), []
    losses = [1.0, 0.9, 0.89995, 0.95, 0.8, float("nan"), 0.8, 0.8, 0.8, 0.8]
    for epoch, loss in enumerate(losses):
        watch, _, _ = judged(watch, PLATEAU, loss, epoch + 1, 10 * epoch)
        factors.append(watch.factor)
    # 0.89995 is not better by one in ten thousand; what is not a number does not count
    assert factors == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert (watch.best, watch.best_step, watch.epoch) == (0.8, 40, 10)


def test_it_rests_after_so_many_epochs_without_a_best() -> None:
    stops, watch, rests = replace(PLATEAU, schedule="constant", stop_after=2), Watch(), []
    for epoch, loss in enumerate([3.0, 2.0, 2.0, 2.5, 2.4, 1.0, 1.1]):
        watch, _, rest = judged(watch, stops, loss, epoch + 1, epoch)
        rests.append(rest)
    assert rests == [False, False, False, True, False, False, False]
    assert (watch.best, watch.best_step) == (1.0, 5)


@pytest.mark.parametrize("watched", ["test", "training"])
def test_however_a_run_is_cut_the_rate_falls_at_the_same_steps(watched: str, tmp_path: Path) -> None:
    """In one go; in traced steps with slices of tests between; through a file in the middle of an epoch."""
    goal, whole = 14 * 3 + 1, trainer(watched=watched)
    while whole.step < goal:
        whole.run(goal - whole.step, 1e6)
    assert 0 < whole.watch.factor < 1
    cut = trainer(watched=watched)
    while cut.step < goal:
        while not cut.settle(0.0):
            pass
        cut.traced_step()
    assert same_bits(cut.store.state(), whole.store.state()) and cut.watch == whole.watch
    half = trainer(watched=watched)
    while half.step < goal // 2:
        half.run(goal // 2 - half.step, 1e6)
    project = Project(half.graph, half.training, run=half.checkpoint())
    run = load_project(save_project(tmp_path / "half.matrizen", project)).run
    assert run is not None and run.watch == half.watch
    again = trainer(watched=watched)
    again.load_checkpoint(run)
    while again.step < goal:
        again.run(goal - again.step, 1e6)
    assert same_bits(again.store.state(), whole.store.state()) and again.watch == whole.watch
    again.reset()
    assert again.watch == Watch() and again.rate == 2.0


def test_a_watch_from_a_file_is_read_with_suspicion() -> None:
    good = Watch(3, 0.5, 12, 1, 0.5, 0, 0.25, 1.5, 2)
    assert from_plain(good.plain(), 12) == good
    wrongs = {"factor": 2.0, "best": "low", "best_step": 13, "epoch": -1, "total": float("inf")}
    for wrong in ({name: value} for name, value in wrongs.items()):
        assert from_plain({**good.plain(), **wrong}, 12) == Watch()
    assert from_plain({"epoch": 3}, 12) == from_plain(None, 12) == Watch()
