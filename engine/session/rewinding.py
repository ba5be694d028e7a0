"""Showing an earlier step again, and going on from there: the time line's half in the engine."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.errors import N_, GraphError
from engine.history import History
from engine.returning import catch_up, replay, unlike
from engine.session.motion import CHUNK_MS, Motion
from engine.training import Trainer

PATIENCE = 0.25
"""Seconds after which a wish that is no longer the newest is dropped."""


class Rewinder:
    """Brings a run to the step that was wished for last, in pieces no longer than those of training."""

    def __init__(self, motion: Motion, history: History, clock: Callable[[], float] = time.monotonic) -> None:
        self._motion, self.history, self._clock = motion, history, clock
        self._wish: int | None = None
        self._goal: int | None = None
        self._began, self._moved = 0.0, False
        motion.depart = self.depart

    @property
    def seeking(self) -> bool:
        """Whether a step is wished for that is not shown yet."""
        return self._wish is not None

    def go(self, step: int, t: Trainer) -> None:
        """Show the run after `step` steps. Raises GraphError where the history does not reach so far."""
        first = self.history.first
        step = min(step, t.end)
        if step != t.step and (first is None or step < first):
            raise GraphError(N_("Step {step} can no longer be shown; the history begins at step {first}."),
                             step=step, first=t.step if first is None else first)
        self._motion.stop()
        self._wish = step

    def cancel(self) -> None:
        """Nothing is wished for any more."""
        self._wish = self._goal = None

    def work(self, t: Trainer) -> bool:
        """A piece of the way; True when a step that was wished for is reached."""
        assert self._wish is not None
        stale = self._goal is not None and self._goal != self._wish
        if self._goal is None or (stale and self._clock() - self._began > PATIENCE):
            self._start(self._wish, t)
        goal = self._goal
        assert goal is not None
        if t.step < goal - 1:
            replay(t, goal - 1, CHUNK_MS)
            return False
        if self._moved:
            self._arrive(goal, t)
        self._goal = None
        if self._wish == goal:
            self._wish = None
        return True

    def finish(self, t: Trainer) -> None:
        """All of the way: something is asked that is about the step wished for."""
        while self._wish is not None:
            self.work(t)

    def _start(self, goal: int, t: Trainer) -> None:
        self._goal, self._began = goal, self._clock()
        self._moved = goal != t.step or (goal > 0 and self._motion.shown != "step")
        if not self._moved:
            return
        self._motion.leave_step()
        # the step before the goal is walked again, so that all its numbers can be looked at
        point = self.history.nearest(max(0, goal - 1))
        if t.step < goal and (point is None or point.step <= t.step):  # from here it is nearer
            return
        point = point or self.history.nearest(goal)
        if point is None:
            self._goal = self._wish = t.step
            return
        t.return_to(point)
        self._motion.rested(point.loss)

    def _arrive(self, goal: int, t: Trainer) -> None:
        if t.step == goal - 1:
            catch_up(t)
            self._motion.traced_again()
        catch_up(t)
        edited = self.history.fixed_at(goal) if goal else None
        if edited is not None:
            t.return_to(edited)
            catch_up(t)
            self._motion.rested(edited.loss)
        self._motion.arrived()

    # ---- going another way ------------------------------------------------------------------------------

    def resume(self, t: Trainer) -> None:
        """Steps follow: where they would not be those of before, they are a line of their own."""
        if t.rewound and unlike(t):
            self.depart(t)

    def depart(self, t: Trainer) -> None:
        """Something changes now: from an earlier step a new line begins."""
        if t.rewound:
            self.branch(t)

    def branch(self, t: Trainer) -> None:
        """A new line from here, even though nothing has changed yet."""
        self.history.fork(t)
        self._motion.departed()

    def choose(self, number: int, t: Trainer) -> bool:
        """Go on with another line, at its end; False where there is nothing to do."""
        line = self.history.find(number)
        if line is None or line is self.history.line or line.run is None:
            return False
        self._motion.stop()
        self._motion.leave_step()
        self.history.choose(line, t)
        self._motion.rested(t.curve.last)
        self._motion.changed()
        self._wish = t.step
        return True
