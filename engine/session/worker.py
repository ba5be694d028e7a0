"""The engine's process: a session at one end of a pipe, the window at the other.

Nothing here or below imports Qt. The process ends when its pipe closes, so a killed window leaves no orphan.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from typing import Any

NICE = 5
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def environment(cores: int | None = None) -> Mapping[str, str]:
    """Variables the process must be born with: NumPy reads them when it is imported."""
    threads = str(max(1, (cores or os.cpu_count() or 2) - 1))
    return {name: threads for name in THREAD_VARIABLES if name not in os.environ}


class Link:
    """The engine's end of the pipe. Frames go through the window's segment, all else through the pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._waiting: deque[Any] = deque()
        self._frames: Any = None

    def emit(self, event: Any) -> None:
        """Send one event; callable from any thread."""
        from engine.session.protocol import Frame

        with self._lock:
            if isinstance(event, Frame):
                self._send_frame(event)
            else:
                self._connection.send(event)

    def _send_frame(self, frame: Any) -> None:
        from engine.session import slots

        parts = slots.pack(frame)
        needed = slots.packed_bytes(parts)
        if self._frames is None or needed > self._frames.size:
            self._connection.send(("inline", needed, frame))
            return
        at = 0
        for part in parts:
            piece = memoryview(part).cast("B")
            self._frames.buf[at : at + piece.nbytes] = piece
            at += piece.nbytes
        self._connection.send(("frame", needed))

    def use_frames(self, name: str) -> None:
        """From now on this segment; one that is gone was replaced, and the next command names the new one."""
        from engine.session.segments import attach

        with self._lock:
            if self._frames is not None and self._frames.name == name:
                return
            if self._frames is not None:
                self._frames.close()
            self._frames = None
            if name:
                with contextlib.suppress(FileNotFoundError):
                    self._frames = attach(name)

    def receive(self, seconds: float | None) -> list[Any]:
        """Commands that came within `seconds` (None: wait for one). EOFError: the window is gone."""
        if not self._waiting and seconds != 0.0:
            self._connection.poll(seconds)
        self._drain()
        taken, self._waiting = list(self._waiting), deque()
        return taken

    def _drain(self) -> None:
        while self._connection.poll(0):
            self._waiting.append(self._connection.recv())

    def superseded(self) -> bool:
        """Whether what is being loaded is no longer wanted."""
        from engine.session.protocol import CancelLoading, Configure, Shutdown

        self._drain()
        return any(isinstance(e.command, Configure | CancelLoading | Shutdown) for e in self._waiting)

    def close(self) -> None:
        if self._frames is not None:
            self._frames.close()
        self._connection.close()


def run(connection: Connection) -> None:
    """What the process does from its first to its last moment."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C belongs to the window
    _lower_priority()
    _follow_parent()
    link = Link(connection)
    try:
        _loop(link)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the window is gone
    finally:
        with contextlib.suppress(OSError):
            link.close()


def _loop(link: Link) -> None:
    from engine.session.protocol import UseSlots
    from engine.session.session import Session

    session = Session(link.emit, canceled=link.superseded)
    try:
        seconds: float | None = 0.0
        while not session.closed:
            for envelope in link.receive(seconds):
                if isinstance(envelope.command, UseSlots):
                    _guarded(link, session, lambda e=envelope: link.use_frames(e.command.frames))
                _guarded(link, session, lambda e=envelope: session.handle(e.command, e.serial))
            seconds = _guarded(link, session, session.work) if not session.closed else None
    finally:
        session.close()


def _guarded(link: Link, session: Any, work: Any) -> Any:
    """A mistake in one command or one turn is reported; the process and its state live on."""
    from engine.errors import N_, Message
    from engine.session.protocol import Fault

    try:
        return work()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        if os.environ.get("MATRIZEN_DEBUG"):
            traceback.print_exc()
        session.rest()
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        message = Message(N_("Unexpected error in the engine, please report it: {text}"), {"text": text})
        link.emit(Fault(message, kind="internal", generation=session.generation))
        return 0.0


def _lower_priority() -> None:
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "win32":
            import ctypes

            below_normal = 0x4000
            kernel = ctypes.windll.kernel32
            kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)
        else:
            os.nice(NICE)


def _follow_parent() -> None:
    """The pipe's end is noticed between chunks; this one ends a process that hangs in a driver, too."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        wait([parent.sentinel])
        time.sleep(2.0)
        os._exit(0)

    threading.Thread(target=follow, daemon=True, name="parent").start()
