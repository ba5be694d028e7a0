"""Curves in project files: what was drawn comes back, goes on without a break, never costs the weights."""

from __future__ import annotations

import math
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.curves import Curve, CurveState
from engine.data.loading import load
from engine.project import Project
from engine.project_curves import curves_from_plain, with_sound_curves
from engine.project_file import load_project, save_project
from engine.training import Evaluation, Trainer
from tests.engine import project_help as h


def run_of(project: Project) -> Trainer:
    assert project.source is not None and project.run is not None
    trainer = Trainer(project.graph, project.training, load(project.source), open_backend("numpy"))
    trainer.load_checkpoint(project.run)
    return trainer


def kept_run(folder: Path) -> tuple[Path, Trainer]:
    """A saved project at step 60 with tests at 20 and 60, and the run it came from."""
    project, trainer = h.trained(20)
    trainer.evaluate()
    while trainer.step < 60:
        trainer.run(60 - trainer.step)
    trainer.evaluate()
    path = save_project(folder / "p.matrizen", replace(project, run=trainer.checkpoint()))
    return path, trainer


def same(a: Curve, b: Curve) -> bool:
    return a.last == b.last and all(np.array_equal(x, y) for x, y in zip(a.arrays(), b.arrays(), strict=True))


def test_the_curves_come_back_and_go_on_without_a_break(tmp_path: Path) -> None:
    path, trainer = kept_run(tmp_path)
    project = load_project(path)
    assert project.messages == ()
    again = run_of(project)
    assert same(again.curve, trainer.curve) and again.tests == trainer.tests
    assert [t.step for t in again.tests] == [20, 60]
    for each in (again, trainer):
        while each.step < 150:
            each.run(150 - each.step)
        each.evaluate()
    assert again.curve.end == 150 and same(again.curve, trainer.curve) and again.tests == trainer.tests


