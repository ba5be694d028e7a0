"""Through the labs and back in time with mouse and keyboard: numbers that a person would check by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.conftest import Start
from tests.journeys.harness import ROOT, Journey, Look, cell, middle
from tests.journeys.test_keep import command

pytestmark = pytest.mark.journey
SAMPLES = ROOT / "resources" / "samples"


def matrix(journey: Journey, value: str) -> Look:
    """The first matrix of the lab that shows a value."""
    found = journey.wait(
        lambda now: any(m["value"] == value for m in now["lab"]["matrices"]), f"the matrix of {value}"
    )
    return next(dict(m) for m in found["lab"]["matrices"] if m["value"] == value)


def opened(journey: Journey, value: str, number: float, at: list[int]) -> None:
    """Wait until that cell is open and shows that number."""

    def check(now: Look) -> Any:
        told = now["lab"]["opened"]
        near = told is not None and told["number"] == pytest.approx(number, abs=1e-6)
        return near and told["value"] == value and told["cell"] == at

    journey.wait(check, f"{value}{at} = {number} to be open", 5)


def in_lab(journey: Journey, name: str) -> None:
    """Wait until a lab is in sight ("" for none)."""
    journey.wait(lambda now: now["lab"]["name"] == name, f"the lab {name!r}", 5)


def test_the_numbers_of_one_layer(start: Start) -> None:
    """The example of the curriculum: Z, a weight typed and taken back, folded bias; then the other labs."""
    journey = start(SAMPLES / "one_layer.matrizen", language="en", device="numpy")
    box = journey.fresh()["nodes"]["layer1"]["rect"]
    journey.click((box[0] + box[2] // 2, box[1] + 14), times=2)
    in_lab(journey, "matrix_lab")
    journey.click(cell(matrix(journey, "layer1.z"), 0, 1))
    opened(journey, "layer1.z", 0.1, [0, 1])
    journey.key("Escape")  # first the cell is closed, then the lab
    for row, column, number in ((0, 0, -0.15), (0, 1, 0.1), (1, 0, -0.25)):
        journey.key("Right")
        opened(journey, "layer1.z", number, [row, column])
    journey.key("Left")
    opened(journey, "layer1.z", 0.1, [0, 1])
    assert journey.fresh()["lab"]["moment"] == 1
    journey.key("Escape")

    journey.click(cell(matrix(journey, "layer1.weight@old"), 0, 0), times=2)
    journey.wait(lambda now: any(w["kind"] == "CellField" for w in now["widgets"]), "the field")
    journey.type("2")
    journey.key("Return")
    journey.click(cell(matrix(journey, "layer1.z"), 0, 1))
    opened(journey, "layer1.z", 3.1, [0, 1])
    journey.key("ctrl+z")
    opened(journey, "layer1.z", 0.1, [0, 1])

    journey.press(text="(W | b)")
    journey.wait(lambda now: any(m["shape"] == [2, 3] for m in now["lab"]["matrices"]), "b as a column of W")
    journey.press(label="Copy")
    journey.key("Up", "Return")  # the last line: the formula with numbers
    made = journey.wait(lambda now: "bmatrix" in now["clipboard"], "LaTeX on the clipboard")["clipboard"]
    assert "0.5000 & -0.2500 & 0.1000" in made and "-0.1500 & 0.1000" in made
    journey.key("Escape", "Escape")
    in_lab(journey, "")

    command(journey, "gradient check")
    in_lab(journey, "gradient_check")
    look = journey.wait(lambda now: any("✓ ≤" in w["text"] for w in now["widgets"]), "the check")
    journey.click(cell(look["lab"]["matrices"][0], 1, 1))
    journey.wait(lambda now: any("Backpropagation says −1" in w["text"] for w in now["widgets"]), "the sum")
    journey.key("Escape")
    command(journey, "optimizer x-ray")
    in_lab(journey, "optimizer_xray")
    look = journey.wait(lambda now: any(w["text"] == "= 0.600000" for w in now["widgets"]), "a weight after")
    journey.click(cell(look["lab"]["matrices"][0], 0, 1))
    journey.wait(lambda now: any(w["text"] == "engine −0.270000" for w in now["widgets"]), "another weight")
    journey.press(name="optimizer_race_button")
    journey.wait(lambda now: any(w["text"] == "400 of 400 steps" for w in now["widgets"]), "the four")
    journey.key("Escape")
    in_lab(journey, "")

    command(journey, "numpy proof")
    journey.wait(lambda now: any(w["window"] == "numpy_proof" and w["text"] == "Copy" and w["enabled"]
                                 for w in now["widgets"]), "the script")  # fmt: skip
    journey.press(text="Copy")
    script = journey.wait(lambda now: "import numpy" in now["clipboard"], "the script")["clipboard"]
    assert "layer1_weight" in script
    journey.key("Escape")
    assert journey.quit() == 0


def test_back_in_time_and_what_devices_do(start: Start) -> None:
    journey = start(SAMPLES / "circle.matrizen", language="en", device="numpy")
    journey.key("space")
    journey.wait(lambda now: now["step"] > 300, "some steps")
    journey.key("space")
    journey.wait(lambda now: now["running"] == "paused", "rest")
    line = journey.fresh()["time_line"]
    newest, half = line["newest"], (line["from"] + line["to"]) // 2
    journey.drag((line["to"], line["y"]), (half, line["y"]))
    look = journey.wait(lambda now: now["step"] < newest, "an earlier step")
    assert look["step"] == pytest.approx(newest / 2, abs=newest / 10)
    assert look["time_line"]["newest"] == newest  # what came later is kept
    journey.key("Left")
    journey.wait(lambda now: now["step"] == look["step"] - 1, "the step before")
    journey.key("ctrl+b")
    branched = journey.wait(lambda now: now["time_line"]["newest"] < newest, "a second run")
    assert branched["step"] == look["step"] - 1 and branched["toasts"]
    journey.key("F7")
    journey.wait(lambda now: now["step"] == look["step"], "the second run to go on")

    command(journey, "device lab")
    in_lab(journey, "device_lab")
    for box in [w for w in journey.fresh()["widgets"] if w["kind"] == "QCheckBox"][1:]:
        journey.click((box["rect"][0] + 8, middle(box["rect"])[1]))  # NumPy alone: it is there at once
    journey.press(label="Rows of A")
    for key in ("Tab", "Tab", "Return"):
        journey.key("ctrl+a")
        journey.type("64")
        journey.key(key)
    fields = {w["label"]: w["text"] for w in journey.fresh()["widgets"]}
    assert [fields[name] for name in ("Rows of A", "Columns of A", "Columns of B")] == ["64"] * 3
    journey.press(text="Measure")
    journey.wait(lambda now: any("GFLOP/s" in w["text"] for w in now["widgets"]), "a peak")
    journey.wait(lambda now: not any(w["text"] == "Cancel" for w in now["widgets"]), "the end", 30)
    assert any("NumPy" in w["text"] and "µs" in w["text"] for w in journey.fresh()["widgets"])
    journey.press(text="1,000 × 1,000")
    journey.press(text="Measure")
    journey.wait(lambda now: any(w["text"] == "Cancel" for w in now["widgets"]), "another one")
    journey.press(text="Cancel")
    journey.wait(lambda now: any(w["text"] == "canceled" for w in now["widgets"]), "it to stop", 3)
    journey.key("Escape")
    in_lab(journey, "")
    assert journey.quit() == 0
