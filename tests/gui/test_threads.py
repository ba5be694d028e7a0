"""What threads beside the window may never do: hold on to a window that is gone, or sweep up its objects."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from gui import formulas
from gui.canvas.step_card import StepCard
from gui.loading import Task
from gui.sweeping import Sweeper


def test_formulas_are_no_longer_typeset_once_the_card_is_gone(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = QWidget()
    qtbot.addWidget(home)
    card = StepCard(home, lambda: ())
    typeset: list[str] = []
    asked, gone = threading.Event(), threading.Event()

    def slowly(latex: str, *_: object) -> str:
        typeset.append(latex)
        asked.set()
        gone.wait(10)
        return "<svg/>"

    monkeypatch.setattr(formulas, "_svg", slowly)
    card.prepare(lambda: ["a_1", "", "a_2", "a_3"])
    (thread,) = card._threads
    assert asked.wait(10)
    delete(card)
    gone.set()
    thread.join(10)
    assert not thread.is_alive()
    assert typeset == ["a_1"]


def test_work_is_canceled_when_its_window_is_gone(qtbot: QtBot) -> None:
    home = QObject()
    begun, gone, ended = threading.Event(), threading.Event(), threading.Event()
    seen: list[bool] = []

    def work(progress: Callable[[int, int], None], canceled: Callable[[], bool]) -> None:
        begun.set()
        gone.wait(10)
        progress(1, 1)
        seen.append(canceled())
        ended.set()

    Task("long", work, home).start()
    assert begun.wait(10)
    delete(home)
    gone.set()
    assert ended.wait(10)
    assert seen == [True]


def test_qt_objects_in_the_garbage_are_left_to_the_thread_of_the_window(qtbot: QtBot) -> None:
    class Knot(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.me = self

    swept: list[str] = []
    sweeper = Sweeper()
    try:
        watched = weakref.finalize(Knot(), lambda: swept.append(threading.current_thread().name))

        kept: list[list[int]] = []

        def allocate() -> None:  # far more than Python would let pass without a collection
            kept.extend([] for _ in range(20_000))

        thread = threading.Thread(target=allocate, name="beside")
        thread.start()
        thread.join(10)
        assert watched.alive
        qtbot.waitUntil(lambda: bool(swept), timeout=5000)
        assert swept == ["MainThread"]
    finally:
        sweeper.close()
