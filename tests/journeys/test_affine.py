"""The affine lab by mouse and keyboard: turned, typed, reordered, a pixel traced, then tried in training."""

from __future__ import annotations

import math

import pytest

from tests.journeys.conftest import Start
from tests.journeys.harness import ROOT, Journey, Look, middle

pytestmark = pytest.mark.journey
KNOB, MIDDLE = 8, 9
"""Handles: the one that turns, and the one in the middle."""


def says(look: Look, text: str) -> bool:
    """Whether a label begins with a text."""
    return any(w["text"].startswith(text) for w in look["widgets"] if w["kind"] == "QLabel")


def lab(look: Look) -> Look:
    """What the probe tells of the affine lab."""
    assert look["affine"] is not None, look["title"]
    return dict(look["affine"])


def put(journey: Journey, look: Look, label: str, text: str) -> None:
    """Type a number over the one in a field."""
    journey.click(middle(journey.find(look, label=label, kind="NumberField")["rect"]))
    journey.key("ctrl+a")
    journey.type(text)
    journey.key("Return")


def agree(traced: list[float] | None) -> bool:
    """Whether the sum of the terms is the engine's number."""
    return traced is not None and abs(traced[0] - traced[1]) < 0.01


def test_a_picture_is_turned_and_the_network_learns_from_turned_ones(start: Start) -> None:
    sample = ROOT / "resources" / "samples" / "digits_cnn.matrizen"
    journey = start(sample, language="en", theme="dark", device="numpy", samples_dismissed="true")
    journey.key("ctrl+shift+p")
    journey.type("affine lab")
    journey.key("Return")
    look = journey.wait(lambda now: now["affine"] and now["affine"]["result"][0], "the picture in the lab")

    # the round handle is pulled down along its circle: a positive angle, it looks clockwise
    knob, center = (lab(look)["handles"][k] for k in (KNOB, MIDDLE))
    radius, turn = knob[0] - center[0], math.radians(40)
    end = center[0] + round(radius * math.cos(turn)), center[1] + round(radius * math.sin(turn))
    journey.drag((knob[0], knob[1]), end)
    look = journey.wait(lambda now: lab(now)["angle"], "the picture turned")
    assert lab(look)["angle"] == pytest.approx(40, abs=1.5)

    # an angle is typed; one that is no number changes nothing and is said
    put(journey, look, "Rotate: angle", "30°")
    put(journey, look, "Rotate: angle", "steep")
    said = journey.wait(lambda now: says(now, "“steep”"), "the reason")
    assert lab(said)["angle"] == 30
    put(journey, look, "Shift: right", "10")
    look = journey.wait(lambda now: lab(now)["product"][0][2] == "10.000", "turned, then shifted")

    # the order is swapped: shifted first, then turned
    journey.click(middle(journey.find(look, name="earlier_shift")["rect"]))
    look = journey.wait(lambda now: lab(now)["order"][2] == "shift", "the other order")
    assert [row[2] for row in lab(look)["product"][:2]] == ["8.660", "5.000"]

    # the pixel under the pointer is traced: its terms and the engine agree
    before = lab(look)["pixel"]
    journey.point((center[0] - 60, center[1] - 30))
    journey.wait(lambda now: lab(now)["pixel"] != before and agree(lab(now)["traced"]), "the pixel traced")

    # from there into training, and what it brings
    journey.press(text="Use as augmentation")
    journey.press(text="Compare training with and without …")
    look = journey.wait(lambda now: says(now, "digits_cnn: 1,438 pictures"), "the comparison")
    put(journey, look, "Epochs", "1")
    journey.press(name="augment_compare")
    look = journey.wait(lambda now: says(now, "Done in"), "both trained and tested", 30)
    assert says(look, "As they are: ")
    journey.key("Escape")
    look = journey.wait(lambda now: now["nodes"], "the network again")
    assert "conv1" in look["nodes"] and not look["modified"]
    assert journey.quit() == 0
