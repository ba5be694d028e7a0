"""Files dragged by the mouse from another program's window: train on them, classify one, open a project."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.conftest import Start
from tests.journeys.harness import ROOT, Files, Journey, Look, middle
from tests.journeys.test_whole_way import SIDE, write_pictures

pytestmark = pytest.mark.journey
CANVAS, DOCKS = (560, 480), (700, 840)


@contextmanager
def file_manager(journey: Journey, *paths: Path) -> Iterator[Files]:
    """Beside the canvas; ended afterwards."""
    files = journey.files((1380, 230), *paths)
    try:
        yield files
    finally:
        files.close()


def said(look: Look, name: str = "drop_text") -> str:
    """What is said about the files that hang on the pointer."""
    return next((str(w["text"]) for w in look["widgets"] if w["name"] == name), "")


def has(look: Look, text: str) -> bool:
    """Whether a word stands somewhere."""
    return any(w["text"] == text for w in look["widgets"])


def test_a_folder_a_picture_and_a_project_come_from_a_file_manager(start: Start, tmp_path: Path) -> None:
    from tests.engine.data.picture_bytes import png

    folder = tmp_path / "Bilder für die Übung 1"
    write_pictures(folder)
    pixels = np.full((SIDE, SIDE, 1), 30, np.uint8)
    pixels[5:7] = 220
    picture = tmp_path / "ein Bild – größer.png"
    picture.write_bytes(png(pixels))
    project = tmp_path / "Spirale ä.matrizen"
    shutil.copy(ROOT / "resources" / "samples" / "spiral.matrizen", project)
    strange = tmp_path / "notes.log"
    strange.write_text("nothing of interest")

    journey = start(language="en")
    with file_manager(journey, folder, picture, project, strange) as files:
        # a folder of class folders: said while it hangs, the training set once it is let go
        journey.carry(files.place(folder), CANVAS)
        look = journey.wait(lambda now: said(now) == "Drop to train with this data", "the promise")
        assert folder.name in said(look, "drop_what")
        journey.let_go()
        look = journey.wait(lambda now: any("64 training" in text for text in now["toasts"]), "the pictures")
        journey.wait(lambda now: now["configured"] and not now["busy"], "a network for them")
        assert not said(journey.fresh())

        # what cannot be used says why, where it hangs and where it falls; no field takes the path for a text
        rate = journey.find(name="learning_rate")
        journey.carry(files.place(strange), middle(rate["rect"]))
        journey.wait(lambda now: said(now) == "This cannot be used here", "the refusal")
        journey.let_go()
        journey.wait(lambda now: any("notes.log" in text for text in now["toasts"]), "the reason")
        assert journey.find(name="learning_rate")["text"] == rate["text"]

        # one picture on the trained network, let go over the docks
        journey.press(name="play")
        journey.wait(lambda now: (now["accuracy"] or 0) >= 0.95, "good answers", 60)
        journey.press(name="play")
        journey.wait(lambda now: now["running"] == "paused", "rest")
        journey.carry(files.place(picture), DOCKS)
        journey.wait(lambda now: said(now) == "Drop to see what the network says", "the promise")
        journey.let_go()
        look = journey.wait(lambda now: now["answer"], "the answer")
        assert look["answer"] == "across"
        assert has(look, "What each layer makes of it") and has(look, picture.name)
        # the next one may be let go on the answer itself, and takes its place
        shown = next(w for w in look["widgets"] if w["window"] == "picture_dialog")
        journey.carry(files.place(picture), (shown["rect"][0] + 40, shown["rect"][1] + 60))
        journey.let_go()
        journey.pause(1.0)
        tops = [w for w in journey.fresh()["widgets"] if w["name"] == "picture_dialog"]
        assert len(tops) == 1
        journey.key("Escape")
        journey.wait(lambda now: not now["answer"], "the picture to close")

        # taken along and brought back: nothing happens
        journey.carry(files.place(project), CANVAS)
        journey.wait(lambda now: said(now) == "Drop to open this project", "the promise")
        journey.key("Escape")
        journey.wait(lambda now: said(now) == "", "the promise to go")
        journey.let_go()
        assert journey.fresh()["title"].startswith("circle")

        # a project: unsaved changes are asked about, and "Cancel" keeps them
        journey.drag(files.place(project), CANVAS)
        look = journey.wait(lambda now: has(now, "Don't save"), "the question")
        journey.click(middle(journey.find(look, text="Cancel")["rect"]))
        look = journey.fresh()
        assert look["title"].startswith("circle") and look["modified"]
        journey.drag(files.place(project), CANVAS)
        look = journey.wait(lambda now: has(now, "Don't save"), "the question")
        journey.click(middle(journey.find(look, text="Don't save")["rect"]))
        journey.wait(lambda now: now["title"].startswith("Spirale ä") and now["configured"], "the project")

        # nobody was told that its files were moved away
        ends = [line.rsplit(": ", 1)[1] for line in files.told()]
        assert ends == ["CopyAction"] * 4 + ["IgnoreAction"] + ["CopyAction"] * 2
    assert folder.is_dir() and picture.exists() and project.exists()
    assert journey.quit() == 0