def test_a_long_curve_keeps_its_resolution_and_is_small(tmp_path: Path) -> None:
    project, trainer = h.trained(5)
    values = np.exp(-np.arange(300_001) / 5e4).astype(np.float32)
    curve = Curve()
    curve.append(0, values)
    tests = tuple(Evaluation(150 * k, 1 / (k + 1), 0.5) for k in range(2000))
    run = replace(trainer.checkpoint(), step=300_001, curve=curve.state(), tests=tests)
    bare = save_project(tmp_path / "bare.matrizen", replace(project, run=replace(run, curve=None, tests=())))
    path = save_project(tmp_path / "p.matrizen", replace(project, run=run))
    assert path.stat().st_size - bare.stat().st_size < 120_000
    found = load_project(path).run
    assert found is not None and found.curve is not None
    again = Curve()
    again.restore(found.curve)
    assert again.stride == curve.stride == 64 and again.end == 300_001 and again.last == curve.last
    for ours, theirs in zip(again.arrays(), curve.arrays(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7)
    assert found.tests == tests
    for each in (again, curve):
        each.append(300_001, values)
    for ours, theirs in zip(again.arrays(), curve.arrays(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_files_of_before_open_and_begin_their_curve_where_they_stand(tmp_path: Path) -> None:
    path, _ = kept_run(tmp_path)
    h.with_json(path, lambda p: p["run"].__delitem__("curves"))
    h.write_zip(path, {k: v for k, v in h.members(path).items() if not k.startswith("curves/")})
    project = load_project(path)
    assert project.messages == ()
    trainer = run_of(project)
    assert trainer.step == 60 and trainer.curve.last is None and trainer.tests == []
    trainer.run(3, 1e6)
    assert trainer.curve.arrays()[0].tolist() == [60, 61, 62]
    kept = load_project(save_project(path, replace(project, run=trainer.checkpoint()))).run
    assert kept is not None and kept.curve is not None and (kept.curve.first, kept.curve.end) == (60, 63)


def test_a_regression_has_no_accuracy(tmp_path: Path) -> None:
    project, trainer = h.trained(4)
    tests = (Evaluation(2, math.inf, None), Evaluation(4, 0.25, None))
    run = replace(trainer.checkpoint(), tests=tests)
    found = load_project(save_project(tmp_path / "p.matrizen", replace(project, run=run))).run
    assert found is not None and found.tests == tests


def test_other_data_forget_the_tests_of_before(tmp_path: Path) -> None:
    path, _ = kept_run(tmp_path)
    project = load_project(path)
    assert project.source is not None
    trainer = run_of(replace(project, source=replace(project.source, seed=9)))
    assert trainer.tests == [] and trainer.curve.end == 60


GOOD = np.ones((60, 3), "<f4")


@pytest.mark.parametrize(
    "damage",
    [
        lambda p: p.update(stride=3),
        lambda p: p.update(stride=2),
        lambda p: p.update(stride=-1),
        lambda p: p.update(first=1),
        lambda p: p.update(first=2**60),
        lambda p: p.update(first="0"),
        lambda p: p.update(open=[1, 0, 0, 0]),
        lambda p: p.update(open=[0, 0, 0]),
        lambda p: p.update(open=None),
        lambda p: p.update(last="small"),
        lambda p: p.update(version=0),
        lambda p: p.update(version=True),
        lambda p: p.clear(),
        GOOD[:59],
        np.ones((9000, 3), "<f4"),
        np.ones((60, 2), "<f4"),
        np.ones(180, "<f4"),
        np.ones((60, 3), "<i4"),
        np.array([["a"] * 3] * 60),
        GOOD * np.inf,
        None,
        b"",
        b"\x93NUMPY\x01\x00rubbish",
        bytes(2 << 20),
        {"tests": np.array([[20, 1, 0.5], [20, 1, 0.5]], "<f8")},
        {"tests": np.array([[20.5, 1, 0.5]], "<f8")},
        {"tests": np.array([[61, 1, 0.5]], "<f8")},
        {"tests": np.array([[-1, 1, 0.5]], "<f8")},
        {"tests": np.array([[np.nan, 1, 0.5]], "<f8")},
        {"tests": np.array([[20, 1, 1.5]], "<f8")},
        {"tests": np.array([[20, 1, np.nan], [30, 1, 0.5]], "<f8")},
        {"tests": np.ones((2, 2))},
        {"tests": None},
    ],
)  # fmt: skip
def test_damaged_curves_are_left_out_with_a_warning_and_the_weights_stay(tmp_path: Path, damage) -> None:
    path, trainer = kept_run(tmp_path)
    if callable(damage):
        h.with_json(path, lambda p: damage(p["run"]["curves"]))
    else:
        changes = damage if isinstance(damage, dict) else {"points": damage}
        parts = h.members(path)
        for name, content in changes.items():
            parts[f"curves/{name}.npy"] = h.npy(content) if isinstance(content, np.ndarray) else content
        h.write_zip(path, {k: v for k, v in parts.items() if v is not None})
    project = load_project(path)
    (said,) = project.messages
    assert "curve" in str(said) and "p.matrizen" in str(said) and "weights" in str(said)
    again = run_of(project)
    assert again.step == 60 and again.tests == [] and again.curve.last is None
    for key, array in trainer.store.state().items():
        np.testing.assert_array_equal(again.store.state()[key], array)
    assert load_project(save_project(path, project)).messages == ()


def test_a_flipped_bit_in_the_points_is_noticed(tmp_path: Path) -> None:
    path, _ = kept_run(tmp_path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("curves/points.npy")
    data[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 4
    path.write_bytes(data)
    project = load_project(path)
    assert project.run is not None and project.run.curve is None and project.run.step == 60
    assert any("curve" in str(m) for m in project.messages)


def test_a_newer_form_is_left_out_and_named(tmp_path: Path) -> None:
    path, _ = kept_run(tmp_path)
    h.with_json(path, lambda p: p["run"]["curves"].update(version=2, shape="other"))
    project = load_project(path)
    assert "newer Matrizen" in str(project.messages[0])
    assert project.run is not None and project.run.curve is None and project.run.step == 60


def test_curves_that_could_not_be_read_again_do_not_stop_a_save(tmp_path: Path) -> None:
    project, trainer = h.trained(5)
    strange = CurveState(0, 1, np.ones((3, 3)), (0, 0.0, 0.0, 0.0), math.nan)
    run = replace(trainer.checkpoint(), curve=strange)
    assert with_sound_curves(run).curve is None
    found = load_project(save_project(tmp_path / "p.matrizen", replace(project, run=run)))
    assert found.messages == () and found.run is not None and found.run.step == 5
    assert with_sound_curves(trainer.checkpoint()).curve is not None


def test_nothing_saved_is_nothing_said() -> None:
    assert curves_from_plain(None, {}, 5, "f") == ((None, ()), ())
