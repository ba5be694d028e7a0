"""The dialog that writes a text on: until it is stopped, from what stands there, and why if it cannot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.errors import Message
from engine.text_writing import Written
from gui.dialogs import write_dialog
from gui.dialogs.write_dialog import WriteDialog


class Engine:
    """Writes two letters at a time; `refuses` says why it does not."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, float, int]] = []
        self.refuses: Message | None = None

    def write_text(self, text: str, count: int, heat: float, seed: int, answer: Any) -> None:
        self.asked.append((text, count, heat, seed))
        found = Written(text, "ab", (("a", 0.75), ("b", 0.25)))
        answer(None if self.refuses else found, self.refuses)


def test_it_writes_until_it_is_stopped_and_from_what_stands_there(qtbot: QtBot) -> None:
    parent, engine = QWidget(), Engine()
    qtbot.addWidget(parent)
    dialog = WriteDialog(SimpleNamespace(runner=engine), parent)  # type: ignore[arg-type]
    dialog.show()
    dialog.text.setPlainText("x")
    dialog.temperature.set_value(0.3)
    dialog.write.click()
    qtbot.waitUntil(lambda: dialog.text.toPlainText() == "xababab", timeout=5000)
    assert [text for text, *_ in engine.asked] == ["x", "xab", "xabab"]
    assert engine.asked[0][1:] == (write_dialog.PIECE, 0.3, 2)
    assert dialog.shares.rows() == (("a", 0.75), ("b", 0.25))
    dialog.write.click()
    assert not dialog.writing
    asked = len(engine.asked)
    qtbot.wait(3 * write_dialog.PAUSE_MS)
    assert len(engine.asked) == asked

    dialog.text.setPlainText("other")
    engine.refuses = Message("No text.")
    dialog.write.click()
    assert not dialog.writing
    assert dialog._words.text() == "No text."
    assert engine.asked[-1][0] == "other"
    assert engine.asked[-1][3] == 3, "another seed: the same start may go on another way"
    dialog.close()
