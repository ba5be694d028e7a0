"""Any past step is shown again exactly as it was, and a run that goes another way from there keeps both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.backends.devices import list_devices
from engine.session import protocol as p
from engine.session import views as v
from tests.conftest import RequiredDevices
from tests.engine.session.conftest import ADAM, DIGITS, Inline, digits_net

WATCHED = ("conv1.weight@old", "conv1.weight@new", "dense1.z", "dense1.weight@grad")
Shown = dict[str, Any]


def watch(inline: Inline) -> None:
    for name in WATCHED:
        inline.say(p.Watch(name, v.Matrix(name, max_rows=64, max_cols=4096), rate=1000.0))
    inline.say(p.Watch("past", v.Past(), rate=1000.0), p.Watch("curve", v.Curves(), rate=1000.0))


def shown(inline: Inline) -> Shown:
    """Everything about the step at hand: weights, moments, statistics, and the step's own numbers."""
    for _ in range(200):
        frame, status = inline.pull()
        if frame is not None and WATCHED[0] in frame.views:
            break
    assert frame is not None
    said = {k: d.values.copy() for k, d in frame.views.items() if isinstance(d, v.MatrixData)}
    return {**inline.state(), **said, "loss": status.loss, "phase": frame.phase, "at": frame.step,
            "position": inline.trainer.position, "epoch": inline.trainer.epoch}


def same(a: Shown, b: Shown) -> None:
    assert a.keys() == b.keys()
    for key, value in a.items():
        np.testing.assert_array_equal(b[key], value, err_msg=key)


def go(inline: Inline, step: int) -> Shown:
    inline.say(p.GoTo(step))
    return shown(inline)


def eventful(inline: Inline, device: str) -> dict[int, Shown]:
    """Dropout, BatchNorm, Adam; on the way the rates of learning and of dropout change, and a weight."""
    inline.digits(device=device)
    watch(inline)
    seen: dict[int, Shown] = {0: shown(inline)}
    drop = digits_net().by_name("drop1").uid
    for step in range(1, 61):
        inline.say(p.Step("batch"))
        seen[step] = shown(inline)
        if step == 20:
            inline.say(p.SetTraining(replace(ADAM, learning_rate=0.01)))
        if step == 30:
            inline.say(p.EditCells("conv1.weight", np.array([[0, 0, 1, 1]]), np.array([0.5])))
        if step == 40:
            training = replace(ADAM, learning_rate=0.01)
            inline.say(p.SetTraining(training, {f"{drop}.rate": 0.5}))
    return seen


@pytest.mark.parametrize("kind", ["numpy", "pocl"])
def test_a_past_step_is_what_it_was(inline: Inline, kind: str, opencl_required: RequiredDevices) -> None:
    found = [d.id for d in list_devices() if d.id.startswith(kind if kind == "numpy" else f"opencl:{kind}:")]
    if not found:
        opencl_required.missing(kind)
    seen = eventful(inline, found[0])
    log = list(inline.trainer.log)
    for step in (55, 41, 40, 39, 31, 29, 21, 20, 19, 1, 0, 7, 35, 60):
        same(seen[step], go(inline, step))
        assert inline.trainer.end == 60 and inline.trainer.log == log
    assert not inline.trainer.rewound


def test_a_weight_edited_by_hand_is_part_of_its_step(inline: Inline) -> None:
    eventful(inline, "numpy")
    go(inline, 45)
    go(inline, 30)
    assert inline.state()["conv1.weight"][0, 0, 1, 1] == 0.5
    assert inline.session.motion.shown == "preview"


