"""A lesson as a value: steps with a prepared state, a text, things to do and questions.

`docs/lessons.md` describes the files; `gui/lessons/reading.py` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import N_, MatrizenError, Message


class LessonError(MatrizenError):
    """A lesson's file cannot be used: names the file, the line and the reason."""


def refuse(file: str, line: int, reason: str, **values: Any) -> LessonError:
    """`reason` is a template of its own, with its `values`."""
    return LessonError(
        N_("{file}, line {line}: {reason}"), file=file, line=line, reason=Message(reason, values)
    )


@dataclass(frozen=True)
class Answer:
    """One answer to choose from, and what is said about it."""

    text: str
    right: bool
    feedback: str = ""


@dataclass(frozen=True)
class Question:
    """Answers to choose from, or a number within `tolerance`; `feedback` for right and wrong numbers."""

    id: str
    text: str
    answers: tuple[Answer, ...] = ()
    number: float | None = None
    tolerance: float = 0.0
    feedback: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Task:
    """Something to do: what must be seen for it to be done, and the place that "show me" points at."""

    id: str
    text: str
    conditions: Mapping[str, Any]
    show: str = ""


@dataclass(frozen=True)
class Step:
    """One page of a lesson. `opens` names a sample, a project beside the lesson or one of its networks."""

    id: str
    title: str
    text: str
    tasks: tuple[Task, ...] = ()
    questions: tuple[Question, ...] = ()
    opens: str = ""
    steps: int = 0
    """Steps of training that are done before the person sees it."""
    select: str = ""
    panels: tuple[str, ...] | None = None
    shows: Mapping[str, str] = field(default_factory=dict)
    """Dock -> which of its two views: "a" or "z", "z" or "w", "maps" or "matrix"."""


@dataclass(frozen=True)
class Lesson:
    """A whole lesson in one language."""

    id: str
    title: str
    summary: str
    steps: tuple[Step, ...]
    networks: Mapping[str, Mapping[str, Any]]
    folder: Path
    own: bool = False
    """Whether it comes from the person's own folder."""

    def index(self, step: str) -> int:
        """The place of a step by its id; 0 where a changed lesson no longer has it."""
        return next((at for at, each in enumerate(self.steps) if each.id == step), 0)
