"""The page with the confusion matrix: it follows the tests, a cell opens, numbers are judged by errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt

from engine.data.headers import PictureHeader
from engine.data.pictures import Picture
from engine.layers import Dense, Output
from engine.session.protocol import Prediction
from engine.session.views import ScoresData
from gui import i18n
from gui.dialogs.picture_dialog import PictureDialog
from gui.labs.evaluation_lab import EvaluationLab
from gui.list_field import ListField
from tests.gui.desk import Desk


def opened(desk: Desk) -> EvaluationLab:
    desk.actions["evaluation"].trigger()
    desk.runner.go()
    page = desk.window.labs.lab("evaluation")
    assert isinstance(page, EvaluationLab)
    return page


def test_a_cell_of_the_matrix_opens_by_click_and_by_key(desk, qtbot):
    desk.open("circle")
    page = opened(desk)
    try:
        qtbot.waitUntil(lambda: page._data is not None)
        scores = page._found().classes
        names = desk.window.bench.configured.data.class_names
        lines = page.table.lines()
        assert [name for name, _ in lines[:-1]] == list(names) and len(lines) == len(names) + 1
        assert sum(int(numbers[0]) for _, numbers in lines[:-1]) == scores.n
        truth, answer = (int(i) for i in np.unravel_index(scores.confusion.argmax(), scores.confusion.shape))
        place = page.matrix.cell_rect(truth, answer).center().toPoint()
        qtbot.mouseClick(page.matrix, Qt.MouseButton.LeftButton, pos=place)
        desk.runner.go()
        qtbot.waitUntil(lambda: page._data.cell == (truth, answer))
        assert isinstance(page._data, ScoresData)
        assert 0 < len(page._data.index) <= scores.confusion[truth, answer]
        assert names[truth] in page._cell_head.text() and names[answer] in page._cell_head.text()
        qtbot.keyClick(page.matrix, Qt.Key.Key_Right if answer == 0 else Qt.Key.Key_Left)
        assert page._cell == (truth, 1 - answer)
    finally:
        desk.window.labs.leave()
    assert "evaluation" not in desk.runner.watches


def test_an_output_that_copies_is_judged_by_its_errors(desk, qtbot):
    desk.open("circle")
    document = desk.window.bench.document
    graph = document.graph.add("back", Dense(2), after="hidden1")
    graph = graph.add("copy", Output(weight=0.5, loss="mse", target="input"), after="back")
    assert document.edit(replace(document.state, graph=graph), "copy")
    desk.settle()
    page = opened(desk)
    try:
        qtbot.waitUntil(lambda: page._data is not None and len(page._data.report.outputs) == 2)
        assert page.output.isVisible() and page.matrix.isVisible()
        page.output.setCurrentIndex(1)
        page.output.activated.emit(1)
        assert not page.matrix.isVisible()
        numbers = page._found().numbers
        *each, last = page.table.lines()
        assert len(each) == 2 and last[1][0] == i18n.short(numbers.mae)
        assert desk.window.loss_dock._subtitle.text() == "Mean squared error + 0.5 · Mean squared error"
        desk.runner.step("batch")
        desk.runner.go()
        desk.settle()
        assert set(desk.window.loss_dock._data.test_parts) == {"output", "copy"}
    finally:
        desk.window.labs.leave()


def test_a_list_of_numbers_is_typed(qtbot):
    field = ListField(1e-6, 1e6)
    qtbot.addWidget(field)
    heard: list[object] = []
    said: list[str] = []
    field.chosen.connect(heard.append)
    field.problem_changed.connect(said.append)
    for text in ("1; 2 0.5", "1; x", "1; 0"):
        field.setText(text)
        field.setModified(True)
        field._commit()
    assert heard == [(1.0, 2.0, 0.5)] and said[-2:] != ["", ""]


def test_a_picture_is_shown_beside_what_was_made_of_it(desk):
    desk.open("digits_cnn")
    document = desk.window.bench.document
    graph = document.graph.add("back", Dense(64), after="flatten1")
    graph = graph.add("copy", Output(loss="bce", target="input"), after="back")
    assert document.edit(replace(document.state, graph=graph), "copy")
    desk.settle()
    desk.runner.step("batch")
    desk.settle()
    pictures = np.random.default_rng(0).random((2, 1, 8, 8)).astype(np.float32)
    found: list[Prediction] = []
    desk.runner.predict(pictures, ("*",), lambda result, _error: found.append(result))
    made = found[0].made["copy"]
    assert made.shape == (2, 2, 1, 8, 8) and np.array_equal(made[:, 0], pictures)
    logits = found[0].values[desk.bench.configured.outputs["copy"]]
    np.testing.assert_allclose(made[:, 1].reshape(2, 64), 1 / (1 + np.exp(-logits)), rtol=1e-5)
    header = PictureHeader("png", 8, 8)
    dropped = [Picture(np.zeros((8, 8, 1), np.uint8), name, header) for name in "ab"]
    dialog = PictureDialog(dropped, desk.window)
    assert dialog._made.isHidden()
    dialog.set_prediction(found[0], desk.bench.configured, document.graph, True)
    assert not dialog._made.isHidden() and dialog.best()
    dialog.close()
    thumb = desk.window.canvas.canvas.atlas.data("copy")
    assert thumb is not None and len(thumb.tiles) == 2 and thumb.role == "pictures"


def test_a_second_output_over_a_plane_shows_its_own_values(desk):
    desk.open("circle")
    document = desk.window.bench.document
    graph = document.graph.add("back", Dense(2), after="tanh1")
    graph = graph.add("copy", Output(loss="mse", target="input"), after="back")
    assert document.edit(replace(document.state, graph=graph), "copy")
    desk.settle()
    thumb = desk.window.canvas.canvas.atlas.data("copy")
    assert thumb is not None and len(thumb.tiles) == 2 and np.ptp(thumb.tiles) > 0
