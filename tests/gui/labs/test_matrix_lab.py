"""The matrix lab in the window: printed numbers, linked cells, the walk, typing, copying, the way back."""

from __future__ import annotations

import time
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication

from gui.labs.matrix_lab import MatrixLab
from tests.gui.desk import Desk


def opened(desk: Desk, sample: str = "one_layer", **what: object) -> MatrixLab:
    desk.open(sample)
    desk.window.open_lab("matrix_lab", **what)
    desk.settle()
    return cast(MatrixLab, desk.window.labs.lab("matrix_lab"))


def step(lab: MatrixLab, desk: Desk, start: str) -> None:
    """Go to the equation whose title begins so."""
    lab.choose(next(i for i, e in enumerate(lab._equations) if e.title.startswith(start)))
    desk.settle()


def shown(lab: MatrixLab, index: int) -> np.ndarray:  # type: ignore[type-arg]
    return lab.pane.matrices[index].values()


PRINTED = {
    "Z =": (2, [[-0.15, 0.1], [-0.25, 0.5]], 2),
    "A =": (-1, [[0, 0.1], [0, 0.5]], 1),
    "L =": (-1, [[0.315]], 3),
    r"\partial L/\partial Z": (-1, [[0, 0.05], [0, -0.25]], 2),
    r"\partial L/\partial W": (-1, [[0.1, 0.2], [-0.5, -1]], 1),
    r"\partial L/\partial b": (-1, [[0.05], [-0.25]], 2),
    r"\partial L/\partial X": (-1, [[0, -0.0375], [0, -0.1375]], 4),
    "W^{+}": (-1, [[0.49, -0.27], [0.3, 0.6]], 2),
    "b^{+}": (-1, [[0.095], [-1.975]], 3),
}


def test_the_one_layer_example_to_the_printed_digits(desk: Desk) -> None:
    lab = opened(desk)
    for start, (_, numbers, decimals) in PRINTED.items():
        step(lab, desk, start)
        np.testing.assert_allclose(shown(lab, -1), numbers, atol=1e-6, err_msg=start)
        view = lab.pane.matrices[-1]
        assert view.max_decimals == decimals, start
        digits = view._digits(view._box())
        assert digits is not None and digits.decimals >= decimals, start
        lab.story.open(*cast("tuple[str, tuple[int, ...]]", lab.pane.sheets[-1].cell(0, 0)))
        desk.settle()
        told = lab.card.explanation
        assert told is not None and told.terms is not None, start
        assert abs(told.terms.difference) < 1e-6 and told.number == pytest.approx(numbers[0][0], abs=1e-6)


def test_in_rows_and_folded_it_is_the_same(desk: Desk) -> None:
    lab = opened(desk)
    z = shown(lab, -1).copy()
    lab.top.samples.set_value("rows")
    lab.top.samples.chosen.emit("rows")
    desk.settle()
    np.testing.assert_array_equal(shown(lab, -1), z.T)
    np.testing.assert_array_equal(shown(lab, 0), [[1, 3], [2, 4]])
    lab.top.bias.set_value("folded")
    lab.top.bias.chosen.emit("folded")
    desk.settle()
    x, w = shown(lab, 0), shown(lab, 1)
    np.testing.assert_allclose(x, [[1, 3, 1], [2, 4, 1]])
    np.testing.assert_allclose(w, [[0.5, 0.25], [-0.25, 0.5], [0.1, -2]], rtol=1e-6)
    np.testing.assert_allclose(x @ w, shown(lab, -1), atol=1e-6)


def test_an_opened_cell_lights_its_row_and_column_everywhere(desk: Desk) -> None:
    lab = opened(desk)
    lab.pane.matrices[-1].cell_clicked.emit(1, 0)
    desk.settle()
    w, x, b, z = lab.pane.matrices
    assert w._rows == {1} and not w._columns
    assert x._columns == {0} and not x._rows
    assert b._cells == {(1, 0)} and z.selected() == (1, 0)
    # the same X stands transposed in the equation of the way back
    assert lab.below.matrices[1]._rows == {0}
    assert lab.card._curve.isVisible()
    lab.keyPressEvent(key(Qt.Key.Key_Escape))
    assert lab.story.opened is None and not w._rows


