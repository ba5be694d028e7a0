"""Reads a lesson's folder: `lesson.toml` (states, what counts as done) and `<language>.md` (words).

Whatever is wrong is refused with file, line and reason; nothing in a lesson is ever executed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import N_
from gui.lessons.conditions import CONDITIONS, PANELS
from gui.lessons.lesson import Lesson, LessonError, Step, Task, refuse
from gui.lessons.networks import NETWORK_KEYS, check_network
from gui.lessons.texts import LessonText, StepText, read_text

FILE = "lesson.toml"
FORMAT = 1
MAX_BYTES, MAX_STEPS = 1_000_000, 100
STEP_KEYS = frozenset({"id", "open", "steps", "select", "panels", "shows", "task"})
TOP_KEYS = frozenset({"format", "step", "network"})
DOCK_VIEWS = {
    "weights": ("maps", "matrix"),
    "activations": ("a", "z"),
    "gradients": ("z", "w"),
}


def read_lesson(folder: Path, language: str, *, own: bool = False) -> Lesson:
    """The lesson in `folder`, in `language` or, where it has none, in English or what there is.

    Raises LessonError.
    """
    source = _read(folder / FILE)
    try:
        plain = tomllib.loads(source)
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"\(at line (\d+)", str(fault))
        line = int(found[1]) if found else len(source.splitlines())
        reason = str(fault).split(" (at")[0]
        raise refuse(FILE, line, N_("this is not TOML: {what}"), what=reason) from fault
    except RecursionError as fault:
        raise refuse(FILE, 1, N_("lists are nested too deeply")) from fault
    words = _words_file(folder, language)
    return _Lesson(folder, source, plain, read_text(_read(words), words.name), words.name).build(own)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise refuse(path.name, 1, N_("the file is larger than {n} bytes"), n=MAX_BYTES)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        raise refuse(path.name, line, N_("the file is not UTF-8 text; save it as UTF-8")) from fault
    except OSError as fault:
        raise refuse(path.name, 1, N_("the file cannot be read: {what}"), what=fault.strerror) from fault


def _words_file(folder: Path, language: str) -> Path:
    for name in (language, "en"):
        if (folder / f"{name}.md").is_file():
            return folder / f"{name}.md"
    return next(iter(sorted(folder.glob("*.md"))), folder / f"{language}.md")


class _Lesson:
    """Joins the two files, checking each entry."""

    def __init__(
        self, folder: Path, source: str, plain: Mapping[str, Any], words: LessonText, words_file: str
    ) -> None:
        self.folder, self.plain, self.words, self.words_file = folder, plain, words, words_file
        self.lines = source.splitlines()
        begins = re.compile(r"\s*\[\[\s*step\s*\]\]")
        self.steps_at = [number for number, line in enumerate(self.lines, 1) if begins.match(line)]

    def line_of(self, step: int, key: str = "") -> int:
        """Where a step, or a word in it, stands in lesson.toml."""
        start = self.steps_at[step] if step < len(self.steps_at) else 1
        later = self.steps_at[step + 1] if step + 1 < len(self.steps_at) else len(self.lines) + 1
        if key:
            for number in range(start, later):
                if re.search(rf"\b{re.escape(key)}\b", self.lines[number - 1]):
                    return number
        return start

    def line_with(self, text: str) -> int:
        """The first line of lesson.toml with a word, 1 where there is none."""
        found = (i for i, line in enumerate(self.lines, 1) if re.search(rf"\b{re.escape(text)}\b", line))
        return next(found, 1)

    def build(self, own: bool) -> Lesson:
        plain = self.plain
        if plain.get("format") != FORMAT:
            raise refuse(FILE, self.line_with("format"), N_("“format = {n}” should stand here"), n=FORMAT)
        for name in set(plain) - TOP_KEYS:
            raise refuse(FILE, self.line_with(name), N_("“{name}” is not known here"), name=name)
        networks = plain.get("network", {})
        if not isinstance(networks, dict) or not all(isinstance(n, dict) for n in networks.values()):
            raise refuse(FILE, self.line_with("network"), N_("a network is a table [network.name]"))
        for name, network in networks.items():
            line = self.line_with(f"network.{name}")
            for key in set(network) - NETWORK_KEYS:
                raise refuse(FILE, line, N_("“{name}” is not known here"), name=key)
            reason = check_network(network)
            if reason is not None:
                raise LessonError(N_("{file}, line {line}: {reason}"), file=FILE, line=line, reason=reason)
        steps = plain.get("step")
        if not isinstance(steps, list) or not 0 < len(steps) <= MAX_STEPS:
            text = N_("a lesson has 1 to {n} steps [[step]]")
            raise refuse(FILE, self.line_with("step"), text, n=MAX_STEPS)
        made = [self._step(at, step) for at, step in enumerate(steps)]
        known = {step.id for step in made}
        for name, words in self.words.steps.items():
            if name not in known:
                text = N_("there is no step “{name}” in {where}")
                raise refuse(self.words_file, words.line, text, name=name, where=FILE)
        return Lesson(
            self.folder.name, self.words.title, self.words.summary, tuple(made), networks, self.folder, own
        )

    def _step(self, at: int, plain: Any) -> Step:
        if not isinstance(plain, dict) or not isinstance(plain.get("id"), str):
            raise refuse(FILE, self.line_of(at), N_("a step needs an id, a name in quotes"))
        for name in set(plain) - STEP_KEYS:
            raise refuse(FILE, self.line_of(at, name), N_("“{name}” is not known here"), name=name)
        name = plain["id"]
        words = self.words.steps.get(name)
        if words is None:
            text = N_("the step “{name}” has no words in {where}")
            raise refuse(FILE, self.line_of(at), text, name=name, where=self.words_file)
        for key in ("open", "select"):
            if not isinstance(plain.get(key, ""), str):
                raise refuse(FILE, self.line_of(at, key), N_("“{name}” should be a text"), name=key)
        self._check_open(at, plain.get("open", ""))
        steps = plain.get("steps", 0)
        if not isinstance(steps, int) or isinstance(steps, bool) or not 0 <= steps <= 10_000:
            raise refuse(FILE, self.line_of(at, "steps"), N_("steps should be a whole number up to 10000"))
        return Step(
            name, words.title, words.text, self._tasks(at, plain, words), tuple(words.questions),
            plain.get("open", ""), steps, plain.get("select", ""), self._panels(at, plain),
            self._shows(at, plain),
        )  # fmt: skip

    def _check_open(self, at: int, name: str) -> None:
        """A prepared state is a sample, a network of this lesson, or a project in its folder."""
        if not name or name in self.plain.get("network", {}):
            return
        project = re.fullmatch(r"[\w-]+\.matrizen", name)
        if project and not (self.folder / name).is_file():
            raise refuse(FILE, self.line_of(at, "open"), N_("there is no file {name} here"), name=name)
        if not project and not re.fullmatch(r"[a-z_0-9]+", name):
            text = N_("“{name}” is neither a sample nor a network of this lesson nor a project beside it")
            raise refuse(FILE, self.line_of(at, "open"), text, name=name)

    def _panels(self, at: int, plain: Mapping[str, Any]) -> tuple[str, ...] | None:
        panels = plain.get("panels")
        if panels is None:
            return None
        if not isinstance(panels, list) or not all(name in PANELS for name in panels):
            text = N_("panels is a list of {names}")
            raise refuse(FILE, self.line_of(at, "panels"), text, names=", ".join(PANELS))
        return tuple(panels)

    def _shows(self, at: int, plain: Mapping[str, Any]) -> Mapping[str, str]:
        shows = plain.get("shows", {})
        good = isinstance(shows, dict) and all(v in DOCK_VIEWS.get(k, ()) for k, v in shows.items())
        if not good:
            names = "; ".join(f"{dock}: {', '.join(views)}" for dock, views in DOCK_VIEWS.items())
            raise refuse(FILE, self.line_of(at, "shows"), N_("shows may have {names}"), names=names)
        return dict(shows)

    def _tasks(self, at: int, plain: Mapping[str, Any], words: StepText) -> tuple[Task, ...]:
        tasks = plain.get("task", {})
        if not isinstance(tasks, dict) or not all(isinstance(task, dict) for task in tasks.values()):
            raise refuse(FILE, self.line_of(at, "task"), N_("a task is a table task.name = { … }"))
        for name, (_, line) in words.tasks.items():
            if name not in tasks:
                text = N_("the task “{name}” is not in {where}")
                raise refuse(self.words_file, line, text, name=name, where=FILE)
        made = []
        for name, task in tasks.items():
            if name not in words.tasks:
                text = N_("the task “{name}” has no words in {where}")
                raise refuse(FILE, self.line_of(at, name), text, name=name, where=self.words_file)
            conditions = {key: value for key, value in task.items() if key != "show"}
            self._check_conditions(self.line_of(at, name), conditions)
            show = task.get("show", "")
            if not isinstance(show, str):
                raise refuse(FILE, self.line_of(at, name), N_("“{name}” should be a text"), name="show")
            made.append(Task(name, words.tasks[name][0], conditions, show))
        return tuple(made)

    def _check_conditions(self, line: int, conditions: Mapping[str, Any]) -> None:
        if not conditions:
            raise refuse(FILE, line, N_("a task needs something that shows that it is done"))
        for key, value in conditions.items():
            if key not in CONDITIONS:
                text = N_("“{name}” is not known here; there are {names}")
                raise refuse(FILE, line, text, name=key, names=", ".join(CONDITIONS))
            expected = CONDITIONS[key].check(value)
            if expected is not None:
                raise refuse(FILE, line, N_("{name} should be {expected}"), name=key, expected=expected)
