"""Writing a file so that the old or the new content is there whole, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from engine.errors import N_, MatrizenError, ProjectError

BACKUP_SUFFIX = ".bak"
_FORBIDDEN = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(1, 10)), *(f"lpt{i}" for i in range(1, 10))}
)


def save_atomically(
    path: Path | str,
    write: Callable[[IO[bytes]], None],
    verify: Callable[[Path], None],
    *,
    backup: bool = False,
    error: type[MatrizenError] = ProjectError,
) -> Path:
    """Write through a temporary file in the same folder; returns the path written.

    Order: write, flush, fsync, re-open and `verify`, keep the old file as a backup if asked, replace, fsync
    the folder. A symbolic link keeps pointing at the file that is replaced. Raises `error` with the reason
    when it cannot be done; the old file is then untouched.
    """
    check_file_name(Path(path), error)
    target = Path(os.path.realpath(path))
    check_file_name(target, error)
    if os.path.isdir(target):
        raise error(N_("{file} is a folder; choose a file name."), file=target.name)
    try:
        handle, temporary = tempfile.mkstemp(prefix=".matrizen-", suffix=".tmp", dir=target.parent)
    except OSError as problem:
        raise _cannot_write(target, problem, error) from problem
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        verify(Path(temporary))  # through the file system again, before anything is given up
        _keep_mode(target, temporary)
        if backup and target.exists():
            _keep_backup(target)
        _replace(Path(temporary), target)
        _sync_folder(target.parent)
    except OSError as problem:
        raise _cannot_write(target, problem, error) from problem
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    return target


def check_file_name(path: Path, error: type[MatrizenError] = ProjectError) -> None:
    """Refuse names that some system cannot store (reserved words, trailing dot or space)."""
    stem = path.name.split(".")[0].lower()
    if stem in _FORBIDDEN or path.name.endswith((".", " ")) or not path.name or "\0" in str(path):
        raise error(
            N_("“{name}” cannot be used as a file name on every system; choose another."), name=path.name
        )


def _keep_mode(target: Path, temporary: str) -> None:
    with contextlib.suppress(OSError):
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        os.chmod(temporary, mode)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _keep_backup(target: Path) -> None:
    """The old file under its name and `.bak`, whole at every moment: a hard link where possible."""
    name = Path(str(target) + BACKUP_SUFFIX)
    if len(os.fsencode(name.name)) > 255:
        return  # the name itself fits, with the suffix it does not
    handle, temporary = tempfile.mkstemp(prefix=".matrizen-", suffix=".bak", dir=target.parent)
    os.close(handle)
    try:
        os.unlink(temporary)
        try:
            os.link(target, temporary)
        except OSError:  # no hard links here
            with target.open("rb") as old, open(temporary, "wb") as copy:
                shutil.copyfileobj(old, copy)
                copy.flush()
                os.fsync(copy.fileno())
        _replace(Path(temporary), name)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _replace(source: Path, target: Path) -> None:
    """os.replace, tried again for a moment where a scanner holds the file (Windows)."""
    for attempt in range(20):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == 19:
                raise
            time.sleep(0.05)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot_write(path: Path, problem: OSError, error: type[MatrizenError]) -> MatrizenError:
    return error(
        N_("{file} could not be saved: {reason}. The file on disk is unchanged; choose another place."),
        file=path.name,
        reason=problem.strerror or type(problem).__name__,
    )
