"""Words and numbers in both languages."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from engine.errors import N_, DataError, Message
from gui import i18n


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    i18n.install("en")


def test_numbers_in_german_and_english() -> None:
    i18n.install("de")
    assert i18n.number(-0.64, 2) == "−0,64"
    assert i18n.integer(1168) == "1.168"
    assert i18n.number(1234567.5, 1, group=False) == "1234567,5"
    i18n.install("en")
    assert i18n.number(-0.64, 2) == "−0.64"
    assert i18n.integer(-156800) == "−156,800"
    assert i18n.number(0.0481, 4, sign=True) == "+0.0481"


def test_no_minus_zero_and_strange_values() -> None:
    assert i18n.number(-0.001, 2) == "0.00"
    assert i18n.number(math.nan, 2) == "NaN"
    assert i18n.number(-math.inf, 2) == "−∞"
    assert i18n.number(math.inf, 2, sign=True) == "+∞"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.5, "1.50"), (0.0123, "0.0123"), (1.234e-5, "1.23·10⁻⁵"), (-2.5e9, "−2.50·10⁹"),
     (9.999e-7, "1.00·10⁻⁶"), (12345.0, "1.23·10⁴")],
)  # fmt: skip
def test_short_numbers(value: float, text: str) -> None:
    assert i18n.short(value, 3) == (text if value != 12345.0 else "12,345")


def test_an_unknown_language_is_english_and_an_unknown_text_stays() -> None:
    assert i18n.install("xx_YY") == "en"
    assert i18n.tr("A sentence nobody translated") == "A sentence nobody translated"
    assert i18n.tr("") == ""
    assert i18n.trn("{n} weight", "{n} weights", 1).format(n=1) == "1 weight"
    assert i18n.trn("{n} weight", "{n} weights", 3).format(n=3) == "3 weights"


def test_a_message_of_the_engine_is_spoken_with_its_values() -> None:
    error = DataError(N_("{file} holds {value}; choose another file."), file="a.csv", value=-1.5)
    assert i18n.tr_message(error) == "a.csv holds −1.5; choose another file."
    i18n.install("de")
    assert "−1,5" in i18n.tr_message(error)
    assert i18n.tr_message(Message("Epoch {n}", {"n": 3})) == "Epoche 3"


def test_a_broken_translation_falls_back_to_english(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def gettext(self, text: str) -> str:
            return "{misspelt}"

    monkeypatch.setattr(i18n, "_catalog", Broken())
    assert i18n.tr_message(Message("{file} is empty.", {"file": "x"})) == "x is empty."


def test_qts_own_dialogs_speak_german_too(qtbot: QtBot) -> None:
    def cancel() -> str:
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        qtbot.addWidget(box)
        return box.button(QDialogButtonBox.StandardButton.Cancel).text().replace("&", "")

    i18n.install("de")
    assert cancel() == "Abbrechen"
    i18n.install("en")
    assert cancel() == "Cancel"
