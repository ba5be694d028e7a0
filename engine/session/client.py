"""The window's half: starts the engine's process, owns its memory, and goes on when it dies. No Qt here.

Nothing blocks: commands are written by a thread, answers are polled. Commands that change the run are kept
until a checkpoint contains them, so that a new process can be brought to where the dead one was.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from engine.errors import N_, Message
from engine.session import protocol as p
from engine.session import slots, worker
from engine.session.segments import Registry, Segment, create

FRAME_BYTES = 4_000_000
CLOSE_SECONDS = 2.0
_CHANGES_RUN = (p.Configure, p.Play, p.Pause, p.Step, p.Reset, p.SetTraining, p.SetPace, p.SetDevice,
                p.EditCells, p.ChooseLine, p.RemoveLine)


class Died(Exception):
    """The engine's process ended without being asked to. `code` is its exit status, negative for a signal."""

    def __init__(self, code: int | None) -> None:
        super().__init__(str(code))
        self.code = code

    @property
    def message(self) -> Message:
        if self.code is not None and self.code < 0:
            return Message(N_("The engine was stopped by signal {signal}."), {"signal": -self.code})
        return Message(N_("The engine stopped unexpectedly (status {status})."), {"status": self.code})


class Client:
    """One engine process at a time. `send`, `poll` and `restart` belong to one thread, the window's."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or Registry()
        self.registry.sweep()
        self.status = p.Status()
        self._process: Any = None
        self._connection: Connection | None = None
        self._outbox: queue.SimpleQueue[p.Envelope | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._serial = 0
        self._journal: list[p.Envelope] = []
        self._watches: dict[str, p.Watch] = {}
        self._history: p.SetHistory | None = None
        self._pulled = False
        self._slots: tuple[Segment, Segment] | None = None
        self._older: list[tuple[int, tuple[Segment, Segment]]] = []
        """Slots that were too small, with the serial after which they are no longer needed."""
        self._frames: Segment | None = None
        self._slots_failed = False
        atexit.register(self.close)  # a program that ends without closing leaves nothing either

    # ---- the process ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start a process. Raises OSError when the system has none to give."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=worker.run, args=(theirs,), daemon=True, name="matrizen-engine")
        added = worker.environment()
        os.environ.update(added)  # a child is born with them; the window itself needs no threads of BLAS
        try:
            process.start()
        finally:
            for name in added:
                os.environ.pop(name, None)
            theirs.close()
        self._process, self._connection = process, ours
        self._outbox = queue.SimpleQueue()
        self._writer = threading.Thread(target=_write, args=(ours, self._outbox), daemon=True)
        self._writer.start()
        self._pulled = False
        self._use_memory()

    @property
    def pid(self) -> int | None:
        """Id of the engine's process."""
        return self._process.pid if self._process is not None else None

    @property
    def started(self) -> bool:
        """Whether there is a process that is not known to be dead."""
        return self._connection is not None

    @property
    def handle(self) -> int | None:
        """The end of the pipe that becomes readable when the engine speaks; None without a process."""
        return self._connection.fileno() if self._connection is not None else None

    @property
    def last_serial(self) -> int:
        """Number of the last command."""
        return self._serial

    def restart(self, replay: bool = True, off_device: Message | None = None) -> p.RunState | None:
        """A new process in the place of a dead one, brought to the newest checkpoint and beyond.

        `replay`: also the commands that no checkpoint contains. Without it the run comes back paused: for an
        engine that dies of what it is told. `off_device`: on NumPy, for this reason, whatever it ran on.
        Returns the state it goes on from, None when there was none.
        """
        self._drop_process()
        state = self.newest()
        journal = [e for e in self._journal if state is None or e.serial > state.serial]
        if not replay:
            journal = [e for e in journal if isinstance(e.command, p.Configure)] if state is None else []
        if off_device is not None:
            journal = [_on_numpy(e, off_device) for e in journal if not isinstance(e.command, p.SetDevice)]
        self.start()
        if self._history is not None:
            self._post(self._history)
        self._journal = []
        if state is not None:
            device = state.device if off_device is None else "numpy"
            self.send(p.Configure(state.graph, state.training, state.source, state.generation, device,
                                  state.base, resume=state, why=off_device))
            if not replay:
                self.send(p.Pause())
        for envelope in journal:
            self.send(envelope.command)
        for watch in self._watches.values():
            self._post(watch)
        return state

    def newest(self) -> p.RunState | None:
        """The newest checkpoint that is whole; None when there is none."""
        pairs = [pair for pair in (self._slots, *(old for _, old in self._older)) if pair is not None]
        states: list[p.RunState] = [s for pair in pairs if (s := slots.newest(pair)) is not None]
        # serials grow over all processes: the highest one knows the most
        return max(states, key=lambda s: (s.serial, s.checkpoint.step), default=None)

    # ---- talking --------------------------------------------------------------------------------------

    def send(self, command: p.Command) -> int:
        """Say something; its serial. Never blocks or fails: a dead engine is told again after `restart`."""
        if isinstance(command, p.Watch):
            if command.request is None:
                self._watches.pop(command.key, None)
            else:
                self._watches[command.key] = command
        if isinstance(command, p.SetHistory):
            self._history = command
        envelope = self._post(command)
        if isinstance(command, _CHANGES_RUN):
            self._journal.append(envelope)
        return envelope.serial

    def pull(self) -> bool:
        """Ask for a status and a frame unless the last request is still open."""
        if self._pulled:
            return False
        self._pulled = True
        self._post(p.Pull())
        return True

    @property
    def waiting(self) -> bool:
        """Whether a pull is open."""
        return self._pulled

    def _post(self, command: p.Command) -> p.Envelope:
        self._serial += 1
        envelope = p.Envelope(self._serial, command)
        self._outbox.put(envelope)
        return envelope

    def poll(self) -> list[p.Event]:
        """What the engine said since the last time. Raises Died, once all it said was given out."""
        events: list[p.Event] = []
        connection = self._connection
        if connection is None:
            return events
        try:
            while connection.poll(0):
                event = self._decode(connection.recv())
                self._note(event)
                events.append(event)
        except (EOFError, OSError) as error:
            if not events:
                raise self._death() from error
            return events
        if not events and not self._process.is_alive() and not connection.poll(0):
            raise self._death()
        return events

    def _death(self) -> Died:
        self._process.join(1.0)
        code = self._process.exitcode
        self._drop_process()
        return Died(code)

    def _decode(self, said: Any) -> p.Event:
        if not isinstance(said, tuple):
            return said  # type: ignore[no-any-return]
        kind, needed, *rest = said
        if kind == "frame":
            assert self._frames is not None
            frame = slots.unpack(bytearray(self._frames.buf[:needed]))
        else:
            frame = rest[0]
            if self._frames is not None:
                self._use_memory(frame_bytes=2 * needed)
        return frame  # type: ignore[no-any-return]

    def _note(self, event: p.Event) -> None:
        match event:
            case p.Status():
                self._pulled = self._pulled and not event.answer
                self.status = event
            case p.Saved():
                self._journal = [e for e in self._journal if e.serial > event.serial]
                for serial, pair in self._older:
                    if event.serial >= serial:
                        self._remove(pair)
                self._older = [(s, pair) for s, pair in self._older if event.serial < s]
            case p.NeedSlots():
                self._use_memory(slot_bytes=event.bytes)

    # ---- memory ---------------------------------------------------------------------------------------

    def _use_memory(self, slot_bytes: int = 0, frame_bytes: int = 0) -> None:
        """Make the segments that are needed and tell the engine their names."""
        try:
            if self._frames is None or frame_bytes > self._frames.size:
                new = self._create(max(FRAME_BYTES, frame_bytes))
                if self._frames is not None:
                    self._remove((self._frames,))
                self._frames = new
            if slot_bytes > (self._slots[0].size if self._slots is not None else 0):
                pair = self._create(slot_bytes), self._create(slot_bytes)
                if self._slots is not None:
                    self._older.append((self._serial + 1, self._slots))
                self._slots = pair
        except OSError:
            # without memory the run goes on, but could not be continued: the window shows it
            self._slots_failed = True
        names = (self._slots[0].name, self._slots[1].name) if self._slots is not None else ("", "")
        self._post(p.UseSlots(names, self._frames.name if self._frames is not None else ""))

    @property
    def protected(self) -> bool:
        """Whether the run would survive the death of the engine; False when memory for it cannot be had."""
        return not self._slots_failed

    def _create(self, size: int) -> Segment:
        segment = create(size)
        self.registry.add(segment)
        return segment

    def _remove(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            segment.unlink()
            self.registry.discard(segment.name)

    # ---- the end --------------------------------------------------------------------------------------

    def kill(self) -> None:
        """End a process that does not answer; `poll` finds it dead."""
        if self._process is not None:
            self._process.kill()

    def _drop_process(self) -> None:
        self._outbox.put(None)
        if self._process is not None:
            if self._process.is_alive():
                self._process.kill()
            self._process.join(1.0)
        if self._writer is not None:
            self._writer.join(1.0)  # before the pipe it may be writing to is closed under it
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._pulled = False

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """End the process and remove all memory. Waits at most about `seconds`; twice does nothing."""
        atexit.unregister(self.close)
        if self._process is not None:
            self._post(p.Shutdown())
            end = time.monotonic() + seconds
            while self._process.is_alive() and time.monotonic() < end:
                with contextlib.suppress(EOFError, OSError):
                    # its last words must not block it
                    while self._connection is not None and self._connection.poll(0):
                        self._connection.recv()
                self._process.join(0.01)
            self._drop_process()
            if not self._process.is_alive():
                self._process.close()
            self._process = None
        if self._writer is not None:
            self._writer.join(1.0)
            self._writer = None
        for pair in (self._slots, *(old for _, old in self._older)):
            self._remove(pair or ())
        self._remove((self._frames,) if self._frames is not None else ())
        self._slots, self._frames, self._older = None, None, []
        self.registry.close()


def _on_numpy(envelope: p.Envelope, why: Message) -> p.Envelope:
    """A command that names a device, told anew for NumPy."""
    c = envelope.command
    if isinstance(c, p.Configure) and c.device:
        return p.Envelope(envelope.serial, replace(c, device="numpy", why=why))
    return envelope


def _write(connection: Connection, outbox: queue.SimpleQueue[p.Envelope | None]) -> None:
    """The thread that writes: a full pipe holds it, not the window."""
    while (envelope := outbox.get()) is not None:
        try:
            connection.send(envelope)
        except OSError:
            return  # the engine is gone; `poll` finds out
