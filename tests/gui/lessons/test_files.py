"""The lessons that ship: both languages say the same, and their numbers are the engine's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.network import Network
from gui import resources
from gui.lessons.glossary import read_terms
from gui.lessons.lesson import Lesson
from gui.lessons.networks import network_project
from gui.lessons.reading import read_lesson
from gui.lessons.rich import _TERM
from gui.lessons.widgets import is_right

FOLDERS = sorted(path.parent for path in resources.path("lessons").glob("*/lesson.toml"))


def run(lesson: Lesson, name: str) -> Network:
    """One step of a network of a lesson, by the engine."""
    plain = lesson.networks[name]
    project = network_project(plain)
    x, target = np.array(plain["inputs"], np.float32), np.array(plain["targets"])
    classes = 3 if project.training.loss == "cross_entropy" else 0
    network = Network(project.graph, project.training, batch=len(x), classes=classes)
    if project.run is not None:
        network.load(dict(project.run.state))
    network.step(x, target if classes else target.astype(np.float32))
    return network


def test_there_are_five_lessons_of_about_ten_steps() -> None:
    lessons = [read_lesson(folder, "en") for folder in FOLDERS]
    assert [lesson.title[0] for lesson in lessons] == list("ABCDE")
    assert all(10 <= len(lesson.steps) <= 12 for lesson in lessons)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_both_languages_ask_the_same(folder: Path) -> None:
    english, german = read_lesson(folder, "en"), read_lesson(folder, "de")
    assert english.title != german.title
    for one, other in zip(english.steps, german.steps, strict=True):
        assert one.id == other.id and one.text != other.text
        assert [t.id for t in one.tasks] == [t.id for t in other.tasks]
        assert [_plain(q) for q in one.questions] == [_plain(q) for q in other.questions]
        assert one.questions or one.tasks


def _plain(question: Any) -> tuple[Any, ...]:
    return (question.id, question.number, question.tolerance, [a.right for a in question.answers])


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_linked_term_is_in_the_glossary(language: str) -> None:
    terms = {term.name for term in read_terms(language)}
    assert len(terms) >= 35
    for folder in FOLDERS:
        text = (folder / f"{language}.md").read_text(encoding="utf-8")
        assert {found[1] for found in _TERM.finditer(text)} <= terms


def test_german_texts_use_the_comma_and_address_nobody() -> None:
    for folder in FOLDERS:
        for line in (folder / "de.md").read_text(encoding="utf-8").splitlines():
            # the numbers of the file itself have the point
            said = line.partition("|")[2] if line.startswith("= ") else line
            assert not re.search(r"\d\.\d", said), line
            assert not re.search(r"\b([Dd]u|[Dd]ein\w*|Klicken Sie)\b", said), line


# what a question asks, in the value that the engine computes: network, value, cell from 1
ASKED = {
    "a_data/picture/half": ("picture", "flatten1.y", (2, 1)),
    "a_data/sum/first": ("weights", "dense1.z", (1, 1)),
    "a_data/folded/same": ("folded", "dense1.z", (2, 1)),
    "b_multiplication/symbols/second": ("three", "dense1.z", (2, 1)),
    "b_multiplication/activation/relu": ("three_relu", "relu1.a", (1, 1)),
    "b_multiplication/batch/z12": ("three_batch", "dense1.z", (1, 2)),
    "b_multiplication/linear/product": ("two_linear", "dense2.z", (1, 2)),
    "c_transformations/rotate/where": ("rotate", "dense1.z", (2, 1)),
    "c_transformations/angle/cos": ("rotate30", "dense1.z", (1, 1)),
    "c_transformations/scale/scaled": ("scale", "dense1.z", (1, 2)),
    "c_transformations/shift/x": ("shift", "dense1.z", (1, 2)),
    "c_transformations/order/first": ("shift_first", "scale.z", (1, 1)),
    "c_transformations/inverse/back": ("inverse", "back.weight@old", (1, 3)),
    "c_transformations/average/mean": ("average", "avgpool1.y", (1, 1, 1, 1)),
    "e_backpropagation/forward/z11": ("deeper", "layer1.z", (1, 1)),
    "e_backpropagation/delta/d22": ("deeper", "layer1.z@grad", (2, 2)),
    "e_backpropagation/delta/d11": ("deeper", "layer1.z@grad", (1, 1)),
    "e_backpropagation/output/entry": ("deeper", "relu1.a@grad", (2, 2)),
    "e_backpropagation/softmax/first": ("classes", "dense1.z@grad", (1, 1)),
    "e_backpropagation/weights/dw21": ("deeper", "layer1.weight@grad", (2, 1)),
    "e_backpropagation/bias/db1": ("deeper", "layer1.bias@grad", (1,)),
    "e_backpropagation/back/dx22": ("deeper", "before.z@grad", (2, 2)),
    "e_backpropagation/update/w11": ("deeper", "layer1.weight@new", (1, 1)),
}


@pytest.mark.parametrize("where", ASKED)
def test_the_answer_is_what_the_engine_computes(where: str) -> None:
    folder, step, name = where.split("/")
    lesson = read_lesson(resources.path("lessons", folder), "de")
    question = next(q for q in lesson.steps[lesson.index(step)].questions if q.id == name)
    network, value, cell = ASKED[where]
    engine = float(run(lesson, network).value(value)[tuple(n - 1 for n in cell)])
    assert is_right(question, engine), (engine, question.number)
    assert not is_right(question, engine + 2 * question.tolerance + 0.01)


def test_every_cell_that_is_to_be_opened_exists() -> None:
    opened = 0
    for folder in FOLDERS:
        lesson, standing = read_lesson(folder, "en"), ""
        for step in lesson.steps:
            standing = step.opens or standing
            for task in step.tasks:
                wanted = task.conditions.get("opened")
                if wanted is None or standing not in lesson.networks:
                    continue
                array = run(lesson, standing).value(wanted["value"])
                cell = wanted.get("cell", [1] * array.ndim)
                assert len(cell) == array.ndim
                assert all(n <= size for n, size in zip(cell, array.shape, strict=True)), task
                opened += 1
    assert opened >= 20