def key(code: Qt.Key):  # type: ignore[no-untyped-def]
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    return QKeyEvent(QEvent.Type.KeyPress, code, Qt.KeyboardModifier.NoModifier)


def test_the_walk_shows_what_is_known(desk: Desk) -> None:
    lab = opened(desk)
    final = shown(lab, -1).copy()
    for _ in range(2):
        lab.keyPressEvent(key(Qt.Key.Key_Right))
        desk.settle()
    unknown = lab.pane.matrices[-1]._unknown
    assert unknown is not None and unknown.tolist() == [[False, False], [True, True]]
    assert lab.story.opened == ("layer1.z", (0, 1))
    lab.player.set_order("outer")
    np.testing.assert_allclose(shown(lab, -1), np.outer([0.5, 0.25], [1, 2]), rtol=1e-6)
    lab.player.walk(1)
    np.testing.assert_allclose(shown(lab, -1), final - [[0.1], [-2]], atol=1e-6)
    lab.player.walk(1)
    np.testing.assert_allclose(shown(lab, -1), final, atol=1e-6)
    assert lab.player.at == lab.player.count() - 1
    lab.player.set_order("columns")
    assert lab.pane.matrices[1]._columns == {0}
    lab.keyPressEvent(key(Qt.Key.Key_Escape))
    assert lab.player.at == -1 and lab.pane.matrices[-1]._unknown is None
    np.testing.assert_array_equal(shown(lab, -1), final)


def test_w_3x2_times_x_then_the_bias_as_two_steps(desk: Desk) -> None:
    lab = opened(desk, "circle")
    lab._see(whole=False, example=4)
    desk.settle()
    w, x, b, z = (m.values().copy() for m in lab.pane.matrices)
    assert [a.shape for a in (w, x, b, z)] == [(3, 2), (2, 1), (3, 1), (3, 1)]
    products = 0
    for row in range(3):
        lab.pane.matrices[-1].cell_clicked.emit(row, 0)
        desk.runner.go(1)
        told = lab.card.explanation
        assert told is not None and told.terms is not None and told.cell == (row, 4)
        products += sum(len(term.factors) == 2 for term in told.terms.terms)
        assert told.terms.terms[-1].label == "bias"
    assert products == 6
    lab.player.set_order("outer")
    assert lab.player.count() == 3
    lab.player.go(1)
    np.testing.assert_allclose(shown(lab, -1), w @ x, atol=1e-6)
    lab.player.go(2)
    np.testing.assert_allclose(shown(lab, -1), w @ x + b, atol=1e-6)


def test_played_to_the_end_it_stops(desk: Desk) -> None:
    lab = opened(desk)
    lab.player.set_pace(16)
    lab.player.play()
    desk.qtbot.waitUntil(lambda: not lab.player.playing, timeout=4000)
    assert lab.player.at == 3


def test_a_typed_weight_changes_everything_after_it_and_undo_brings_it_back(desk: Desk) -> None:
    lab = opened(desk)
    before = shown(lab, -1).copy()
    lab.editor.edit(lab.pane, 0, 0, 1)
    assert lab.editor.field is not None and lab.editor.field.isVisible()
    lab.editor.field.setText("2,5")
    lab.editor.field.setModified(True)
    desk.qtbot.keyClick(lab.editor.field, Qt.Key.Key_Return)
    desk.settle()
    assert shown(lab, 0)[0, 1] == 2.5
    np.testing.assert_allclose(shown(lab, -1)[0], [0.5 + 2.5 * 3 + 0.1, 1 + 2.5 * 4 + 0.1], rtol=1e-6)
    assert desk.bench.modified
    desk.actions["undo"].trigger()
    desk.settle()
    np.testing.assert_array_equal(shown(lab, -1), before)
    desk.actions["redo"].trigger()
    desk.settle()
    assert shown(lab, 0)[0, 1] == 2.5


