"""Writes the sample projects beside this file: `python resources/samples/make_samples.py`.

They reach, as medians over five seeds (tests/engine/test_samples.py): circle 0.99 in 40 epochs, spiral 0.95
in 150, fashion_mlp 0.81 in 20, fashion_residual 0.82 in 15, digits_cnn 0.97 on its held-back fifth in 10,
digits_turned 0.95 in 15 (the same without what turns them 0.92), tones_cnn 0.98 in 20. fashion_autoencoder
draws clothes from 16 numbers with a mean squared error of 0.017 in 20 (the mean picture: 0.086). fashion_cnn
reaches 0.82 in 5 (one run). The tips of the samples in the window say the same (gui/panels/samples_strip.py).
Of the next letters emma_transformer guesses 0.42 in 3 epochs, emma_lstm 0.48 (one run each; from the last
letter alone 0.27 at best).
They are untrained (but `one_layer`, which starts from the numbers of the worked example), so that a person
sees the learning from its start.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

from engine import random  # noqa: E402
from engine.data.source import SourceSpec  # noqa: E402
from engine.graph import GraphSpec  # noqa: E402
from engine.layers import (  # noqa: E402
    LSTM,
    Add,
    Augment,
    AvgPool2D,
    BatchNorm,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    Layer,
    LayerNorm,
    MaxPool2D,
    MultiHeadSelfAttention,
    Output,
    PositionalEncoding,
    ReLU,
    Reshape,
    Sigmoid,
    SpatialTransformer,
    Tanh,
)
from engine.project import Project  # noqa: E402
from engine.project_file import save_project  # noqa: E402
from engine.settings import TrainingSpec  # noqa: E402
from engine.training import SHUFFLE, Checkpoint  # noqa: E402


def chain(*layers: tuple[str, Layer]) -> GraphSpec:
    """Layers one behind the other."""
    graph, last = GraphSpec(), None
    for name, layer in layers:
        graph, last = graph.add(name, layer, after=last), name
    return graph


def same(size: int) -> tuple[int, int, int, int]:
    """Padding that keeps the size for an odd kernel."""
    return (size // 2,) * 4  # type: ignore[return-value]


def projects() -> dict[str, Project]:
    """Name -> project."""
    circle = chain(("points", Input((2,))), ("hidden1", Dense(3)), ("tanh1", Tanh()),
                   ("hidden2", Dense(1)), ("tanh2", Tanh()), ("output", Output()))  # fmt: skip
    spiral = chain(("points", Input((2,))), ("hidden1", Dense(12)), ("tanh1", Tanh()),
                   ("hidden2", Dense(12)), ("tanh2", Tanh()), ("hidden3", Dense(1)), ("tanh3", Tanh()),
                   ("output", Output()))  # fmt: skip
    mlp = chain(("clothes", Input((1, 28, 28))), ("flatten1", Flatten()),
                ("dense1", Dense(128, initializer="he_uniform")), ("relu1", ReLU()),
                ("dense2", Dense(10)), ("output", Output()))  # fmt: skip
    cnn = chain(("clothes", Input((1, 28, 28))), ("augment1", Augment(rotation=4.0, scale=4.0, shift=1.0)),
                ("conv1", Conv2D(8, (5, 5), padding=same(5))), ("relu1", ReLU()), ("pool1", MaxPool2D()),
                ("conv2", Conv2D(16, (3, 3), padding=same(3))), ("relu2", ReLU()), ("pool2", MaxPool2D()),
                ("flatten1", Flatten()), ("dense1", Dense(10)), ("output", Output()))  # fmt: skip
    digits = chain(("digits", Input((1, 8, 8))),
                   ("conv1", Conv2D(8, (3, 3), padding=same(3))), ("relu1", ReLU()),
                   ("conv2", Conv2D(16, (3, 3), padding=same(3))), ("relu2", ReLU()), ("pool1", MaxPool2D()),
                   ("flatten1", Flatten()), ("dense1", Dense(10)), ("output", Output()))  # fmt: skip
    tones = chain(("tones", Input((1, 32, 32))),
                  ("conv1", Conv2D(8, (3, 3), padding=same(3))), ("relu1", ReLU()), ("pool1", MaxPool2D()),
                  ("flatten1", Flatten()), ("dense1", Dense(4)), ("output", Output()))  # fmt: skip
    encoder = (("clothes", Input((1, 28, 28))),
               ("conv1", Conv2D(8, (3, 3), (2, 2), same(3))), ("relu1", ReLU()),
               ("conv2", Conv2D(16, (3, 3), (2, 2), same(3))), ("relu2", ReLU()),
               ("flatten1", Flatten()), ("code", Dense(16)))  # fmt: skip
    decoder = (("dense1", Dense(784)), ("maps", Reshape((16, 7, 7))),
               ("tconv1", ConvTranspose2D(8, (3, 3), (2, 2), same(3), (1, 1))), ("relu3", ReLU()),
               ("tconv2", ConvTranspose2D(1, (3, 3), (2, 2), same(3), (1, 1))), ("sigmoid1", Sigmoid()),
               ("output", Output(target="input")))  # fmt: skip
    emma = transformer(46, 32, 16)
    lstm = chain(("text", Input((24,))), ("embed", Embedding(46, 32)), ("lstm1", LSTM(64)),
                 ("next", Dense(46)), ("output", Output()))  # fmt: skip
    turned = upright(16, 32)
    shortcuts = residual(8)
    layer = chain(("x", Input((2,))), ("layer1", Dense(2)), ("relu1", ReLU()), ("output", Output()))
    return {
        "circle": Project(circle, TrainingSpec("mse", "sgd", 0.03, 10), SourceSpec.toy("circle")),
        "spiral": Project(
            spiral, TrainingSpec("mse", "adam", 0.015, 10), SourceSpec.toy("spiral", noise=0.05)
        ),
        "fashion_mlp": Project(
            mlp, TrainingSpec("cross_entropy", "adam", 0.001, 50), SourceSpec.sample("fashion")
        ),
        "fashion_cnn": Project(
            cnn, TrainingSpec("cross_entropy", "adam", 0.002, 50), SourceSpec.sample("fashion")
        ),
        "fashion_residual": Project(
            shortcuts,
            TrainingSpec("cross_entropy", "adam", 0.01, 50, schedule="step", schedule_steps=160,
                         schedule_factor=0.4),
            SourceSpec.sample("fashion"),
        ),
        "digits_cnn": Project(
            digits, TrainingSpec("cross_entropy", "adam", 0.003, 32), SourceSpec.sample("digits")
        ),
        "fashion_autoencoder": Project(
            chain(*encoder, *decoder), TrainingSpec("mse", "adam", 0.002, 50), SourceSpec.sample("fashion")
        ),
        "tones_cnn": Project(
            tones,
            TrainingSpec("cross_entropy", "adam", 0.005, 25),
            replace(SourceSpec.audio(name="tones", reading="spectrogram"), count=600, noise=0.02),
        ),
        "digits_turned": Project(
            turned, TrainingSpec("cross_entropy", "adam", 0.002, 32), SourceSpec.sample("turned")
        ),
        "emma_transformer": Project(
            emma,
            TrainingSpec("cross_entropy", "adam", 0.002, 64),
            replace(SourceSpec.text(name="emma"), step=2, lower=True, test_share=0.1),
        ),
        "emma_lstm": Project(
            lstm,
            TrainingSpec("cross_entropy", "adam", 0.006, 64),
            replace(SourceSpec.text(name="emma", window=24), step=2, lower=True, test_share=0.1),
        ),
        "one_layer": one_layer(layer),
    }


def residual(width: int) -> GraphSpec:
    """Two residual blocks: what two convolutions found is added to what went in."""
    g = GraphSpec().add("clothes", Input((1, 28, 28)))
    g = g.add("augment1", Augment(rotation=4.0, scale=4.0, shift=1.0), after="clothes")

    def conv(name: str, filters: int, size: int, stride: int, after: str) -> None:
        nonlocal g  # a bias would be taken away again by the normalization behind it
        layer = Conv2D(filters, (size, size), (stride, stride), same(size), bias=False)
        g = g.add(f"conv{name}", layer, after=after).add(f"norm{name}", BatchNorm(), after=f"conv{name}")

    conv("1", width, 3, 1, "augment1")
    g = g.add("relu1", ReLU(), after="norm1").add("pool1", MaxPool2D(), after="relu1")
    for block, (source, filters, stride) in enumerate((("pool1", width, 1), ("out1", 2 * width, 2)), 1):
        conv(f"{block}a", filters, 3, stride, source)
        g = g.add(f"relu{block}a", ReLU(), after=f"norm{block}a")
        conv(f"{block}b", filters, 3, 1, f"relu{block}a")
        short = source
        if stride > 1:
            conv(f"{block}s", filters, 1, stride, source)
            short = f"norm{block}s"
        g = g.add(f"sum{block}", Add(), after=(short, f"norm{block}b"))
        g = g.add(f"out{block}", ReLU(), after=f"sum{block}")
    g = g.add("pool2", AvgPool2D(), after="out2").add("flatten1", Flatten(), after="pool2")
    return g.add("dense1", Dense(10), after="flatten1").add("output", Output(), after="dense1")


def upright(side: int, width: int) -> GraphSpec:
    """A small network looks at each digit and says how to turn it, before a CNN reads it."""
    g = GraphSpec().add("digits", Input((1, side, side))).add("look", AvgPool2D(), after="digits")
    g = g.add("flatten1", Flatten(), after="look").add("guess1", Dense(width), after="flatten1")
    g = g.add("tanh1", Tanh(), after="guess1")
    g = g.add("guess2", Dense(6, initializer="zeros"), after="tanh1")  # at first nothing is turned
    g = g.add("turn", SpatialTransformer(), after=("digits", "guess2"))
    g = g.add("conv1", Conv2D(8, (3, 3), padding=same(3)), after="turn").add("relu1", ReLU(), after="conv1")
    g = g.add("pool1", MaxPool2D(), after="relu1")
    g = g.add("conv2", Conv2D(16, (3, 3), padding=same(3)), after="pool1").add("relu2", ReLU(), after="conv2")
    g = g.add("pool2", MaxPool2D(), after="relu2").add("flatten2", Flatten(), after="pool2")
    return g.add("dense1", Dense(10), after="flatten2").add("output", Output(), after="dense1")


def transformer(vocabulary: int, width: int, length: int) -> GraphSpec:
    """One block, normalization first: what comes after `length` characters."""
    g = GraphSpec().add("text", Input((length,))).add("embed", Embedding(vocabulary, width), after="text")
    g = g.add("place", PositionalEncoding(), after="embed").add("norm1", LayerNorm(), after="place")
    g = g.add("look", MultiHeadSelfAttention(4), after="norm1").add("sum1", Add(), after=("place", "look"))
    g = g.add("norm2", LayerNorm(), after="sum1")
    g = g.add("wide", Dense(2 * width, initializer="he_uniform"), after="norm2")
    g = g.add("relu1", ReLU(), after="wide")
    g = g.add("back", Dense(width), after="relu1").add("sum2", Add(), after=("sum1", "back"))
    g = g.add("flatten1", Flatten(), after="sum2").add("next", Dense(vocabulary), after="flatten1")
    return g.add("output", Output(), after="next")


def one_layer(graph: GraphSpec) -> Project:
    """X = [[1, 2], [3, 4]] (examples are columns), W, b and Y of the worked example, at step 0."""
    source = SourceSpec.array([[1.0, 3.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]])
    # a seed whose first epochs keep the order of the two examples, so that X stands as printed
    seed = next(s for s in range(1, 10_000)
                if all(random.permutation(s, SHUFFLE, e, 2)[0] == 0 for e in range(8)))  # fmt: skip
    state = {"layer1.weight": np.array([[0.5, -0.25], [0.25, 0.5]], np.float32),
             "layer1.bias": np.array([0.1, -2.0], np.float32)}  # fmt: skip
    return Project(
        graph, TrainingSpec("mse", "sgd", 0.1, 2, seed=seed), source, run=Checkpoint(state, 0, 0, 0, 0, seed)
    )


if __name__ == "__main__":
    for name, project in projects().items():
        print(save_project(FOLDER / f"{name}.matrizen", project))
    for backup in FOLDER.glob("*.bak"):
        backup.unlink()
