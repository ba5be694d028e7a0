"""A pupil works through the first steps of a lesson in German, with mouse and keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.conftest import Start
from tests.journeys.harness import Journey, Look, cell

pytestmark = pytest.mark.journey


def says(look: Look, text: str) -> bool:
    """Whether a label shows a text."""
    return any(widget["text"] == text for widget in look["widgets"])


def answer(journey: Journey, name: str, text: str) -> None:
    """Type a number into the field of a question."""
    journey.press(name=f"answer_{name}")
    journey.do("type", "--delay", 12, "--", text)
    journey.key("Return")


def test_the_first_steps_of_backpropagation_in_german(start: Start, tmp_path: Path) -> None:
    journey = start(language="de", theme="dark")
    journey.key("ctrl+shift+l")
    journey.wait(lambda now: says(now, "Lektionen"), "the list of lessons")
    journey.press(name="start_e_backpropagation")
    look = journey.wait(lambda now: says(now, "Vorwärts") and "layer1" in now["nodes"], "the first step")
    journey.wait(lambda now: now["configured"], "the prepared network")
    assert journey.find(look, name="play")["rect"][0] < 200  # nothing lies over Play

    # one operation after another until the forward part is reached: the program sees it
    for _ in range(3):
        journey.press(name="step_op")
    journey.wait(lambda now: not any(w["name"] == "show_op" for w in now["widgets"]), "the task to be ticked")
    answer(journey, "z11", "-0,15")
    journey.press(name="lesson_next")

    journey.wait(lambda now: says(now, "Der Verlust"), "the second step")
    answer(journey, "value", "(1+0,01+0,25)/4")
    journey.press(name="lesson_next")
    journey.wait(lambda now: says(now, "Zurück durch den Verlust"), "the third step")
    journey.press(name="lesson_next")

    journey.wait(lambda now: says(now, "Zurück durch die Funktion"), "the fourth step")
    journey.wait(lambda now: now["configured"] and now["docks"]["gradients"], "the gradients")
    journey.pause(0.8)
    dock = journey.fresh()["docks"]["gradients"]
    assert dock["value"] == "layer1.z@grad"
    journey.click(cell(dock, 1, 1))
    card = journey.wait(lambda now: now["card"], "the card")["card"]
    assert card["number"] == pytest.approx(-0.25)
    journey.wait(lambda now: not any(w["name"] == "show_cell" for w in now["widgets"]), "the tick")

    # left, and resumed where it was
    journey.key("Escape")
    journey.press(name="lesson_close")
    journey.wait(lambda now: not says(now, "Zurück durch die Funktion"), "the panel to go")
    journey.key("ctrl+shift+l")
    journey.wait(lambda now: says(now, "Zurück durch die Funktion"), "the lesson again")

    # F11: for the projector, and back
    journey.key("F11")
    journey.wait(lambda now: now["size"] == [1600, 1000], "the whole screen")
    journey.pause(1.0)
    journey.picture(tmp_path / "presentation.png")
    assert says(journey.fresh(), "Zurück durch die Funktion")
    journey.key("F11")
    journey.pause(1.0)
    assert journey.quit("Nicht speichern") == 0
