"""What the window says where something cannot be done, and where it says it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton, QWidget

from engine.errors import Message
from engine.session import protocol as p
from gui.dialogs.about import AboutDialog
from gui.dialogs.shortcut_sheet import ShortcutSheet
from gui.forms import Choice
from gui.live import long_device
from gui.panels.palette_items import Entry
from tests.engine.data.picture_bytes import class_folder, exif, png, random_picture
from tests.gui.desk import Desk


def test_play_says_what_is_missing(desk: Desk) -> None:
    desk.open("circle")
    bar = desk.window.training_bar
    assert bar.play.property("asleep") is False and "Space" in bar.play.toolTip()
    document = desk.bench.document
    document.remove((), document.graph.inputs_of(document.graph.by_name("output").uid))
    desk.settle()
    assert bar.play.property("asleep") is True and "Nothing is linked to the input." in bar.play.toolTip()
    desk.actions["play"].trigger()
    assert "output: Nothing is linked to the input." in [t.text for t in desk.window.toasts.toasts()]
    document.undo()
    desk.settle()
    assert bar.play.property("asleep") is False


def test_a_stray_layer_is_a_warning_and_the_rest_trains(desk: Desk) -> None:
    desk.open("circle")
    desk.actions["step_batch"].trigger()
    desk.settle()
    uid = desk.bench.document.add_layer("dense")
    desk.settle()
    canvas = desk.window.canvas.canvas
    look = canvas.nodes[uid].look
    assert not look.problem and look.warning == "Nothing is linked to the input."
    assert desk.window.status_bar._problems.text().strip() == "1 warning"
    assert uid in canvas.bubbles or not desk.bench.document.inference.of(uid)[0].repairs
    desk.actions["step_batch"].trigger()
    desk.settle()
    assert desk.bench.status.step == 2 and not [t for t in desk.window.toasts.toasts() if t.level == "error"]


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


def test_an_offered_undo_is_about_the_last_step_only(desk: Desk, tmp_path: Path) -> None:
    """The remarks about one folder do not stay when the next one is loaded."""
    for name, first in (("one", 3), ("two", 4)):
        pictures = [random_picture(n, first + n % 2, 5, 1 + n % 2 * 2) for n in range(6)]
        class_folder(tmp_path / name, {"a": pictures, "b": pictures[:3]})
    desk.open("circle")
    toasts = desk.window.toasts

    def load(name: str) -> list[str]:
        before = desk.bench.document.state
        desk.commands.take([str(tmp_path / name)])
        desk.qtbot.waitUntil(lambda: desk.bench.document.state != before, timeout=10_000)
        desk.qtbot.wait(20)
        return [toast.text for toast in toasts.toasts()]

    said = load("one")
    assert len(said) == 2 and "one" in said[1]
    said = load("two")
    assert len(said) == 2 and "two" in said[1]
    desk.bench.document.set_training(learning_rate=0.5)
    assert [toast.topic for toast in toasts.toasts()] == ["data"]


def test_what_was_done_to_a_picture_is_said_beside_it(desk: Desk, tmp_path: Path) -> None:
    """Not under its window; and its numbers come nearer with the wheel."""
    path = tmp_path / "quer.png"
    path.write_bytes(png(random_picture(3, 28, 28, 1), exif(6)))
    desk.open("digits_cnn")
    desk.commands.take([str(path)])
    desk.qtbot.waitUntil(lambda: desk.commands.pictures.dialog is not None, timeout=10_000)
    dialog = desk.commands.pictures.dialog
    assert dialog is not None
    assert "turned upright" in dialog._notes.text() and dialog._notes.isVisible()
    assert not desk.window.toasts.toasts()
    view = dialog.numbers.matrix
    wide = view.cell_rect(3, 3).width()
    for _ in range(6):
        wheel = QWheelEvent(
            QPointF(view.rect().center()), QPointF(view.mapToGlobal(view.rect().center())), QPoint(),
            QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(view, wheel)
    assert view.cell_rect(3, 3).width() > 2 * wide
    left = view.cell_rect(14, 14).left()
    middle = view.rect().center()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(view, middle + QPoint(30, 0))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=middle + QPoint(30, 0))
    assert abs(view.cell_rect(14, 14).left() - left - 30) < 2
    dialog.close()
    assert desk.commands.pictures.dialog is None


def test_the_sheet_of_shortcuts_knows_the_mouse_and_about_the_device(desk: Desk) -> None:
    sheet = ShortcutSheet(desk.actions, desk.window)
    words = [label.text() for label in sheet.findChildren(QLabel)]
    assert "Drag a port" in words and "open how it came about" in words and "Undo" in words
    about = AboutDialog(long_device(desk.bench.status), desk.window)
    assert any("NumPy on" in label.text() for label in about.findChildren(QLabel))
    button = about.findChild(QPushButton)
    assert button is not None and button.icon().isNull()  # drawn for a light window, unseen in a dark one


class WindowsShown(QObject):
    """Notes every window that appears."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.names.append(type(watched).__name__)
        return False


