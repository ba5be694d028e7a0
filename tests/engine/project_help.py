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
from engine.data.dataset import load
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
