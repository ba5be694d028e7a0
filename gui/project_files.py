"""Opening, saving, exporting: what stands between the document, the run and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.data.loading import load
from engine.errors import MatrizenError, Message
from engine.export.npz import export_npz
from engine.project import Project
from engine.project_file import load_project, save_project
from engine.session.protocol import ExportData
from engine.settings import DataSpec
from engine.training import Checkpoint, data_spec
from gui import resources
from gui.document import Document, DocumentState

SUFFIX = ".matrizen"


@dataclass(frozen=True, eq=False)
class Opened:
    """A project as read, with its data where they could be loaded; `trouble` says why not."""

    path: Path
    project: Project
    data: DataSpec | None
    kind: str = ""
    trouble: Message | None = None


def read_project(path: Path, progress: Callable[[int, int], None], canceled: Callable[[], bool]) -> Opened:
    """Read a project and find the facts of its data; runs off the window's thread.

    Raises ProjectError; data that cannot be loaded leave a project that can still be looked at.
    """
    project = load_project(path)
    if project.source is None:
        return Opened(path, project, None)
    try:
        dataset = load(project.source, progress, canceled, path.parent)
    except MatrizenError as trouble:
        if canceled():
            raise
        return Opened(path, project, None, trouble=trouble.message)
    return Opened(path, project, data_spec(dataset), dataset.kind)


def document_state(opened: Opened) -> DocumentState:
    """The document a project stands for."""
    project = opened.project
    hints: Mapping[str, Any] = dict(project.view)
    return DocumentState(
        project.graph,
        dict(project.positions),
        project.training,
        project.source,
        opened.data,
        project.notes,
        hints,
    )


def project_of(document: Document, run: Checkpoint | None) -> Project:
    """What a file keeps of the document and a run."""
    state = document.state
    return Project(
        state.graph,
        state.training,
        state.source,
        dict(state.positions),
        state.notes,
        dict(state.hints),
        run,
        run.data_hash if run is not None else "",
    )


def write_project(path: Path, document: Document, run: Checkpoint | None) -> Path:
    """Save atomically. Raises ProjectError."""
    return save_project(path, project_of(document, run))


def with_suffix(path: str) -> Path:
    """The path with .matrizen, unless it ends so already."""
    return Path(path if path.lower().endswith(SUFFIX) else path + SUFFIX)


def is_sample(path: Path | None) -> bool:
    """Whether a file belongs to the program, or is a lesson: it is opened, never overwritten."""
    if path is None or path.suffix == ".toml":
        return path is not None
    try:
        return resources.path("samples").resolve() in path.resolve().parents
    except OSError:
        return False


def write_weights(path: Path, data: ExportData) -> Path:
    """Export weights as .npz. Raises ProjectError."""
    run = data.run
    return export_npz(path, run.graph, run.checkpoint.state, data.dataset, run.checkpoint.step)


def write_script(path: Path, framework: str, data: ExportData) -> Path:
    """Export the network as a script for a framework, its weights beside it. Raises MatrizenError."""
    from engine.export.scripts import export_script  # the window comes without it

    run = data.run
    state, step = run.checkpoint.state, run.checkpoint.step
    return export_script(path, framework, run.graph, state, data.dataset, step)[0]
