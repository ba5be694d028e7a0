"""The strip of samples: those that find no room are a click, a turn of the wheel or a mark away."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.panels.samples_strip import Card, SamplesStrip


def seen(strip: SamplesStrip, card: Card) -> bool:
    """Whether all of a card is in sight."""
    view = strip._area.viewport()
    return view.rect().contains(QRect(card.mapTo(view, QPoint()), card.size()))


def test_the_last_sample_is_reached_in_a_narrow_window(qtbot: QtBot) -> None:
    strip = SamplesStrip()
    qtbot.addWidget(strip)
    strip.resize(1000, strip.height())
    strip.show()
    first, last = strip.cards()[0], strip.cards()[-1]
    before, after = strip._arrows
    qtbot.waitUntil(lambda: after.isEnabled() and not before.isEnabled())
    assert seen(strip, first) and not seen(strip, last)
    QTest.mouseClick(after, Qt.MouseButton.LeftButton)
    QTest.mouseClick(after, Qt.MouseButton.LeftButton)
    assert seen(strip, last) and before.isEnabled() and not after.isEnabled()
    strip.mark(first.sample.path)
    assert seen(strip, first) and not before.isEnabled()
    strip.resize(4000, strip.height())
    assert not before.isVisible() and not after.isVisible()


def test_a_click_asks_and_marks_nothing(qtbot: QtBot) -> None:
    strip = SamplesStrip()
    qtbot.addWidget(strip)
    first, second, *_ = strip.cards()
    strip.mark(first.sample.path)
    with qtbot.waitSignal(strip.chosen) as asked:
        second.click()
    assert asked.args == [second.sample.path]
    first.click()
    assert [card for card in strip.cards() if card.isChecked()] == [first]
