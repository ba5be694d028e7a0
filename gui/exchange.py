"""What comes in and goes out besides projects: training data, and weights as files of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.data.dataset import Dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import N_, Message
from engine.export.npz import import_npz
from engine.session.protocol import ExportData
from engine.training import data_spec
from gui import i18n, project_files
from gui.document import Document
from gui.i18n import tr, tr_message
from gui.loading import Tasks
from gui.runner import Runner


class Exchange(QObject):
    """Reads off the window's thread; `folder` is where relative paths of data begin."""

    told = Signal(str, str, str, object)
    """(text, level, action, handler): a toast."""
    told_of_data = Signal(str, str, str, object)
    """The same, about the training data: true only until other data come."""

    def __init__(self, document: Document, runner: Runner, tasks: Tasks, folder: Callable[[], Path | None],
                 parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._runner, self._tasks, self._folder = document, runner, tasks, folder

    def load_data(self, source: SourceSpec, text: str = "") -> None:
        """Make `source` the training data, as one step that can be undone."""
        base = self._folder()

        def done(dataset: Dataset) -> None:
            # with what loading chose written down, so that a changed folder is noticed
            spec = dataset.pinned() or source
            self._document.set_data(spec, data_spec(dataset))
            self.told_of_data.emit(self._said(dataset), "ok", tr("Undo"), self._document.undo)
            if dataset.notes:  # together: one after the other they would push each other off the screen
                notes = "\n".join(tr_message(note) for note in dataset.notes[:4])
                self.told_of_data.emit(notes, "warning" if dataset.skipped else "info", "", None)

        self._tasks.run(
            "data",
            text or tr("Loading data"),
            lambda progress, canceled: load(source, progress, canceled, base),
            done,
            self._cannot,
            lambda: self.told.emit(tr("Loading canceled; nothing changed."), "info", "", None),
        )

    def _said(self, dataset: Dataset) -> str:
        facts: Mapping[str, Any] = {
            "train": i18n.integer(dataset.n_train),
            "test": i18n.integer(dataset.n_test),
            "classes": dataset.n_classes,
        }
        if dataset.n_classes:
            return tr("{train} training and {test} test examples in {classes} classes.").format(**facts)
        return tr("{train} training and {test} test examples.").format(**facts)

    def export_weights(self, path: Path, framework: str = "") -> None:
        """Write the weights as .npz; with a framework the script for it, and the weights beside it."""

        def write(data: ExportData | None, error: Message | None) -> None:
            if data is None:
                self._cannot(error or Message(N_("The engine gives no weights.")))
                return
            title = tr("Writing {file}").format(file=path.name)
            given = data

            def work(_progress: object, _canceled: object) -> Path:
                if framework:
                    return project_files.write_script(path, framework, given)
                return project_files.write_weights(path, given)

            self._tasks.run("export", title, work, done, self._cannot)

        def done(written: Path) -> None:
            if framework:
                text = tr("Wrote {file}; its weights and some examples lie beside it.")
            else:
                text = tr("Exported the weights to {file}")
            self.told.emit(text.format(file=written.name), "ok", "", None)

        self._runner.export(write)

    def import_weights(self, path: Path) -> None:
        """Put the weights of a file into the network drawn here."""
        graph = self._document.graph

        def done(found: Any) -> None:
            state, missing, extra = found
            for key, array in state.items():
                cells = np.argwhere(np.ones(array.shape, bool))
                self._runner.edit_cells(key, cells, array.ravel())
            text = tr("Took {n} arrays from {file}.").format(n=len(state), file=path.name)
            level = "ok" if not missing and not extra else "warning"
            if missing:
                text += " " + tr("Not in the file: {keys}.").format(keys=", ".join(missing[:4]))
            if extra:
                text += " " + tr("Not in the network: {keys}.").format(keys=", ".join(extra[:4]))
            self.told.emit(text, level, "", None)

        self._tasks.run(
            "weights",
            tr("Reading {file}").format(file=path.name),
            lambda _progress, _canceled: import_npz(path, graph),
            done,
            self._cannot,
        )

    def _cannot(self, message: Message) -> None:
        self.told.emit(tr_message(message), "error", "", None)
