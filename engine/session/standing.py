"""Where a run stands, as the window is told it."""

from __future__ import annotations

from engine.position import RATE
from engine.session import protocol as p
from engine.session.building import Builder
from engine.session.motion import Motion
from engine.training import Trainer


def standing(t: Trainer, m: Motion, b: Builder) -> p.Status:
    """All of a status that trainer, motion and device know."""
    test = next((test for test in reversed(t.tests) if test.step <= t.step), None)
    inside = m.shown == "inside"
    return p.Status(
        running="playing" if m.playing else "stepping" if m.moving or inside else "paused",
        step=t.step,
        end=t.end,
        line=m.history.line.id,
        epoch=t.progress,
        steps_per_epoch=t.steps_per_epoch,
        steps_per_second=m.speed.rate(),
        pace=m.pace.rate,
        loss=m.loss,
        best=t.watch.best_step if t.watch.best is not None else None,
        figures={**t.figures, RATE: t.rate},
        test_loss=test.loss if test else None,
        test_accuracy=test.accuracy if test else None,
        test_step=test.step if test else None,
        device=b.device,
        device_name=b.device_name,
        reason=b.reason,
        memory_bytes=t.bytes,
        parameters=t.facts.parameter_count,
        locked=t.locked,
        op=t.op_index if inside else None,
        sample=m.sample if inside else None,
    )
