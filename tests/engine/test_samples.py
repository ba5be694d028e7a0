"""The sample projects: ready to run, untrained, and learning what they promise (medians over five seeds)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.inference import infer
from engine.project_file import load_project, save_project
from engine.training import Trainer, data_spec

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "resources" / "samples"
NAMES = [
    "circle",
    "digits_cnn",
    "digits_turned",
    "emma_lstm",
    "emma_transformer",
    "fashion_autoencoder",
    "fashion_cnn",
    "fashion_mlp",
    "fashion_residual",
    "one_layer",
    "spiral",
    "tones_cnn",
]

thorough = (pytest.mark.thorough, pytest.mark.timeout(300))
MEDIANS = """
import json, sys
sys.path.insert(0, {root!r})
from dataclasses import replace
from statistics import median
from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.project_file import load_project
from engine.training import Trainer
project = load_project({path!r})
data = load(project.source)
found = []
for seed in range(1, 6):
    trainer = Trainer(project.graph, replace(project.training, seed=seed), data, open_backend("numpy"))
    while trainer.epoch < {epochs}:
        assert trainer.run(10**6, 1e6).stopped is None
    made = trainer.evaluate()
    found.append(-made.loss if made.accuracy is None else made.accuracy)
print(json.dumps([median(found), data.n_train, data.n_test]))
"""


def test_these_are_the_samples():
    assert sorted(p.stem for p in SAMPLES.glob("*.matrizen")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_sample_is_ready_and_takes_a_step(name):
    project = load_project(SAMPLES / f"{name}.matrizen")
    assert project.messages == ()
    data = load(project.source)
    facts = infer(project.graph, project.training, data_spec(data))
    assert facts.problems == ()
    trainer = Trainer(project.graph, project.training, data, open_backend("numpy"))
    if project.run is not None:
        assert project.run.step == 0
        trainer.load_checkpoint(project.run)
    assert trainer.run(2).stopped is None


def test_the_files_are_what_the_script_writes(tmp_path):
    """A sample edited by hand, or a script changed without running it, would show here."""
    spec = importlib.util.spec_from_file_location("make_samples", SAMPLES / "make_samples.py")
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = path
    for name, project in module.projects().items():
        made = save_project(tmp_path / f"{name}.matrizen", project)
        assert made.read_bytes() == (SAMPLES / made.name).read_bytes(), name


@pytest.mark.parametrize(
    ("name", "epochs", "least"),
    [
        ("circle", 40, 0.99), ("spiral", 150, 0.95), ("fashion_mlp", 20, 0.81), ("digits_cnn", 10, 0.97),
        ("fashion_autoencoder", 5, -0.029),
        pytest.param("digits_turned", 15, 0.95, marks=thorough),
        pytest.param("fashion_residual", 15, 0.82, marks=thorough),
    ],
)
def test_medians_over_five_seeds(name, epochs, least):
    # in a process of its own: on busy cores the threads of BLAS would only wait for each other
    code = MEDIANS.format(root=str(ROOT), path=str(SAMPLES / f"{name}.matrizen"), epochs=epochs)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    median, train, test = json.loads(done.stdout)
    assert median >= least
    if name == "fashion_mlp":
        assert test == 500
    if name == "digits_cnn":
        assert abs(test / (train + test) - 0.2) < 0.01
