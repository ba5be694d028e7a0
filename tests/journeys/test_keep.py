"""Language and theme switch while everything stays; what is saved comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.project_file import load_project
from gui import i18n
from tests.journeys.conftest import Start
from tests.journeys.harness import Journey, Look, middle

pytestmark = pytest.mark.journey


def command(journey: Journey, words: str, done: Callable[[Look], Any] = bool) -> None:
    """Do an action through the command palette, and wait until it is done (or that is gone)."""
    journey.key("ctrl+shift+p")
    journey.wait(lambda now: has(now, window="command_palette"), "the command palette")
    journey.type(words)
    journey.key("Return")
    journey.wait(lambda now: not has(now, window="command_palette") and done(now), words)


def has(look: Look, **wanted: str) -> bool:
    """Whether such a widget is in sight."""
    return any(all(widget[key] == value for key, value in wanted.items()) for widget in look["widgets"])


def in_german(text: str) -> str:
    """A word of the window as it stands there in German."""
    i18n.install("de")
    try:
        return i18n.tr(text)
    finally:
        i18n.install("en")


def opened(name: str) -> Callable[[Look], bool]:
    """Whether a project stands ready in the window."""

    def check(look: Look) -> bool:
        return bool(look["title"].startswith(name) and look["configured"] and not look["busy"])

    return check


def test_switch_language_and_theme_save_and_reopen(start: Start, tmp_path: Path) -> None:
    journey = start(language="en", theme="dark")
    card = next(w for w in journey.fresh()["widgets"] if w["label"] == "Digits")
    journey.click(middle(card["rect"]))
    journey.wait(opened("digits_cnn"), "the digits", 20)
    journey.key("F8")  # one epoch
    look = journey.wait(lambda now: now["step"] > 0 and now["running"] == "paused", "one epoch", 40)
    step, loss, accuracy = look["step"], look["loss"], look["accuracy"]

    # a part of the network folds into a block of that name, and the run does not hear of it
    left, right = look["nodes"]["conv1"]["rect"], look["nodes"]["relu1"]["rect"]
    journey.drag((left[0] - 12, left[1] - 8), (right[0] + right[2] + 4, right[1] + right[3] + 4))
    journey.key("ctrl+g")
    journey.wait(lambda now: has(now, kind="RenameField"), "the field for its name")
    journey.type("stem")
    journey.key("Return")
    look = journey.wait(lambda now: "stem" in now["nodes"], "the block")
    assert "conv1" not in look["nodes"] and look["step"] == step

    command(journey, "Deutsch", lambda now: now["language"] == "de" and now["configured"])
    look = journey.fresh()
    assert look["step"] == step and look["configured"]
    assert journey.find(look, name="play")["rect"][2] > 0
    command(journey, in_german("Light"), lambda now: now["theme"] == "light")
    settings = journey.home / "config" / "Matrizen" / "Matrizen.ini"
    for line in ("language=de", "theme=light"):
        journey.wait(lambda _, line=line: line in settings.read_text(encoding="utf-8"), line, 5)

    target = tmp_path / "Übung 1.matrizen"
    journey.key("ctrl+shift+s")
    journey.choose_file(tmp_path / "first.matrizen")
    journey.wait(lambda now: not now["modified"], "the save", 15)
    (tmp_path / "first.matrizen").rename(target)
    project = load_project(target)
    assert project.run is not None and project.run.step == step
    assert journey.quit() == 0

    again = start(target, home="second", language="de", theme="light")
    look = again.wait(opened("Übung 1"), "the project again", 20)
    assert look["step"] == step and not look["modified"]
    assert "stem" in look["nodes"] and "conv1" not in look["nodes"]
    again.click(middle(look["nodes"]["stem"]["rect"]), times=2)
    again.wait(lambda now: "conv1" in now["nodes"], "the block opened")
    again.key("ctrl+z")
    again.wait(lambda now: not now["modified"], "undone")
    assert (look["loss"], look["accuracy"]) == (loss, accuracy) and "loss" in look["status"]
    again.key("F7")
    again.wait(lambda now: now["step"] == step + 1, "one more step", 10)
    assert again.fresh()["modified"]
    assert again.quit(answer=in_german("Don't save")) == 0


def test_unsaved_changes_are_asked_about(start: Start, tmp_path: Path) -> None:
    journey = start(language="en")
    journey.key("ctrl+n")
    journey.wait(lambda now: not now["nodes"], "an empty canvas")
    journey.click((700, 400))
    journey.key("shift+a")
    journey.wait(lambda now: has(now, label="Find a layer"), "the search")
    journey.type("dense")
    journey.key("Return")
    journey.wait(lambda now: now["nodes"], "a layer")
    journey.key("ctrl+q")
    look = journey.wait(lambda now: any(w["text"] == "Cancel" for w in now["widgets"]), "the question")
    journey.click(middle(journey.find(look, text="Cancel")["rect"]))
    assert journey.fresh()["nodes"]
    assert journey.process.poll() is None
    assert journey.quit() == 0
