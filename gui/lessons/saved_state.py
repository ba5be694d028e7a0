"""A project saved as a lesson state: it opens paused where its run stands, with its panels and its notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from gui import theme
from gui.i18n import tr

if TYPE_CHECKING:
    from gui.lessons.course import Course
    from gui.main_window import MainWindow

KEY = "lesson"
DOCKS = ("weights", "activations", "gradients", "loss")
PANELS = (*DOCKS, "palette", "inspector")


class NotesDialog(QDialog):
    """Asks what the person who opens the project should read."""

    def __init__(self, notes: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Save as lesson state"))
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(20),) * 4)
        column.setSpacing(theme.px(10))
        text = QLabel(
            tr("The project opens paused at this step, with the panels and the layer that are open now, and "
               "with these notes beside it. **bold**, $formulas$ and lists are understood.")
        )  # fmt: skip
        text.setWordWrap(True)
        column.addWidget(text)
        self.notes = QPlainTextEdit(notes)
        self.notes.setAccessibleName(tr("Notes"))
        self.notes.setMinimumHeight(theme.px(200))
        column.addWidget(self.notes)
        kind = QDialogButtonBox.StandardButton
        box = QDialogButtonBox(kind.Save | kind.Cancel)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        column.addWidget(box)
        self.setMinimumWidth(theme.px(520))


def gather(window: MainWindow) -> dict[str, Any]:
    """What is open and selected, as plain values for the project's file."""
    opened = window.live.opened_cell()
    return {
        "panels": [name for name in PANELS if window.panel_shown(name)],
        "selected": list(window.selection()),
        "views": {name: dock.switch.value() for name, dock in window.docks.items()},
        "example": window.docks["activations"].sample,
        "cell": [opened[0], list(opened[1])] if opened is not None else None,
    }


def save(course: Course) -> None:
    """Ask for the notes and for the file, and save."""
    document, window = course.bench.document, course.window
    if course.bench.running:
        course.bench.runner.pause()
    dialog = NotesDialog(document.state.notes, window)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return
    notes, hints = dialog.notes.toPlainText(), {**document.state.hints, KEY: gather(window)}
    document.edit(replace(document.state, notes=notes, hints=hints), tr("Edit notes"))
    if window.commands is not None:
        window.commands.save_as()


def apply(course: Course) -> None:
    """Put panels, selection and notes of a lesson state in place, if the project just opened is one."""
    state = course.bench.document.state
    plain = state.hints.get(KEY)
    if not isinstance(plain, Mapping):
        return
    window = course.window
    panels = plain.get("panels")
    if isinstance(panels, list):
        for name in PANELS:
            window.show_panel(name, name in panels)
            window.actions_.check(f"dock_{name}" if name in DOCKS else name, name in panels)
    views = plain.get("views")
    for name, view in views.items() if isinstance(views, Mapping) else ():
        if name in window.docks and isinstance(view, str):
            window.docks[name].show_view(view)
    selected = plain.get("selected")
    if isinstance(selected, list):
        window.canvas.canvas.select([u for u in selected if isinstance(u, str) and state.graph.has(u)])
    example = plain.get("example")
    if isinstance(example, int) and example > 0:
        window.live.choose_sample(example)
    cell = plain.get("cell")
    if isinstance(cell, list) and len(cell) == 2 and isinstance(cell[1], list):
        course.open_when_ready(str(cell[0]), tuple(n for n in cell[1] if isinstance(n, int)))
    if state.notes.strip():
        course.show_notes(course.bench.title, state.notes)