def test_no_part_of_the_window_flashes_up_as_a_window(desk: Desk) -> None:
    """Building the window, at the start or in other words, shows nothing but the window."""
    desk.open("circle")
    seen = WindowsShown()
    application = QApplication.instance()
    assert application is not None
    application.installEventFilter(seen)
    try:
        desk.commands.set_language("de")
        desk.commands.set_language("en")
        desk.qtbot.wait(50)
    finally:
        application.removeEventFilter(seen)
    assert seen.names == []


def test_in_a_low_window_the_drawing_keeps_most_of_the_room(desk: Desk) -> None:
    """1280 × 800 at a projector, everything half as large again: 853 × 533."""
    desk.open("circle")
    window = desk.window
    window.resize(853, 533)
    desk.qtbot.wait(60)
    assert not window.strip.isVisible()
    assert window.canvas.height() >= 200 and window.boundary.width() >= 200
    desk.commands.actions["samples"].trigger()
    assert window.strip.isVisible()  # asked for, they come
    window.resize(1280, 800)
    desk.qtbot.wait(60)
    assert window.strip.isVisible()


def test_of_many_pictures_the_rest_is_not_kept_quiet(desk: Desk, tmp_path: Path) -> None:
    for number in range(18):
        (tmp_path / f"{number:02}.png").write_bytes(png(random_picture(number, 8, 8, 1)))
    (tmp_path / "notes.txt").write_text("nothing of interest")
    desk.open("digits_cnn")
    many = [str(tmp_path / f"{number:02}.png") for number in range(18)]
    for paths, said in ((many, "first 16 of 18"), ([*many[:2], str(tmp_path / "notes.txt")], "left out")):
        desk.commands.take(paths)
        desk.qtbot.waitUntil(lambda said=said: any(said in t.text for t in desk.window.toasts.toasts()))
    desk.qtbot.waitUntil(lambda: desk.commands.pictures.dialog is not None, timeout=10_000)
    desk.qtbot.waitUntil(lambda: not desk.bench.tasks.busy(), timeout=10_000)
    dialog = desk.commands.pictures.dialog
    assert dialog is not None
    dialog.close()


def test_a_detached_dock_leaves_the_bars_free_and_knows_the_keys(desk: Desk) -> None:
    desk.open("circle")
    row = desk.window.dock_row
    before = desk.window.docks["weights"].mapToGlobal(QPoint(0, 0))
    opened: list[QWidget] = []
    row.window_opened.connect(opened.append)
    desk.window.docks["weights"].detach_requested.emit()
    (window,) = opened
    desk.qtbot.waitExposed(window)
    screen = window.screen().availableGeometry()
    assert screen.contains(window.geometry()) or window.height() > screen.height()
    assert abs(window.x() - max(screen.left(), min(before.x(), screen.right() - window.width()))) < 60
    assert desk.actions["play"] in window.actions() and window.acceptDrops()
    window.activateWindow()
    desk.qtbot.waitUntil(lambda: focus(desk) is window, timeout=3000)  # no button takes Space
    window.close()
