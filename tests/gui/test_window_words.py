"""What the window says where something cannot be done, and where it says it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from engine.errors import Message
from engine.session import protocol as p
from gui.forms import Choice
from gui.panels.palette_items import Entry
from tests.gui.desk import Desk


def test_play_says_what_is_missing(desk: Desk) -> None:
    desk.open("circle")
    bar = desk.window.training_bar
    assert bar.play.property("asleep") is False and "Space" in bar.play.toolTip()
    desk.bench.document.add_layer("dense")
    desk.settle()
    assert bar.play.property("asleep") is True and "Nothing is linked to the input." in bar.play.toolTip()
    desk.actions["play"].trigger()
    assert "dense1: Nothing is linked to the input." in [t.text for t in desk.window.toasts.toasts()]
    desk.bench.document.undo()
    desk.settle()
    assert bar.play.property("asleep") is False


def test_an_empty_canvas_says_what_to_do(desk: Desk) -> None:
    desk.commands.new()
    desk.settle()
    desk.actions["play"].trigger()
    assert any("drop an input" in toast.text for toast in desk.window.toasts.toasts())


def test_problems_and_warnings_are_counted_alike_everywhere(desk: Desk) -> None:
    desk.open("digits_cnn")
    document = desk.bench.document
    link = document.graph.inputs_of(document.graph.by_name("output").uid)[0]
    document.remove((), (link,))
    desk.settle()
    desk.window.toggle_problems()
    panel = desk.window.problems
    problems, warnings = panel.counts()
    assert problems
    text = desk.window.status_bar._problems.text().strip()
    assert text == panel.title.text() and (not warnings or "warning" in text)
    assert panel.height() >= panel.sizeHint().height()
    assert panel.height() - panel._inside.sizeHint().height() < 80  # as high as its rows, not as the canvas
    before = panel.height()
    document.add_layer("dense")
    desk.qtbot.wait(30)
    assert panel.height() > before


def test_toasts_move_along_with_the_canvas(desk: Desk) -> None:
    """Another network widens the palette; what is said does not lie on it."""
    desk.open("circle")
    desk.bench.told.emit("Something", "info", "", None)
    desk.open("digits_cnn")
    desk.qtbot.wait(50)
    window = desk.window
    edge = window.palette_area.mapTo(window, window.palette_area.rect().topRight()).x()
    assert window.toasts.mapTo(window, window.toasts.rect().topLeft()).x() > edge


def focus(desk: Desk) -> QWidget | None:
    return QApplication.focusWidget()


def test_clicks_leave_the_keys_to_the_canvas(desk: Desk) -> None:
    """A sample is chosen, a value is taken: Space plays and repeats neither."""
    desk.open("circle")
    desk.window.activateWindow()
    desk.window.canvas.setFocus()
    desk.qtbot.waitUntil(lambda: focus(desk) is desk.window.canvas, timeout=3000)
    for button in desk.window.findChildren(QAbstractButton):
        if button.isVisible() and not isinstance(button, Entry):
            assert not button.focusPolicy() & Qt.FocusPolicy.ClickFocus, button.accessibleName()
    rate = desk.window.training_bar.editor("learning_rate")
    rate.setFocus()
    QTest.keyClicks(rate, "5")
    QTest.keyClick(rate, Qt.Key.Key_Return)
    assert focus(desk) is desk.window.canvas
    rate.setFocus()
    rate.selectAll()  # type: ignore[attr-defined]
    QTest.keyClicks(rate, "abc")
    QTest.keyClick(rate, Qt.Key.Key_Return)
    assert focus(desk) is rate  # not taken: it can be put right


def test_a_choice_made_by_mouse_gives_the_keys_back(desk: Desk) -> None:
    desk.open("circle")
    desk.window.activateWindow()
    choice = desk.window.training_bar.editor("optimizer")
    assert isinstance(choice, Choice)
    QTest.mouseClick(choice, Qt.MouseButton.LeftButton)
    assert focus(desk) is not None
    QTest.keyClick(choice.view(), Qt.Key.Key_Down)
    QTest.keyClick(choice.view(), Qt.Key.Key_Return)
    desk.qtbot.waitUntil(lambda: focus(desk) is desk.window.canvas, timeout=3000)
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert focus(desk) is choice  # by keyboard one goes on


def test_changes_while_training_are_marked_in_words(desk: Desk) -> None:
    desk.open("circle")
    desk.bench.step("batch")
    desk.runner.go(10)
    line, document = desk.window.time_line, desk.bench.document
    for change, words in (
        ({"learning_rate": 0.0005}, "rate 0.03 → 0.0005"),
        ({"optimizer": "adam"}, "Adam"),
        ({"batch": 20}, "batch size 10 → 20"),
    ):
        document.set_training(**change)
        assert line.flags()[-1].text == words
    flag = line.flags()[-1]
    x = line._x(flag.step, line._area())
    assert line.flag_at(x + 4) == flag and line.flag_at(x + 200) is None


def test_a_device_that_is_made_ready_is_named_until_it_answers(desk: Desk) -> None:
    """Compiling for a device may take a quarter of a minute; nobody should think that nothing happens."""
    desk.open("circle")
    bench, bar = desk.bench, desk.window.status_bar
    desk.runner.set_device = lambda device: None  # type: ignore[method-assign]  # it takes its time
    bench.set_device("opencl:pocl:0", "Some device")
    assert bench.preparing == "Some device"
    assert "Preparing Some device" in bar._device.text()
    assert "Preparing" in desk.window.training_bar._device.text()
    desk.runner.fault.emit(p.Fault(Message("It refused."), kind="device"))
    desk.runner.go()
    bench.status_changed.emit(bench.status)
    assert bench.preparing == "" and "Preparing" not in bar._device.text()
    bench.set_device("opencl:pocl:0", "Some device")
    desk.runner.status.emit(replace(bench.status, device="opencl:pocl:0", device_name="Some device"))
    assert bench.preparing == "" and "Some device" in bar._device.text()
