"""Leads through lessons: prepares the states, sees what is done, remembers where the person is."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout

from engine.errors import MatrizenError
from gui import i18n, project_files, resources
from gui.i18n import tr, tr_message
from gui.lessons import saved_state
from gui.lessons.conditions import Seen, holds
from gui.lessons.glossary import GlossaryPage
from gui.lessons.lesson import Lesson, Step, Task
from gui.lessons.networks import data_of, network_project
from gui.lessons.observing import see
from gui.lessons.panel import LessonPanel
from gui.lessons.pointing import Ring, can_do, can_show, show_me
from gui.lessons.reading import FILE, read_lesson
from gui.lessons.shelf import SETTING, copy_to_own, find_lessons, own_folder
from gui.project_files import Opened

if TYPE_CHECKING:
    from gui.commands import Commands

MILLISECONDS = 200


class Course(QObject):
    """Belongs to one window and outlives its rebuilding."""

    def __init__(self, commands: Commands) -> None:
        super().__init__(commands)
        self._commands, self.window, self.bench = commands, commands.window, commands.bench
        self.lesson: Lesson | None = None
        self.at = 0
        self._shown = self._shelf_open = False
        self._notes: tuple[str, str] | None = None
        self._standing = ("", "")
        """Lesson and prepared state that are on the screen (perhaps changed by the person)."""
        self._cell: tuple[str, tuple[int, ...]] | None = None
        """A cell that is opened as soon as the program of a lesson state runs."""
        self._owned = False
        """Whether what is drawn belongs to the lesson, so that nobody is asked about it."""
        self._before: Seen | None = None
        self._triggered: set[str] = set()
        self._pending: Step | None = None
        """A step that is shown as soon as its state is there."""
        self._timer = QTimer(self)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self._watch)
        self._glossary: GlossaryPage | None = None
        for spec in commands.actions:
            commands.actions.on(spec.id, partial(self._triggered.add, spec.id))
        commands.actions.on("lessons", self.toggle)
        commands.actions.on("save_lesson_state", lambda: saved_state.save(self))
        self.bench.document.loaded.connect(self._loaded)
        self.bench.framed.connect(lambda _frame: self._open_cell())

    # ---- standing in the window --------------------------------------------------------------------------

    def install(self) -> None:
        """Stand in a window that was built (again), right of everything between the bars."""
        window = self.window
        self.panel = panel = LessonPanel()
        whole = window.down.parentWidget()
        rows = whole.layout() if whole is not None else None
        assert isinstance(rows, QVBoxLayout)
        beside = QHBoxLayout()
        beside.setSpacing(1)
        at = rows.indexOf(window.down)
        rows.insertLayout(at, beside, 1)
        beside.addWidget(window.down, 1)
        beside.addWidget(panel)
        self.ring = Ring(window)
        panel.closed.connect(self.leave)
        panel.lesson_chosen.connect(self.start)
        panel.copy_wanted.connect(self._copy)
        panel.folder_wanted.connect(self._choose_folder)
        panel.glossary_wanted.connect(self.open_glossary)
        panel.shelf_wanted.connect(self.show_shelf)
        panel.step_wanted.connect(self.go)
        panel.free_play.connect(self.free_play)
        panel.again.connect(lambda: self.go(self.at, fresh=True))
        panel.show_me.connect(self._show_me)
        panel.answered.connect(self._answered)
        if not self._shown:
            return
        if self._shelf_open:
            self.show_shelf()
        elif self.lesson is not None:
            self._in_language()
            self._show()
        elif self._notes is not None:
            self.show_notes(*self._notes)

    def _in_language(self) -> None:
        """The same lesson with the words of the language in use."""
        old = self.lesson
        assert old is not None
        try:
            self.lesson = read_lesson(old.folder, i18n.language(), own=old.own)
        except MatrizenError as refusal:
            self._tell(refusal)
        self.at = min(self.at, len(self.lesson.steps) - 1) if self.lesson else 0

    def _set_shown(self, shown: bool) -> None:
        self._shown = shown
        self.panel.setVisible(shown)
        self.window.set_aside(self.panel.width() if shown else 0)
        self.window.actions_.check("lessons", shown)

    def toggle(self) -> None:
        """Open the list of lessons, or the lesson that was left; close what is open."""
        if not self.panel.isHidden():
            self.leave()
        elif self.lesson is not None:
            self._show()
        else:
            self.show_shelf()

    def show_shelf(self) -> None:
        """The list of all lessons."""
        self._timer.stop()
        self._shelf_open = True
        state = self.bench.state
        found = find_lessons(state, i18n.language())
        reached = {
            each.lesson.id: len(self._finished(each.lesson)) for each in found if each.lesson is not None
        }
        self.panel.show_shelf(found, reached, str(own_folder(state)))
        self._set_shown(True)

    def leave(self) -> None:
        """Send the panel away; the lesson can be resumed."""
        self._timer.stop()
        self._shelf_open = False
        self._set_shown(False)

    def free_play(self) -> None:
        """Go on alone with what is on the screen."""
        self._owned = False
        self.leave()
        self.bench.told.emit(
            tr("The lesson waits where it was left."), "info", tr("Resume"), self.toggle
        )

    # ---- progress ----------------------------------------------------------------------------------------

    def _memory(self, lesson: Lesson) -> dict[str, Any]:
        try:
            found = json.loads(self.bench.state.text(f"lesson/{lesson.id}") or "{}")
        except ValueError:
            found = {}
        done = found.get("done") if isinstance(found, dict) else None
        at = found.get("at") if isinstance(found, dict) else None
        good = isinstance(done, list) and all(isinstance(name, str) for name in done)
        return {"at": at if isinstance(at, str) else "", "done": set(done) if done and good else set()}

    def _remember(self, *done: str) -> None:
        assert self.lesson is not None
        memory = self._memory(self.lesson)
        names = sorted(memory["done"] | set(done))
        plain = {"at": self.lesson.steps[self.at].id, "done": names}
        self.bench.state.set_text(f"lesson/{self.lesson.id}", json.dumps(plain))

    def _done(self, step: Step) -> set[str]:
        """What of a step is done, without the step's name."""
        assert self.lesson is not None
        names = self._memory(self.lesson)["done"]
        return {name.partition("/")[2] for name in names if name.partition("/")[0] == step.id}

    def _finished(self, lesson: Lesson) -> frozenset[int]:
        """The steps whose tasks and questions are all done; one without any once it was left."""
        names = self._memory(lesson)["done"]
        found = set()
        for at, step in enumerate(lesson.steps):
            wanted = [task.id for task in step.tasks if can_do(self.window, task)]
            wanted += [question.id for question in step.questions]
            if all(f"{step.id}/{name}" in names for name in wanted or ["read"]):
                found.add(at)
        return frozenset(found)

    # ---- steps -------------------------------------------------------------------------------------------

    def start(self, lesson: Lesson) -> None:
        """Begin a lesson, or go on where it was left."""
        if not self._commands.confirm():
            return
        self.lesson, self._owned = lesson, True
        memory = self._memory(lesson)
        at = lesson.index(memory["at"])
        if at + 1 == len(lesson.steps) and len(self._finished(lesson)) == len(lesson.steps):
            at = 0  # once through: from the beginning again
        self._enter(at)

    def go(self, at: int, *, fresh: bool = False) -> None:
        """Show another step, or set this one up again."""
        if self.lesson is None:
            return
        if not fresh:
            self._remember(f"{self.lesson.steps[self.at].id}/read")
        if at >= len(self.lesson.steps):
            self._finish()
            return
        if not self._owned:
            if not self._commands.confirm():
                return
            self._owned = True
        self._enter(max(0, at))

    def _finish(self) -> None:
        lesson = self.lesson
        assert lesson is not None
        self.lesson = None
        self.show_shelf()
        self.bench.told.emit(tr("{title}: finished.").format(title=lesson.title), "ok", "", None)

    def _enter(self, at: int) -> None:
        assert self.lesson is not None
        self.at, self._shelf_open = at, False
        self._remember()
        step = self.lesson.steps[at]
        before = next((s.opens for s in reversed(self.lesson.steps[: at + 1]) if s.opens), "")
        self._pending = step
        if before and (step.opens or not self._stands(before)):
            self._open(before)
        else:
            self._arrange()

    def _stands(self, name: str) -> bool:
        """Whether a prepared state is on the screen."""
        return self._standing == (self.lesson.id if self.lesson else "", name)

    def _open(self, name: str) -> None:
        """Put a prepared state in place; `_loaded` goes on when it is there."""
        lesson = self.lesson
        assert lesson is not None
        self._standing = (lesson.id, name)
        if name in lesson.networks:
            project = network_project(lesson.networks[name])
            opened = Opened(lesson.folder / FILE, project, data_of(project))
            state = project_files.document_state(opened)
            self.bench.put(state, opened.path, lesson.title, project.run)
            return
        path = lesson.folder / name if name.endswith(".matrizen") else resources.path(
            "samples", f"{name}.matrizen")  # fmt: skip
        self.bench.open(path)

    def _loaded(self) -> None:
        """Another project is there: the prepared one, or somebody else's."""
        if self._pending is not None:
            self._arrange()
        else:
            self._standing = ("", "")
            self._owned = False
            saved_state.apply(self)

    def _arrange(self) -> None:
        """Panels, selection and steps of training as the step wants them, then show it."""
        step, self._pending = self._pending, None
        if step is None:
            return
        window = self.window
        if step.panels is not None:
            for name in ("weights", "activations", "gradients", "loss"):
                window.show_panel(name, name in step.panels)
                window.actions_.check(f"dock_{name}", name in step.panels)
        for name, view in step.shows.items():
            window.docks[name].show_view(view)
        if step.select and window.bench.document.graph.has(step.select):
            window.canvas.canvas.select([step.select])
        for _ in range(step.steps if step.opens else 0):
            self.bench.step("batch")
        self._show()

    def _show(self) -> None:
        lesson = self.lesson
        assert lesson is not None
        step = lesson.steps[self.at]
        tasks = [(task, can_show(self.window, task)) for task in step.tasks if can_do(self.window, task)]
        self.panel.show_step(lesson, self.at, tasks, self._done(step), self._finished(lesson))
        self._set_shown(True)
        self._shelf_open = False
        self._before = None
        self._triggered.clear()
        self._timer.start()

    # ---- watching ----------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Tick what is done; stop looking when nothing is left."""
        if self.lesson is None or self.panel.isHidden():
            self._timer.stop()
            return
        step = self.lesson.steps[self.at]
        now = see(self.window, frozenset(self._triggered))
        if self._before is None:
            if self.bench.configured is None or self.bench.status.running == "stepping":
                return  # still being prepared
            self._before = replace(now, actions=frozenset())
            self._triggered.clear()
            return
        done = self._done(step)
        left = [task for task in step.tasks if task.id not in done and task.id in self.panel.rows]
        for task in left:
            if holds(task.conditions, self._before, now):
                self.panel.tick(task.id)
                self._remember(f"{step.id}/{task.id}")
                self.panel.set_progress(self._finished(self.lesson))
                left = [other for other in left if other is not task]
        if not left:
            self._timer.stop()

    def _answered(self, question: str, right: bool) -> None:
        if right and self.lesson is not None:
            self._remember(f"{self.lesson.steps[self.at].id}/{question}")
            self.panel.set_progress(self._finished(self.lesson))

    def _show_me(self, task: Task) -> None:
        show_me(self.window, self.ring, task.show)

    # ---- files, glossary ---------------------------------------------------------------------------------

    def _copy(self, lesson: Lesson) -> None:
        try:
            target = copy_to_own(lesson, self.bench.state)
        except MatrizenError as refusal:
            self._tell(refusal)
            return
        self.show_shelf()
        self.bench.told.emit(tr("Copied to {folder}").format(folder=target), "ok", "", None)

    def _choose_folder(self) -> None:
        start = own_folder(self.bench.state)
        name = QFileDialog.getExistingDirectory(
            self.window, tr("Folder of own lessons"), str(start if start.is_dir() else Path.home())
        )
        if name:
            self.bench.state.set_text(SETTING, name)
            self.show_shelf()

    def open_glossary(self, term: str = "") -> None:
        """The list of terms, at one of them."""
        self._glossary = GlossaryPage(self.window)
        self._glossary.show_term(term)
        self._glossary.show()

    def show_notes(self, title: str, notes: str) -> None:
        """What a lesson state says when it is opened."""
        self.lesson, self._shelf_open, self._notes = None, False, (title, notes)
        self._timer.stop()
        self.panel.show_notes(title, notes)
        self._set_shown(True)

    def open_when_ready(self, value: str, cell: tuple[int, ...]) -> None:
        """Open a cell with the first numbers that arrive."""
        self._cell = (value, cell)

    def _open_cell(self) -> None:
        if self._cell is not None and self.bench.configured is not None:
            (value, cell), self._cell = self._cell, None
            self.window.live.open_cell(value, cell)

    def _tell(self, refusal: MatrizenError) -> None:
        self.bench.told.emit(tr_message(refusal), "warning", "", None)
