"""Long computations beside the run: done in slices between its turns, told of as they go, stopped at will."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from engine.errors import N_, MatrizenError, Message
from engine.session.events import Event, JobNews, Reply

SLICE_MS = 8.0
"""Longest piece of a job between two looks at the commands, but for one op that takes longer."""
SHARE = 0.3
"""Part of the time that jobs may take while the run moves."""
NEWS_SECONDS = 0.2


class Job(Protocol):
    """Something long. `result` is a copy of what is known, and may be asked for before the end."""

    def steps(self) -> Iterator[None]:
        """Do it, pausing as often as possible."""

    def result(self) -> Any:
        """What is known by now."""


class Jobs:
    """The jobs under way, oldest first; one works at a time. A job ends with the `Reply` to its command."""

    def __init__(self, emit: Callable[[Event], None], clock: Callable[[], float]) -> None:
        self._emit, self._clock = emit, clock
        self._jobs: dict[int, tuple[Job, Iterator[None]]] = {}
        self._rests = 0.0
        self._told = 0.0

    @property
    def busy(self) -> bool:
        """Whether a job has something left to do."""
        return bool(self._jobs)

    def start(self, id: int, job: Job) -> None:
        """From now on `work` does it."""
        self._jobs[id] = (job, job.steps())

    def cancel(self, id: int) -> None:
        """Stop it and answer with what it has; one that has ended is left alone."""
        if id in self._jobs:
            self._end(id)

    def drop(self) -> None:
        """Forget all, unanswered."""
        self._jobs.clear()

    def due(self, now: float, moving: bool) -> bool:
        """Whether `work` should be called in this turn."""
        return self.busy and (not moving or now >= self._rests)

    def work(self) -> bool:
        """One slice of the oldest job; whether there is more to do."""
        if not self._jobs:
            return False
        id, (job, steps) = next(iter(self._jobs.items()))
        start = time.perf_counter()
        try:
            while time.perf_counter() - start < SLICE_MS / 1000:
                if next(steps, self) is self:
                    self._end(id)
                    return self.busy
        except MatrizenError as error:
            self._fail(id, error.message)
        except MemoryError:
            self._fail(id, Message(N_("Not enough memory for this; the network stays as it was.")))
        now = self._clock()
        self._rests = now + (time.perf_counter() - start) * (1 / SHARE - 1)
        if id in self._jobs and now - self._told >= NEWS_SECONDS:
            self._told = now
            self._emit(JobNews(id, job.result()))
        return self.busy

    def _end(self, id: int) -> None:
        job, steps = self._jobs.pop(id)
        del steps
        self._emit(Reply(id, job.result()))

    def _fail(self, id: int, message: Message) -> None:
        del self._jobs[id]
        self._emit(Reply(id, None, message))
