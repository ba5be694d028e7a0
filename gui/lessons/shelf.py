"""Where lessons lie: those of the program, and a folder of the person's own that copies are put into."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QStandardPaths

from engine.errors import N_
from gui import resources
from gui.lessons.lesson import Lesson, LessonError
from gui.lessons.reading import FILE, read_lesson
from gui.windows_state import WindowsState

SETTING = "lessons_folder"
MOST = 200


@dataclass(frozen=True)
class Found:
    """A lesson's folder, with the lesson or why it cannot be read."""

    folder: Path
    own: bool
    lesson: Lesson | None = None
    refusal: LessonError | None = None


def own_folder(state: WindowsState) -> Path:
    """The person's folder of lessons; it need not exist."""
    chosen = state.text(SETTING)
    if chosen:
        return Path(chosen)
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(documents or Path.home()) / "Matrizen" / "lessons"


def find_lessons(state: WindowsState, language: str) -> list[Found]:
    """All lessons there are: first the program's, then the person's own."""
    found = [_look(folder, language, own=False) for folder in _folders(resources.path("lessons"))]
    return found + [_look(folder, language, own=True) for folder in _folders(own_folder(state))]


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if (path / FILE).is_file())[:MOST]
    except OSError:
        return []


def _look(folder: Path, language: str, *, own: bool) -> Found:
    try:
        return Found(folder, own, lesson=read_lesson(folder, language, own=own))
    except LessonError as refusal:
        return Found(folder, own, refusal=refusal)


def copy_to_own(lesson: Lesson, state: WindowsState) -> Path:
    """A copy that can be edited. Raises LessonError."""
    root = own_folder(state)
    name = re.sub(r"_copy\d*\Z", "", lesson.folder.name)
    target = next(
        path for n in range(1, 1000) if not (path := root / f"{name}_copy{n if n > 1 else ''}").exists()
    )
    try:
        root.mkdir(parents=True, exist_ok=True)
        shutil.copytree(lesson.folder, target)
    except OSError as fault:
        raise LessonError(
            N_("The lesson cannot be copied to {folder}: {what}"), folder=str(root), what=fault.strerror
        ) from fault
    return target