def test_the_way_is_the_same_when_nothing_changes(inline: Inline) -> None:
    """Playing on from a past step repeats the run up to a change, and without one to its end and beyond."""
    inline.digits()
    watch(inline)
    inline.say(p.Step("epoch"))
    inline.work_until(lambda s: not s.moving)
    end, losses = inline.trainer.step, inline.trainer.curve.arrays()[2].copy()
    last = shown(inline)
    go(inline, end // 3)
    inline.say(p.Play())
    inline.work_until(lambda s: s.trainer is not None and s.trainer.step >= end + 3)
    inline.say(p.Pause())
    assert len(inline.session.motion.history.lines) == 1
    np.testing.assert_array_equal(inline.trainer.curve.arrays()[2][:end], losses)
    same(last, go(inline, end))


def test_another_way_keeps_both(inline: Inline) -> None:
    seen = eventful(inline, "numpy")
    go(inline, 10)
    inline.say(p.SetTraining(replace(ADAM, learning_rate=0.03)))
    history = inline.session.motion.history
    assert [line.id for line in history.lines] == [1, 2] and inline.trainer.end == 10
    for _ in range(25):
        inline.say(p.Step("batch"))
    other = shown(inline)
    assert not np.array_equal(other["conv1.weight"], seen[35]["conv1.weight"])
    same(seen[5], go(inline, 5))
    inline.say(p.GoTo(35))
    same(other, shown(inline))
    inline.say(p.ChooseLine(1))
    inline.work_until(lambda s: not s.rewinder.seeking)
    status = inline.session.status()
    assert (status.step, status.line, len(inline.of(p.Chosen))) == (60, 1, 1)
    same(seen[60], go(inline, 60))
    same(seen[35], go(inline, 35))
    inline.say(p.ChooseLine(2))
    go(inline, 34)
    same(other, go(inline, 35))
    past = past_of(inline)
    assert past.line == 2 and [(d.number, d.start, d.end) for d in past.lines] == [(1, 0, 60), (2, 10, 35)]
    assert past.lines[1].training.learning_rate == 0.03 and len(past.lines[0].mean) == 60


def past_of(inline: Inline) -> v.PastData:
    inline.work_until(lambda s: not s.rewinder.seeking)
    inline.say(p.Watch("again", v.Past(), rate=1000.0))
    frame, _ = inline.pull()
    inline.say(p.Watch("again", None))
    assert frame is not None
    data = frame.views["again"]
    assert isinstance(data, v.PastData)
    return data


def test_a_past_change_of_rate_does_not_come_back(inline: Inline) -> None:
    """What the window shows as the rate holds from now on: going on from before its change is another way."""
    eventful(inline, "numpy")
    go(inline, 15)
    assert inline.trainer.controls()["lr"] == pytest.approx(0.003)
    inline.say(p.Step("batch"))
    assert inline.trainer.controls()["lr"] == pytest.approx(0.01)
    assert inline.session.motion.history.line.id == 2 and inline.trainer.end == 16


def test_only_the_newest_wish_counts(inline: Inline) -> None:
    inline.digits()
    watch(inline)
    for _ in range(40):
        inline.say(p.Step("batch"))
    inline.say(*(p.GoTo(step) for step in range(39, 4, -1)))
    inline.work_until(lambda s: not s.rewinder.seeking)
    assert inline.trainer.step == 5


def test_saving_and_dying_while_looking_back_lose_nothing(inline: Inline) -> None:
    seen = eventful(inline, "numpy")
    go(inline, 12)
    run = inline.reply(p.CheckpointNow(7)).checkpoint
    assert (run.step, len(run.log), run.curve.end) == (60, len(inline.trainer.log), 60)
    for key, array in run.state.items():
        np.testing.assert_array_equal(array, seen[60][key])


def test_what_history_no_longer_holds_is_refused(inline: Inline) -> None:
    inline.say(p.SetHistory(1_000))
    inline.digits()
    inline.say(p.Step("batch"), p.Step("batch"), p.GoTo(0))
    fault = inline.of(p.Fault)[-1]
    assert "can no longer be shown" in str(fault.message) and inline.trainer.step == 2
    assert "too large" in str(past_of(inline).reason)


def test_another_program_begins_its_own_history(inline: Inline) -> None:
    inline.digits()
    for _ in range(5):
        inline.say(p.Step("batch"))
    inline.say(p.Configure(digits_net(), replace(ADAM, batch=16), DIGITS, 2))
    for _ in range(5):
        inline.say(p.Step("batch"))
    inline.say(p.GoTo(3))
    assert inline.of(p.Fault)
    watch(inline)
    assert go(inline, 7)["at"] == 6


def test_thinning_keeps_first_last_and_the_cap(inline: Inline) -> None:
    inline.digits()
    watch(inline)
    history = inline.session.motion.history
    inline.say(p.Step("batch"))
    size = inline.trainer.point().bytes
    history.set_cap(12 * size)
    history.OVERHEAD = 1.0  # type: ignore[attr-defined]
    seen = {}
    for step in range(2, 80):
        inline.say(p.Step("batch"))
        history.keep(inline.trainer)
        seen[step] = inline.state()
    assert history.bytes <= 12 * size and len(history.steps) == 12
    assert history.steps[0] == 0 and history.steps[-1] == 79
    gaps = np.diff(history.steps)
    assert gaps[:5].mean() > gaps[-5:].mean(), "the older, the farther apart"
    for step in (3, 40, 71):
        found = go(inline, step)
        for key, array in seen[step].items():
            np.testing.assert_array_equal(found[key], array)
