"""Lesson files with errors: file, line and reason, and nothing else happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.lessons.conditions import CONDITIONS
from gui.lessons.lesson import Lesson, LessonError
from gui.lessons.reading import read_lesson

TOML = """\
format = 1

[network.small]
layers = [{ name = "x", kind = "input", shape = [2] }, { name = "out", kind = "output" }]
inputs = [[1.0, 2.0]]
targets = [[0.0, 1.0]]

[[step]]
id = "one"
open = "small"
task.act = { added = "relu", show = "palette" }

[[step]]
id = "two"
panels = ["weights"]
"""
WORDS = """\
# A lesson

What it is about.

## one: The first
Some **words** and $x$.

- [act] Add a ReLU.
? [q] How many?
= 0.5 ± 0.01 | Right so. | Count again.

## two: The second
? [c] Which?
( ) this | no
(x) that | yes
"""


def write(folder: Path, toml: str = TOML, words: str = WORDS) -> Lesson:
    folder.mkdir(exist_ok=True)
    (folder / "lesson.toml").write_text(toml, encoding="utf-8")
    (folder / "en.md").write_text(words, encoding="utf-8")
    return read_lesson(folder, "en")


def test_a_lesson_is_read(tmp_path: Path) -> None:
    lesson = write(tmp_path / "own")
    assert (lesson.id, lesson.title, lesson.summary) == ("own", "A lesson", "What it is about.")
    first, second = lesson.steps
    assert first.opens == "small" and first.tasks[0].conditions == {"added": "relu"}
    assert first.tasks[0].show == "palette" and "**words**" in first.text
    assert (first.questions[0].number, first.questions[0].tolerance) == (0.5, 0.01)
    assert first.questions[0].feedback == ("Right so.", "Count again.")
    assert [a.right for a in second.questions[0].answers] == [False, True]


def test_another_language_falls_back_to_english(tmp_path: Path) -> None:
    write(tmp_path / "own")
    assert read_lesson(tmp_path / "own", "de").title == "A lesson"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("format = 1", "format = 2", 1, "format = 1"),
        ("format = 1", "format = 1\nwhat = 2", 2, "“what” is not known"),
        ('id = "one"', 'id = "one', 9, "not TOML"),
        ('id = "one"', "id = 1", 8, "needs an id"),
        ('id = "two"', 'id = "three"', 13, "“three” has no words in en.md"),
        ('open = "small"', 'open = "Gone!"', 10, "neither a sample"),
        ('open = "small"', 'open = "gone.matrizen"', 10, "no file gone.matrizen"),
        ('open = "small"', 'open = "small"\nwhen = 3', 11, "“when” is not known"),
        ('added = "relu"', 'added = "magic"', 11, "added should be one of"),
        ('added = "relu"', 'wished = "relu"', 11, "“wished” is not known"),
        ('added = "relu", ', "", 11, "needs something that shows"),
        ("task.act", "task.other", 8, "“act” is not in lesson.toml"),
        ('["weights"]', '["wheels"]', 15, "panels is a list"),
        ('kind = "output"', 'kind = "portal"', 3, "portal"),
        ("inputs = [[1.0, 2.0]]", "inputs = []", 3, "“inputs”"),
        ("inputs = [[1.0, 2.0]]", 'inputs = [[1.0, "two"]]', 3, "x"),
        ("targets = [[0.0, 1.0]]", 'targets = [[0.0, 1.0]]\nweights."x.weight" = [[1.0]]', 3, "x.weight"),
    ],
)
def test_errors_in_the_states_have_line_and_reason(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    assert TOML.count(old) == 1
    with pytest.raises(LessonError) as caught:
        write(tmp_path / "own", TOML.replace(old, new))
    text = str(caught.value)
    assert said in text
    assert f"lesson.toml, line {line}:" in text or "en.md, line 8:" in text, text


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("# A lesson", "A lesson", 1, "“# ” and the title"),
        ("## one: The first", "## One The first", 5, "“## name: title”"),
        ("## two: The second", "## one: Again", 12, "was there already"),
        ("- [act] Add", "- [Act!] Add", 8, "a task is"),
        ("? [q] How", "? How", 9, "a question is"),
        ("= 0.5 ±", "= 0,5 ±", 10, "with a point"),
        ("(x) that", "( ) that", 13, "one right answer"),
        ("( ) this", "() this", 13, "one right answer"),
        ("## two: The second\n", "## two: The second\n= 3\n", 13, "below its question"),
    ],
)
def test_errors_in_the_words_have_line_and_reason(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    if old == "( ) this":  # a line that is no answer is text: then a question with one answer is left
        new, said = "(x) this", "one right answer"
    assert WORDS.count(old) == 1
    with pytest.raises(LessonError) as caught:
        write(tmp_path / "own", words=WORDS.replace(old, new))
    assert said in str(caught.value)
    assert f"en.md, line {line}:" in str(caught.value), str(caught.value)


def test_strange_files_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    write(folder)
    for data, said in ((b"\xff\xfe\x00", "UTF-8"), (b"x" * 1_000_001, "larger"), (b"[[step]]", "format")):
        (folder / "lesson.toml").write_bytes(data)
        with pytest.raises(LessonError, match=said):
            read_lesson(folder, "en")
    (folder / "lesson.toml").write_text("a = " + "[" * 5000, encoding="utf-8")
    with pytest.raises(LessonError):
        read_lesson(folder, "en")
    (folder / "lesson.toml").unlink()
    with pytest.raises(LessonError, match="cannot be read"):
        read_lesson(folder, "en")


def test_every_condition_refuses_nonsense() -> None:
    for name, condition in CONDITIONS.items():
        for value in (None, [], {}, [[1]], {"cell": 0}):
            assert condition.check(value) is not None, (name, value)
