"""The time line under the hand: which step it asks for, and what the window shows then."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from gui.dialogs.run_record import RunRecord
from gui.panels.time_line import OtherLine, Reach, TimeLine
from tests.gui.desk import Desk

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def line(qtbot: QtBot) -> Iterator[TimeLine]:
    made = TimeLine()
    qtbot.addWidget(made)
    made.resize(1000, 46)
    made.set_losses(np.arange(200.0), np.linspace(2, 1, 200))
    made.set_now(200, 20.0, 10, 200)
    made.set_past(Reach(0, "", tuple(range(0, 200, 20))))
    made.show()
    yield made


def at(line: TimeLine, step: int) -> QPoint:
    return QPoint(round(line._x(step, line._area())), 23)


def test_a_drag_asks_for_every_step_on_its_way(line: TimeLine, qtbot: QtBot) -> None:
    wanted: list[int] = []
    line.wanted.connect(wanted.append)
    qtbot.mousePress(line, LEFT, pos=at(line, 150))
    for step in (140, 120, 60):
        qtbot.mouseMove(line, at(line, step))
    assert len(wanted) == 4 and all(abs(a - b) <= 1 for a, b in zip(wanted, (150, 140, 120, 60), strict=True))
    assert line.shown == wanted[-1], "the knob is where the hand is"
    line.set_now(120, 12.0, 10, 200)
    assert line.shown == wanted[-1], "what comes late does not move it"
    qtbot.mouseRelease(line, LEFT, pos=at(line, 60))
    line.set_now(wanted[-1], 6.0, 10, 200)
    line.set_now(61, 6.1, 10, 200)
    assert line.shown == 61, "from then on it follows the run"


def test_keys(line: TimeLine, qtbot: QtBot) -> None:
    wanted: list[int] = []
    line.wanted.connect(wanted.append)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageDown, Qt.Key.Key_Home,
                Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Right):
        qtbot.keyClick(line, key)
    assert wanted == [199, 198, 199, 189, 0, 200]


def test_what_is_not_kept_cannot_be_asked_for(line: TimeLine, qtbot: QtBot) -> None:
    line.set_past(Reach(80, "opened here", (80, 120), (OtherLine(300, (0.0, 299.0), (2.0, 1.0)),)))
    assert line.span() >= 300, "another line may be longer"
    wanted: list[int] = []
    line.wanted.connect(wanted.append)
    qtbot.mouseClick(line, LEFT, pos=at(line, 20))
    qtbot.keyClick(line, Qt.Key.Key_End)
    assert wanted == [80, 200] and line._beyond(at(line, 20).x())
    assert line.loss_at(1) == 2.0 and not line.grab().isNull()


def test_nothing_is_asked_before_the_first_step(qtbot: QtBot) -> None:
    made = TimeLine()
    qtbot.addWidget(made)
    made.wanted.connect(lambda _step: pytest.fail("asked"))
    qtbot.mouseClick(made, LEFT, pos=QPoint(300, 20))
    qtbot.keyClick(made, Qt.Key.Key_Home)


def trained(desk: Desk, steps: int) -> None:
    desk.open("digits_cnn")
    for _ in range(steps):
        desk.actions["step_batch"].trigger()
        desk.runner.go()
    desk.settle()


def test_the_window_shows_the_past_and_goes_on_from_it(desk: Desk, qtbot: QtBot) -> None:
    trained(desk, 12)
    window, session = desk.window, desk.runner.session
    restarted: list[bool] = []
    desk.bench.restarted.connect(lambda: restarted.append(True))
    window.time_line.wanted.emit(4)
    desk.settle()
    assert (desk.bench.status.step, desk.bench.status.end) == (4, 12) and not restarted
    assert window.time_line.shown == 4 and desk.actions["newest"].isEnabled()
    assert len(window.time_line._losses) == 12, "the curve stays whole"
    desk.bench.document.set_training(learning_rate=0.02)
    desk.runner.go()
    desk.actions["step_batch"].trigger()
    desk.settle()
    assert desk.bench.status.line == 2 and desk.bench.status.end == 5 and not restarted
    qtbot.waitUntil(lambda: len(window.time_line._past.lines) == 1)
    assert window.time_line._past.lines[0].end == 12
    desk.commands.runs.choose(1)
    desk.settle()
    assert (desk.bench.status.line, desk.bench.status.step) == (1, 12) and not restarted
    assert desk.bench.document.training.learning_rate == pytest.approx(0.003)
    assert session.trainer is not None and session.trainer.controls()["lr"] == pytest.approx(0.003)
    assert len(session.motion.history.lines) == 2, "the window's answer makes no further line"


def test_the_record_lists_runs_and_changes_and_can_be_copied(desk: Desk, qtbot: QtBot) -> None:
    trained(desk, 6)
    desk.bench.document.set_training(learning_rate=0.02)
    desk.runner.go()
    desk.actions["step_batch"].trigger()
    desk.runner.edit_cells("conv1.weight", np.array([[0, 0, 0, 0]]), np.array([1.0]), lambda *_: None)
    desk.window.time_line.wanted.emit(3)
    desk.settle()
    desk.actions["branch"].trigger()
    desk.settle()
    desk.actions["runs"].trigger()
    dialog = next(d for d in desk.window.findChildren(RunRecord))
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 2)
    assert "Run 2 (present)" in dialog.table.item(1, 0).text()
    assert not dialog.go_on.isEnabled()
    dialog.table.selectRow(0)
    dialog.go_on.click()
    desk.settle()
    qtbot.waitUntil(lambda: "present" in dialog.table.item(0, 0).text())
    text = dialog.log.toPlainText()
    assert "seed: 1" in text and "SHA-256" in text and "Learning rate = 0.02" in text
    assert "edited by hand: conv1.weight" in text
    dialog.copy.click()
    assert QGuiApplication.clipboard().text() == text
    dialog.table.selectRow(1)
    dialog.forget.click()
    desk.settle()
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 1)
    dialog._set_cap(40)
    assert desk.runner.session.motion.history.cap == 40_000_000 and desk.commands.runs.cap == 40
    desk.actions["runs"].trigger()
    assert [d for d in desk.window.findChildren(RunRecord) if d.isVisible()] == [dialog], "one is enough"
    dialog.close()
    desk.actions["step_batch"].trigger()
    desk.settle()
    desk.commands.runs.show()  # nobody is there to hear it


def test_examples_of_the_batch_are_walked(desk: Desk) -> None:
    trained(desk, 2)
    for sample in range(3):
        desk.actions["step_sample"].trigger()
        desk.runner.go()
        assert desk.window.live._sample == sample and desk.bench.status.step == 2
    card, scene = desk.window.canvas.step_card, desk.window.canvas.canvas
    assert card.told is None, "an example is the whole way, not an op"
    desk.actions["step_phase"].trigger()
    desk.settle()
    assert desk.bench.status.sample is None and card.told is None
    for _ in range(3):
        desk.actions["step_op"].trigger()
        desk.settle()
    assert card.told is not None and card.told.name == "convolution" and card.told.layer in scene.nodes
    assert {item.acting.word for item in scene.links.values()} == {"", "reads", "writes"}
    desk.actions["step_batch"].trigger()
    desk.settle()
    assert card.isHidden() and not any(item.acting.word for item in scene.links.values())
