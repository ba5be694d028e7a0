"""A fresh person: the window opens with a network drawn, one key makes it learn."""

from __future__ import annotations

import subprocess

import pytest

from engine.project_file import load_project
from tests.journeys.conftest import Start
from tests.journeys.harness import middle

pytestmark = pytest.mark.journey


def test_space_makes_the_circle_learn(start: Start, tmp_path) -> None:
    journey = start(language="en")
    look = journey.fresh()
    assert look["step"] == 0 and look["running"] == "paused"
    assert set(look["nodes"]) == {"points", "hidden1", "hidden2", "output"}
    play = journey.find(look, name="play")
    assert play["text"] == "Play" and play["rect"][3] >= 30
    before = look["accuracy"]

    journey.key("space")
    journey.wait(lambda now: now["running"] == "playing", "training to run", 5)
    assert journey.find(name="play")["text"] == "Pause"
    learnt = journey.wait(lambda now: now["step"] > 1200 and now["accuracy"] >= 0.97, "the circle", 60)
    assert before is None or learnt["accuracy"] > before + 0.2
    journey.key("space")
    rest = journey.wait(lambda now: now["running"] == "paused", "training to rest", 5)
    journey.pause(0.6)
    assert journey.fresh()["step"] == rest["step"]

    # what was learnt is in the file, and the file says so without the window
    target = tmp_path / "learnt.matrizen"
    journey.key("ctrl+shift+s")
    journey.choose_file(target)
    journey.wait(lambda now: not now["modified"], "the save", 10)
    project = load_project(target)
    assert project.run is not None and project.run.step == rest["step"]
    assert journey.quit() == 0


def test_a_click_on_play_and_one_on_a_sample(start: Start) -> None:
    journey = start(language="en")
    journey.press(name="play")
    journey.wait(lambda now: now["step"] > 50, "steps", 15)
    spiral = next(w for w in journey.fresh()["widgets"] if w["label"] == "Spiral")
    journey.click(middle(spiral["rect"]))
    rests = "spiral", "paused"
    look = journey.wait(lambda now: (now["title"][:6], now["running"]) == rests, "the spiral")
    assert look["step"] == 0 and look["configured"]
    assert "hidden2" in journey.fresh()["nodes"]
    assert journey.quit() == 0


def test_a_killed_engine_goes_on(start: Start) -> None:
    journey = start(language="en")
    journey.key("space")
    look = journey.wait(lambda now: now["step"] > 400 and now["engine"], "steps", 30)
    journey.pause(2.5)  # a checkpoint is at most two seconds old
    subprocess.run(["kill", "-9", str(look["engine"])], check=True)
    again = journey.wait(
        lambda now: now["engine"] not in (None, look["engine"]) and now["step"] > 400, "the new engine", 30
    )
    assert any("continues from step" in toast for toast in again["toasts"]), again["toasts"]
    journey.wait(lambda now: now["step"] > again["step"] + 50, "training to go on", 20)
    assert journey.quit() == 0
