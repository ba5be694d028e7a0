"""Gradient check, optimizer x-ray and the script of a step, opened from the window and used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from engine.gradient_check import STEP
from engine.settings import OPTIMIZER_CHOICES
from gui import i18n
from gui.dialogs.proof_dialog import ProofDialog
from gui.labs.gradient_lab import STEPS, GradientLab
from gui.labs.optimizer_lab import OptimizerLab, trimmed
from tests.gui.desk import Desk


@pytest.fixture(autouse=True)
def circle(desk: Desk) -> Iterator[None]:
    desk.open("circle")
    yield
    desk.window.labs.leave()


def work(desk, page, turns=400):
    for _ in range(turns):
        if not page.busy:
            return
        desk.runner.go()
    raise AssertionError("it did not end")


def opened(desk, action):
    desk.actions[action].trigger()
    return desk.window.labs.lab(desk.window.labs.name)


def test_a_layer_is_checked_and_a_number_opened(desk, qtbot):
    page = opened(desk, "gradient_check")
    assert isinstance(page, GradientLab) and page.busy
    assert page.isVisible()
    work(desk, page)
    texts = [b.text() for b in page._group.buttons()]
    assert len(texts) == 3 and all("✓" in text for text in texts)
    np.testing.assert_allclose(page.analytic.matrix.values(), page.numerical.matrix.values(), atol=1e-6)
    assert page.error.matrix.values().max() < -5
    rect = page.analytic.matrix.cell_rect(1, 0)
    qtbot.mouseClick(page.analytic.matrix, Qt.MouseButton.LeftButton, pos=rect.center().toPoint())
    assert page._cell_head.text().startswith("w[2, 1]")
    assert "/ (2 · 1·10⁻⁵)" in page._sum.text()
    assert page.numerical.matrix.selected() == (1, 0)
    page.against.setCurrentIndex(1)
    assert page.error.matrix.values().max() < -3, "float32 is further away, and still near"


def test_another_layer_another_step_and_stop(desk):
    page = opened(desk, "gradient_check")
    work(desk, page)
    page.layer.setCurrentIndex(page.layer.findText("tanh1"))
    assert not page.busy and page._found is None
    page.step.setCurrentIndex(STEPS.index(1e-1))
    page.start()
    page.stop()
    assert not page.busy
    page.start()
    work(desk, page)
    assert page._found.checked[0].step == 1e-1 != STEP
    assert any("✗" in b.text() for b in page._group.buttons()), "a tenth is too long a step"


def test_escape_and_the_button_lead_back(desk, qtbot):
    page = opened(desk, "gradient_check")
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert desk.window.labs.name == "" and not desk.runner.session.jobs.busy
    page = opened(desk, "optimizer_xray")
    page.closed.emit()
    assert desk.window.labs.name == ""


def test_the_optimizer_is_opened_and_follows_the_run(desk, qtbot):
    page = opened(desk, "optimizer_xray")
    desk.settle()
    assert isinstance(page, OptimizerLab) and page.xray.step == desk.bench.status.step
    assert list(page._tiles) == ["old", "g", "change", "new"]
    before = page._tiles["old"].matrix.values().copy()
    for _ in range(2):  # the first is the one that was shown before it was made
        desk.runner.step("batch")
    desk.settle()
    qtbot.waitUntil(lambda: not np.array_equal(page._tiles["old"].matrix.values(), before), timeout=3000)
    rect = page._tiles["g"].matrix.cell_rect(2, 1)
    qtbot.mouseClick(page._tiles["g"].matrix, Qt.MouseButton.LeftButton, pos=rect.center().toPoint())
    assert page._cells[0] == (2, 1) and page._opened.text() == "w[3, 2]"
    lines = [page._lines.itemAt(i).widget().text() for i in range(page._lines.count())]
    assert lines[0] == "Δw =" and lines[2].startswith("= −0.03 · ")


def test_four_optimizers_run_side_by_side(desk):
    page = opened(desk, "optimizer_xray")
    desk.settle()
    page.steps.set_value(8)
    page.rates["sgd"].set_value(0.5)
    step = desk.bench.status.step
    page.start()
    work(desk, page)
    assert {lane.optimizer: len(lane.losses) for lane in page.race.lanes} == dict.fromkeys(page.rates, 8)
    assert page.race.lanes[0].rate == 0.5 and desk.bench.status.step == step
    assert set(page.losses._curves) == set(page.rates) and len(page.paths._paths) == 4
    page.grab()


def test_the_script_is_shown_copied_saved_and_runs(desk, qtbot, tmp_path):
    desk.actions["numpy_proof"].trigger()
    dialog = desk.window.findChild(ProofDialog)
    assert dialog.proof is not None and "hidden1_z = hidden1_weight @ points_x" in dialog.text.toPlainText()
    dialog.copy_text()
    assert QGuiApplication.clipboard().text() == dialog.text.toPlainText()
    path = tmp_path / "step.py"
    dialog.save_to(path)
    qtbot.waitUntil(path.exists, timeout=5000)
    words = [sys.executable, "-I", str(path)]
    out = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "largest difference from the engine" in out
    dialog.layer.setCurrentIndex(dialog.layer.findText("hidden2"))
    assert "for the layer hidden2" in dialog.text.toPlainText()
    dialog.close()


def test_nothing_is_offered_while_nothing_can_run(desk):
    desk.bench.new()
    desk.settle()
    assert not desk.actions["gradient_check"].isEnabled()
    for make in (GradientLab, OptimizerLab):
        page = make(desk.bench, desk.window)
        page.open()
        page.start()
        assert not page.busy
        page.close_lab()


def test_the_page_speaks_the_language_of_the_window(desk):
    opened(desk, "gradient_check")
    desk.commands.set_language("de")
    page = desk.window.labs.lab(desk.window.labs.name)
    assert isinstance(page, GradientLab) and page.title() == i18n.tr("Gradient check") != "Gradient check"
    desk.commands.set_language("en")


def test_numbers_of_the_settings_have_no_zeros_at_the_end():
    i18n.install("en")
    assert [trimmed(n) for n in (0.03, 1.0, 250.0, 1e-8, -0.5)] == ["0.03", "1", "250", "1·10⁻⁸", "−0.5"]


@pytest.mark.parametrize("optimizer", [name for name, _ in OPTIMIZER_CHOICES])
def test_every_optimizer_can_be_opened(desk, optimizer):
    desk.bench.document.set_training(optimizer=optimizer)
    desk.settle()
    page = opened(desk, "optimizer_xray")
    assert isinstance(page, OptimizerLab)
    desk.settle()
    assert page.xray is not None and page.xray.optimizer == optimizer
