"""The script of a step: run by another Python, without the project, it prints the engine's numbers."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import GraphError, ProjectError
from engine.export.numpy_helpers import HELPERS
from engine.export.numpy_lines import WRITERS
from engine.export.numpy_proof import prove, wanted_of, write_proof
from engine.graph import GraphSpec
from engine.layers import (
    AffineWarp,
    AvgPool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Crop,
    Dense,
    Embedding,
    Flatten,
    Input,
    LeakyReLU,
    MaxPool2D,
    Output,
    ReLU,
    Sigmoid,
    Softmax,
    SpatialTransformer,
    Tanh,
    Upsample,
)
from engine.training import Trainer
from tests.contract.networks import chain, residual
from tests.contract.test_sequences import block, recurrences
from tests.engine.number_nets import pictures, square

MOST = 400
"""Larger matrices are printed in part only."""


def windows() -> GraphSpec:
    return chain(
        Conv2D(filters=3, kernel=(3, 2), stride=(2, 1), padding=(1, 0, 2, 1)), LeakyReLU(),
        MaxPool2D(kernel=(2, 2), stride=(1, 1), padding=(1, 1, 0, 0)), BatchNorm(), Sigmoid(),
        AvgPool2D(), Flatten(), Dense(units=10), Softmax(), shape=(2, 9, 8),
    )  # fmt: skip


def gaps() -> GraphSpec:
    """Convolutions with dilation and groups, and a transposed one."""
    return chain(
        Conv2D(filters=4, kernel=(2, 3), dilation=(2, 1), groups=2), Tanh(),
        ConvTranspose2D(filters=6, kernel=(3, 2), padding=(1, 0, 0, 1), output_padding=(1, 0), groups=2),
        Conv2D(filters=8, kernel=(2, 2), padding=(1, 0, 1, 1), groups=2),
        Flatten(), Dense(units=10), Softmax(), shape=(2, 7, 6),
    )  # fmt: skip


def along() -> GraphSpec:
    """Convolutions along a sequence: causal with gaps, then with groups and a stride."""
    return chain(
        Embedding(10, 4), Conv1D(filters=6, kernel=3, padding=(4, 0), dilation=2), Tanh(),
        Conv1D(filters=4, kernel=2, stride=2, padding=(0, 1), groups=2),
        Flatten(), Dense(units=10), Softmax(), shape=(7,),
    )  # fmt: skip


def vectors() -> GraphSpec:
    first = Dense(units=6, bias=False)  # a bias before a batch norm has no gradient but rounding
    return chain(first, BatchNorm(), Tanh(), Dense(units=5), ReLU(), Dense(units=1), shape=(7,))


def turned() -> GraphSpec:
    """A picture warped by six numbers that come from it, then larger, cut and turned by a learnt matrix."""
    g = GraphSpec().add("x", Input((1, 6, 7))).add("flat", Flatten(), after="x")
    g = g.add("six", Dense(units=6), after="flat").add("warp", SpatialTransformer(), after=("x", "six"))
    g = g.add("up", Upsample((2, 1), "bilinear"), after="warp").add("crop", Crop((1, 0, 2, 1)), after="up")
    g = g.add("turn", AffineWarp(10.0, 90.0, border="edge", trained=True), after="crop")
    g = g.add("all", Flatten(), after="turn").add("fc", Dense(units=10), after="all")
    return g.add("out", Output(), after="fc")


RUNS = {
    "windows": lambda: (
        pictures(windows(), (2, 9, 8), "rmsprop", "mse"), ("conv2d1", "batch_norm1", "dense1"),
    ),
    "gaps": lambda: (pictures(gaps(), (2, 7, 6), "sgd"), ("conv2d1", "conv_transpose2d1", "conv2d2")),
    "along": lambda: (pictures(along(), (7,), "sgd"), ("conv1d1", "conv1d2")),
    "residual": lambda: (pictures(residual(), (2, 9, 9), "adam"), ("norm2", "dense", "drop", "relu1")),
    "one unit": lambda: (pictures(vectors(), (7,), "momentum", "mse", classes=2), ("dense1", "relu1")),
    "square": lambda: (square_run(), ("fc1",)),
    "locked": lambda: (locked_run(), ("dense1",)),
    "outputs": lambda: (outputs_run(), ("enc",)),
    "turned": lambda: (pictures(turned(), (1, 6, 7), "sgd"), ("warp",)),
    "sequence": lambda: (pictures(block(), (5,), "sgd"), ("embed", "look")),
    "recurrent": lambda: (pictures(recurrences(), (3,), "sgd"), ("lstm", "rnn")),
}  # fmt: skip


def square_run() -> Trainer:
    t = square()
    t.traced_step()
    return t


def outputs_run() -> Trainer:
    """A class and the input itself, labels smoothed and classes weighed."""
    g = GraphSpec().add("x", Input((7,))).add("enc", Dense(5), after="x").add("name", Dense(3), after="enc")
    g = g.add("out", Output(), after="name").add("copy", Dense(7), after="enc")
    g = g.add("seen", Output(weight=0.25, loss="mse", target="input"), after="copy")
    t = pictures(g, (7,), "sgd", classes=3)
    t.rebuild(g, replace(t.training, label_smoothing=0.1, class_weighting="balanced"), t.dataset)
    assert t.traced_step() is None
    return t


def locked_run() -> Trainer:
    t = pictures(vectors(), (7,), "adam", "mse", classes=2)
    t.lock({"dense1.weight": np.arange(42).reshape(6, 7) % 3 == 0})
    t.traced_step()
    return t


def run(script: Path) -> str:
    """What it prints, in a Python that sees nothing of the project."""
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(script)], cwd=script.parent, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def printed(text: str) -> dict[str, tuple[str, float]]:
    """Name -> (the shape and numbers as printed, the difference it claims)."""
    parts = re.split(r"^(\w[\w ]*) (\(.*?\)), largest difference from the engine (\S+)\n", text, flags=re.M)
    return {parts[i]: (parts[i + 1] + parts[i + 3], float(parts[i + 2])) for i in range(1, len(parts), 4)}


@pytest.mark.parametrize("name", list(RUNS))
def test_the_script_prints_the_numbers_of_the_engine(name, tmp_path):
    t, layers = RUNS[name]()
    for node in layers:
        proof = prove(t, node)
        assert not proof.unwritten
        script, weights, batch = write_proof(tmp_path / f"{node}.py", proof)
        assert weights.exists() and batch.exists()
        source = script.read_text(encoding="utf-8")
        assert set(re.findall(r"^(?:from|import) (\S+)", source, re.M)) == {"pathlib", "numpy"}
        assert max(map(len, source.split("\n"))) < 140, "to be read"
        found = printed(run(script))
        wanted = wanted_of(t.program, t.graph, node)
        assert list(found) == [label for label, _ in wanted]
        for label, value in wanted:
            text, difference = found[label]
            engine = t.read(value.id)
            size = max(float(np.abs(engine).max()), 1e-3)
            assert difference <= 2e-5 * size, (node, label, difference)
            if engine.size <= MOST:
                compare_digits(text, engine, size)


def compare_digits(text: str, engine: np.ndarray, size: float) -> None:
    """Digit by digit: the numbers read back from the paper are the engine's to what is printed."""
    shape, _, body = text.partition(")")
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[-+]\d+)?", body)]
    assert tuple(int(n) for n in re.findall(r"\d+", shape)) == engine.shape
    np.testing.assert_allclose(numbers, engine.ravel(), rtol=3e-5, atol=1e-5 * size)


