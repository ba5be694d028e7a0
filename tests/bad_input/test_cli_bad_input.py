"""Cases of BAD_INPUTS as the commands meet them: one line on standard error, status 1, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.layers import Dense, Input, Output, ReLU
from engine.project import Project
from engine.project_file import load_project, save_project
from engine.settings import TrainingSpec
from tests.engine import project_help as h

ROOT = Path(__file__).parents[2]


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip


def refused(*words: object) -> str:
    result = command(*words)
    assert result.returncode == 1 and result.stderr.count("\n") == 1, (result.stdout, result.stderr)
    assert result.stderr.startswith("matrizen: ") and "unexpected" not in result.stderr
    return result.stderr


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return h.good_file(tmp_path)


def numpy_train(path: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return command("train", path, "--device", "numpy", *words)


def test_case_06_truncated(good):
    save_project(good, load_project(good))
    good.write_bytes(good.read_bytes()[:-30])
    assert "good.matrizen.bak" in refused("train", good, "--steps", 1)


def test_case_15_newer_schema(good):
    h.with_json(good, lambda p: p.update(version=9))
    assert "newer Matrizen" in refused("check", good)


def test_case_17_unknown_layer_cannot_be_trained_but_stays(good):
    h.with_json(good, lambda p: p["graph"]["nodes"][2].update(kind="attention"))
    before = good.read_bytes()
    assert "attention" in refused("train", good, "--steps", 1, "--device", "numpy")
    result = command("check", good)
    assert result.returncode == 1 and "attention" in result.stderr
    assert good.read_bytes() == before


def test_case_22_weights_of_another_shape(good):
    h.write_zip(good, {**h.members(good), "state/fc1.weight.npy": h.npy(np.zeros((4, 2), np.float32))})
    text = refused("train", good, "--steps", 1, "--device", "numpy")
    assert "fc1.weight: (3, 2) expected, (4, 2) found" in text


def test_case_23_missing_weights_are_a_warning(good):
    parts = h.members(good)
    del parts["state/fc1.bias.npy"]
    h.write_zip(good, parts)
    result = numpy_train(good, "--steps", 2)
    assert result.returncode == 0 and "no saved weights for fc1.bias" in result.stderr


def test_case_27_data_gone(good):
    project = load_project(good)
    save_project(good, replace(project, source=SourceSpec.npz("moved.npz")))
    assert "moved.npz is not there" in refused("train", good, "--steps", 1)


def test_case_28_data_changed(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(40) % 2)
    project, _ = h.trained()
    path = tmp_path / "p.matrizen"
    save_project(path, Project(project.graph, project.training, SourceSpec.npz("d.npz")))
    assert "has changed" not in numpy_train(path, "--steps", 2, "--save", path).stderr
    assert load_project(path).source.sha256
    assert "has changed" not in numpy_train(path, "--steps", 2).stderr
    np.savez(tmp_path / "d.npz", x=x[:25] + 1, y=np.arange(25) % 2)
    result = numpy_train(path, "--steps", 40)
    assert result.returncode == 0 and result.stderr.count("has changed") == 1


def test_case_27_saved_elsewhere_the_data_is_still_found(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    (tmp_path / "other").mkdir()
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(40) % 2)
    project, _ = h.trained()
    path = tmp_path / "p.matrizen"
    save_project(path, Project(project.graph, project.training, SourceSpec.npz("d.npz")))
    there = tmp_path / "other" / "q.matrizen"
    assert numpy_train(path, "--steps", 1, "--save", there).returncode == 0
    assert numpy_train(there, "--steps", 1).returncode == 0


def test_case_63_and_65_networks_that_are_not_ready(good):
    project = load_project(good)
    save_project(good, replace(project, graph=project.graph.unlink("fc2", 0), run=None))
    assert "fc2: Nothing is linked" in refused("train", good, "--steps", 1, "--device", "numpy")
    save_project(good, replace(project, graph=GraphSpec(), run=None))
    assert "empty" in refused("train", good, "--steps", 1, "--device", "numpy")


def test_case_75_a_loss_that_explodes_saves_the_last_good_weights(tmp_path):
    graph = (
        GraphSpec().add("x", Input((2,))).add("fc1", Dense(8), after="x").add("relu1", ReLU(), after="fc1")
    )
    graph = graph.add("fc2", Dense(1), after="relu1").add("out", Output(), after="fc2")
    project = Project(graph, TrainingSpec("mse", "sgd", 1e6, 10), SourceSpec.toy("circle"))
    path = save_project(tmp_path / "p.matrizen", project)
    result = numpy_train(path, "--epochs", 3, "--json", "--save", tmp_path / "q.matrizen")
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "no longer a finite number" in result.stderr and "lower learning rate" in result.stderr

    def constant(text):
        raise AssertionError(f"{text} is not JSON")

    json.loads(result.stdout, parse_constant=constant)
    state = load_project(tmp_path / "q.matrizen").run.state
    assert all(np.isfinite(v).all() for v in state.values())
