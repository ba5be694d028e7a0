"""The load of the window bench: 40 layers, one of them 784 -> 512, one with 64 maps; fashion pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.layers import LAYERS
from engine.project import Project
from engine.project_file import save_project
from engine.settings import TrainingSpec

NODES = 40
WIDE, MAPS = "wide", "maps"
"""The dense layer with the 512 x 784 matrix, and the convolution with 64 maps."""
SOURCE = SourceSpec.sample("fashion")
TRAINING = TrainingSpec("cross_entropy", "sgd", 0.01, batch=32, seed=7)


def layer(kind: str, **settings: Any) -> Any:
    return LAYERS[kind](**settings)


def network() -> GraphSpec:
    """Forty nodes that all have a value to show: branches from one picture, joined before the output."""
    g = GraphSpec().add("input", layer("input", shape=(1, 28, 28)))
    g = g.add(MAPS, layer("conv2d", filters=64, kernel=6, stride=3), after="input")
    g = g.add("maps_relu", layer("relu"), after=MAPS)
    g = g.add("pool", layer("avg_pool2d"), after="maps_relu")
    g = g.add("conv2", layer("conv2d", filters=8, kernel=3), after="pool")
    g = g.add("conv2_relu", layer("relu"), after="conv2")
    g = g.add("conv_flat", layer("flatten"), after="conv2_relu")
    g = g.add("conv_dense", layer("dense", units=32), after="conv_flat")
    g = g.add("pixels", layer("flatten"), after="input")
    # not straight from the pixels: the dock would show maps of 28 x 28 instead of the matrix
    g = g.add("pixels_act", layer("leaky_relu"), after="pixels")
    g = g.add(WIDE, layer("dense", units=512), after="pixels_act")
    g = g.add("wide_relu", layer("relu"), after=WIDE)
    ends = ["conv_dense"]
    for branch in range(5):
        before = "wide_relu"
        for depth in range(2):
            name = f"b{branch}_{depth}"
            g = g.add(f"{name}_dense", layer("dense", units=24), after=before)
            before = f"{name}_act"
            g = g.add(before, layer("tanh" if depth % 2 else "relu"), after=f"{name}_dense")
        ends.append(before)
    g = g.add("joined", layer("concatenate"), after=ends)
    last = "joined"
    for depth in range((NODES - 3 - len(g.nodes)) // 2):
        g = g.add(f"top{depth}_dense", layer("dense", units=32), after=last)
        last = f"top{depth}_act"
        g = g.add(last, layer("relu"), after=f"top{depth}_dense")
    while len(g.nodes) < NODES - 2:
        g = g.add(f"drop{len(g.nodes)}", layer("dropout", rate=0.1), after=last)
        last = g.nodes[-1].name
    g = g.add("scores", layer("dense", units=10), after=last)
    return g.add("output", layer("output"), after="scores")


def write(path: Path) -> Path:
    """Save the load as a project: ten columns of four nodes, so that all pictures are on screen at once."""
    graph = network()
    assert len(graph.nodes) == NODES
    places = {n.uid: (210.0 * (i // 4), 225.0 * (i % 4)) for i, n in enumerate(graph.nodes)}
    return save_project(path, Project(graph, TRAINING, SOURCE, places))
