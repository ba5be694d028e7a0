"""An experiment under way: one measuring process after the other, polled, and gone at once when canceled.

Devices are measured one at a time, or they would take the cores from each other. No Qt here; nothing blocks.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from engine.devicelab.experiments import Task, lost
from engine.devicelab.network import Net
from engine.errors import N_, Message

SILENT_SECONDS = 120.0
"""A process that says nothing for so long is given up: a driver hangs, or the work is far too large."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
Event = dict[str, Any]
"""An event of the measuring process with its "device" and "cores"; see engine/devicelab/side.py."""


class Measuring:
    """One process at work."""

    def __init__(self, task: Task, request: Event) -> None:
        root = str(Path(__file__).resolve().parents[2])
        start = f"import sys; sys.path.insert(0, {root!r}); from engine.devicelab.side import main; main()"
        environment = dict(os.environ)
        if task.device == "numpy":
            for name in THREAD_VARIABLES:
                environment[name] = str(task.cores or os.cpu_count() or 1)
        self.task = task
        self.heard = time.monotonic()
        self.open = {job.key for job in task.jobs}
        """Jobs that were not answered yet."""
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by kill
        self.process = subprocess.Popen(
            [sys.executable, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._talk = threading.Thread(
            target=_talk, args=(self.process, json.dumps(request), self.lines), daemon=True
        )
        self._talk.start()

    def ending(self) -> Message:
        """Why it ended before its work was done; after its output closed."""
        status = self.process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        last = said[-1][:200] if said else f"exit status {status}"
        return Message(N_("the measuring process stopped by itself ({reason})"), {"reason": last})

    def kill(self) -> None:
        """End it now, whatever it does, and take everything back."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._talk.join(2.0)  # its output has ended
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._errors.close()


class LabRun:
    """Tasks in order. `poll` gives what is new; `cancel` ends it. The folder holds the results compared."""

    def __init__(self, tasks: Sequence[Task], net: Net | None = None, peaks: Collection[str] = ()) -> None:
        """`peaks`: devices whose peak need not be measured. Starts the first process."""
        self._folder = tempfile.TemporaryDirectory(prefix="matrizen-lab-")
        self.folder = Path(self._folder.name)
        self._waiting = list(tasks)
        self._net = net
        self._peaks = set(peaks)
        self._current: Measuring | None = None
        self.total = sum(len(t.jobs) for t in tasks)
        self.finished = 0
        """Jobs that were answered, or cannot be any more."""
        self.canceled = False
        self._unheard: list[Event] = []
        self._start_next()

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self._current is None and not self._waiting

    @property
    def task(self) -> Task | None:
        """What is measured now."""
        return self._current.task if self._current is not None else None

    @property
    def pid(self) -> int | None:
        """Id of the measuring process."""
        return self._current.process.pid if self._current is not None else None

    def poll(self) -> list[Event]:
        """What came since the last call; never waits."""
        out, self._unheard = self._unheard, []
        while (current := self._current) is not None:
            try:
                line = current.lines.get_nowait()
            except queue.Empty:
                if time.monotonic() - current.heard > SILENT_SECONDS:
                    limit = Message(
                        N_("the driver did not answer within {seconds} s"), {"seconds": round(SILENT_SECONDS)}
                    )
                    self._end(current, limit, out)
                    continue
                break
            if line is None:
                self._end(current, None, out)
                continue
            current.heard = time.monotonic()
            event = self._event(line)
            if event is not None:
                self._take(current, event, out)
        return out

    def cancel(self) -> None:
        """Stop: the process is gone when this returns, and nothing more comes."""
        self._waiting.clear()
        if self._current is not None:
            self._current.kill()
            self._current = None
            self.canceled = True

    def close(self) -> None:
        """Cancel, and take the results compared away."""
        self.cancel()
        self._folder.cleanup()

    # ---- inside ----------------------------------------------------------------------------------------

    def _start_next(self) -> None:
        if not self._waiting:
            return
        task = self._waiting.pop(0)
        request: Event = {
            "device": task.device,
            "cores": task.cores,
            "jobs": [job.plain() for job in task.jobs],
            "net": self._net.plain() if self._net is not None else None,
            "folder": str(self.folder),
            "peak": task.device not in self._peaks and not task.cores,
        }
        try:
            self._current = Measuring(task, request)
        except OSError as problem:  # the system has no process to give
            self.finished += len(task.jobs)
            reason = Message(N_("the test process did not start ({reason})"), {"reason": str(problem)})
            event = {**lost(reason), "key": "", "place": 0.0, "device": task.device, "cores": task.cores}
            self._unheard.append(event)
            self._start_next()

    @staticmethod
    def _event(line: str) -> Event | None:
        if not line.startswith("{"):
            return None
        try:
            found: Event = json.loads(line)
        except ValueError:
            return None
        return found if "event" in found else None

    def _take(self, current: Measuring, event: Event, out: list[Event]) -> None:
        event |= {"device": current.task.device, "cores": current.task.cores}
        if event["event"] == "peak":
            self._peaks.add(current.task.device)
        if event["event"] in ("measured", "layers", "failed"):
            if not event["key"]:  # the device could not be opened: none of its jobs will come
                self.finished += len(current.open)
                current.open.clear()
            elif event["key"] in current.open:
                current.open.discard(event["key"])
                self.finished += 1
        out.append(event)

    def _end(self, current: Measuring, reason: Message | None, out: list[Event]) -> None:
        """The process is over: say so where work was left, and start the next."""
        if current.open:
            if reason is None:
                reason = current.ending()
            event = {**lost(reason), "key": "", "place": 0.0}
            self._take(current, event, out)
        current.kill()
        self._current = None
        self._start_next()


def _talk(process: subprocess.Popen[str], request: str, lines: queue.SimpleQueue[str | None]) -> None:
    """Hand the request over, then listen; its input stays open: closing it ends the process."""
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(OSError, ValueError):  # it died, or was ended while it was read
        process.stdin.write(request + "\n")
        process.stdin.flush()
        for line in process.stdout:
            lines.put(line)
    lines.put(None)
