"""A lock on an open file, let go by the system when its process ends, however it ends."""

from __future__ import annotations

import sys
from typing import IO

_LOCKED_BYTE = 1 << 20
"""Beyond the text, or on Windows nobody else could read it."""


def take_lock(file: IO[str]) -> bool:
    """Take the lock without waiting; False when a living process has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
