"""The inspector edits the document through forms made from the layers' declarations."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from engine.graph import GraphSpec
from engine.layers import LAYERS, Conv2D, Dense, Input, Output
from engine.settings import DataSpec
from gui.document import Document, DocumentState
from gui.number_field import NumberField
from gui.panels.inspector import Inspector


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    graph = (
        GraphSpec()
        .add("input", Input((1, 28, 28)))
        .add("conv1", Conv2D(8, (5, 5), padding=(2, 2, 2, 2)), after="input")
        .add("dense1", Dense(10), after="conv1")
        .add("output", Output(), after="dense1")
    )
    return Document(DocumentState(graph, data=DataSpec((1, 28, 28), classes=10, count=2500)))


@pytest.fixture
def inspector(document: Document, qtbot: QtBot) -> Inspector:
    made = Inspector(document)
    qtbot.addWidget(made)
    made.resize(made.width(), 700)
    made.show()
    qtbot.waitExposed(made)
    return made


def typed(field: QLineEdit, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_a_layer_shows_name_formula_settings_and_cost(inspector: Inspector) -> None:
    inspector.show_nodes(["conv1"])
    assert inspector.name.text() == "conv1" and inspector.kind.text() == "Convolution"
    assert inspector.form is not None and inspector.form.values()["kernel"] == (5, 5)
    rows = dict(inspector.shape_rows.texts())
    assert rows == {
        "In": "1 × 28 × 28",
        "Out": "8 × 28 × 28",
        "Weights and biases": "200 + 8",
        "Multiplications": "156,800",
    }


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_can_be_inspected(document: Document, inspector: Inspector, kind: str) -> None:
    uid = document.add_layer(kind, (0.0, 600.0))
    inspector.show_nodes([uid])
    settings = set(LAYERS[kind].settings())
    assert (set(inspector.form.values()) if inspector.form is not None else set()) == settings
    assert not inspector.grab().isNull()


def test_a_setting_edits_the_document_and_follows_undo(document: Document, inspector: Inspector) -> None:
    inspector.show_nodes(["dense1"])
    assert inspector.form is not None
    field = inspector.form.editor("units")
    assert isinstance(field, NumberField)
    typed(field, "12")
    assert document.node("dense1").layer == Dense(12)
    document.undo()
    assert field.value() == 10


def test_a_number_out_of_range_stays_and_says_why(document: Document, inspector: Inspector) -> None:
    inspector.show_nodes(["dense1"])
    assert inspector.form is not None
    field = inspector.form.editor("units")
    assert isinstance(field, NumberField)
    typed(field, "0")
    assert document.node("dense1").layer == Dense(10)
    assert "at least 1" in inspector.form.problem("units")


def test_renaming_refuses_what_cannot_be_a_key(document: Document, inspector: Inspector) -> None:
    inspector.show_nodes(["dense1"])
    typed(inspector.name, "Conv1")
    assert document.node("dense1").name == "dense1"
    assert "Conv1" in inspector.name_problem.text() and inspector.name_problem.isVisible()
    typed(inspector.name, "head")
    assert document.node("dense1").name == "head"
    assert not inspector.name_problem.isVisible()


def test_a_problem_comes_with_its_repair(document: Document, inspector: Inspector) -> None:
    inspector.show_nodes(["dense1"])
    (row,) = inspector._rows
    (button,) = row.buttons
    assert button.text() == "Insert Flatten"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert document.inference.ready
    assert inspector._rows == []
    assert dict(inspector.shape_rows.texts())["In"] == "6272"


def test_nothing_and_several_selected(document: Document, inspector: Inspector) -> None:
    assert inspector.title.text() == "Network" and not inspector.settings.isVisible()
    rows = dict(inspector.summary_rows.texts())
    assert rows["Examples"] == "2,500" and rows["Classes"] == "10"
    assert dict(inspector.training_rows.texts())["Optimizer"] == "Adam"
    inspector.show_nodes(["conv1", "dense1"])
    assert inspector.title.text() == "2 layers selected"
    document.remove(["conv1"])
    assert inspector.name.isVisible() and inspector.name.text() == "dense1"
    document.remove(["dense1"])
    assert inspector.title.text() == "Network"


def test_weights_can_be_shared_and_given_back(document: Document, inspector: Inspector) -> None:
    twin = document.add_layer(Conv2D(8, (5, 5), padding=(2, 2, 2, 2)), (0.0, 400.0))
    document.link("input", twin)
    inspector.show_nodes([twin])
    assert inspector._share_row.isVisible()
    index = inspector.share.findData("conv1")
    inspector.share.setCurrentIndex(index)
    inspector.share.activated.emit(index)
    assert document.node(twin).shares == "conv1"
    assert inspector.share.currentText() == "shared with conv1"
    inspector.share.activated.emit(0)
    assert document.node(twin).shares is None


def test_measured_facts_are_shown_and_forgotten(inspector: Inspector) -> None:
    inspector.show_nodes(["conv1"])
    assert not inspector.health.isVisible()
    inspector.set_facts("conv1", [("Update ÷ weight", "0.0008")], "All 8 filters respond")
    inspector.set_cost("conv1", [("Forward, per batch", "1.4 ms")])
    assert inspector.health_text.text() == "All 8 filters respond"
    assert inspector.shape_rows.texts()[-1] == ("Forward, per batch", "1.4 ms")
    inspector.show_nodes(["dense1"])
    assert not inspector.health.isVisible()
    assert "Forward, per batch" not in dict(inspector.shape_rows.texts())
    inspector.clear_facts()
    inspector.show_nodes(["conv1"])
    assert not inspector.health.isVisible()


def test_help_names_the_kind(inspector: Inspector, qtbot: QtBot) -> None:
    inspector.show_nodes(["conv1"])
    with qtbot.waitSignal(inspector.help_requested) as seen:
        inspector.help.click()
    assert seen.args == ["conv2d"]