def test_a_weight_is_typed_while_training_goes_on(desk: Desk) -> None:
    lab = opened(desk)
    desk.actions["play"].trigger()
    desk.runner.go(3)
    lab.editor.edit(lab.pane, 0, 0, 1)
    assert desk.bench.running and lab.editor.field is not None
    desk.runner.go(3)
    trainer = desk.runner.session.trainer
    assert trainer is not None
    first = trainer.step
    lab.editor.field.setText("2,5")
    lab.editor.field.setModified(True)
    desk.qtbot.keyClick(lab.editor.field, Qt.Key.Key_Return)
    (change,) = trainer.log
    assert change.name == "edit" and first <= change.step <= trainer.step and desk.bench.running
    assert len(change.value) == 1 and change.value[0].endswith(".weight")
    desk.runner.go(3)
    assert desk.bench.running and trainer.step > change.step
    desk.actions["undo"].trigger()
    assert trainer.log[-1].name == "edit" and trainer.log[-1].step > change.step
    desk.actions["play"].trigger()


def test_only_parameters_can_be_typed(desk: Desk) -> None:
    lab = opened(desk)
    lab.editor.edit(lab.pane, 3, 0, 0)
    assert lab.editor.field is None


def test_a_typed_input_changes_what_is_shown_until_the_next_step(desk: Desk) -> None:
    lab = opened(desk)
    before = [m.values().copy() for m in lab.pane.matrices]
    lab.editor.edit(lab.pane, 1, 1, 0)
    field = lab.editor.field
    assert field is not None and field.value() == 3
    field.setText("5")
    field.setModified(True)
    desk.qtbot.keyClick(field, Qt.Key.Key_Return)
    desk.settle()
    w, x, b, z = (m.values() for m in lab.pane.matrices)
    assert x[1, 0] == 5
    np.testing.assert_allclose(z, w @ x + b, atol=1e-6)
    # columns do not influence each other
    np.testing.assert_array_equal(z[:, 1], before[3][:, 1])
    desk.actions["undo"].trigger()
    desk.settle()
    np.testing.assert_array_equal(shown(lab, -1), before[3])
    desk.actions["redo"].trigger()
    desk.settle()
    assert shown(lab, 1)[1, 0] == 5
    trainer = desk.runner.session.trainer
    assert trainer is not None and trainer.step == 0
    desk.actions["step_batch"].trigger()
    desk.settle()
    assert shown(lab, 1)[1, 0] == 3 and not lab.editor.inputs
    np.testing.assert_allclose(trainer.store.state()["layer1.weight"], [[0.49, -0.27], [0.3, 0.6]], rtol=1e-6)


def test_matrices_and_formulas_are_copied(desk: Desk) -> None:
    lab = opened(desk)
    board = QGuiApplication.clipboard()
    lab.copier.copy_matrix(lab.pane, 0, "csv")
    assert board.text() == "0.5,-0.25\n0.25,0.5\n"
    lab.copier.copy_matrix(lab.pane, 0, "numpy")
    assert board.text().startswith("W = np.array([[0.5, -0.25],")
    lab.copier.copy_matrix(lab.pane, 2, "latex")
    assert board.text().startswith("\\begin{bmatrix}\n  0.1 \\\\\n  -2")
    lab.copier.fill(lab.top.copy_menu, lab.pane, None)
    actions = lab.top.copy_menu.actions()
    actions[-2].trigger()
    assert board.text() == r"Z = W \cdot X + b"
    actions[-1].trigger()
    assert board.text().count("begin{bmatrix}") == 4


