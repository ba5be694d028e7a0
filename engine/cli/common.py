"""What the commands share: open a project with its data, make a trainer, show progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from engine.backends.base import Backend
from engine.data.dataset import Dataset
from engine.data.loading import load
from engine.errors import N_, Message, ProjectError
from engine.project import Project
from engine.project_file import load_project
from engine.training import Trainer


def say(messages: Sequence[Message]) -> None:
    """Notes on standard error, one line each."""
    for message in messages:
        print(f"matrizen: {one_line(message)}", file=sys.stderr)


def one_line(message: Message) -> str:
    """A message without line breaks: the log of a driver has many."""
    return " ".join(str(message).split())


def open_project(path: str) -> tuple[Project, Dataset, list[Message]]:
    """A project, its data, and what was found and fixed.

    The notes are for `say`, once the command is sure to do its work: a refusal is one line alone.
    """
    project = load_project(path)
    dataset, notes = load_data(project, path)
    return project, dataset, [*project.messages, *notes]


def load_data(project: Project, path: str) -> tuple[Dataset, list[Message]]:
    """The data of the project at `path`, and what is worth knowing of it."""
    if project.source is None:
        raise ProjectError(
            N_("{file} names no data; open it in the window and drop pictures on it."), file=path
        )
    dataset = load(project.source, base=Path(path).resolve().parent)
    notes = list(dataset.notes)
    pinned = project.source.sha256
    told = bool(pinned) and pinned != dataset.source_sha256
    if project.data_hash and project.data_hash != dataset.sha256 and not told:
        notes.append(Message(N_("{file}: the data has changed since the project was saved."), {"file": path}))
    return dataset, notes


def make_trainer(project: Project, dataset: Dataset, backend: Backend, seed: int | None = None) -> Trainer:
    """A trainer at the step the project was saved at; another seed means a new start."""
    training = project.training if seed is None else replace(project.training, seed=seed)
    trainer = Trainer(project.graph, training, dataset, backend)
    if project.run is not None and seed in (None, project.run.seed):
        trainer.load_checkpoint(project.run)
    return trainer


class ProgressBar:
    """A line that redraws itself on a terminal; silent elsewhere."""

    def __init__(self, total: int, stream: TextIO = sys.stderr) -> None:
        self.total, self.stream = total, stream
        self.shown = stream.isatty()
        self._last = 0.0
        self._length = 0

    def update(self, done: int, text: str) -> None:
        """Show `done` of `total` steps, at most ten times a second."""
        now = time.monotonic()
        if not self.shown or (now - self._last < 0.1 and done < self.total):
            return
        self._last = now
        filled = 30 * done // max(self.total, 1)
        line = f"[{'█' * filled}{'·' * (30 - filled)}] {done}/{self.total}  {text}"
        print("\r" + line.ljust(self._length), end="", file=self.stream, flush=True)
        self._length = len(line)

    def close(self) -> None:
        if self.shown and self._length:
            print(file=self.stream, flush=True)
