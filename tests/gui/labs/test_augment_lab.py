"""The comparison with and without augmentation in the window: run, read, stopped, kept, refused."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from engine.layers import Augment
from gui.labs.augment_lab import AugmentLab
from tests.gui.desk import Desk


def opened(desk: Desk) -> AugmentLab:
    desk.actions["augment_lab"].trigger()
    page = desk.window.labs.lab("augment_lab")
    assert isinstance(page, AugmentLab) and page.isVisible()
    return page


def work(desk: Desk, page: AugmentLab, enough: object = lambda: False) -> None:
    for _ in range(4000):
        if not page.busy or enough():  # type: ignore[operator]
            return
        desk.runner.go(1)
    raise AssertionError("it did not end")


def test_both_are_trained_told_and_kept(desk: Desk) -> None:
    desk.open("digits_cnn")
    page, document = opened(desk), desk.bench.document
    drawn, step = document.state, desk.bench.status.step
    assert (page.form.layer_, page._stack.currentIndex()) == (Augment(20.0, 10.0, 1.0), 0)
    page.epochs.set_value(1)
    page.button.click()
    assert page.busy and page.button.text() == "Stop"
    work(desk, page)
    trial = page.trial
    assert trial is not None and trial.tested is not None and trial.tested.epoch == 1
    assert page._state.text().startswith("Done in") and page.button.text() == "Compare"
    assert (document.state, desk.bench.status.step) == (drawn, step), "the person's network is not touched"
    a, b = (100 * trial.tested.accuracies[:, 0]).round(1)
    assert f"As they are: {a:.1f} % without, {b:.1f} % with" in page._finding.text()
    # a column is opened by a click, the next one by the keyboard
    chart = page.chart
    at = QPointF(chart.column_x(1, 2), chart.height() / 2).toPoint()
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=at)
    assert page._condition.text().startswith("Test pictures shifted by 2 pixels")
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert page._condition.text().startswith("Test pictures shifted by 3 pixels")
    counts = trial.tested.outcomes(chart.condition)
    assert page.examples.heads()[3] == f"wrong in both: {counts[3]}"
    page.grab()
    page.keep.click()
    assert page.form.layer_ in [n.layer for n in document.graph.nodes]
    desk.settle()
    assert not page._trouble.text(), "keeping it does not make the numbers old"
    document.set_training(learning_rate=0.5)
    page._fill()
    assert "before the last change" in page._trouble.text()
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert desk.window.labs.name == ""
    again = AugmentLab(desk.bench)
    again.open(**page.memory())
    assert again.trial is trial
    again.deleteLater()


def test_it_is_stopped_and_bad_numbers_are_refused(desk: Desk) -> None:
    desk.open("digits_cnn")
    page = opened(desk)
    editor = page.form.editors["rotation"]
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, "steep")
    page.button.click()
    assert not page.busy and "steep" in page._trouble.text()
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    page.epochs.set_value(50)
    page.button.click()
    work(desk, page, lambda: page.trial is not None)
    page.button.click()
    assert not page.busy and page._state.text().startswith("Stopped")
    page.button.click()
    desk.window.labs.leave()
    assert not page.busy and not desk.runner.session.jobs.busy
    # another language in the middle of it: the window is rebuilt, the lab with it
    opened(desk).button.click()
    desk.commands.set_language("de")
    again = desk.window.labs.lab("augment_lab")
    assert isinstance(again, AugmentLab) and again is not page and not again.busy
    assert (again.title(), again.epochs.value()) == ("Variationslabor", 50)
    desk.commands.set_language("en")


def test_points_are_refused_and_a_sample_offered(desk: Desk) -> None:
    desk.open("circle")
    page = opened(desk)
    assert page._stack.currentIndex() == 1 and "not pictures" in page._reason.text()
    assert not page.button.isEnabled()
    page.start()
    assert not page.busy
    desk.window.open_lab("augment_lab", layer=Augment(5.0, 0.0, 0.0))
    page.findChild(type(page.button), "open_digits_cnn").click()
    desk.qtbot.waitUntil(lambda: desk.bench.name == "digits_cnn", timeout=10_000)
    desk.settle()
    assert page._stack.currentIndex() == 0 and page.button.isEnabled()
    assert page.form.layer_ == Augment(5.0, 0.0, 0.0), "the ranges that were brought along"
