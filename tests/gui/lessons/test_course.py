"""A lesson in the window: done from end to end in German, left, resumed, and what goes wrong on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine.project_file import load_project
from gui import i18n, resources, theme
from gui.commands import Commands
from gui.lessons import saved_state
from gui.lessons.course import Course
from gui.lessons.lesson import Lesson, Task
from gui.lessons.pointing import has_action
from gui.lessons.reading import read_lesson
from gui.lessons.rich import to_html
from gui.lessons.shelf import SETTING
from tests.gui.desk import Desk


@pytest.fixture
def course(desk: Desk) -> Iterator[Course]:
    desk.bench.new()
    yield desk.commands.course
    i18n.install("en")
    theme.set_theme("dark", presentation=False)


def lesson(name: str, language: str = "en") -> Lesson:
    return read_lesson(resources.path("lessons", name), language)


def button(course: Course, name: str) -> QPushButton:
    found = course.panel.findChild(QPushButton, name)
    assert found is not None, name
    return found


def ready(desk: Desk) -> None:
    """Until the prepared state runs and the lesson looks at it."""
    course = desk.commands.course

    def looks() -> bool:
        desk.runner.go()
        course._watch()
        return course._pending is None and (course._before is not None or not course.panel.rows)

    desk.qtbot.waitUntil(looks, timeout=15_000)


def do(desk: Desk, task: Task) -> None:
    """What a person does for a task, as far as an offscreen window allows."""
    window, conditions = desk.window, task.conditions
    document = desk.bench.document
    if "opened" in conditions:
        wanted = conditions["opened"]
        value = desk.bench.configured.program.values[wanted["value"]]  # type: ignore[union-attr]
        cell = wanted.get("cell", [1] * len(value.shape))
        window.live.open_cell(wanted["value"], tuple(n - 1 for n in cell))
    if "setting" in conditions:
        facts = conditions["setting"]
        new = facts.get("is", facts.get("at_least", 0.02))
        if facts["of"] == "training":
            document.set_training(**{facts["name"]: new})
        else:
            document.set_setting(facts["of"], facts["name"], new)
    if "inside" in conditions:
        for _ in range(30):
            desk.actions["step_op"].trigger()
            desk.runner.go()
            desk.commands.course._watch()
            if desk.commands.course.panel.rows[task.id].done:
                return
    if "steps" in conditions:
        desk.actions["step_batch"].trigger()
    if "playing" in conditions or "accuracy" in conditions:
        desk.actions["play"].trigger()
    if "lab" in conditions or "action" in conditions:
        desk.commands.course._triggered.update(conditions.values())


def finish_step(desk: Desk) -> None:
    """Do every task and answer every question of the step that is shown."""
    course = desk.commands.course
    assert course.lesson is not None
    step = course.lesson.steps[course.at]
    for task in step.tasks:
        if task.id not in course.panel.rows:
            continue
        do(desk, task)

        def done(row: Any = course.panel.rows[task.id]) -> bool:
            desk.runner.go()
            course._watch()
            return bool(row.done)

        desk.qtbot.waitUntil(done, timeout=20_000)
        if desk.bench.running:
            desk.actions["play"].trigger()
            desk.runner.go()
    for question in step.questions:
        card = course.panel.questions[question.id]
        if question.number is None:
            right = next(i for i, answer in enumerate(question.answers) if answer.right)
            desk.qtbot.mouseClick(card.rows[right], Qt.MouseButton.LeftButton)
        else:
            field = card.findChild(QLineEdit)
            assert field is not None
            field.setText(str(question.number).replace(".", ","))
            desk.qtbot.keyClick(field, Qt.Key.Key_Return)
        assert card.feedback.text().startswith("Richtig."), (question, card.feedback.text())


def test_a_lesson_from_end_to_end_in_german(desk: Desk, course: Course) -> None:
    desk.commands.set_language("de")
    desk.actions["lessons"].trigger()
    assert course.panel.isVisible() and "Lektionen" in course.panel.texts()
    button(course, "start_e_backpropagation").click()
    assert course.lesson is not None
    for at in range(len(course.lesson.steps)):
        ready(desk)
        assert course.at == at
        shown = course.panel.texts()
        assert course.lesson.steps[at].title in shown
        if at == 3:  # δ of the worked example, as the engine computes it
            value = desk.runner.session.trainer.read("layer1.z@grad")[:, :2]
            np.testing.assert_allclose(value, [[0, 0.05], [0, -0.25]], atol=1e-6)
        finish_step(desk)
        if at + 1 < len(course.lesson.steps):
            button(course, "lesson_next").click()
    assert len(course._finished(course.lesson)) == len(course.lesson.steps)
    button(course, "lesson_next").click()
    assert course.lesson is None and "11 von 11 Schritten" in course.panel.texts()


def test_left_and_resumed_by_another_window(desk: Desk, course: Course) -> None:
    course.start(lesson("b_multiplication"))
    ready(desk)
    course.go(2)
    ready(desk)
    finish_tasks = course.panel.rows["cell"]
    desk.window.live.open_cell("dense1.z", (2, 0))
    desk.qtbot.waitUntil(lambda: desk.runner.go() or finish_tasks.done, timeout=5000)
    course.leave()
    assert course.panel.isHidden() and desk.window._aside == 0
    assert json.loads(desk.state.text("lesson/b_multiplication"))["at"] == "bias"
    course.lesson = None  # as after a new start of the program
    course.start(lesson("b_multiplication"))
    ready(desk)
    assert course.at == 2 and course.panel.rows["cell"].done


def test_free_play_keeps_what_is_on_the_screen(desk: Desk, course: Course) -> None:
    course.start(lesson("a_data"))
    ready(desk)
    button(course, "lesson_free").click()
    assert course.panel.isHidden() and desk.bench.document.graph.has("flatten1")
    desk.bench.document.set_setting("dense1", "units", 5)
    asked: list[bool] = []
    desk.commands.confirm = lambda: bool(asked.append(True))  # type: ignore[method-assign, func-returns-value]
    desk.actions["lessons"].trigger()
    course.go(1)
    assert asked and desk.bench.document.graph.has("flatten1")  # nothing is taken away unasked


def test_changes_within_a_lesson_are_not_asked_about(desk: Desk, course: Course) -> None:
    course.start(lesson("a_data"))
    ready(desk)
    desk.bench.document.set_setting("dense1", "units", 5)
    desk.commands.confirm = lambda: pytest.fail("asked")  # type: ignore[method-assign]
    course.go(5)
    ready(desk)
    assert desk.bench.document.node("dense1").layer.units == 2  # type: ignore[attr-defined]


def test_a_lessons_network_is_never_overwritten(desk: Desk, course: Course) -> None:
    course.start(lesson("a_data"))
    ready(desk)
    before = (resources.path("lessons", "a_data") / "lesson.toml").read_bytes()
    desk.commands._choose_target = lambda: None  # type: ignore[method-assign]
    desk.commands.save()
    assert (resources.path("lessons", "a_data") / "lesson.toml").read_bytes() == before


def test_wrong_answers_get_a_reason_and_another_try(desk: Desk, course: Course) -> None:
    course.start(lesson("a_data"))
    ready(desk)
    card = course.panel.questions["half"]
    for typed, said in (("0,7", "Not yet."), ("half", "Not yet."), ("", "Not yet."), ("128/255", "Right.")):
        assert card.field is not None
        card.field.setText(typed)
        desk.qtbot.keyClick(card.field, Qt.Key.Key_Return)
        assert card.feedback.text().startswith(said), typed
    assert "half" in course._done(course.lesson.steps[0])  # type: ignore[union-attr]


def test_the_panel_covers_neither_play_nor_status(desk: Desk, course: Course) -> None:
    course.start(lesson("e_backpropagation"))
    ready(desk)
    for size in ((1600, 1000), (1280, 800)):
        desk.window.resize(*size)
        desk.settle()
        panel = place_of(course.panel, desk)
        for other in (desk.window.training_bar, desk.window.status_bar, desk.window.down):
            assert not panel.intersects(place_of(other, desk)) and other.isVisible()
        assert panel.right() <= desk.window.width()


def place_of(widget: QWidget, desk: Desk) -> QRect:
    """Where a widget lies in the window."""
    return QRect(widget.mapTo(desk.window, QPoint()), widget.size())


def test_show_me_rings_the_place(desk: Desk, course: Course) -> None:
    course.start(lesson("e_backpropagation"))
    ready(desk)
    course.panel.rows["op"].hint.click()
    assert course.ring.isVisible()
    bar = desk.window.training_bar
    place = bar.mapTo(desk.window, bar.rect().center())
    assert abs(course.ring.geometry().center().y() - place.y()) < 20
    course.go(3)
    ready(desk)
    desk.settle()
    course.panel.rows["cell"].hint.click()
    dock = desk.window.docks["gradients"]
    assert dock.rect().contains(dock.mapFrom(desk.window, course.ring.geometry().center()))


def test_what_the_program_lacks_is_not_asked_for(desk: Desk, course: Course) -> None:
    found = lesson("b_multiplication")
    course.start(found)
    course.go(found.index("lab"))
    ready(desk)
    assert ("lab" in course.panel.rows) == has_action(desk.window, "matrix_lab")


def test_own_lessons_are_copied_edited_and_errors_harmless(
    desk: Desk, course: Course, tmp_path: Path
) -> None:
    desk.state.set_text(SETTING, str(tmp_path / "mine"))
    course._copy(lesson("a_data"))
    course._copy(lesson("a_data"))
    mine = tmp_path / "mine"
    assert {path.name for path in mine.iterdir()} == {"a_data_copy", "a_data_copy2"}
    assert course.panel.findChild(QPushButton, "start_a_data_copy") is not None
    file = mine / "a_data_copy2" / "lesson.toml"
    file.write_text(file.read_text().replace("format = 1", "format = one"), encoding="utf-8")
    course.show_shelf()
    assert course.panel.findChild(QPushButton, "start_a_data_copy2") is None
    assert any("lesson.toml, line 2:" in text for text in course.panel.texts()), course.panel.texts()


def test_language_and_theme_follow(desk: Desk, course: Course) -> None:
    course.start(lesson("e_backpropagation"))
    ready(desk)
    course.go(3)
    ready(desk)
    desk.commands.set_language("de")
    assert "Zurück durch die Funktion" in course.panel.texts() and course.panel.isVisible()
    desk.commands.set_theme("light")
    assert course.panel.isVisible()
    desk.commands.set_language("en")
    assert "Back through the function" in course.panel.texts()


def test_a_state_is_saved_and_opens_with_panels_and_notes(
    desk: Desk, course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open("one_layer")
    for _ in range(3):
        desk.bench.step("batch")
        desk.runner.go()
    desk.window.show_panel("loss", False)
    desk.window.canvas.canvas.select(["layer1"])
    desk.window.docks["gradients"].show_view("w")
    desk.window.live.open_cell("layer1.z", (1, 1))
    path = tmp_path / "state.matrizen"
    monkeypatch.setattr(saved_state.NotesDialog, "exec", _with_notes)
    monkeypatch.setattr(Commands, "_choose_target", lambda _self: path)
    desk.actions["save_lesson_state"].trigger()
    desk.qtbot.waitUntil(lambda: desk.runner.go() or path.exists(), timeout=5000)
    project = load_project(path)
    assert project.run is not None and project.run.step == 3 and "what changes" in project.notes
    desk.open("circle")
    desk.window.show_panel("loss", True)
    desk.bench.open(path)
    desk.qtbot.waitUntil(lambda: desk.bench.name == "state", timeout=10_000)
    desk.settle()
    desk.settle()
    assert desk.bench.status.step == 3 and desk.bench.status.running == "paused"
    assert not desk.window.panel_shown("loss") and desk.window.selection() == ("layer1",)
    assert desk.window.docks["gradients"].switch.value() == "w"
    assert desk.window.live.opened_cell() == ("layer1.z", (1, 1))
    assert course.panel.isVisible() and "state" in course.panel.texts()


def _with_notes(dialog: saved_state.NotesDialog) -> int:
    dialog.notes.setPlainText("Watch **what changes**.")
    return int(dialog.DialogCode.Accepted)


def test_a_damaged_state_opens_as_a_plain_project(desk: Desk, course: Course) -> None:
    desk.open("one_layer")
    state = desk.bench.document.state
    for hint in (3, {"panels": 7}, {"cell": ["gone", [9, 9]], "views": {"weights": "x"}, "selected": [1]}):
        desk.bench.put(replace(state, hints={"lesson": hint}), None, "odd", None)
        desk.settle()
        assert desk.bench.configured is not None


def test_presentation_puts_panels_away_and_brings_them_back(desk: Desk, course: Course) -> None:
    desk.open("circle")
    window = desk.window
    assert window.palette_area.isVisible() and window.inspector.isVisible()
    before = theme.theme()
    desk.actions["presentation"].trigger()
    desk.settle()
    assert theme.scale() == 1.5 and theme.theme().text1 == "#FFFFFF"
    assert not window.palette_area.isVisible() and not window.inspector.isVisible()
    assert not window.strip.isVisible() and window.isFullScreen()
    desk.actions["presentation"].trigger()
    desk.settle()
    assert theme.theme() == before and window.palette_area.isVisible() and not window.isFullScreen()


def test_the_glossary_finds_terms_in_both_languages(desk: Desk, course: Course) -> None:
    course.open_glossary()
    page = course._glossary
    assert page is not None
    everything = len(page.shown())
    page.field.setText("kernel window")
    assert page.shown() == ["convolution"]
    page.field.setText("Verlust")
    assert "loss" in page.shown() and len(page.shown()) < everything
    page.field.setText("xyzzy")
    assert page.shown() == []
    page.show_term("bias")
    assert "bias" in page.shown()
    page.close()


def test_words_become_html_that_means_no_harm() -> None:
    image: Callable[[str, bool], str] = lambda latex, own: f"<{latex}|{own}>"  # noqa: E731
    assert to_html("a **b** $x$", image) == '<p>a <span style="font-weight: 600">b</span> <x|False></p>'
    assert to_html("$$y$$", image) == "<y|True>"
    assert "<script" not in to_html("<script>alert(1)</script>", image)
    assert to_html("[[bias|Bias]]", image) == '<p><a href="glossary:bias">Bias</a></p>'


def test_every_formula_can_be_typeset(qtbot: QtBot) -> None:
    from gui import formulas
    from gui.lessons.glossary import read_terms
    from gui.lessons.rich import _FORMULA

    seen = {term.sign for term in read_terms("en") if term.sign}
    for folder in sorted(resources.path("lessons").glob("*/lesson.toml")):
        for language in ("en", "de"):
            for step in read_lesson(folder.parent, language).steps:
                seen |= {(a or b).strip() for a, b in _FORMULA.findall(step.text)}
    assert len(seen) > 50
    assert [latex for latex in seen if formulas._renderer(latex, 13.0, "#000000") is None] == []
