"""States of a run on disk, in the user's cache: what memory is too short for.

Every spool has a folder of its own, held by a lock; folders of programs that are gone are removed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.backends.base import Array
from engine.backends.opencl.cache import cache_folder
from engine.file_lock import take_lock

_numbers = itertools.count(1)


class Spool:
    """Writes states one file each. Whatever the disk refuses is answered by None, never raised."""

    def __init__(self, folder: Path | None = None) -> None:
        self._root = folder or cache_folder() / "history"
        self._folder: Path | None = None
        self._lock: IO[str] | None = None
        self._names = itertools.count(1)
        self._failed = False

    def write(self, state: Mapping[str, Array]) -> Path | None:
        """Where the state lies now, or None."""
        folder = self._open()
        if folder is None:
            return None
        path = folder / f"{next(self._names)}.npz"
        try:
            with open(path, "wb") as file:
                arrays: dict[str, Any] = dict(state)
                np.savez(file, **arrays)
        except OSError:
            self.drop(path)
            return None
        return path

    @staticmethod
    def read(path: Path) -> dict[str, Array] | None:
        """A state as it was written; None when the file is gone or damaged."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (OSError, ValueError, EOFError, KeyError):
            return None

    @staticmethod
    def drop(path: Path) -> None:
        """Forget one state."""
        with contextlib.suppress(OSError):
            path.unlink()

    def close(self) -> None:
        """Remove everything."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _open(self) -> Path | None:
        if self._folder is None and not self._failed:
            try:
                self._root.mkdir(parents=True, exist_ok=True)
                self._sweep()
                folder = self._root / f"{os.getpid()}-{next(_numbers)}"
                folder.mkdir()
                held = open(folder / "lock", "w", encoding="ascii")  # noqa: SIM115 held until the end
                take_lock(held)
                self._folder, self._lock = folder, held
            except OSError:
                self._failed = True
        return self._folder

    def _sweep(self) -> None:
        """Remove what programs left that are no more: nobody holds their lock."""
        for folder in self._root.iterdir():
            with contextlib.suppress(OSError):
                with open(folder / "lock", "r+", encoding="ascii") as held:
                    gone = take_lock(held)
                if gone:
                    shutil.rmtree(folder, ignore_errors=True)


def available_memory() -> int | None:
    """Bytes of memory that programs may still take; None where the system does not say."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    return None
