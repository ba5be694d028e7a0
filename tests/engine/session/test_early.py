"""A run that rests because its loss no longer falls, and one that does not rest for a typed weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.run import LiveChange
from engine.session import protocol as p
from tests.contract.harness import same_bits
from tests.engine.session.conftest import CIRCLE, SGD, Inline, circle_net


def test_a_run_rests_early_and_its_best_step_can_be_shown(inline: Inline) -> None:
    training = replace(SGD, learning_rate=0.5, stop_after=3, schedule="plateau", patience=0)
    inline.say(p.Configure(circle_net(), training, CIRCLE, 1), p.SetPace(None), p.Play())
    inline.work_until(lambda session: not session.moving)
    (fault,) = [f for f in inline.of(p.Fault) if f.kind == "early"]
    t = inline.trainer
    assert fault.step == t.watch.best_step == t.step - 3 * t.steps_per_epoch
    last = inline.state()
    tests = {test.step: test.loss for test in t.tests}
    assert min(tests.values()) == tests[fault.step] == t.watch.best
    assert any(kept.best and kept.step == fault.step for kept in inline.session.motion.history.line.points)
    inline.say(p.GoTo(fault.step))
    inline.work_until(lambda session: not session.rewinder.seeking)
    assert t.step == fault.step and t.rewound
    assert t.evaluate().loss == tests[fault.step]
    rate = t.rate
    inline.say(p.GoTo(t.end))
    inline.work_until(lambda session: not session.rewinder.seeking)
    assert same_bits(inline.state(), last) and t.rate < rate, "the same way to the end"
    inline.say(p.Play())
    inline.work_until(lambda session: not session.moving)
    assert len([f for f in inline.of(p.Fault) if f.kind == "early"]) == 2, "Play goes on for as long again"


def test_a_weight_typed_while_training_runs_acts_from_the_next_step_on(inline: Inline) -> None:
    """It goes on, the log says so, and the run is the one that rested for it."""
    edit = p.EditCells("dense1.weight", np.array([[0, 1]]), np.array([0.75]), 1)
    inline.circle()
    inline.say(p.SetPace(None), p.Play())
    inline.work_until(lambda session: inline.trainer.step >= 20)
    at, before = inline.trainer.step, inline.state()["dense1.weight"][0, 1]
    assert inline.reply(edit) == [before]
    assert inline.session.moving and inline.trainer.step == at
    assert inline.state()["dense1.weight"][0, 1] == 0.75
    assert inline.trainer.log == [LiveChange(at, "edit", ["dense1.weight"])]
    inline.work_until(lambda session: inline.trainer.step >= at + 20)
    inline.say(p.Pause())
    goal, there = inline.trainer.step, inline.state()
    inline.say(p.GoTo(at))
    inline.work_until(lambda session: not session.rewinder.seeking)
    assert inline.state()["dense1.weight"][0, 1] == 0.75
    inline.say(p.GoTo(goal))
    inline.work_until(lambda session: not session.rewinder.seeking)
    assert same_bits(inline.state(), there)
    resting = Inline().circle()
    resting.say(*[p.Step("batch")] * at)
    resting.reply(edit)
    resting.say(*[p.Step("batch")] * (goal - at))
    assert same_bits(resting.state(), there)
    resting.session.close()
