"""Long computations beside the run: they end with a reply, can be stopped, and never keep the run waiting."""

from __future__ import annotations

import time

import pytest

from engine.errors import N_, GraphError
from engine.optimizer_race import Race, Watched
from engine.session import protocol as p
from engine.session.jobs import SHARE, SLICE_MS, Jobs
from engine.xray import XRay


def replies(inline, id):
    return [r for r in inline.of(p.Reply) if r.id == id]


def test_a_check_of_a_layer_at_rest_ends_with_its_reply(inline):
    inline.circle()
    inline.say(p.CheckGradient("dense1", id=7))
    inline.work_until(lambda _s: bool(replies(inline, 7)))
    found = replies(inline, 7)[0].payload
    assert [c.symbol for c in found.checked] == ["W", "b", "Z"]
    assert found.done == found.total and all(c.agrees for c in found.checked)
    assert not inline.session.jobs.busy


def test_the_run_goes_on_while_a_check_works_and_is_not_touched_by_it(inline):
    inline.digits()
    inline.say(p.CheckGradient("conv1", id=7), p.SetPace(None), p.Play())
    inline.work_until(lambda s: s.trainer.step > 20)
    assert inline.session.jobs.busy or replies(inline, 7)
    inline.say(p.CancelJob(7))
    news = inline.of(p.JobNews)
    assert all(n.id == 7 and n.payload.done <= n.payload.total for n in news)
    assert replies(inline, 7)[0].payload.step < inline.trainer.step, "it is about the step it was asked at"
    inline.say(p.Pause())
    step, state = inline.trainer.step, inline.state()
    other = type(inline)().digits()
    other.say(p.SetPace(None))
    while other.trainer.step < step:
        other.trainer.run(step - other.trainer.step)
    assert all((a == other.state()[k]).all() for k, a in state.items())
    other.session.close()


def test_a_stopped_job_answers_with_what_it_has_and_stopping_twice_does_nothing(inline):
    inline.digits()
    inline.say(p.CheckGradient("conv1", id=7))
    inline.work_until(lambda s: next(iter(s.jobs._jobs.values()))[0].done > 2)
    inline.say(p.CancelJob(7), p.CancelJob(7), p.CancelJob(99))
    (reply,) = replies(inline, 7)
    assert 2 < reply.payload.done < reply.payload.total and not inline.session.jobs.busy


def test_what_cannot_begin_is_refused_in_the_reply(inline):
    inline.circle()
    inline.say(p.CheckGradient("input", id=3), p.XRayOf("dense1.nothing", id=4), p.ProofOf("x", id=5))
    for id in (3, 4, 5):
        assert replies(inline, id)[0].error is not None
    inline.session.motion.release()
    inline.say(p.XRayOf("dense1.weight", id=6))
    assert replies(inline, 6)[0].error is not None


def test_x_ray_proof_and_race_are_answered(inline):
    inline.circle()
    inline.say(p.Step(), p.Step())
    x = inline.reply(p.XRayOf("dense1.weight", id=1))
    assert isinstance(x, XRay) and x.step == 1 and x.optimizer == "momentum"
    assert "dense1_z" in inline.reply(p.ProofOf("dense1", id=2)).script
    inline.say(p.RaceOptimizers((Watched("dense1.weight", (0, 1)),), 10, {"sgd": 0.2}, id=3))
    inline.work_until(lambda _s: bool(replies(inline, 3)))
    race = replies(inline, 3)[0].payload
    assert isinstance(race, Race) and race.start == 2 and race.lanes[0].rate == 0.2
    assert all(lane.path.shape == (11, 1) for lane in race.lanes)
    assert race.lanes[1].rate == pytest.approx(0.05), "the run's own rate for its own optimizer"


class Slow:
    done = total = 1

    def __init__(self, error: bool = False) -> None:
        self.error = error

    def steps(self):
        for _ in range(30):
            time.sleep(0.002)
            yield
        if self.error:
            raise GraphError(N_("It broke."))

    def result(self):
        return "all"


def test_a_slice_is_short_and_the_run_has_its_share():
    said = []
    jobs = Jobs(said.append, time.monotonic)
    jobs.start(1, Slow())
    start = time.monotonic()
    assert jobs.work()
    spent = time.monotonic() - start
    assert spent < SLICE_MS / 1000 + 0.05
    assert not jobs.due(time.monotonic(), moving=True) and jobs.due(time.monotonic(), moving=False)
    assert jobs.due(time.monotonic() + spent / SHARE, moving=True)


def test_a_job_that_fails_is_told_and_the_next_goes_on():
    said = []
    jobs = Jobs(said.append, time.monotonic)
    jobs.start(1, Slow(error=True))
    jobs.start(2, Slow())
    while jobs.work():
        pass
    first, second = [e for e in said if isinstance(e, p.Reply)]
    assert str(first.error) == "It broke." and second.payload == "all"
