"""Shared memory that belongs to the window: made, found again by name, and never left behind.

A segment is POSIX or Windows shared memory; where that cannot be had (none, full, or too small a /dev/shm)
it is a file mapped into memory. Every window keeps a list of its segments in the user's cache, locked while
it lives: the next window unlinks what a killed one left. Names have at most 30 characters (macOS).
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
import tempfile
from multiprocessing import shared_memory
from pathlib import Path
from typing import IO, Any

from engine.backends.opencl.cache import cache_folder
from engine.file_lock import take_lock

PREFIX = "mtz_"
FILE = "file:"


class Segment:
    """A piece of memory two processes see. `buf` is writable; `close` lets go, `unlink` also removes it."""

    def __init__(self, name: str, memory: shared_memory.SharedMemory | None = None,
                 mapped: mmap.mmap | None = None) -> None:
        self.name = name
        self._memory, self._mapped = memory, mapped
        source: Any = memory.buf if memory is not None else mapped
        self.buf = memoryview(source)

    @property
    def size(self) -> int:
        return len(self.buf)

    def close(self) -> None:
        """Let go of the memory; it stays for others. Twice does nothing."""
        self.buf.release()
        if self._memory is not None:
            with contextlib.suppress(BufferError):
                self._memory.close()
        if self._mapped is not None:
            with contextlib.suppress(BufferError):
                self._mapped.close()

    def unlink(self) -> None:
        """Let go and remove it for everybody."""
        self.close()
        if self._memory is not None:
            with contextlib.suppress(FileNotFoundError):
                self._memory.unlink()
        else:
            remove(self.name)


def create(size: int, *, shared: bool = True) -> Segment:
    """A new segment of at least `size` zeroed bytes. Raises OSError where not even a file can be had."""
    if shared:
        with contextlib.suppress(OSError):
            return _create_shared(size)
    handle, path = tempfile.mkstemp(prefix=PREFIX, suffix=".slot", dir=_spill_folder())
    try:
        _allocate(handle, size)
        return Segment(FILE + path, mapped=mmap.mmap(handle, size))
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(handle)


def attach(name: str) -> Segment:
    """A segment made by another process. Raises OSError when it is gone."""
    if name.startswith(FILE):
        with open(name.removeprefix(FILE), "r+b") as file:
            return Segment(name, mapped=mmap.mmap(file.fileno(), 0))
    return Segment(name, memory=shared_memory.SharedMemory(name))


def remove(name: str) -> None:
    """Remove a segment by name; none of that name is fine."""
    if name.startswith(FILE):
        with contextlib.suppress(OSError):
            os.unlink(name.removeprefix(FILE))
        return
    if not name.startswith(PREFIX):
        return
    with contextlib.suppress(OSError):
        memory = shared_memory.SharedMemory(name)
        memory.close()
        memory.unlink()


def _create_shared(size: int) -> Segment:
    name = f"{PREFIX}{os.getpid():x}_{secrets.token_hex(5)}"
    assert len(name) <= 30
    memory = shared_memory.SharedMemory(name, create=True, size=size)
    try:
        # on Linux a full /dev/shm kills whoever writes; ask for the pages before anything is written
        path = f"/dev/shm/{name}"
        if os.path.exists(path):
            handle = os.open(path, os.O_RDWR)
            try:
                _allocate(handle, size)
            finally:
                os.close(handle)
    except OSError:
        memory.close()
        memory.unlink()
        raise
    return Segment(name, memory=memory)


def _allocate(handle: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    else:
        os.ftruncate(handle, size)


def _spill_folder() -> Path | None:
    folder = cache_folder() / "slots"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None  # the system's folder for temporary files
    return folder


class Registry:
    """The list of one window's segments, in a file that is locked as long as the window lives.

    A cache that cannot be written is no reason to fail: the list is then not kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "segments"
        self._file: IO[str] | None = None
        self._names: set[str] = set()

    def sweep(self) -> list[str]:
        """Remove the segments of windows that are dead; their names."""
        removed: list[str] = []
        for path in self.folder.glob("*.json") if self.folder.is_dir() else ():
            if self._file is not None and path.name == Path(self._file.name).name:
                continue
            with contextlib.suppress(OSError), open(path, "r+", encoding="utf-8") as file:
                if not take_lock(file):
                    continue
                with contextlib.suppress(ValueError, TypeError, AttributeError):
                    for name in json.load(file)["segments"]:
                        remove(str(name))
                        removed.append(str(name))
            with contextlib.suppress(OSError):
                path.unlink()
        return removed

    def add(self, segment: Segment) -> None:
        self._names.add(segment.name)
        self._write()

    def discard(self, name: str) -> None:
        self._names.discard(name)
        self._write()

    def close(self) -> None:
        """The window has removed its segments itself: the list goes, too."""
        if self._file is not None:
            name = self._file.name
            self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                os.unlink(name)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            if self._file is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                handle, name = tempfile.mkstemp(prefix=f"{os.getpid()}_", suffix=".json", dir=self.folder)
                os.close(handle)
                self._file = open(name, "r+", encoding="utf-8")  # noqa: SIM115 - held while the window lives
                take_lock(self._file)
            self._file.seek(0)
            self._file.truncate()
            json.dump({"segments": sorted(self._names)}, self._file)
            self._file.flush()
