"""Small projects for the tests of files, and ways to damage them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.layers import Dense, Input, Output, Tanh
from engine.project import Project
from engine.project_curves import curve_arrays
from engine.project_file import save_project
from engine.settings import TrainingSpec
from engine.training import Trainer


def dense(units: int = 3) -> GraphSpec:
    graph = GraphSpec().add("x", Input((2,))).add("fc1", Dense(units), after="x")
    graph = graph.add("tanh1", Tanh(), after="fc1").add("fc2", Dense(1), after="tanh1")
    return graph.add("tanh2", Tanh(), after="fc2").add("out", Output(), after="tanh2")


def trained(steps: int = 50, optimizer: str = "adam", units: int = 3) -> tuple[Project, Trainer]:
    """A project at step `steps`, and the run it was taken from."""
    source = SourceSpec.toy("circle", count=100)
    trainer = Trainer(
        dense(units), TrainingSpec("mse", optimizer, 0.03, 10), load(source), open_backend("numpy")
    )
    while trainer.step < steps:
        trainer.run(steps - trainer.step)
    project = Project(
        trainer.graph,
        trainer.training,
        source,
        {"x": (0, 1.5)},
        "notes: ü😀",
        {"pace": 3},
        trainer.checkpoint(),
    )
    return project, trainer


def good_file(folder: Path, name: str = "good.matrizen") -> Path:
    return save_project(folder / name, trained(optimizer="sgd")[0])


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {i.filename: archive.read(i) for i in archive.infolist()}


def write_zip(path: Path, parts: Mapping[str, bytes] | list[tuple[str, bytes]], method: int = 0) -> Path:
    items = list(parts.items()) if isinstance(parts, Mapping) else parts
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in items:
            archive.writestr(name, content)
    return path


def with_json(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The file with its project.json changed."""
    parts = members(path)
    plain = json.loads(parts["project.json"])
    new = change(plain)
    parts["project.json"] = json.dumps(plain if new is None else new).encode()
    return write_zip(path, parts)


def with_text(path: Path, text: bytes) -> Path:
    return write_zip(path, {**members(path), "project.json": text})


def npy(array: Any, pickle: bool = False) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), allow_pickle=pickle)
    return out.getvalue()


def without_curves(project: Project) -> Project:
    """The project as if nothing had been drawn of its run."""
    return replace(project, run=replace(project.run, curve=None, tests=())) if project.run else project


def equal(a: Project, b: Project) -> bool:
    """Same document, same run, same numbers."""
    from engine.project import to_plain

    left, right = ({**p.run.state, **curve_arrays(p.run)} if p.run else {} for p in (a, b))
    return (
        json.dumps(to_plain(a)) == json.dumps(to_plain(b))
        and set(left) == set(right)
        and all(np.array_equal(left[k], right[k], equal_nan=True) for k in left)
    )


WRONG_FIELDS: list[Callable[[dict[str, Any]], Any]] = [
    lambda p: p.update(graph=[]),
    lambda p: p["graph"].update(nodes=5),
    lambda p: p["graph"]["nodes"][0].update(uid="../x"),
    lambda p: p["graph"]["nodes"][0].update(uid="data"),
    lambda p: p["graph"]["nodes"][0].update(name="no name"),
    lambda p: p["graph"]["nodes"][1].update(name="X"),
    lambda p: p["graph"]["nodes"][1].update(settings={"units": -3}),
    lambda p: p["graph"]["nodes"][1].update(settings={"units": [1]}),
    lambda p: p["graph"]["nodes"][1].update(kind=["dense"]),
    lambda p: p["graph"]["links"].append(["x", 0, "nobody", 0]),
    lambda p: p["graph"]["links"].append(["x", 0, "fc1", 0]),
    lambda p: p["graph"]["links"].append(["x", 0, "fc2", 5]),
    lambda p: p["graph"]["links"].append(["out", 0, "fc1", 1]),
    lambda p: p["graph"]["links"].append(["x", 0, "fc1"]),
    lambda p: p["graph"]["links"].append("x"),
    lambda p: p["graph"].update(nodes=[{**p["graph"]["nodes"][3], "uid": f"n{i}", "name": f"n{i}"}
                                       for i in range(2000)]),
    lambda p: p["training"].update(learning_rate="fast"),
    lambda p: p["training"].update(optimizer=["sgd"]),
    lambda p: p["training"].update(seed=2**63),
    lambda p: p.update(training=3),
    lambda p: p.update(source={"kind": "shell", "path": "rm"}),
    lambda p: p["source"].update(count="many"),
    lambda p: p["source"].update(surprise=1),
    lambda p: p.update(positions={"x": [1]}),
    lambda p: p.update(positions={"x": [1, "a"]}),
    lambda p: p.update(notes=1),
    lambda p: p.update(view=[1]),
    lambda p: p["run"].update(step=-1),
    lambda p: p["run"].update(step=2**60),
    lambda p: p["run"].update(seed=1.5),
    lambda p: p["run"].update(log=[[1, "lr", {"a": 1}]]),
    lambda p: p["run"].update(log=[[1, "lr"]]),
    lambda p: p.update(run=[]),
    lambda p: p.update(format="other"),
    lambda p: [],
    lambda p: 5,
]  # fmt: skip
"""Changes of project.json that must be refused, naming the field."""
