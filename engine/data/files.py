"""Opening files that may be missing, folders, pipes or forbidden, with a reason people understand."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from engine.errors import N_, DataError, MatrizenError


def open_file(path: Path | str, error: type[MatrizenError] = DataError) -> BinaryIO:
    """An ordinary file opened for reading. Raises `error` when there is none or it may not be read."""
    path = Path(path)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if not stat.S_ISREG(mode):  # a pipe or device would block or never end
            raise error(N_("{file} is no ordinary file; choose another one."), file=str(path))
        return open(path, "rb")
    except (OSError, ValueError) as problem:
        raise cannot_open(path, problem, error) from problem


def read_file(path: Path | str, limit: int, error: type[MatrizenError] = DataError) -> bytes:
    """All bytes of a file of at most `limit` bytes; empty files are refused. Raises `error`."""
    with open_file(path, error) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            data = file.read(limit + 1) if size <= limit else b""
        except OSError as problem:
            raise cannot_open(Path(path), problem, error) from problem
    if size > limit or len(data) > limit:
        raise error(
            N_("{file} has {found} MB; at most {expected} MB are read."),
            file=str(path),
            found=size >> 20,
            expected=limit >> 20,
        )
    if not data:
        raise error(N_("{file} is empty (0 bytes); choose another file."), file=str(path))
    return data


def cannot_open(
    path: Path | str, problem: OSError | ValueError, error: type[MatrizenError] = DataError
) -> MatrizenError:
    """The refusal for a path that is missing, a folder, or not readable."""
    if isinstance(problem, FileNotFoundError):
        return error(
            N_("{file} is not there; was it moved? Locate it or choose another file."), file=str(path)
        )
    if isinstance(problem, IsADirectoryError):
        return error(N_("{file} is a folder; expected a file."), file=str(path))
    if isinstance(problem, NotADirectoryError):
        return error(N_("{file} is a file; expected a folder."), file=str(path))
    if isinstance(problem, PermissionError):
        return error(N_("{file} may not be read; change its permissions or copy it."), file=str(path))
    reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    return error(N_("{file} cannot be read: {reason}."), file=str(path), reason=reason)
