"""The list of problems follows the document and repairs it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.graph import GraphSpec
from engine.layers import Dense, Input
from gui.document import Document, DocumentState
from gui.panels.problems import ProblemsPanel


@pytest.fixture
def panel(qtbot: QtBot) -> ProblemsPanel:
    graph = GraphSpec().add("input", Input((1, 8, 8))).add("dense1", Dense(10), after="input")
    made = ProblemsPanel(Document(DocumentState(graph)))
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_every_problem_has_a_row_with_node_sentence_and_repair(panel: ProblemsPanel) -> None:
    assert len(panel.rows) == len(panel.document.inference.problems) == panel.counts()[0]
    row = next(r for r in panel.rows if r.problem.node == "dense1")
    assert "Needs a vector, gets 1 × 8 × 8." in row.accessibleName()
    assert [b.text() for b in row.buttons] == ["Insert Flatten"]
    assert panel.title.text() == f"{len(panel.rows)} problems"


def test_repairing_all_leaves_no_problem(panel: ProblemsPanel) -> None:
    for _ in range(6):
        button = next((b for r in panel.rows for b in r.buttons), None)
        if button is None:
            break
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert panel.rows == [] and panel.title.text() == "No problems"
    assert panel.document.inference.ready


def test_a_row_leads_to_its_node(panel: ProblemsPanel, qtbot: QtBot) -> None:
    row = next(r for r in panel.rows if r.problem.node == "dense1")
    with qtbot.waitSignal(panel.node_chosen) as seen:
        QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=QPoint(12, 8))
    assert seen.args == ["dense1"]
    with qtbot.waitSignal(panel.node_chosen) as seen:
        QTest.keyClick(row, Qt.Key.Key_Return)
    assert seen.args == ["dense1"]


def test_the_counts_are_told(panel: ProblemsPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.count_changed) as seen:
        panel.document.add_layer("relu", (0.0, 0.0))
    assert seen.args[0] == panel.counts()[0] == len(panel.rows)
    with qtbot.waitSignal(panel.closed):
        QTest.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()
