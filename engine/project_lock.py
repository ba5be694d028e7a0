"""Two windows on one project: who has it open, and whether it changed on disk since it was read.

The lock is a small file beside the project, held by the operating system: it is free again when its process
dies, however that happens. Where no file can be made (a read-only folder) there is no lock, and no error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine.errors import N_, ProjectError
from engine.file_lock import take_lock

PREFIX, SUFFIX = ".", ".lock"


class ProjectLock:
    """Held while a project is open for writing; `holder` tells who else has it when it was not got."""

    def __init__(self, path: Path | str) -> None:
        target = Path(os.path.realpath(path))
        self.path = target.with_name(f"{PREFIX}{target.name}{SUFFIX}")
        self.holder = ""
        self._file: IO[str] | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def acquire(self) -> bool:
        """Take the lock without waiting; False when another living process has it (see `holder`)."""
        if self._file is not None:
            return True
        try:
            file = open(self.path, "a+", encoding="utf-8", errors="replace")  # noqa: SIM115 - held open
        except OSError:
            return True  # nothing can be written there, so nothing can be overwritten
        if not _lock(file):
            file.seek(0)
            self.holder = file.read(200).strip()
            file.close()
            return False
        with contextlib.suppress(OSError):
            file.seek(0)
            file.truncate()
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
        self._file, self.holder = file, ""
        return True

    def release(self) -> None:
        """Give it back; the file goes away."""
        if self._file is None:
            return
        if os.name != "nt":  # while it is still locked, or another's fresh file would go
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._file.close()
        self._file = None
        if os.name == "nt":
            with contextlib.suppress(OSError):
                self.path.unlink()


def _lock(file: IO[str]) -> bool:
    if not take_lock(file):
        return False
    if os.name == "nt":
        return True
    # the holder before may have removed the file between our opening and our locking it
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))
    except OSError:
        return False


@dataclass(frozen=True)
class Stamp:
    """What a file was when it was read or written; "" as digest: there was none."""

    size: int
    modified: int
    digest: str

    @classmethod
    def of(cls, path: Path | str) -> Stamp:
        """The present stamp of a file; of nothing when it is not there or cannot be read."""
        try:
            with open(path, "rb") as file:
                facts = os.fstat(file.fileno())
                return cls(facts.st_size, facts.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest())
        except OSError:
            return cls(0, 0, "")


def check_unchanged(path: Path | str, stamp: Stamp) -> None:
    """Raise ProjectError when somebody else wrote `path` since `stamp` was taken.

    A file that vanished is no obstacle: saving brings it back.
    """
    try:
        facts = os.stat(path)
    except OSError:
        return
    if (facts.st_size, facts.st_mtime_ns) == (stamp.size, stamp.modified):
        return
    now = Stamp.of(path)
    if now.digest not in ("", stamp.digest):
        raise ProjectError(
            N_(
                "{file} was changed by another program since it was opened. Save under another name, or "
                "open it again to see what it holds now."
            ),
            file=Path(path).name,
        )
