"""The commands as processes: what they print, what they leave, how they end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.layers import BatchNorm, Dense, Flatten, Input, Output
from engine.project import Project
from engine.project_file import load_project, save_project
from engine.settings import TrainingSpec
from engine.training import Trainer
from tests.engine import project_help as h
from tests.engine.data.picture_bytes import png

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "resources" / "samples"
CIRCLE = str(SAMPLES / "circle.matrizen")
KEYS = [
    "device", "steps", "epochs", "train_loss", "test_loss", "test_accuracy", "seconds", "parameters",
    "test_metrics",
]  # fmt: skip


def command(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=60,
    )


def done(*words: object, cwd: Path | None = None) -> str:
    result = command(*words, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(*words: object, status: int = 1) -> str:
    """The one line on standard error; nothing else was said."""
    result = command(*words)
    assert result.returncode == status, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    if status == 1:
        assert result.stdout == ""
        assert result.stderr.startswith("matrizen: ") and result.stderr.count("\n") == 1, result.stderr
        assert "unexpected error" not in result.stderr
    return result.stderr


def test_train_reports_one_json_object_and_keeps_what_was_asked_for(tmp_path):
    out = done("train", CIRCLE, "--epochs", 3, "--device", "numpy", "--seed", 5, "--json",
               "--export", tmp_path / "w.npz", "--save", tmp_path / "t.matrizen")  # fmt: skip
    report = json.loads(out)
    assert list(report) == KEYS
    assert (report["device"], report["steps"], report["epochs"], report["parameters"]) == (
        "numpy",
        120,
        3,
        13,
    )
    assert 0 < report["train_loss"] < 2 and 0 <= report["test_accuracy"] <= 1 and report["seconds"] > 0
    scores = report["test_metrics"]["output"]
    assert scores["accuracy"] == report["test_accuracy"] and [c["name"] for c in scores["classes"]]
    assert np.trace(scores["confusion"]) == round(scores["accuracy"] * np.sum(scores["confusion"]))
    saved = load_project(tmp_path / "t.matrizen")
    assert saved.run.step == 120 and saved.run.seed == 5
    with np.load(tmp_path / "w.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["hidden1.weight"], saved.run.state["hidden1.weight"])
    # the same seed is the same run, to the bit; and a saved project goes on where it stopped
    again = json.loads(done("train", CIRCLE, "--steps", 120, "--device", "numpy", "--seed", 5, "--json"))
    assert again["test_loss"] == report["test_loss"]
    further = json.loads(
        done("train", tmp_path / "t.matrizen", "--steps", 40, "--json", "--device", "numpy",
             "--save", tmp_path / "t.matrizen")
    )  # fmt: skip
    assert further["steps"] == 40 and further["epochs"] == 1
    assert load_project(tmp_path / "t.matrizen").run.step == 160
    assert load_project(tmp_path / "t.matrizen.bak").run.step == 120


def test_train_for_people_is_a_line_without_a_bar_where_no_terminal_is():
    result = command("train", CIRCLE, "--epochs", 1, "--device", "numpy")
    assert result.stdout.startswith("trained 40 steps on numpy") and "test accuracy" in result.stdout
    assert result.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
def test_a_terminal_sees_a_bar():
    import pty

    master, slave = pty.openpty()
    words = [sys.executable, str(ROOT / "main.py"), "train", CIRCLE, "--epochs", "2", "--device", "numpy"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=slave) as process:
        assert process.wait(60) == 0
    os.close(slave)
    seen = os.read(master, 10_000).decode()
    os.close(master)
    assert "80/80" in seen and "loss" in seen and "\r[" in seen


def test_regression_has_no_accuracy(tmp_path):
    report = json.loads(
        done("train", SAMPLES / "one_layer.matrizen", "--steps", 1, "--device", "numpy", "--json")
    )
    assert list(report) == KEYS
    assert report["test_accuracy"] is None and report["test_loss"] is None
    np.testing.assert_allclose(report["train_loss"], 0.315, rtol=1e-6)


@pytest.mark.parametrize("kind", ["pocl", "intel"])
def test_train_on_a_named_opencl_device(kind, opencl_required):
    devices = json.loads(done("devices", "--json"))
    device = next((d["id"] for d in devices if f":{kind}:" in d["id"] and d["verdict"] == "ok"), None)
    if device is None:
        opencl_required.missing(kind)
    report = json.loads(done("train", CIRCLE, "--steps", 400, "--device", device, "--json"))
    numpy = json.loads(done("train", CIRCLE, "--steps", 400, "--device", "numpy", "--json"))
    assert report["device"] == device and report["steps"] == 400
    np.testing.assert_allclose(report["test_loss"], numpy["test_loss"], rtol=1e-3)


def test_devices_lists_numpy_always():
    assert done("devices").startswith("numpy")
    devices = json.loads(done("devices", "--json"))
    assert devices[0]["id"] == "numpy" and devices[0]["verdict"] == "ok"
    assert all(isinstance(d["reason"], str) and d["reason"] for d in devices)


@pytest.fixture(scope="module")
def trained_digits(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "digits.matrizen"
    done("train", SAMPLES / "digits_cnn.matrizen", "--epochs", 4, "--device", "numpy", "--save", path)
    return path


def test_predict_tells_shares_of_every_class(trained_digits, tmp_path):
    project = load_project(trained_digits)
    data = load(project.source)
    right = 0
    paths = []
    for k in range(8):
        picture = np.clip(data.x_test[k, 0].astype(np.float32) * data.scale * 255, 0, 255)
        paths.append(tmp_path / f"{k} ü.png")
        paths[-1].write_bytes(png(np.round(picture).astype(np.uint8)[..., None]))
    results = json.loads(done("predict", trained_digits, *paths, "--json"))
    for k, r in enumerate(results):
        assert r["picture"] == str(paths[k]) and len(r["outputs"]) == len(r["classes"]) == 10
        shares = [c["share"] for c in r["classes"]]
        assert shares == sorted(shares, reverse=True) and abs(sum(shares) - 1) < 1e-6
        right += r["classes"][0]["label"] == data.y_test[k]
    assert right >= 7
    photos = done(
        "predict", trained_digits, SAMPLES / "data" / "chelsea.png", SAMPLES / "data" / "coffee.png"
    )
    assert photos.count("\n") == 2 and "chelsea.png: " in photos and " %" in photos


def test_predict_normalizes_pictures_as_the_data_was(tmp_path):
    """Brightness is the only difference: only a normalized picture lands on the right side."""
    for name, level in (("dark", 100), ("light", 130)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for k in range(10):
            picture = np.full((4, 4, 1), level + k % 5, np.uint8)
            picture[3, 3] = k
            (tmp_path / "data" / name / f"{k}.png").write_bytes(png(picture))
    source = replace(SourceSpec.folder("data", size=(4, 4), channels=1), normalize=True)
    data = load(source, base=tmp_path)
    assert data.mean is not None
    graph = GraphSpec().add("x", Input((1, 4, 4))).add("flat", Flatten(), after="x")
    graph = graph.add("fc", Dense(2), after="flat").add("norm", BatchNorm(), after="fc")
    graph = graph.add("out", Output(), after="norm")
    trainer = Trainer(graph, TrainingSpec("cross_entropy", "adam", 0.05, 8), data, open_backend("numpy"))
    for _ in range(60):
        trainer.run(10)
    alone = replace(trainer.training, batch=1)  # no batch norm can learn so, but it can answer
    path = save_project(
        tmp_path / "p.matrizen", Project(graph, alone, data.pinned(), run=trainer.checkpoint())
    )
    pictures = [tmp_path / "data" / n / "3.png" for n in ("dark", "light")]
    results = json.loads(done("predict", path, *pictures, "--json"))
    assert [r["classes"][0]["name"] for r in results] == ["dark", "light"]
    assert all(r["classes"][0]["share"] > 0.9 for r in results)


def test_predict_of_an_untrained_project_says_so():
    result = command("predict", SAMPLES / "fashion_mlp.matrizen", SAMPLES / "data" / "coffee.png", "--json")
    assert result.returncode == 0 and len(json.loads(result.stdout)) == 1
    assert "not trained yet" in result.stderr


def test_export_writes_the_saved_weights(trained_digits, tmp_path):
    out = done("export", trained_digits, tmp_path / "w.npz", "--script", "torch", "--script", "jax")
    names = ["w.npz", "w_torch.py", "w_torch_examples.npz", "w_jax.py", "w_jax_examples.npz"]
    assert out.split() == [str(tmp_path / name) for name in names]
    assert '"w.npz"' in (tmp_path / "w_jax.py").read_text(encoding="utf-8")
    with np.load(tmp_path / "w.npz", allow_pickle=False) as archive:
        saved = load_project(trained_digits).run.state
        np.testing.assert_array_equal(archive["conv1.weight"], saved["conv1.weight"])
        assert json.loads(str(archive["__meta__"]))["class_names"]


def test_export_does_without_data_that_moved(tmp_path):
    project, _ = h.trained()
    path = save_project(tmp_path / "p.matrizen", replace(project, source=SourceSpec.npz("gone.npz")))
    result = command("export", path, tmp_path / "w.npz")
    assert result.returncode == 0 and "gone.npz" in result.stderr and (tmp_path / "w.npz").exists()


def test_check_lists_layers_and_finds_what_is_wrong(tmp_path):
    out = done("check", CIRCLE)
    assert "hidden1" in out and "13 weights" in out and "400 training" in out
    project, _ = h.trained()
    bad = save_project(
        tmp_path / "b.matrizen", replace(project, graph=project.graph.remove(["out"]), run=None)
    )
    result = command("check", bad)
    assert result.returncode == 1
    assert result.stderr.startswith("matrizen: ") and "has no output" in result.stderr
    misfit = save_project(tmp_path / "m.matrizen", replace(project, graph=h.dense(5)))
    result = command("check", misfit)
    assert result.returncode == 1 and "fc1.weight: (5, 2) expected, (3, 2) found" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", ["check", "train"])
@pytest.mark.parametrize("content", [None, b"", b"no zip at all", b"PK\x03\x04 broken"])
def test_bad_files_are_one_line_and_status_one(tmp_path, name, content):
    path = tmp_path / "bad.matrizen"
    if content is not None:
        path.write_bytes(content)
    assert "bad.matrizen" in refused(name, path)


def test_other_bad_input_is_one_line_and_status_one(tmp_path, trained_digits):
    assert "no trained weights" in refused("export", CIRCLE, tmp_path / "w.npz")
    assert "numbers, not for pictures" in refused("predict", CIRCLE, SAMPLES / "data" / "coffee.png")
    assert "gone.png" in refused("predict", trained_digits, tmp_path / "gone.png")
    assert "nowhere" in refused("train", CIRCLE, "--steps", 1, "--device", "nowhere")
    assert "opencl:nobody:7" in refused("train", CIRCLE, "--steps", 1, "--device", "opencl:nobody:7")


def test_targets_that_cannot_be_written_are_refused_before_training(tmp_path):
    begun = time.monotonic()
    for flag, target in (("--save", tmp_path / "no" / "x.matrizen"), ("--export", tmp_path),
                         ("--save", tmp_path / "con.matrizen")):  # fmt: skip
        text = refused("train", CIRCLE, "--epochs", 100_000, flag, target)
        assert "folder" in text or "file name" in text
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    "words",
    [
        ["train"], ["train", CIRCLE, "--epochs", "0"], ["train", CIRCLE, "--steps", "-1"],
        ["train", CIRCLE, "--epochs", "1", "--steps", "1"], ["train", CIRCLE, "--seed", "x"],
        ["train", CIRCLE, "--nonsense"], ["predict", CIRCLE], ["export", CIRCLE], ["check"],
        ["devices", "extra"], ["frobnicate"],
    ],
)  # fmt: skip
def test_wrong_usage_is_status_two(words):
    assert "usage" in refused(*words, status=2)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step_and_saves_what_was_asked_for(tmp_path, number):
    import pty

    words = ["train", CIRCLE, "--epochs", 10_000_000, "--device", "numpy",
             "--export", tmp_path / "w.npz", "--save", tmp_path / "t.matrizen"]  # fmt: skip
    master, slave = pty.openpty()
    program = [sys.executable, str(ROOT / "main.py"), *map(str, words)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=slave, text=True) as process:
        os.close(slave)
        seen = b""
        while b"loss" not in seen:  # the bar: it trains, and hears signals
            seen += os.read(master, 10_000)
        process.send_signal(number)
        with contextlib.suppress(OSError):  # the end of a terminal that nobody writes to any more
            while more := os.read(master, 10_000):
                seen += more
        out, _ = process.communicate(timeout=30)
    os.close(master)
    err = seen.decode(errors="replace")
    assert process.returncode == 0, err
    assert "stopping after this step" in err and "Traceback" not in err
    steps = int(out.removeprefix("stopped after ").split()[0])
    assert steps > 0
    assert load_project(tmp_path / "t.matrizen").run.step == steps
    with np.load(tmp_path / "w.npz", allow_pickle=False) as archive:
        assert json.loads(str(archive["__meta__"]))["step"] == steps
