"""The other ways of a run in a file: they come back as they were, and a damaged one costs only itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.project import Project
from engine.project_file import load_project, save_project
from engine.run import KeptLine, Lines
from tests.engine.project_help import members, trained, with_json, write_zip


@pytest.fixture(scope="module")
def project() -> Project:
    """Run 2, with run 1 of another size beside it and of run 3 only the curve."""
    whole, _ = trained(60)
    wide, trainer = trained(50, units=5)
    assert whole.run is not None and wide.run is not None
    first = KeptLine(1, None, 0, wide.graph, replace(wide.training, learning_rate=0.1), wide.run)
    bare = replace(whole.run, state={}, start=None)
    third = KeptLine(3, 1, 20, whole.graph, whole.training, bare, whole=False)
    assert trainer.step == 50
    return replace(whole, run=replace(whole.run, lines=Lines(2, 1, 10, (first, third))))


@pytest.fixture
def file(project: Project, tmp_path: Path) -> Path:
    return save_project(tmp_path / "lines.matrizen", project)


def lines_of(project: Project) -> Lines:
    assert project.run is not None and project.run.lines is not None
    return project.run.lines


def test_all_lines_come_back(project: Project, file: Path) -> None:
    found = load_project(file)
    assert not found.messages
    lines, before = lines_of(found), lines_of(project)
    assert (lines.number, lines.parent, lines.start) == (2, 1, 10)
    for a, b in zip(lines.others, before.others, strict=True):
        assert (a.number, a.parent, a.start, a.whole) == (b.number, b.parent, b.start, b.whole)
        assert (a.graph, a.training, a.run.step, a.run.log) == (b.graph, b.training, b.run.step, b.run.log)
        assert a.run.state.keys() == b.run.state.keys()
        for key, array in b.run.state.items():
            np.testing.assert_array_equal(a.run.state[key], array)
        assert a.run.curve is not None and b.run.curve is not None and a.run.curve.end == b.run.curve.end
    again = save_project(file.with_name("again.matrizen"), found)
    assert again.read_bytes() == file.read_bytes()


def test_a_file_without_them_opens_as_before(project: Project, tmp_path: Path) -> None:
    assert project.run is not None
    plain = replace(project, run=replace(project.run, lines=None))
    path = save_project(tmp_path / "one.matrizen", plain)
    assert b'"lines"' not in members(path)["project.json"]
    found = load_project(path)
    assert found.run is not None and found.run.lines is None and not found.messages


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], Any], list[int], str]] = {
    "no list": (lambda x: x.update(others=5), [], "list of the other runs is damaged"),
    "newer": (lambda x: x.update(version=9), [], "newer Matrizen"),
    "own number": (lambda x: x["others"][0].update(number=2), [3], "run 2 beside this one is damaged"),
    "twice": (lambda x: x["others"][1].update(number=1), [1], "run 1 beside this one is damaged"),
    "no graph": (lambda x: x["others"][0].update(graph=[]), [3], "run 1 beside"),
    "loop": (lambda x: x["others"][0]["graph"]["links"].append(["fc2", 0, "fc1", 0]), [3], "run 1 beside"),
    "no settings": (lambda x: x["others"][0].update(training=None), [3], "run 1 beside"),
    "bad rate": (lambda x: x["others"][0]["training"].update(learning_rate="fast"), [3], "run 1 beside"),
    "no run": (lambda x: x["others"][0].update(run=None), [3], "run 1 beside"),
    "negative": (lambda x: x["others"][0]["run"].update(step=-1), [3], "run 1 beside"),
    "start behind end": (lambda x: x["others"][1].update(start=10**9), [1], "run 3 beside"),
    "text": (lambda x: x["others"].append("x"), [1, 3], "run 3 beside"),
    "no start": (lambda x: x["others"][0].__delitem__("start"), [3], "run 1 beside"),
}


@pytest.mark.parametrize("what", list(DAMAGE))
def test_a_damaged_line_costs_only_itself(file: Path, what: str) -> None:
    change, left, words = DAMAGE[what]
    found = load_project(with_json(file, lambda p: change(p["run"]["lines"])))
    assert found.run is not None and found.run.step == 60 and len(found.run.state) > 3
    assert [line.number for line in (found.run.lines.others if found.run.lines else ())] == left
    assert any(words in str(message) for message in found.messages)


@pytest.mark.parametrize("member", ["lines/1/state/fc1.weight.npy", "lines/1/curves/points.npy"])
@pytest.mark.parametrize("how", ["missing", "rubbish"])
def test_damaged_arrays_of_a_line(file: Path, member: str, how: str) -> None:
    parts = members(file)
    assert member in parts
    if how == "missing":
        del parts[member]
    else:
        parts[member] = b"\x93NUMPY rubbish"
    found = load_project(write_zip(file, parts))
    first = lines_of(found).others[0]
    weights = "state" in member
    assert first.number == 1 and first.whole is not weights and bool(first.run.state) is not weights
    assert (first.run.curve is not None) is weights
    assert len(found.messages) == 1 and "run 1 beside this one" in str(found.messages[0])
