"""The tools of the matrix lab in the window: dragging, painting, locking, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from gui.labs.hands import between, rounded
from gui.labs.lab_matrix import LabMatrix
from gui.labs.matrix_lab import MatrixLab
from gui.labs.stroke import Numbers, Stroke
from tests.gui.desk import Desk
from tests.gui.labs.test_matrix_lab import opened, shown

Keys = Qt.KeyboardModifier
NONE = Keys.NoModifier


def send(view: LabMatrix, kind: QEvent.Type, at: QPointF, keys: Keys = NONE) -> None:
    moving = kind is QEvent.Type.MouseMove
    button = Qt.MouseButton.NoButton if moving else Qt.MouseButton.LeftButton
    QApplication.sendEvent(view, QMouseEvent(kind, at, view.mapToGlobal(at), button,
                                             Qt.MouseButton.LeftButton, keys))  # fmt: skip


def place(view: LabMatrix, row: int, column: int) -> QPointF:
    return view.cell_rect(row, column).center()


def stroke(view: LabMatrix, *points: QPointF, keys: Keys = NONE) -> None:
    """Press at the first point, move over the others, let go."""
    send(view, QEvent.Type.MouseButtonPress, points[0], keys)
    for point in points[1:]:
        send(view, QEvent.Type.MouseMove, point, keys)
    send(view, QEvent.Type.MouseButtonRelease, points[-1], keys)


def tap(lab: MatrixLab, key: Qt.Key, text: str = "") -> None:
    QApplication.sendEvent(lab, QKeyEvent(QEvent.Type.KeyPress, key, NONE, text))


def state(desk: Desk) -> dict[str, Any]:
    assert desk.runner.session.trainer is not None
    return desk.runner.session.trainer.store.state()


def test_a_number_is_dragged_and_all_behind_it_follows(desk: Desk) -> None:
    lab = opened(desk)
    stack = desk.bench.document.undo_stack
    view, start = lab.pane.matrices[0], place(lab.pane.matrices[0], 0, 0)
    stroke(view, start, start - QPointF(0, 60))
    assert stack.count() == 0, "the tool in hand opens"
    tap(lab, Qt.Key.Key_D, "d")
    send(view, QEvent.Type.MouseButtonPress, start)
    for up in (2, 24, 48, 96):
        send(view, QEvent.Type.MouseMove, start - QPointF(0, up))
        desk.runner.go(1)
    assert view._held == (0, 0)
    np.testing.assert_allclose(shown(lab, 0)[0, 0], 0.7, rtol=1e-6)  # 96 of 240 pixels of 0.5
    np.testing.assert_allclose(shown(lab, -1), [[0.05, 0.5], [-0.25, 0.5]], atol=1e-6)
    assert lab.below.matrices[-1].values()[0, 1] == pytest.approx(-0.425), "the gradient, too"
    send(view, QEvent.Type.MouseButtonRelease, start - QPointF(0, 96))
    assert stack.count() == 1 and "0.7" in stack.undoText()
    stack.undo()
    desk.settle()
    assert state(desk)["layer1.weight"][0, 0] == 0.5
    stack.redo()
    assert state(desk)["layer1.weight"][0, 0] == np.float32(0.7)
    send(view, QEvent.Type.MouseButtonPress, start)
    send(view, QEvent.Type.MouseMove, start + QPointF(0, 90))
    tap(lab, Qt.Key.Key_Escape)
    assert state(desk)["layer1.weight"][0, 0] == np.float32(0.7) and stack.count() == 1
    send(view, QEvent.Type.MouseButtonPress, start)
    lab.choose(1)  # another equation while the button is down
    assert lab.hands.gesture is None
    lab.choose(0)
    desk.settle()
    z = lab.pane.matrices[-1]
    stroke(z, place(z, 0, 0), place(z, 0, 0) - QPointF(0, 50))
    assert stack.count() == 1
    lab.hands.bar.choose("open")
    view = lab.pane.matrices[0]
    stroke(view, start, start + QPointF(24, 0), keys=Keys.AltModifier)
    assert stack.count() == 2


def test_an_input_is_dragged_in_the_step_to_come(desk: Desk) -> None:
    lab = opened(desk)
    lab.hands.bar.choose("drag")
    x = lab.pane.matrices[1]
    stroke(x, place(x, 1, 0), place(x, 1, 0) - QPointF(0, 60))
    desk.settle()
    assert shown(lab, 1).tolist() == [[1, 2], [4, 4]]
    np.testing.assert_allclose(shown(lab, -1)[:, 0], [-0.4, 0.25], atol=1e-6)
    desk.bench.document.undo_stack.undo()
    desk.settle()
    assert shown(lab, 1).tolist() == [[1, 2], [3, 4]]


def test_a_picture_is_drawn_on(desk: Desk) -> None:
    lab = opened(desk, "digits_cnn")
    before, z = shown(lab, 1).copy(), shown(lab, -1).copy()
    tap(lab, Qt.Key.Key_B, "b")
    lab.hands.bar.brush.set_value("2")
    x = lab.pane.matrices[1]
    stroke(x, place(x, 1, 1), place(x, 1, 5))
    desk.settle()
    after = shown(lab, 1)
    assert (after[1:3, 1:7] == 1).all()
    after = after.copy()
    after[1:3, 1:7] = before[1:3, 1:7]
    np.testing.assert_array_equal(after, before)
    assert (shown(lab, -1) != z).any()
    stack = desk.bench.document.undo_stack
    assert stack.count() == 1 and "12" in stack.undoText()
    stroke(x, place(x, 1, 1), keys=Keys.ShiftModifier)
    desk.settle()
    assert shown(lab, 1)[1, 1] == 0
    stack.undo()
    stack.undo()
    desk.settle()
    np.testing.assert_array_equal(shown(lab, 1), before)
    send(x, QEvent.Type.MouseButtonPress, place(x, 0, 2), Keys.AltModifier)
    assert lab.hands.bar.value.value() == pytest.approx(float(before[0, 2]), abs=1e-3)


def test_locked_weights_are_marked_and_left_alone(desk: Desk) -> None:
    lab = opened(desk)
    w, b = lab.pane.matrices[0], lab.pane.matrices[2]
    tap(lab, Qt.Key.Key_L, "l")
    stroke(w, place(w, 0, 0), place(w, 1, 0))
    desk.settle()
    w, b = lab.pane.matrices[0], lab.pane.matrices[2]
    assert w._locked is not None and w._locked.tolist() == [[True, False], [True, False]]
    stroke(b, place(b, 1, 0), keys=Keys.ShiftModifier)
    desk.settle()
    assert b.locked_at(1, 0) and not b.locked_at(0, 0)
    desk.window.inspector.show_nodes(["layer1"])
    row = desk.window.inspector.locks
    assert row.isVisibleTo(desk.window.inspector) and row.text.text() == "3 of 6 weights locked"
    kept = state(desk)
    lab.hands.bar.choose("drag")
    stroke(w, place(w, 0, 0), place(w, 0, 0) - QPointF(0, 60))
    lab.editor.edit(lab.pane, 0, 1, 0)
    assert lab.editor.field is None
    lab.hands.bar.choose("paint")
    lab.hands.bar.value.set_value(7)
    stroke(w, place(w, 0, 0), place(w, 0, 1))
    desk.runner.step("epoch")
    desk.settle()
    new = state(desk)
    assert (new["layer1.weight"][:, 0] == kept["layer1.weight"][:, 0]).all()
    assert new["layer1.bias"][1] == kept["layer1.bias"][1]
    assert new["layer1.weight"][0, 1] != kept["layer1.weight"][0, 1]
    lab.choose(next(i for i, e in enumerate(lab._equations) if e.title.startswith("W^{+}")))
    desk.settle()
    lab.story.open("layer1.weight@new", (0, 0))
    desk.settle()
    told = lab.card.explanation
    assert told is not None and told.terms is not None and len(told.terms.terms) == 1
    row.button.click()
    desk.settle()
    assert not desk.bench.status.locked and not row.isVisibleTo(desk.window.inspector)
    stack = desk.bench.document.undo_stack
    while stack.canUndo():
        stack.undo()
        desk.runner.go(1)
    assert not desk.bench.status.locked
    while stack.canRedo():
        stack.redo()
        desk.runner.go(1)
    assert not desk.bench.status.locked
    stack.undo()
    desk.settle()
    assert desk.bench.status.locked == {"layer1.weight": 2, "layer1.bias": 1}


def test_folded_and_turned_the_marks_stand_right(desk: Desk) -> None:
    lab = opened(desk)
    lab.hands.bar.choose("lock")
    lab.top.bias.set_value("folded")
    lab.top.samples.set_value("rows")
    lab.top.bias.chosen.emit("folded")
    desk.settle()
    w = lab.pane.matrices[1]  # X·(W | b)ᵀ: b is the last row
    assert shown(lab, 1).shape == (3, 2)
    stroke(w, place(w, 2, 1))
    desk.settle()
    assert desk.bench.status.locked == {"layer1.bias": 1}
    stroke(lab.pane.matrices[1], place(w, 0, 1))
    desk.settle()
    marks = lab.pane.matrices[1]._locked
    assert marks is not None and marks.tolist() == [[False, True], [False, False], [False, True]]
    assert desk.bench.status.locked == {"layer1.bias": 1, "layer1.weight": 1}
    lab.hands.bar.unlock_all.click()
    desk.settle()
    assert not desk.bench.status.locked and lab.pane.matrices[1]._locked is None
    lab.hands.bar.lock_all.click()
    desk.settle()
    assert desk.bench.status.locked == {"layer1.bias": 2, "layer1.weight": 4}


def test_a_stroke_waits_for_the_engine_and_sends_only_what_is_newest() -> None:
    sent: list[tuple[Numbers, Any]] = []
    done: list[Stroke] = []
    made = Stroke(lambda numbers, told: sent.append((numbers, told)), done.append)
    for number in (1.0, 2.0, 3.0):
        made.put({(0, 0): number})
    made.put({(0, 1): 5.0})
    made.end()
    assert [numbers for numbers, _ in sent] == [{(0, 0): 1.0}] and not done
    sent[0][1]([9.0], None)
    assert sent[1][0] == {(0, 0): 3.0, (0, 1): 5.0} and not done
    sent[1][1]([1.0, 8.0], None)
    assert done == [made] and made.old == {(0, 0): 9.0, (0, 1): 8.0} and len(sent) == 2


def test_steps_and_ways() -> None:
    assert between((0, 0), (2, 4)) == [(0, 1), (1, 2), (2, 3), (2, 4)]
    assert rounded(0.53731, 0.002) == 0.54 and rounded(0.53731, 0.0002) == 0.537
    assert rounded(1234.5, 3.0) == 1230 and rounded(0.1, 0.01) == 0.1
