"""Runs only the canvas, the palette and the inspector in a window, to look at and to drive by hand.

`python tests/gui/canvas/demo.py [cnn|spiral|empty|residual|broken] [dark|light] [en|de] [width] [height]`
The pictures in the nodes are computed here from the sample data and the start values of the weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.initializers import initialize
from engine.layers import Add, Augment, Conv2D, Dense, Flatten, Input, MaxPool2D, Output, ReLU, Sigmoid, Tanh
from engine.settings import DataSpec, TrainingSpec
from gui import i18n, theme
from gui.canvas.thumb_data import ThumbData
from gui.canvas.view import CanvasView
from gui.document import Document, DocumentState
from gui.i18n import tr_message


def cnn() -> DocumentState:
    graph = (
        GraphSpec()
        .add("input", Input((1, 28, 28)))
        .add("augment1", Augment(), after="input")
        .add("conv1", Conv2D(8, (5, 5), padding=(2, 2, 2, 2)), after="augment1")
        .add("relu1", ReLU(), after="conv1")
        .add("maxpool1", MaxPool2D(), after="relu1")
        .add("conv2", Conv2D(16, (3, 3), padding=(1, 1, 1, 1)), after="maxpool1")
        .add("relu2", ReLU(), after="conv2")
        .add("maxpool2", MaxPool2D(), after="relu2")
        .add("flatten1", Flatten(), after="maxpool2")
        .add("dense1", Dense(10), after="flatten1")
        .add("output", Output(), after="dense1")
    )
    return DocumentState(
        graph, source=SourceSpec.sample("fashion"), data=DataSpec((1, 28, 28), classes=10, count=2000)
    )


def spiral() -> DocumentState:
    graph = (
        GraphSpec()
        .add("input", Input((2,)))
        .add("hidden1", Dense(8), after="input")
        .add("tanh1", Tanh(), after="hidden1")
        .add("hidden2", Dense(8), after="tanh1")
        .add("tanh2", Tanh(), after="hidden2")
        .add("dense1", Dense(1), after="tanh2")
        .add("sigmoid1", Sigmoid(), after="dense1")
        .add("output", Output(), after="sigmoid1")
    )
    return DocumentState(
        graph,
        training=TrainingSpec(loss="mse"),
        source=SourceSpec.toy("spiral"),
        data=DataSpec((2,), classes=2, count=300),
    )


def residual() -> DocumentState:
    graph = (
        GraphSpec()
        .add("input", Input((4, 8, 8)))
        .add("conv1", Conv2D(4, padding=(1, 1, 1, 1)), after="input")
        .add("relu1", ReLU(), after="conv1")
        .add("conv2", Conv2D(4, padding=(1, 1, 1, 1)), after="relu1")
        .add("add1", Add(), after=["conv2", "input"])
        .add("relu2", ReLU(), after="add1")
        .add("flatten1", Flatten(), after="relu2")
        .add("dense1", Dense(10), after="flatten1")
        .add("output", Output(), after="dense1")
    )
    return DocumentState(graph)


def broken() -> DocumentState:
    graph = (
        GraphSpec()
        .add("input", Input((1, 28, 28)))
        .add("conv1", Conv2D(8), after="input")
        .add("dense1", Dense(10), after="conv1")
        .add("output", Output(), after="dense1")
    )
    return DocumentState(graph)


def pictures_of(view: CanvasView) -> None:
    """Start values as pictures, so that there is something real to look at."""
    document = view.document
    inference = document.inference
    rng = np.random.default_rng(1)
    points = np.stack(np.meshgrid(np.linspace(-1, 1, 40), np.linspace(1, -1, 40)), 0).reshape(2, -1)
    values = {"input": points}
    means = {}
    for uid in inference.order:
        node = document.node(uid)
        specs = inference.params.get(uid, ())
        shape = inference.shapes.get(uid)
        if shape == (2,) and node.layer.kind == "input":
            view.canvas.set_thumbnail(uid, ThumbData(points.reshape(2, 40, 40), "weights"))
            continue
        if specs and specs[0].name == "weight":
            w = initialize(specs[0], 3, uid)
            if w.ndim == 2:
                view.canvas.set_weights(uid, w * 2, np.zeros(len(w), np.float32))
                before = document.graph.inputs_of(uid)[0].source
                if before in values and uid in view.canvas.unfolded:
                    values[uid] = np.tanh(w * 2 @ values[before] * 2)
                    guest = view.canvas.unfolded[uid].merged
                    if guest:
                        values[guest] = values[uid]
                    view.canvas.set_thumbnail(uid, ThumbData(values[uid].reshape(-1, 40, 40), "weights"))
                    continue
            tiles = w.reshape(-1, *w.shape[-2:]) if w.ndim == 4 else w[None]
            counts = np.histogram(w, 36)[0]
            view.canvas.set_thumbnail(uid, ThumbData(tiles[:64], "weights", counts, health="ok"))
        elif shape is not None and len(shape) == 3:
            tiles = np.abs(rng.normal(size=shape)).astype(np.float32)[:16]
            for _ in range(3):
                tiles = (tiles + np.roll(tiles, 1, 1) + np.roll(tiles, 1, 2)) / 3
            counts = np.histogram(tiles, 36)[0]
            warn = uid == "relu1"
            view.canvas.set_thumbnail(
                uid,
                ThumbData(
                    tiles,
                    "pictures" if node.layer.category in ("data", "transform") else "activations",
                    counts,
                    i18n.tr("{n} % active").format(n=62) if node.layer.category == "activation" else "",
                    "warning" if warn else "ok",
                    frozenset({1}) if warn else frozenset(),
                ),
            )
        elif node.layer.kind == "output" and shape == (10,):
            view.canvas.set_thumbnail(
                uid,
                ThumbData.of_bars(
                    (("Ankle boot", 0.7), ("Sneaker", 0.29), ("Sandal", 0.007), ("Bag", 0.003)), "0.352"
                ),
            )
        elif node.layer.kind == "output" and "dense1" in values:
            view.canvas.set_thumbnail(uid, ThumbData(values["dense1"].reshape(-1, 40, 40)[:1], "weights"))
        elif shape is not None:
            column = np.abs(rng.normal(size=(1, 40, 4))).astype(np.float32)
            view.canvas.set_thumbnail(uid, ThumbData(column, "activations"))
        means[uid] = float(rng.uniform(0.05, 2))
    view.canvas.set_link_strengths(means)


def main() -> None:
    arguments = [*sys.argv[1:], *[""] * 5][:5]
    application = QApplication(sys.argv[:1])
    i18n.install(arguments[2] or "en")
    theme.set_theme(arguments[1] or "dark")
    which = {"cnn": cnn, "spiral": spiral, "residual": residual, "broken": broken, "empty": DocumentState}
    document = Document(which[arguments[0] or "cnn"]())
    view = CanvasView(document)
    window = QWidget()
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    row.addWidget(view, 1)
    status = QLabel()
    view.refused.connect(lambda error: status.setText(tr_message(error)))
    view.node_opened.connect(lambda uid: status.setText(f"opened {uid}"))
    view.help_requested.connect(lambda kind: status.setText(f"help {kind}"))
    column = QVBoxLayout(window)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addLayout(row)
    column.addWidget(status)
    try:
        from gui.panels.inspector import Inspector
        from gui.panels.palette import Palette

        palette, inspector = Palette(), Inspector(document)
        row.insertWidget(0, palette)
        row.addWidget(inspector)
        palette.layer_chosen.connect(view.add_behind_selection)
        view.selection_changed.connect(inspector.show_nodes)
        inspector.refused.connect(lambda error: status.setText(tr_message(error)))
    except ImportError:
        pass
    window.resize(int(arguments[3] or 1400), int(arguments[4] or 620))
    window.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    window.show()
    pictures_of(view)
    document.changed.connect(lambda *_: pictures_of(view))
    application.exec()


if __name__ == "__main__":
    main()
