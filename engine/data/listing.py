"""Which files of a folder belong to which class, before any of them is read as a picture."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.data.cancel import Cancel, check_cancel
from engine.data.files import cannot_open, open_file
from engine.data.headers import picture_format
from engine.errors import N_, DataError, Message

MAX_DEPTH = 8
_NOISE = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_TRAIN_NAMES, _TEST_NAMES = frozenset({"train", "training"}), frozenset({"test", "testing"})


@dataclass
class Listing:
    """Files by class, before any is opened."""

    root: Path
    class_names: tuple[str, ...]
    files: list[tuple[Path, int]] = field(default_factory=list)
    n_test: int = 0  # the last files came from a test folder of their own
    notes: tuple[Message, ...] = ()


def list_folder(path: Path | str, classes: Sequence[str] = (), cancel: Cancel | None = None) -> Listing:
    """Class folders and their files, in a fixed order, links followed once. Raises DataError.

    With `classes` only these folders count. Without, folders around the class folders (as unpacked
    archives have) are opened on the way, and `train` beside `test` is taken as a split.
    """
    root = Path(path)
    try:
        if not stat.S_ISDIR(os.stat(root).st_mode):
            raise NotADirectoryError
        if classes:
            return _fill(Listing(root, tuple(classes)), _chosen(root, classes), cancel)
        for _ in range(3):
            inner, loose = _entries(root)
            if len(inner) != 1 or loose or not _entries(inner[0])[0]:
                break
            root = inner[0]
        parts = {each.name.lower(): each for each in inner}
        trains = [parts[key] for key in parts if key in _TRAIN_NAMES]
        tests = [parts[key] for key in parts if key in _TEST_NAMES]
        if trains and tests and _entries(trains[0])[0]:
            return _list_split(root, trains[0], tests[0], cancel)
        notes = _loose_notes(root, inner, loose)
        return _fill(Listing(root, tuple(each.name for each in inner), notes=notes), inner, cancel)
    except (OSError, ValueError) as problem:
        raise cannot_open(root, problem) from problem


def _chosen(root: Path, classes: Sequence[str]) -> list[Path]:
    there = {each.name: each for each in _entries(root)[0]}
    for name in classes:
        if name not in there:
            raise DataError(
                N_("{file} has no class folder “{expected}”; found {found}. Locate or remove it."),
                file=root.name or str(root),
                expected=name,
                found=", ".join(there)[:200] or "–",
            )
    return [there[name] for name in classes]


def _loose_notes(root: Path, inner: list[Path], loose: list[Path]) -> tuple[Message, ...]:
    """Pictures outside class folders: told, or refused when there is nothing else."""
    count = sum(looks_like_picture(each) for each in loose[:1000])
    if not inner:
        raise DataError(
            N_(
                "{file} has no class folders ({found} pictures lie loose in it); put the pictures of each "
                "class into a folder named like the class."
            ),
            file=root.name or str(root),
            found=count,
        )
    if not count:
        return ()
    return (
        Message(
            N_("{file}: {count} pictures outside the class folders were left out."),
            {"file": root.name, "count": count},
        ),
    )


def _fill(listing: Listing, folders: list[Path], cancel: Cancel | None) -> Listing:
    for label, folder in enumerate(folders):
        for file in _walk(folder, listing.root, cancel):
            listing.files.append((file, label))
    return listing


def _list_split(root: Path, train: Path, test: Path, cancel: Cancel | None) -> Listing:
    train_classes, test_classes = _entries(train)[0], _entries(test)[0]
    names = sorted({each.name for each in (*train_classes, *test_classes)})
    listing = Listing(root, tuple(names))
    for folders, is_test in ((train_classes, False), (test_classes, True)):
        for folder in folders:
            for file in _walk(folder, listing.root, cancel):
                listing.files.append((file, names.index(folder.name)))
                listing.n_test += is_test
    return listing


def list_names(path: Path) -> tuple[list[Path], list[Path]]:
    """(folders, files) directly inside a folder, as `list_folder` sees them. Raises DataError."""
    try:
        return _entries(path)
    except OSError as problem:
        raise cannot_open(path, problem) from problem


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """(folders, files) directly inside, sorted by name, hidden ones and system files left out."""
    folders: list[Path] = []
    files: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in _NOISE:
                continue
            try:
                (folders if entry.is_dir() else files).append(Path(entry.path))
            except OSError:  # a link that leads in circles
                files.append(Path(entry.path))
    return sorted(folders, key=_by_name), sorted(files, key=_by_name)


def _by_name(path: Path) -> tuple[str, str]:
    return path.name.casefold(), path.name


def _walk(folder: Path, root: Path, cancel: Cancel | None) -> Iterator[Path]:
    """All files below a class folder; a folder reached twice through links is entered once, and a link
    back to `root`, where the other classes are, not at all."""
    above = os.stat(root)
    seen = {(above.st_dev, above.st_ino)}
    waiting = [(folder, 0)]
    while waiting:
        check_cancel(cancel)
        current, depth = waiting.pop()
        try:
            status = os.stat(current)
            if (status.st_dev, status.st_ino) in seen and status.st_ino:
                continue
            seen.add((status.st_dev, status.st_ino))
            folders, files = _entries(current)
        except OSError:
            yield current  # reading it as a file says why it was left out
            continue
        yield from files
        if depth < MAX_DEPTH:
            waiting.extend((each, depth + 1) for each in reversed(folders))


def looks_like_picture(path: Path) -> bool:
    try:
        with open_file(path) as file:
            return picture_format(file.read(16)) is not None
    except (OSError, DataError):
        return False
