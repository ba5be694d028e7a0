"""Steps shown again: the way from a point to a later step, with the changes of the run's log, bit for bit."""

from __future__ import annotations

from engine.run import controls_of
from engine.training import Trainer


def next_change(t: Trainer) -> int | None:
    """Step of the next change in the log that the step shown has not behind it."""
    return t.log[t.applied].step if t.applied < len(t.log) else None


def catch_up(t: Trainer) -> None:
    """Apply the logged settings that were changed at the step shown."""
    entries = t.applied
    while entries < len(t.log) and t.log[entries].step <= t.step:
        entries += 1
    if entries != t.applied:
        t.set_applied(entries)


def replay(t: Trainer, until: int, budget_ms: float) -> None:
    """Steps that were done before, as they were done then, for about `budget_ms` towards `until`."""
    catch_up(t)
    change = next_change(t)
    goal = until if change is None else min(until, change)
    t.run(goal - t.step, budget_ms)


def wanted(t: Trainer) -> dict[str, float]:
    """The hot settings as they were set last, which an earlier step need not have had."""
    return {**t.program.controls, **controls_of(t.log)}


def unlike(t: Trainer) -> bool:
    """Whether the run would now go another way than it went from the step shown."""
    want = wanted(t)
    return next_change(t) == t.step or any(want[name] != value for name, value in t.controls().items())


def cut(t: Trainer) -> None:
    """Make the step shown the newest one, with the hot settings as they were set last."""
    want = wanted(t)
    t.forget_later()
    for name, value in t.controls().items():
        if want[name] != value:
            t.set_control(name, want[name])