def test_the_worked_example_is_printed_to_the_digit(root, tmp_path):
    from engine.backends.opening import open_backend
    from engine.data.loading import load
    from engine.project_file import load_project

    project = load_project(root / "resources" / "samples" / "one_layer.matrizen")
    t = Trainer(project.graph, project.training, load(project.source), open_backend("numpy"))
    t.load_checkpoint(project.run)
    t.traced_step()
    script, *_ = write_proof(tmp_path / "worked.py", prove(t, "layer1"))
    text = re.sub(r"\s+", " ", run(script).replace("[ ", "[").replace("[ ", "["))
    text = re.sub(r"\[ +", "[", text)
    for piece in ("0.315", "[[-0.15 0.1] [-0.25 0.5]]", "[[0.1 0.2] [-0.5 -1]]",
                  "[[0.49 -0.27] [0.3 0.6]]", "[0.095 -1.975]"):  # fmt: skip
        assert piece in text


def test_a_wrong_number_shows_in_the_difference(tmp_path):
    t, _ = RUNS["square"]()
    proof = prove(t, "fc1")
    script, *_ = write_proof(tmp_path / "p.py", proof)
    script.write_text(script.read_text().replace(" @ ", " * 2 @ "))
    assert printed(run(script))["Z"][1] > 1


@pytest.mark.parametrize("kind", ["tanh", "dense_dw", "batchnorm", "adam"])
def test_a_kind_that_cannot_be_written_is_read_from_the_file_and_named(kind, tmp_path, monkeypatch):
    t = pictures(vectors(), (7,), "adam", "mse", classes=2)
    monkeypatch.delitem(WRITERS, kind)
    proof = prove(t, "dense1")
    assert proof.unwritten == (kind,)
    script, *_ = write_proof(tmp_path / "p.py", proof)
    assert f"# {kind}: not written out yet" in script.read_text()
    assert all(difference < 1e-5 for _, difference in printed(run(script)).values())


def test_the_functions_of_a_script_are_python():
    for source in HELPERS.values():
        compile(source, "helper", "exec")


def test_names_that_are_words_of_python_do_no_harm(tmp_path):
    t = pictures(chain(Dense(units=2), shape=(3,)), (3,), classes=2)
    t.graph = t.graph.replace_node("dense1", name="np")
    script, *_ = write_proof(tmp_path / "lambda.py", prove(t, "dense1"))
    assert printed(run(script))["loss"][1] < 1e-6


def test_no_such_layer_and_no_such_folder(tmp_path):
    t, _ = RUNS["square"]()
    with pytest.raises(GraphError, match="on the way to the loss"):
        prove(t, "nowhere")
    with pytest.raises(ProjectError):
        write_proof(tmp_path / "missing" / "p.py", prove(t, "fc1"))


def test_the_command_writes_a_step_that_is_still_to_come(root, tmp_path, capsys):
    from main import main

    project = str(root / "resources" / "samples" / "one_layer.matrizen")
    assert main(["proof", project, str(tmp_path / "p.py"), "--layer", "layer1", "--step", "3"]) == 0
    files = ("p.py", "p_weights.npz", "p_batch.npz")
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in files]
    text = run(tmp_path / "p.py")
    assert "Step 3 of" in (tmp_path / "p.py").read_text() and printed(text)["loss"][1] == 0
    assert main(["proof", project, str(tmp_path / "q.py"), "--layer", "nobody"]) == 1
    assert "Choose a layer" in capsys.readouterr().err
