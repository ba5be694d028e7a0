"""The words of a lesson in one language: a small Markdown, read line by line so that a fault has its line.

`# title`, a summary, then for each step `## id: title`, paragraphs, and at the end of a step
`- [task] what to do` and `? [question] text` with `( )`/`(x)` answers or one `= number ± tolerance`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from engine.errors import N_
from gui.lessons.lesson import Answer, Question, refuse

_STEP = re.compile(r"##\s+([a-z][a-z0-9_]*):\s*(\S.*)\Z")
_TASK = re.compile(r"-\s+\[([a-z][a-z0-9_]*)\]\s+(\S.*)\Z")
_QUESTION = re.compile(r"\?\s+\[([a-z][a-z0-9_]*)\]\s+(\S.*)\Z")
_ANSWER = re.compile(r"\(([ x])\)\s+(\S.*)\Z")
_NUMBER = re.compile(r"=\s*([^\s±|]+)\s*(?:±\s*([^\s|]+))?\s*(?:\|(.*))?\Z")
LONGEST = 200_000
"""Characters of a text; a lesson needs a tenth."""


@dataclass
class StepText:
    """The words of one step and the lines they stand in."""

    title: str
    line: int
    paragraphs: list[str] = field(default_factory=list)
    tasks: dict[str, tuple[str, int]] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    """Question -> its line."""

    @property
    def text(self) -> str:
        """The paragraphs as one text."""
        return "\n".join(self.paragraphs).strip()


@dataclass
class LessonText:
    """The words of a lesson."""

    title: str = ""
    summary: str = ""
    steps: dict[str, StepText] = field(default_factory=dict)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file, self.line = file, 0
        self.found = LessonText()
        self.step: StepText | None = None
        self.open = ""
        """What a line without a mark goes on with: a task's or question's id, or "" for the text."""

    def refuse(self, reason: str, **values: object) -> Exception:
        return refuse(self.file, self.line, reason, **values)

    def read(self, text: str) -> LessonText:
        if len(text) > LONGEST:
            raise self.refuse(N_("the text is longer than {n} characters"), n=LONGEST)
        for number, raw in enumerate(text.splitlines(), 1):
            self.line = number
            self._take(raw.rstrip())
        if not self.found.title:
            self.line = 1
            raise self.refuse(N_("the first line should be “# ” and the title"))
        self.found.summary = self.found.summary.strip()
        for step in self.found.steps.values():
            for question in step.questions:
                self._check(question, step.lines[question.id])
        return self.found

    def _take(self, text: str) -> None:
        if text.startswith("## "):
            self._begin(text)
        elif text.startswith("# ") and not self.found.title:
            self.found.title = text[2:].strip()
        elif self.step is None:
            self.found.summary += f"{text}\n"
        elif text.startswith("- ["):
            self._task(text)
        elif text.startswith("? "):
            self._question(text)
        elif text.startswith(("( )", "(x)")):
            self._answer(text)
        elif text.startswith("= "):
            self._number(text)
        else:
            self.step.paragraphs.append(text)

    def _begin(self, text: str) -> None:
        found = _STEP.match(text)
        if found is None:
            raise self.refuse(N_("a step begins with “## name: title”, the name in small letters"))
        if found[1] in self.found.steps:
            raise self.refuse(N_("the step “{name}” was there already"), name=found[1])
        self.step = self.found.steps[found[1]] = StepText(found[2], self.line)

    def _task(self, text: str) -> None:
        found = _TASK.match(text)
        if found is None or self.step is None:
            raise self.refuse(N_("a task is “- [name] what to do”, the name in small letters"))
        if found[1] in self.step.tasks:
            raise self.refuse(N_("the task “{name}” was there already"), name=found[1])
        self.step.tasks[found[1]] = (found[2], self.line)

    def _question(self, text: str) -> None:
        found = _QUESTION.match(text)
        if found is None or self.step is None:
            raise self.refuse(N_("a question is “? [name] text”, the name in small letters"))
        if found[1] in self.step.lines:
            raise self.refuse(N_("the question “{name}” was there already"), name=found[1])
        self.step.questions.append(Question(found[1], found[2]))
        self.step.lines[found[1]] = self.line

    def _last(self) -> Question:
        if self.step is None or not self.step.questions:
            raise self.refuse(N_("an answer stands below its question"))
        return self.step.questions[-1]

    def _put(self, question: Question) -> None:
        assert self.step is not None
        self.step.questions[-1] = question

    def _answer(self, text: str) -> None:
        found = _ANSWER.match(text)
        question = self._last()
        if found is None or question.number is not None:
            raise self.refuse(N_("an answer is “( ) text | feedback”, the right one “(x) …”"))
        words, _, feedback = found[2].partition(" | ")
        answer = Answer(words.strip(), found[1] == "x", feedback.strip())
        self._put(replace(question, answers=(*question.answers, answer)))

    def _number(self, text: str) -> None:
        found = _NUMBER.match(text)
        question = self._last()
        if found is None or question.answers or question.number is not None:
            raise self.refuse(N_("a number answer is “= number ± tolerance | if right | if wrong”"))
        try:
            number, tolerance = float(found[1]), float(found[2] or 0)
        except ValueError:
            raise self.refuse(N_("numbers are written with a point, not with a comma")) from None
        right, _, wrong = (found[3] or "").partition("|")
        said = (right.strip(), wrong.strip())
        self._put(replace(question, number=number, tolerance=tolerance, feedback=said))

    def _check(self, question: Question, line: int) -> None:
        self.line = line
        if question.number is None and sum(answer.right for answer in question.answers) != 1:
            raise self.refuse(N_("“{name}” needs one right answer “(x)” or a number “=”"), name=question.id)


def read_text(text: str, file: str) -> LessonText:
    """Read a lesson's words. Raises LessonError with file and line."""
    return _Reader(file).read(text)
