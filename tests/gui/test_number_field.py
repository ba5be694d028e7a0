"""Numbers typed by people: both decimal marks, arithmetic, limits, and never a guess."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui import i18n
from gui.number_field import NumberError, NumberField, parse


@pytest.fixture(params=["de", "en"])
def language(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[str]:
    yield i18n.install(request.param)
    i18n.install("en")


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.01", 0.01), ("0,01", 0.01), ("1.5", 1.5), ("1e-3", 1e-3), ("1,5E+2", 150.0), (".5", 0.5),
     (",5", 0.5), ("1/3", 1 / 3), (" 2*(3+1) ", 8.0), ("−4", -4.0), ("--4", 4.0), ("1-2-3", -4.0),
     ("8/2/2", 2.0), ("2 × 3", 6.0), ("5.", 5.0), ("1e-3/2", 5e-4)],
)  # fmt: skip
def test_what_is_understood(language: str, text: str, value: float) -> None:
    assert parse(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    ["abc", "", "  ", "1.234,5", "1,234.5", "1.234.567", "1 234", "1/0", "1e999", "(1", "1)", "1+", "*2",
     "()", "__import__('os')", "2**3", "0x10", "nan", "inf", "1e", "9" * 200, "(" * 60],
)  # fmt: skip
def test_what_is_refused_with_a_sentence(language: str, text: str) -> None:
    with pytest.raises(NumberError) as caught:
        parse(text)
    assert len(str(caught.value)) > 8


@given(st.floats(min_value=-1e300, max_value=1e300))
def test_what_is_shown_can_be_typed_again(value: float) -> None:
    for language in ("de", "en"):
        i18n.install(language)
        assert parse(i18n.format_number(value)) == pytest.approx(value, rel=1e-9, abs=1e-300)
    i18n.install("en")


@given(st.text(alphabet="0123456789.,eE+-*/() x", max_size=30))
def test_any_text_gives_a_finite_number_or_a_sentence(text: str) -> None:
    try:
        assert math.isfinite(parse(text))
    except NumberError as error:
        assert str(error)


def test_typing_in_german_means_what_was_typed(language: str, qtbot: QtBot) -> None:
    field = NumberField(1.0, minimum=0)
    qtbot.addWidget(field)
    heard: list[float] = []
    field.value_changed.connect(heard.append)
    for text, value in (("0.01", 0.01), ("0,02", 0.02), ("1.5", 1.5), ("1e-3", 0.001), ("1/4", 0.25)):
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert field.value() == value
    assert heard == [0.01, 0.02, 1.5, 0.001, 0.25]
    assert field.text() == ("0,25" if language == "de" else "0.25")


def test_a_wrong_text_is_marked_stays_and_changes_nothing(qtbot: QtBot) -> None:
    field = NumberField(3, minimum=1, maximum=64, integer=True)
    qtbot.addWidget(field)
    heard: list[int] = []
    problems: list[str] = []
    refused: list[str] = []
    field.value_changed.connect(heard.append)
    field.problem_changed.connect(problems.append)
    field.refused.connect(refused.append)
    for text, part in (("abc", "not a number"), ("0", "at least 1"), ("65", "at most 64"), ("2.5", "whole")):
        field.selectAll()
        QTest.keyClicks(field, text)
        assert part in field.problem()
        assert field.property("invalid") is True
        assert field.commit() is False
        assert field.text() == text
    assert (heard, field.value()) == ([], 3)
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert (field.text(), field.problem()) == ("3", "")
    assert problems[-1] == ""
    field.selectAll()
    assert len(refused) == 4
    QTest.keyClicks(field, "1e1")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert heard == [10]
    assert len(refused) == 4, "half a number is nothing to complain of"
    assert isinstance(field.value(), int)


def test_an_excluded_limit(qtbot: QtBot) -> None:
    field = NumberField(0.1, minimum=0, exclusive_minimum=True)
    qtbot.addWidget(field)
    field.selectAll()
    QTest.keyClicks(field, "0")
    assert "more than 0" in field.problem()
    field.set_value(0.1)
    for _ in range(40):
        field.step_by(-1)
    assert float(field.value()) > 0


def test_steps_go_by_the_leading_digit(qtbot: QtBot) -> None:
    field = NumberField(0.01)
    qtbot.addWidget(field)
    seen = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_PageUp):
        QTest.keyClick(field, key)
        seen.append(field.value())
    assert seen == [0.009, 0.01, 0.02, pytest.approx(0.3)]
    whole = NumberField(63, integer=True, maximum=64)
    qtbot.addWidget(whole)
    QTest.keyClick(whole, Qt.Key.Key_PageUp)
    assert whole.value() == 64


def _wheel(widget: QWidget, delta: int) -> QWheelEvent:
    event = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    return event


def test_the_wheel_acts_only_on_the_field_in_use(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    layout = QVBoxLayout(page)
    field, other = NumberField(5, integer=True), QLineEdit()
    layout.addWidget(field)
    layout.addWidget(other)
    page.show()
    qtbot.waitExposed(page)
    page.activateWindow()
    other.setFocus()
    assert not _wheel(field, 120).isAccepted()
    assert field.value() == 5
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    _wheel(field, 60)
    assert field.value() == 5
    _wheel(field, 60)
    assert field.value() == 6


def test_a_value_from_outside_is_silent_and_does_not_disturb_typing(qtbot: QtBot) -> None:
    field = NumberField(1.0)
    qtbot.addWidget(field)
    field.show()
    field.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    heard: list[float] = []
    field.value_changed.connect(heard.append)
    field.set_value(2.0)
    assert (field.text(), heard) == ("2", [])
    field.selectAll()
    QTest.keyClicks(field, "0.0")
    field.set_value(3.0)
    assert field.text() == "0.0"
    QTest.keyClicks(field, "5")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert heard == [0.05]
