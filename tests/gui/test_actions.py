"""The registry of actions: complete, without clashes, and found by a few letters."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from gui import i18n, icons
from gui.actions import MENUS, Actions, answers, catalog, fuzzy, key_text, menu_titles, submenu_titles


def test_ids_and_shortcuts_are_unique() -> None:
    specs = catalog()
    assert max(Counter(spec.id for spec in specs).values()) == 1
    keys = [
        QKeySequence(text).toString()
        for spec in specs
        for text in (spec.shortcut, *spec.more_shortcuts)
        if text
    ]
    assert all(keys)
    assert [key for key, count in Counter(keys).items() if count > 1] == []


def test_everything_named_exists() -> None:
    for spec in catalog():
        assert spec.text and spec.menu in MENUS
        assert not spec.icon or spec.icon in icons.names()
        assert not spec.submenu or spec.submenu in submenu_titles()
    assert set(menu_titles()) == set(MENUS)


def test_what_the_issue_asks_for_is_there() -> None:
    by_id = {spec.id: spec for spec in catalog()}
    assert by_id["play"].shortcut == "Space"
    assert by_id["add_layer"].shortcut == "Shift+A"
    assert by_id["search"].shortcut == "Ctrl+Shift+P"
    assert by_id["presentation"].shortcut == "F11" and by_id["fullscreen"].shortcut == "Shift+F11"
    for name in ("new", "open", "save", "save_as", "export", "quit", "undo", "redo", "cut", "copy", "paste",
                 "duplicate", "delete", "rename", "select_all", "tidy", "step_op", "step_batch", "step_epoch",
                 "reset", "theme_dark", "theme_light", "theme_system", "language_en", "language_de",
                 "shortcuts", "about"):  # fmt: skip
        assert name in by_id


def test_an_action_is_on_while_all_its_conditions_hold(qtbot: QtBot) -> None:
    actions = Actions()
    assert actions["open"].isEnabled()
    assert not actions["step_op"].isEnabled()
    actions.set_conditions({"ready": True})
    assert not actions["step_op"].isEnabled()
    actions.set_conditions({"paused": True})
    assert actions["step_op"].isEnabled()
    actions.set_conditions({"ready": False})
    assert not actions["step_op"].isEnabled() and not actions["reset"].isEnabled()
    assert actions["play"].isEnabled()  # pressed too early, it says what is missing


def test_handlers_outlive_a_change_of_language(qtbot: QtBot) -> None:
    actions = Actions()
    done: list[str] = []
    actions.on("reset", lambda: done.append("reset"))
    actions.set_conditions({"built": True})
    i18n.install("de")
    try:
        actions.retranslate()
        assert actions["reset"].text() == i18n.tr("Reset")
        actions["reset"].trigger()
    finally:
        i18n.install("en")
    assert done == ["reset"]


def test_play_becomes_pause(qtbot: QtBot) -> None:
    actions = Actions()
    actions.set_play(True)
    assert actions["play"].text() == "Pause"
    actions.set_play(False)
    assert actions["play"].text() == "Play"


def test_menus_hold_every_action_of_theirs(qtbot: QtBot) -> None:
    actions = Actions()
    for name in MENUS:
        menu = QMenu()
        submenus = actions.fill_menu(menu, name)
        shown = {a.objectName() for m in (menu, *submenus.values()) for a in m.actions() if a.objectName()}
        assert shown == {spec.id for spec in catalog() if spec.menu == name}


def test_one_theme_at_a_time(qtbot: QtBot) -> None:
    actions = Actions()
    actions.check("theme_dark")
    actions.check("theme_light")
    assert actions["theme_light"].isChecked() and not actions["theme_dark"].isChecked()


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("sa", "Save as", "Disable"),
        ("ep", "One epoch", "Deep"),
        ("exp", "Export weights", "One batch here exp"),
    ],
)
def test_starts_of_words_win(query: str, better: str, worse: str) -> None:
    first, second = fuzzy(query, better), fuzzy(query, worse)
    assert first is not None
    assert second is None or first > second


def test_letters_must_appear_in_order() -> None:
    assert fuzzy("zz", "Fit network") is None
    assert fuzzy("wtf", "Fit network") is None
    assert fuzzy("fn", "Fit network") is not None
    assert fuzzy("", "anything") is not None


def best(query: str) -> str:
    """The action that answers best."""
    scores = {spec.id: answers(query, spec.text.rstrip(" …"), spec.words) for spec in catalog()}
    return max(scores, key=lambda name: -99 if scores[name] is None else scores[name])


@pytest.mark.parametrize(
    ("query", "action"),
    [
        ("gradient check", "gradient_check"), ("check grad", "gradient_check"),
        ("lab gradient", "gradient_check"), ("optimizer x-ray", "optimizer_xray"),
        ("step code", "numpy_proof"), ("numpy proof", "numpy_proof"), ("batch one", "step_batch"),
        ("lab matrix", "matrix_lab"), ("layer add", "add_layer"), ("save as", "save_as"),
    ],
)  # fmt: skip
def test_words_are_found_in_any_order(query: str, action: str) -> None:
    assert best(query) == action


def test_every_word_must_be_there() -> None:
    assert answers("gradient banana", "Check gradients") is None
    assert answers("batch one", "One epoch") is None


def test_keys_are_written_short() -> None:
    assert key_text("Ctrl+Shift+P") == "Ctrl ⇧ P"
    assert key_text("Ctrl++") == "Ctrl +"
    assert key_text("F11") == "F11"
