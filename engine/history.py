"""The past of a run: points by step under a cap of bytes, so that any step can be shown again.

Between two points the way is replayed, bit for bit. Points are as far apart as a replay may last, and when
there are too many those go first whose loss makes the replay least longer for its age. Where a run was left
for another way, both ways are lines that share the points before the fork.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.curves import Curve
from engine.data.dataset import Dataset
from engine.errors import N_, GraphError, Message
from engine.graph import GraphSpec
from engine.returning import cut
from engine.run import Checkpoint, Point
from engine.settings import TrainingSpec
from engine.spool import Spool, available_memory
from engine.training import Trainer
from engine.values import Program

CAP = 500_000_000
"""Bytes of points, in memory and on disk together."""
REPLAY_SECONDS = 0.05
"""Points are at most about so much computing apart."""
OVERHEAD = 0.03
"""Part of the time that keeping points may take."""
MOST_POINTS, MOST_LINES = 4000, 12
LOOK_EVERY = 32
"""Points between two looks at how much memory is left."""
LEAST_MEMORY = 32_000_000


@dataclass(eq=False)
class Kept:
    """A point in memory or on disk. `fixed`: what follows cannot be reached from the points before it."""

    step: int
    bytes: int
    fixed: bool
    point: Point
    file: Path | None = None
    best: bool = False
    """Whether it is the best of its line: it is not thinned out."""


@dataclass(eq=False)
class Line:
    """One way a run went. What it was when it was left; of the present line the trainer knows more."""

    id: int
    parent: int | None = None
    start: int = 0
    """Step at which it left its parent."""
    points: list[Kept] = field(default_factory=list)
    run: Checkpoint | None = None
    """Its newest step; None before it was left for the first time."""
    program: Program | None = None
    recorded: tuple[GraphSpec, TrainingSpec, Dataset] | None = None
    """What the program was made of."""
    drawn: tuple[GraphSpec, TrainingSpec] | None = None
    """The same with the hot settings of its newest step."""
    curve: Curve | None = None
    """The curve of `run`, for those who show it again and again."""
    whole: bool = True
    """Whether `run` has its state; without it a line can only be compared."""


class History:
    """The points and lines of one run. Without room for two points it keeps none and says so."""

    def __init__(self, cap: int = CAP, spool: Spool | None = None) -> None:
        self.cap = cap
        self.spool = spool or Spool()
        self._line = Line(1)
        self.lines = [self._line]
        self.reason: Message | None = None
        """Why steps before the first point cannot be shown, where there is a reason besides age."""
        self._spacing = REPLAY_SECONDS
        self._costs: deque[float] = deque(maxlen=5)
        self._seconds = 0.0
        self._fresh = True
        self._count = 0
        self._memory: int | None = None
        self._size = 0

    @property
    def line(self) -> Line:
        """The present one."""
        return self._line

    # ---- keeping --------------------------------------------------------------------------------------

    def begin(self, reason: Message | None = None) -> None:
        """Another run: nothing of the one before is kept."""
        for kept in self._all():
            self._forget(kept)
        self._line = Line(1)
        self.lines = [self._line]
        self.begin_program(reason)

    def begin_program(self, reason: Message | None = None, *, device: bool = False) -> None:
        """Another program goes on with the run: steps before it cannot be shown again.

        On another `device` the points of all lines are worth nothing: a replay would round differently.
        """
        self.reason = reason
        for line in self.lines if device else [self._line]:
            gone, line.points = line.points, []
            for kept in gone:
                self._forget_unless_used(kept)
        self._costs.clear()
        self._fresh = True

    def ready(self, t: Trainer) -> None:
        """Steps follow: the one they begin at is kept. Not earlier, for a device may fail at it."""
        if self._fresh:
            self.keep(t, fixed=True)

    def spent(self, seconds: float) -> None:
        """Steps took so long."""
        self._seconds += seconds

    def due(self, t: Trainer) -> bool:
        """Whether the step should be kept."""
        return self._seconds >= self._spacing and not t.rewound

    def keep(self, t: Trainer, *, fixed: bool = False) -> None:
        """Keep this step boundary. `fixed`: the state was changed otherwise than by a step."""
        start = time.perf_counter()
        point, self._fresh = t.point(), False
        point.loss = t.curve.last
        size = point.bytes
        if 2 * size > self.cap:
            self._too_large(size)
            return
        points = self._line.points
        while points and points[-1].step >= point.step:
            fixed = fixed or points[-1].fixed
            self._forget_unless_used(points.pop())
        points.append(Kept(point.step, size, fixed, point))
        self._size += size
        self._make_room()
        self._costs.append(time.perf_counter() - start)
        # on a busy machine one that took long says nothing about the next
        self._spacing, self._seconds = max(REPLAY_SECONDS, min(self._costs) / OVERHEAD), 0.0

    def keep_best(self, t: Trainer) -> None:
        """Keep this step boundary, in the place of what was the best before."""
        for kept in self._line.points:
            kept.best = False
        self.keep(t)
        if self._line.points and self._line.points[-1].step == t.step:
            self._line.points[-1].best = True

    def _too_large(self, size: int) -> None:
        text = N_("One state of this network has {size} MB: too large for a history of {cap} MB.")
        self.reason = Message(text, {"size": round(size / 1e6), "cap": round(self.cap / 1e6)})
        gone, self._line.points = self._line.points, []
        for kept in gone:
            self._forget_unless_used(kept)
        self._seconds = 0.0

    def set_cap(self, cap: int) -> None:
        """Another cap of bytes, from now on."""
        self.cap = max(0, cap)
        self._make_room()
        self._fit_lines()

    # ---- finding --------------------------------------------------------------------------------------

    @property
    def first(self) -> int | None:
        """The earliest step of this line that can be shown; None when none can."""
        return self._line.points[0].step if self._line.points else None

    def nearest(self, step: int) -> Point | None:
        """The newest point of this line that is not later than `step`, ready to use."""
        points = self._line.points
        for at in range(self._index(step), -1, -1):
            found = self._load(points[at])
            if found is not None:
                return found
            del points[: at + 1]  # what is gone from the disk, and what would be replayed over it
        return None

    def fixed_at(self, step: int) -> Point | None:
        """The point at exactly this step, where it was changed by hand."""
        at = self._index(step)
        kept = self._line.points[at] if at >= 0 else None
        return self._load(kept) if kept is not None and kept.step == step and kept.fixed else None

    def _index(self, step: int) -> int:
        steps = [kept.step for kept in self._line.points]
        return int(np.searchsorted(steps, step, side="right")) - 1

    def _load(self, kept: Kept) -> Point | None:
        if kept.file is None:
            return kept.point
        state = self.spool.read(kept.file)
        if state is None:
            return None
        return replace(kept.point, state=state)

    @property
    def steps(self) -> np.ndarray[Any, Any]:
        """Steps of the points of this line."""
        return np.array([kept.step for kept in self._line.points], np.int64)

    @property
    def bytes(self) -> int:
        """Of all points, in memory and on disk."""
        return self._size

    @property
    def spilled(self) -> int:
        """Bytes of them that lie on disk."""
        return sum(kept.bytes for kept in self._all() if kept.file is not None)

    # ---- lines ----------------------------------------------------------------------------------------

    def leave(self, t: Trainer) -> Line:
        """Remember the present line as it is, before another one is gone on with."""
        line = self._line
        line.run, line.program, line.curve = t.checkpoint(), t.program, Curve()
        if line.run.curve is not None:
            line.curve.restore(line.run.curve)
        line.recorded, line.drawn, line.whole = t.recorded, (t.graph, t.training), True
        return line

    def fork(self, t: Trainer) -> Line:
        """The step shown becomes the beginning of a line of its own; the one before is kept."""
        old = self.leave(t)
        new = Line(max(line.id for line in self.lines) + 1, old.id, t.step)
        new.points = [kept for kept in old.points if kept.step <= t.step and kept.point.applied <= t.applied]
        self._line = new
        self.lines.append(new)
        while len(self.lines) > MOST_LINES:
            self.remove(next(line.id for line in self.lines if line is not new))
        cut(t)
        self._fit_lines()
        self.keep(t)
        return new

    def choose(self, line: Line, t: Trainer) -> None:
        """Go on with another line, at its end. Raises what `Trainer.rebuild` raises; nothing changes then."""
        assert line.run is not None and line.drawn is not None
        if not line.whole:
            raise GraphError(N_("Of run {n} only the curve was kept, not the weights: it can be compared, "
                                "but not gone on with."), n=line.id)
        recorded = line.recorded or (*line.drawn, self._data_of(line, t))
        self.leave(t)  # of the present one nothing is lost when the rebuild is refused
        if line.program is not t.program:
            t.rebuild(*recorded)
            line.recorded = recorded
        t.load_checkpoint(line.run)
        line.program = t.program
        t.graph, t.training = line.drawn
        self._line = line
        self._fit_lines()
        if not line.points:
            self.keep(t, fixed=True)

    @staticmethod
    def _data_of(line: Line, t: Trainer) -> Dataset:
        """The data of a line from a file. Raises GraphError where it cannot be gone on with."""
        assert line.run is not None
        if line.run.data_hash != t.dataset.sha256:
            raise GraphError(N_("Run {n} was computed with other data: it can be compared, but not gone on "
                                "with."), n=line.id)
        return t.dataset

    def find(self, number: int) -> Line | None:
        """The line with this number."""
        return next((line for line in self.lines if line.id == number), None)

    def remove(self, number: int) -> None:
        """Forget a line that is not the present one."""
        line = self.find(number)
        if line is None or line is self._line:
            return
        self.lines.remove(line)
        for kept in line.points:
            self._forget_unless_used(kept)

    # ---- room -----------------------------------------------------------------------------------------

    def _all(self) -> Iterator[Kept]:
        seen: set[int] = set()
        for line in self.lines:
            for kept in line.points:
                if id(kept) not in seen:
                    seen.add(id(kept))
                    yield kept

    def _forget_unless_used(self, kept: Kept) -> None:
        if not any(kept is each for line in self.lines for each in line.points):
            self._forget(kept)

    def _forget(self, kept: Kept) -> None:
        self._size -= kept.bytes
        if kept.file is not None:
            self.spool.drop(kept.file)

    def _make_room(self) -> None:
        while self._size > self.cap or sum(len(line.points) for line in self.lines) > MOST_POINTS:
            if not self._thin(max(self.lines, key=lambda line: len(line.points))):
                break
        self._count += 1
        if self._memory is None or self._count % LOOK_EVERY == 0:
            free = available_memory()
            self._memory = self.cap if free is None or free > 4 * self.cap else max(LEAST_MEMORY, free // 8)
        if self._memory < self.cap:
            self._spill(self._memory)

    def _fit_lines(self) -> None:
        """Of the lines that were left the oldest keep only their curves, where all are more than the cap."""
        others = [each for each in self.lines if each is not self._line and each.run is not None]
        used = sum(each.run.bytes for each in others if each.run is not None)
        for line in others[:-1]:
            if used <= self.cap or line.run is None:
                return
            used -= line.run.bytes
            line.run, line.whole = line.run.curve_only(), False
            gone, line.points = line.points, []
            for kept in gone:
                self._forget_unless_used(kept)

    def _thin(self, line: Line) -> bool:
        """Drop the point that is missed least: a replay may be the longer the older it is."""
        points = line.points
        if len(points) < 3:
            return False
        steps = np.array([kept.step for kept in points], np.float64)
        gap, age = steps[2:] - steps[:-2], steps[-1] - steps[1:-1] + 1.0
        missed = np.where([kept.fixed or kept.best for kept in points[1:-1]], np.inf, gap / age)
        at = int(np.argmin(missed))
        if np.isfinite(missed[at]):
            gone = points[at + 1]
            for each in self.lines:
                each.points = [kept for kept in each.points if kept is not gone]
        else:  # only what was edited by hand is left: the run is known from a later step on
            gone = points[0]
            for each in self.lines:
                if gone in each.points:
                    del each.points[: each.points.index(gone) + 1]
        self._forget(gone)
        return True

    def _spill(self, memory: int) -> None:
        """Oldest first onto the disk, until the rest fits the memory there is."""
        inside = [kept for kept in self._all() if kept.file is None]
        used = sum(kept.bytes for kept in inside)
        if used <= memory:
            return
        for kept in sorted(inside, key=lambda kept: kept.step):
            if used <= memory:
                return
            kept.file = self.spool.write(kept.point.state)
            if kept.file is None:  # the disk refuses: less is kept
                self._shrink(memory)
                return
            kept.point = replace(kept.point, state={})
            used -= kept.bytes

    def _shrink(self, memory: int) -> None:
        while sum(kept.bytes for kept in self._all() if kept.file is None) > memory:
            if not self._thin(max(self.lines, key=lambda line: len(line.points))):
                return

    def close(self) -> None:
        """Remove what lies on disk."""
        self.spool.close()
