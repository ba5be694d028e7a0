"""Files that hang on the pointer: what a drop would do is said, and nobody's files are moved away."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QObject, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import Message
from gui.canvas.view import CanvasView
from gui.document import Document
from gui.file_drops import FAR, FileDrops, local_paths
from gui.number_field import NumberField
from gui.panels.drop_mark import DropMark
from tests.engine.data.picture_bytes import png, random_picture

Action = Qt.DropAction
ALL = Action.CopyAction | Action.MoveAction | Action.LinkAction
BUTTON, PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Bench(QObject):
    """As much of a workbench as is asked about a drop."""

    configured = None


class Hand:
    """Drags files over a `FileDrops` and notes what it says."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.bench = Bench()
        self.said: list[tuple[str, Message | None, bool]] = []
        self.taken: list[list[str]] = []
        self.drops = FileDrops(self.bench, lambda *words: self.said.append(words), self.taken.append)  # type: ignore[arg-type]

    def enter(self, mime: QMimeData, actions: Qt.DropAction = ALL) -> QDragEnterEvent:
        event = QDragEnterEvent(QPoint(5, 5), actions, mime, BUTTON, PLAIN)
        event.setDropAction(Action.MoveAction)
        self.drops.enter(event)
        return event

    def wait(self, text: str) -> tuple[str, Message | None, bool]:
        self.qtbot.waitUntil(lambda: bool(self.said) and self.said[-1][0] == text, timeout=5_000)
        return self.said[-1]


def files(*paths: Path | str) -> QMimeData:
    """Files as a file manager offers them."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


@pytest.fixture
def hand(qtbot: QtBot) -> Hand:
    return Hand(qtbot)


def test_what_would_happen_is_said_by_what_the_files_are(hand: Hand, tmp_path: Path) -> None:
    picture = tmp_path / "Bild ü 1.png"
    picture.write_bytes(png(random_picture(1, 5, 5, 1)))
    (tmp_path / "Übung" / "a").mkdir(parents=True)
    strange = tmp_path / "notes.log"
    strange.write_text("nothing of interest")
    for path, text, refused in (
        (picture, "Drop to see the picture as numbers", False),
        (tmp_path / "Übung", "Drop to train with this data", False),
        (strange, "This cannot be used here", True),
        (tmp_path / "gone.png", "This cannot be used here", True),
    ):
        mime = files(path)
        assert hand.enter(mime).isAccepted()
        _, what, no = hand.wait(text)
        assert no is refused and what is not None and path.name in str(what)
        hand.drops.leave()
        assert hand.said[-1] == ("", None, False)


def test_a_move_is_taken_as_a_copy(hand: Hand, tmp_path: Path) -> None:
    """Who offers a move deletes the files once somebody has accepted it."""
    mime = files(tmp_path / "a.png", tmp_path / "b.png")
    assert hand.enter(mime).dropAction() == Action.CopyAction
    moving = QDragMoveEvent(QPoint(6, 6), ALL, mime, BUTTON, PLAIN)
    moving.setDropAction(Action.MoveAction)
    hand.drops.move(moving)
    assert moving.isAccepted() and moving.dropAction() == Action.CopyAction
    falling = QDropEvent(QPointF(6, 6), ALL, mime, BUTTON, PLAIN)
    falling.setDropAction(Action.MoveAction)
    hand.drops.drop(falling)
    assert falling.isAccepted() and falling.dropAction() == Action.CopyAction
    assert hand.taken == [[str(tmp_path / "a.png"), str(tmp_path / "b.png")]]
    assert hand.said[-1][0] == ""


def test_only_a_move_is_refused(hand: Hand, tmp_path: Path) -> None:
    assert not hand.enter(files(tmp_path), Action.MoveAction).isAccepted()
    assert hand.said == []


def test_files_of_the_network_are_refused_with_a_reason(hand: Hand) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/cat.png")])
    assert local_paths(mime) == ()
    assert not hand.enter(mime).isAccepted()
    assert hand.said[-1][1:] == (FAR, True)


def test_the_answer_for_files_that_left_is_not_shown(hand: Hand, tmp_path: Path) -> None:
    mime = files(tmp_path / "gone.png")
    hand.enter(mime)
    hand.drops.leave()
    hand.qtbot.wait(150)
    assert hand.said[-1] == ("", None, False)


def test_other_windows_take_files_too(hand: Hand, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = QWidget()
    qtbot.addWidget(dialog)
    hand.drops.watch(dialog)
    mime = files(tmp_path / "a.png")
    dialog.show()
    mark = dialog.findChild(DropMark)
    assert mark is not None
    QApplication.sendEvent(dialog, QDragEnterEvent(QPoint(5, 5), ALL, mime, BUTTON, PLAIN))
    assert mark.isVisible() and hand.said == []  # said in the window under the pointer
    QApplication.sendEvent(dialog, QDragLeaveEvent())
    assert not mark.isVisible()
    QApplication.sendEvent(dialog, QDragEnterEvent(QPoint(5, 5), ALL, mime, BUTTON, PLAIN))
    QApplication.sendEvent(dialog, QDropEvent(QPointF(5, 5), ALL, mime, BUTTON, PLAIN))
    assert hand.taken == [[str(tmp_path / "a.png")]]


def test_canvas_and_fields_leave_files_to_the_window(qtbot: QtBot, tmp_path: Path) -> None:
    """A path let go over the learning rate is not typed into it."""
    view, field = CanvasView(Document()), NumberField(0.03)
    qtbot.addWidget(view)
    qtbot.addWidget(field)
    mime = files(tmp_path / "a.png")
    for widget in (view.viewport(), field):
        event = QDragEnterEvent(QPoint(5, 5), ALL, mime, BUTTON, PLAIN)
        event.ignore()
        QApplication.sendEvent(widget, event)
        assert not event.isAccepted()
    assert field.text() == "0.03"


def test_the_mark_is_as_wide_as_its_words(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(700, 400)
    mark = DropMark(host)
    host.show()
    mark.show_over("Drop to open this project", "a" * 30 + ".matrizen: a Matrizen project")
    qtbot.wait(20)
    mark.show_over("This cannot be used here", "A long reason. " * 20, refused=True)
    qtbot.wait(20)
    assert mark.property("refused") is True
    assert all(label.width() <= 640 for label in (mark._text, mark._what))
    assert mark._what.width() >= 400
    mark.show_over("Drop pictures, folders, data or a project")
    assert mark.property("refused") is False and mark._what.isHidden()