@pytest.mark.parametrize("sample", ["digits_cnn", "circle"])
def test_every_step_of_every_layer_opens_and_agrees(desk: Desk, sample: str) -> None:
    lab = opened(desk, sample)
    told = 0
    for node in desk.bench.document.graph.nodes:
        lab.open(uid=node.uid)
        desk.runner.go(1)
        for index in range(len(lab._equations)):
            lab.choose(index)
            desk.runner.go(1)
            assert all(m.values().size for m in lab.pane.matrices), lab._equations[index].title
            rows, columns = lab.pane.sheets[-1].shape
            found = lab.pane.sheets[-1].cell(rows // 2, columns // 2)
            assert found is not None
            lab.story.open(*found)
            desk.runner.go(1)
            explanation = lab.card.explanation
            assert explanation is not None, lab._equations[index].title
            if explanation.terms is not None:
                told += 1
                assert abs(explanation.terms.difference) <= 2e-4 * max(1.0, abs(explanation.number))
    assert told > 8


def test_a_cell_opens_within_50_ms(desk: Desk) -> None:
    lab = opened(desk, "digits_cnn")
    took = []
    for at in range(6):
        found = lab.pane.sheets[-1].cell(at, 2)
        assert found is not None
        start = time.thread_time()
        lab.story.open(*found)
        lab.repaint()
        took.append(time.thread_time() - start)
    assert sorted(took)[2] < 0.05


def test_escape_goes_back_and_what_is_covered_is_not_watched(desk: Desk) -> None:
    lab = opened(desk, "circle")
    assert any(name.startswith("lab.") for name in desk.bench.watcher.watched())
    assert not desk.window.docks["weights"].isVisible()
    assert "weights" not in desk.bench.watcher.watched()
    desk.qtbot.keyClick(lab, Qt.Key.Key_Escape)
    desk.settle()
    assert desk.window.labs.name == "" and desk.window.canvas.isVisible()
    assert not any(name.startswith("lab.") for name in desk.bench.watcher.watched())
    assert "weights" in desk.bench.watcher.watched()


def test_ways_in(desk: Desk) -> None:
    desk.open("circle")
    assert desk.actions["matrix_lab"].isEnabled()
    desk.actions["matrix_lab"].trigger()
    desk.settle()
    assert desk.window.labs.name == "matrix_lab" and "Matrix lab" in desk.window.menu_row.title()
    desk.window.labs.leave()
    uid = next(n.uid for n in desk.bench.document.graph.nodes if n.name == "output")
    node = desk.window.canvas.canvas.nodes[desk.window.canvas.canvas.shown(uid)]
    at = desk.window.canvas.mapFromScene(node.rect().topLeft()) + QPoint(20, 12)
    desk.qtbot.mouseDClick(desk.window.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    desk.settle()
    lab = cast(MatrixLab, desk.window.labs.lab("matrix_lab"))
    assert desk.window.labs.name == "matrix_lab" and lab._uid == uid
    desk.window.labs.leave()
    desk.window.docks["gradients"]._lab.click()
    desk.settle()
    assert desk.window.labs.name == "matrix_lab"
    equation = lab.equation()
    assert equation is not None and equation.out.value == desk.window.docks["gradients"].target.value


def test_another_language_and_another_project_go_on_in_the_lab(desk: Desk) -> None:
    lab = opened(desk, "circle")
    step(lab, desk, r"\partial L/\partial W")
    uid = lab._uid
    try:
        desk.commands.set_language("de")
        desk.settle()
        again = cast(MatrixLab, desk.window.labs.lab("matrix_lab"))
        assert again is not lab and again._uid == uid and desk.window.labs.name == "matrix_lab"
        assert again.equation().title.startswith(r"\partial L/\partial W")  # type: ignore[union-attr]
    finally:
        desk.commands.set_language("en")
    desk.open("one_layer")
    now = cast(MatrixLab, desk.window.labs.lab("matrix_lab"))
    assert [len(m.values()) for m in now.pane.matrices] == [2, 2, 2, 2]
    desk.bench.new()
    desk.settle()
    assert now._empty.isVisible() and not now.pane.isVisible()


def test_what_is_added_up_over_the_batch_shows_all_of_it(desk: Desk) -> None:
    lab = opened(desk, "circle")
    lab._see(whole=False, example=3)
    desk.settle()
    assert [m.values().shape[1] for m in lab.pane.matrices] == [2, 1, 1, 1]
    step(lab, desk, r"\partial L/\partial W")
    delta, x, dw = (m.values() for m in lab.pane.matrices)
    assert delta.shape[1] == 10
    np.testing.assert_allclose(delta @ x, dw, atol=1e-5)


def test_the_path_of_a_gradient_leads_from_layer_to_layer(desk: Desk) -> None:
    lab = opened(desk)
    step(lab, desk, r"\partial L/\partial W")
    lab.pane.matrices[-1].cell_clicked.emit(1, 1)
    desk.settle()
    assert lab.card._way.texts() == ["∂L/∂W (layer1)", "∂L/∂Z (relu1)", "∂L/∂A (output)", "L"]
    lab.card.step_clicked.emit("layer1.z@grad")
    desk.settle()
    equation = lab.equation()
    assert equation is not None and equation.title.startswith(r"\partial L/\partial Z")
    # a factor of the card opens where it came from
    lab.card.factor_clicked.emit("relu1.a", (1, 1))
    desk.settle()
    assert lab.card.explanation is not None and lab.card.explanation.kind == "relu"
