"""The page a lab stands in: opened once, left by button and Escape, one at a time."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.labs.frame import LabFrame, LabHost


class Plain(QWidget):
    """The least a lab can be."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def title(self) -> str:
        return f"Lab {len(self.told)}"

    def open(self, **what: Any) -> None:
        self.told.append(what)

    def close_lab(self) -> None:
        self.told.append("closed")


@pytest.fixture
def host(qtbot: QtBot) -> LabHost:
    made = LabHost(QWidget())
    qtbot.addWidget(made)
    made.add("first", Plain)
    made.add("second", Plain)
    made.show()
    return made


def test_a_lab_is_made_when_it_is_opened_and_kept(host: LabHost) -> None:
    assert host.lab("first") is None and host.names() == ("first", "second")
    host.open("first", uid="a")
    lab = host.lab("first")
    assert isinstance(lab, Plain) and lab.told == [{"uid": "a"}]
    host.open("first", uid="b")
    assert host.lab("first") is lab and lab.told[-1] == {"uid": "b"}
    assert host.title() == "Lab 2" and host.memory() == ("first", {"uid": "b"})
    with pytest.raises(KeyError):
        host.open("third")


def test_one_at_a_time_and_the_way_back(host: LabHost, qtbot: QtBot) -> None:
    heard: list[str] = []
    host.opened.connect(heard.append)
    host.open("first")
    host.open("second")
    first, second = host.lab("first"), host.lab("second")
    assert isinstance(first, Plain) and isinstance(second, Plain)
    assert first.told[-1] == "closed"
    qtbot.keyClick(second, Qt.Key.Key_Escape)
    assert host.name == "" and second.told[-1] == "closed" and host.title() == ""
    host.open("first")
    first.closed.emit()
    assert host.name == ""
    host.open("second")
    frame = host.currentWidget()
    assert isinstance(frame, LabFrame)
    frame.back.click()
    assert heard == ["first", "second", "", "first", "", "second", ""]
