"""The whole way: draw three layers, give them pictures, train, undo, open a cell, take the weights along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.project_file import load_project
from tests.journeys.conftest import Start
from tests.journeys.harness import Journey, cell, middle

pytestmark = pytest.mark.journey
SIDE = 12


def write_pictures(folder: Path, count: int = 40) -> None:
    """Class folders of small PNG files: a bright bar across, or one down."""
    from tests.engine.data.picture_bytes import png

    rng = np.random.default_rng(1)
    for name in ("across", "down"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture = rng.integers(0, 60, (SIDE, SIDE)).astype(np.uint8)
            at = int(rng.integers(2, SIDE - 2))
            if name == "across":
                picture[at : at + 2, :] = 220
            else:
                picture[:, at : at + 2] = 220
            (folder / name / f"{number:02}.png").write_bytes(png(picture[..., None]))


def drag_layer(journey: Journey, kind: str, to: tuple[int, int]) -> None:
    """Take a layer from the palette to the canvas; its group is opened and scrolled to first."""
    look = journey.fresh()
    heads = [w for w in look["widgets"] if w["kind"] == "GroupHead"]
    for number in reversed(range(len(heads))):
        if kind in look["palette"]:
            break
        journey.point(middle(heads[0]["rect"]))
        for _ in range(12):
            journey.do("click", 5)
        journey.pause(0.4)
        found = [w for w in journey.fresh()["widgets"] if w["kind"] == "GroupHead"]
        journey.click(middle(found[number]["rect"]))
        for _ in range(12):
            journey.do("click", 5)
        journey.pause(0.4)
        look = journey.fresh()
    journey.drag(middle(look["palette"][kind]), to)


def test_draw_load_train_undo_open_export(start: Start, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    write_pictures(pictures)
    journey = start(language="en", theme="dark")
    journey.key("ctrl+n")
    journey.wait(lambda now: not now["nodes"], "an empty canvas")

    # three layers by hand, linked by hand
    drag_layer(journey, "input", (420, 330))
    drag_layer(journey, "dense", (700, 330))
    drag_layer(journey, "output", (1000, 330))
    nodes = journey.wait(lambda now: len(now["nodes"]) == 3, "three layers")["nodes"]
    assert set(nodes) == {"input1", "dense1", "output1"}
    assert nodes["dense1"]["problem"]  # nothing is linked to it yet
    journey.drag(tuple(nodes["input1"]["out"]), tuple(nodes["dense1"]["in"]))
    nodes = journey.wait(lambda now: now["links"] == 1, "the first link")["nodes"]
    journey.drag(tuple(nodes["dense1"]["out"]), tuple(nodes["output1"]["in"]))
    journey.wait(lambda now: now["links"] == 2, "the second link")

    # a folder of pictures: the network adapts to it in one step
    journey.key("ctrl+shift+p")
    journey.type("folder of pictures")
    journey.key("Return")
    journey.choose_file(pictures)
    look = journey.wait(lambda now: now["configured"] and not now["busy"], "the pictures", 20)
    assert any("64 training and 16 test" in toast for toast in look["toasts"]), look["toasts"]
    look = journey.fresh()
    assert "flatten1" in look["nodes"] and not any(n["problem"] for n in look["nodes"].values())

    # it learns
    journey.press(name="play")
    journey.wait(lambda now: now["accuracy"] is not None and now["accuracy"] >= 0.95, "good answers", 60)
    journey.press(name="play")
    rest = journey.wait(lambda now: now["running"] == "paused", "rest")

    # undo and redo are about the drawing; what was learnt stays
    journey.press(name="learning_rate")
    journey.key("ctrl+a")
    journey.type("0,01")
    journey.key("Return")
    journey.wait(lambda now: rate(now) == "0.01", "the new rate")
    node = journey.fresh()["nodes"]["dense1"]
    journey.click((node["rect"][0] + node["rect"][2] // 2, node["rect"][1] + 12))
    journey.key("ctrl+z")
    look = journey.wait(lambda now: rate(now) == "0.001", "the old rate")
    assert look["step"] == rest["step"]

    # open a cell of Z: the engine's own number
    dock = journey.wait(lambda now: now["docks"]["activations"], "activations")["docks"]["activations"]
    assert dock["value"] == "dense1.z" and dock["shape"][0] == 2
    journey.click(cell(dock, 1, 3))
    card = journey.wait(lambda now: now["card"], "the card")["card"]
    assert card["value"] == "dense1.z" and card["cell"] == [1, 3]
    journey.key("Escape")
    journey.wait(lambda now: now["card"] is None, "the card to close")

    # the weights as .npz, and the project; their numbers are the same
    npz, project_file = tmp_path / "weights.npz", tmp_path / "bars.matrizen"
    journey.key("ctrl+e")
    journey.choose_file(npz)
    journey.wait(lambda _now: npz.exists(), "the export", 10)
    journey.key("ctrl+s")
    journey.choose_file(project_file)
    journey.wait(lambda now: project_file.exists() and not now["modified"], "the save", 10)
    project = load_project(project_file)
    assert project.run is not None and project.run.step == rest["step"]
    with np.load(npz, allow_pickle=False) as weights:
        assert set(weights.files) == {"dense1.weight", "dense1.bias", "__meta__"}
        assert weights["dense1.weight"].shape == (2, SIDE * SIDE)
        np.testing.assert_array_equal(weights["dense1.weight"], project.run.state["dense1.weight"])
        np.testing.assert_array_equal(weights["dense1.bias"], project.run.state["dense1.bias"])
    assert journey.quit() == 0


def rate(look: dict[str, object]) -> str:
    """What stands in the field of the learning rate."""
    widgets = look["widgets"]
    assert isinstance(widgets, list)
    return next((str(w["text"]) for w in widgets if w["name"] == "learning_rate"), "")
