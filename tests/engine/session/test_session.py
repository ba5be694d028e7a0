"""The loop, inline: commands, pace, frames of one step, faults."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.session import protocol as p
from engine.session import views as v
from engine.session.building import as_seen
from engine.session.client import Client
from engine.session.pace import Pace, Speed
from tests.engine.session.conftest import ADAM, CIRCLE, SGD, Inline, circle_net, digits_net, layer


class Clock:
    """Time that moves only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_frame_shows_one_step(inline: Inline) -> None:
    """W, Z, A, delta, dW and the new W of one batch fit together, whatever ran in between."""
    inline.circle()
    for name in ("input.x", "dense1.weight@old", "dense1.bias@old", "dense1.z", "tanh1.a", "dense1.z@grad",
                 "dense1.weight@grad", "dense1.weight@new"):
        inline.say(p.Watch(name, v.Matrix(name), rate=1000.0))
    inline.say(p.SetPace(None), p.Play())
    for _ in range(5):
        at = inline.trainer.step + 20
        inline.work_until(lambda s, at=at: s.trainer is not None and s.trainer.step > at)
        frame = None
        while frame is None:
            frame, status = inline.pull()
        got = {k: d.values for k, d in frame.views.items() if isinstance(d, v.MatrixData)}
        assert len(got) == 8 and frame.phase == "step" and status.running == "playing"
        z = got["dense1.weight@old"] @ got["input.x"] + got["dense1.bias@old"]
        np.testing.assert_allclose(got["dense1.z"], z, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(got["tanh1.a"], np.tanh(z), rtol=1e-4, atol=1e-6)
        dw = got["dense1.z@grad"] @ got["input.x"].T
        np.testing.assert_allclose(got["dense1.weight@grad"], dw, rtol=1e-4, atol=1e-6)
        assert not np.array_equal(got["dense1.weight@new"], got["dense1.weight@old"])
        assert got["dense1.z"].shape == (3, frame.n)


def test_watching_does_not_change_what_is_learnt(inline: Inline) -> None:
    inline.digits()
    nodes = tuple((n.uid, "weights") for n in digits_net().nodes)
    inline.say(p.Watch("t", v.Thumbs(nodes), rate=1000.0), p.Watch("c", v.Curves(), rate=1000.0), p.Play())
    while inline.trainer.step < 100:
        inline.say(p.Pull())
        inline.session.work()
    inline.say(p.Pause())
    other = Inline().digits()
    while other.trainer.step < inline.trainer.step:
        other.trainer.run(inline.trainer.step - other.trainer.step)
    for key, array in other.state().items():
        np.testing.assert_array_equal(inline.state()[key], array)


def test_before_the_first_step_a_preview_is_shown_and_changes_nothing(inline: Inline) -> None:
    inline.circle()
    inline.session.run_until_settled()  # the test set is done; where time is short, in more than one turn
    before = inline.state()
    inline.say(p.Watch("z", v.Matrix("dense1.z")), p.Watch("none", v.Matrix("dense9.z")))
    frame, status = inline.pull()
    assert frame is not None and frame.phase == "preview" and frame.step == 0 and status.step == 0
    assert frame.views["none"] == v.Missing("value")
    shown = frame.views["z"].values
    for key, array in inline.state().items():
        np.testing.assert_array_equal(array, before[key])
    nothing, status = inline.pull()
    assert nothing is None and status.settled
    inline.say(p.Step("batch"))
    frame, _ = inline.pull()
    assert frame is not None and frame.phase == "step" and frame.step == 0
    np.testing.assert_array_equal(frame.views["z"].values, shown)


def test_walking_op_by_op_is_the_same_step(inline: Inline) -> None:
    inline.circle()
    ops = len(inline.trainer.program.ops)
    inline.say(p.Watch("x", v.Matrix("input.x")), p.Watch("w", v.Matrix("dense1.weight@new")))
    before = inline.state()
    for op in range(1, ops):
        inline.say(p.Step("op"))
        frame, status = inline.pull()
        assert frame is not None and frame.phase == "inside" and frame.op == op == status.op
        assert status.running == "stepping" and status.step == 0
        written = inline.trainer.program.producers["dense1.weight@new"] < op
        assert isinstance(frame.views["w"], v.MatrixData if written else v.Missing)
        for key, array in inline.state().items():
            np.testing.assert_array_equal(array, before[key])
    inline.say(p.Step("op"))
    frame, status = inline.pull()
    assert frame is not None and frame.phase == "step" and status.op is None and status.step == 1
    other = Inline().circle()
    other.trainer.run(1)
    for key, array in other.state().items():
        np.testing.assert_array_equal(inline.state()[key], array)
    # half a step, then play: the half is finished first
    inline.say(p.Step("op"), p.Step("op"), p.Step("batch"))
    assert inline.trainer.step == 2


def test_an_epoch_ends_where_it_should_and_its_last_step_can_be_seen(inline: Inline) -> None:
    inline.circle()
    inline.say(p.Watch("w", v.Matrix("dense1.weight@new")), p.Step("batch"), p.Step("epoch"))
    inline.session.run_until_settled()
    frame, status = inline.pull()
    assert status.step == 13 and status.epoch == 1.0 and status.running == "paused"
    assert frame is not None and frame.phase == "step" and frame.step == 12 and frame.n == 200 - 12 * 16
    assert status.test_step == 13 and status.test_accuracy is not None
    np.testing.assert_array_equal(frame.views["w"].values, inline.state()["dense1.weight"])


def test_the_clock_paces_the_steps() -> None:
    clock = Clock()
    inline = Inline(clock=clock)
    inline.circle()
    inline.say(p.SetPace(10.0), p.Play())
    start = inline.trainer.step
    for _ in range(1000):  # ten seconds
        clock.now += 0.01
        wait = inline.session.work()
        assert wait is not None and wait <= 0.1
    assert inline.trainer.step - start == pytest.approx(100, abs=2)
    inline.say(p.SetPace(p.AUTO_PACE))
    assert inline.session.status().pace == 13 * 15
    inline.session.close()
    pictures = Inline().digits()
    assert pictures.session.status().pace is None
    pictures.session.close()


def test_a_slow_pace_can_be_watched() -> None:
    clock = Clock()
    inline = Inline(clock=clock)
    inline.circle()
    inline.say(p.Watch("z", v.Matrix("dense1.z")), p.SetPace(2.0), p.Play())
    steps: list[int] = []
    for _ in range(300):
        clock.now += 0.02
        frame, _ = inline.pull()
        if frame is not None:
            steps.append(frame.step)
    assert steps == sorted(set(steps)) and steps[1:] == list(range(steps[1], steps[1] + len(steps) - 1))
    assert len(steps) >= 11
    inline.session.close()


def test_pause_rests_behind_a_step_that_can_be_seen(inline: Inline) -> None:
    inline.circle()
    inline.say(p.Watch("w", v.Matrix("dense1.weight@new")), p.SetPace(None), p.Play())
    inline.work_until(lambda s: s.trainer is not None and s.trainer.step > 100)
    inline.say(p.Pause())
    assert inline.of(p.Status)[-1].running == "paused"
    inline.session.run_until_settled()
    frame, status = inline.pull()
    assert frame is not None and frame.phase == "step" and frame.step == status.step - 1
    np.testing.assert_array_equal(frame.views["w"].values, inline.state()["dense1.weight"])


def test_hot_settings_act_on_the_next_step_and_are_logged(inline: Inline) -> None:
    inline.digits()
    inline.trainer.run(3)
    inline.say(p.SetTraining(replace(ADAM, learning_rate=0.0), {"drop1.rate": 0.1}))
    before = inline.state()
    assert inline.trainer.graph.node("drop1").layer.rate == 0.1
    inline.say(p.Step("batch"))
    np.testing.assert_array_equal(inline.state()["dense1.weight"], before["dense1.weight"])
    names = [(c.step, c.name, c.value) for c in inline.trainer.log]
    assert names == [(3, "drop1.rate", 0.1), (3, "lr", 0.0)]
    inline.say(p.SetTraining(ADAM, {"dense1.units": 3.0}))
    assert "dense1.units" in str(inline.of(p.Fault)[-1].message)


def test_cells_are_edited_and_an_undo_writes_them_back(inline: Inline) -> None:
    inline.circle()
    inline.say(p.Watch("w", v.Matrix("dense1.weight@old")))
    inline.pull()
    before = inline.state()["dense1.weight"]
    old = inline.reply(p.EditCells("dense1.weight", np.array([[0, 1], [2, 0]]), np.array([5.0, -5.0]), 1))
    frame, _ = inline.pull()
    assert frame is not None
    shown = frame.views["w"].values
    assert shown[0, 1] == 5.0 and shown[2, 0] == -5.0
    inline.reply(p.EditCells("dense1.weight", np.array([[0, 1], [2, 0]]), old, 2))
    np.testing.assert_array_equal(inline.state()["dense1.weight"], before)
    for bad in (p.EditCells("dense1.weight", np.array([[3, 0]]), np.array([1.0]), 3),
                p.EditCells("dense1.weight", np.array([[-1, 0]]), np.array([1.0]), 4),
                p.EditCells("dense1.weight", np.array([[0, 0]]), np.array([np.nan]), 5),
                p.EditCells("nothing", np.array([[0, 0]]), np.array([1.0]), 6)):
        inline.say(bad)
        assert inline.of(p.Reply)[-1].error is not None
    np.testing.assert_array_equal(inline.state()["dense1.weight"], before)


def test_what_is_not_finite_is_named_and_the_last_good_state_stays(inline: Inline) -> None:
    training = replace(SGD, learning_rate=1e6)
    g = circle_net()
    for uid in ("tanh1", "tanh2"):
        g = g.replace_node(uid, layer=layer("leaky_relu"))
    inline.say(p.Configure(g, training, CIRCLE, 1), p.SetPace(None), p.Play())
    inline.work_until(lambda s: not s.moving)
    (fault,) = inline.of(p.Fault)
    assert fault.kind == "non_finite" and fault.node and fault.op is not None and fault.value
    assert inline.trainer.program.ops[fault.op].node == fault.node
    assert all(np.isfinite(a).all() for a in inline.state().values())
    inline.say(p.Watch("bad", v.Matrix(fault.value)))
    frame, status = inline.pull()
    assert frame is not None and frame.phase == "preview" and status.running == "paused"
    assert not np.isfinite(inline.trainer.read(fault.value)[fault.cell])
    inline.say(p.Reset(), p.Step("batch"))
    assert inline.trainer.step == 1


def test_a_structural_edit_keeps_what_was_learnt_and_goes_on_playing(inline: Inline) -> None:
    inline.circle()
    inline.say(p.Watch("w", v.Matrix("dense1.weight@old")), p.SetPace(None), p.Play())
    inline.work_until(lambda s: s.trainer is not None and s.trainer.step > 50)
    learnt = inline.state()["dense1.weight"]
    wider = circle_net().replace_node("dense1", layer=replace(circle_net().node("dense1").layer, units=6))
    inline.say(p.Configure(wider, SGD, CIRCLE, 2))
    np.testing.assert_array_equal(inline.state()["dense1.weight"][:3], learnt)
    assert inline.session.moving and inline.of(p.Configured)[-1].generation == 2
    frame = None
    while frame is None:
        frame, _ = inline.pull()
    assert frame.generation == 2 and frame.views["w"].shape == (6, 2)
    inline.say(p.Configure(circle_net(), SGD, CIRCLE, 1))  # a late answer to an older document
    assert inline.state()["dense1.weight"].shape == (6, 2)
    inline.say(p.Configure(circle_net(), SGD, CIRCLE, 3, fresh=True))
    assert inline.trainer.step == 0 and not inline.session.moving


def test_a_network_that_cannot_run_is_refused_and_the_one_before_stays(inline: Inline) -> None:
    inline.say(p.Play())
    assert "no network" in str(inline.of(p.Fault)[-1].message)
    inline.say(p.Pause(), p.Reset())
    _, status = inline.pull()
    assert status.running == "empty" and status.settled
    inline.circle()
    state = inline.state()
    inline.say(p.Configure(circle_net().remove(["dense2"]), SGD, CIRCLE, 2))
    assert inline.of(p.Fault)[-1].kind == "configure"
    np.testing.assert_array_equal(inline.state()["dense1.weight"], state["dense1.weight"])
    inline.say(p.Step("batch"))
    assert inline.trainer.step == 1


def test_a_run_goes_on_from_its_state_in_another_session(inline: Inline) -> None:
    inline.digits()
    inline.trainer.run(20, 1e6)
    inline.say(p.SetTraining(replace(ADAM, learning_rate=0.01)))
    inline.trainer.run(7, 1e6)
    run = inline.reply(p.CheckpointNow(1))
    other = Inline()
    other.say(p.Configure(run.graph, run.training, run.source, 4, resume=run))
    for each in (inline.trainer, other.trainer):
        goal = run.checkpoint.step + 40
        while each.step < goal:
            each.run(goal - each.step)
    for key, array in inline.state().items():
        np.testing.assert_array_equal(other.state()[key], array)
    assert other.trainer.curve.end == inline.trainer.curve.end
    assert run.checkpoint.curve.end == run.checkpoint.step  # its own copy


def test_the_test_set_is_looked_at_in_between_and_exactly_at_rest(inline: Inline) -> None:
    inline.digits()
    inline.say(p.Play())
    inline.work_until(lambda s: s.trainer is not None and len(s.trainer.tests) > 1)
    inline.say(p.Pause())
    inline.session.run_until_settled()
    last = inline.trainer.tests[-1]
    whole = inline.trainer.evaluate()
    assert last.step == inline.trainer.step
    assert (last.loss, last.accuracy) == (whole.loss, whole.accuracy)


def test_export_and_predict_and_explain(inline: Inline) -> None:
    inline.digits()
    inline.say(p.Step("batch"))
    data: p.ExportData = inline.reply(p.Export(1))
    assert data.dataset.n_train == 5 and data.dataset.class_names[3] == "3"
    assert set(data.state) >= {"conv1.weight", "norm1.running_mean", "dense1.bias"}
    raw = inline.trainer.dataset.x_test[:6]
    said: p.Prediction = inline.reply(p.Predict(raw, ("relu1.a",), 2))
    again: p.Prediction = inline.reply(p.Predict(inline.trainer.dataset.to_float(raw), (), 3))
    assert said.shares is not None and said.values["relu1.a"].shape == (6, 4, 6, 6)
    np.testing.assert_array_equal(said.shares, again.shares)
    np.testing.assert_allclose(said.shares.sum(1), 1.0, rtol=1e-6)
    everything: p.Prediction = inline.reply(p.Predict(raw[:1], ("*",), 4))
    assert {"conv1.z", "relu1.a", "dense1.z"} <= set(everything.values)
    found: p.Explanation = inline.reply(p.Explain("conv1.z", (1, 2, 3, 0), 5))
    assert found.step == 0 and found.terms is not None
    assert found.terms.total == pytest.approx(found.number, rel=1e-4, abs=1e-6)
    inline.say(p.Explain("conv1.z", (99, 0, 0, 0), 6))
    assert inline.of(p.Reply)[-1].error is not None


def test_pace_and_speed_count() -> None:
    pace = Pace()
    assert pace.due(0.0) is None and pace.wait() == 0.0
    pace.rate = 100.0
    pace.start(0.0)
    assert pace.due(0.0) == 1
    pace.took(1)
    assert pace.due(0.0) == 0 and pace.wait() == pytest.approx(0.01)
    assert pace.due(0.05) == 5
    assert pace.due(60.0) == 10  # a long wait is not caught up on
    speed = Speed()
    for tenth in range(30):
        speed.mark(tenth / 10, tenth * 7)
    assert speed.rate() == pytest.approx(70.0)


def test_full_speed_is_not_slowed_by_the_loop(inline: Inline) -> None:
    inline.digits()
    t = inline.trainer
    t.run(1, 1e6)
    t.run(200, 1e6)

    def rate(work: Any) -> float:
        step, start = t.step, time.thread_time()
        while time.thread_time() - start < 0.3:
            work()
        return float(t.step - step) / (time.thread_time() - start)

    inline.say(p.Play())
    for _ in range(10):
        inline.session.work()
    shares = [rate(inline.session.work) / rate(lambda: t.run(1000, 12.0)) for _ in range(3)]
    assert max(shares) > 0.8, shares


def test_only_one_status_answers_a_pull(inline: Inline) -> None:
    # else the window asks again, and a second frame is written over the first in their shared memory
    inline.circle().say(p.Watch("z", v.Matrix("dense1.z")), p.Play())
    inline.work_until(lambda s: s.trainer is not None and s.trainer.step > 0)
    inline.say(p.Pull(), p.Pause())
    inline.work_until(lambda s: not s.moving and bool(inline.of(p.Frame)))
    inline.session.work()
    assert [s.answer for s in inline.of(p.Status)] == [False, True]
    client = Client.__new__(Client)
    client._pulled = True
    for status, waiting in zip(inline.of(p.Status), (True, False), strict=True):
        client._note(status)
        assert client.waiting is waiting


def test_inputs_can_be_others_for_one_look(inline: Inline) -> None:
    inline.circle()
    trainer = inline.session.trainer
    assert trainer is not None
    value = next(op.out.id for op in trainer.program.ops if op.kind == "gather")
    batch = inline.reply(p.Read(value, 2))
    loss = inline.reply(p.Read(trainer.program.losses[0].id, 7))
    state = inline.state()
    cells = np.array([[0, 1], [1, 0]])
    old = inline.reply(p.EditInput(value, cells, np.array([7.0, -7.0]), 3))
    np.testing.assert_array_equal(old, [batch[0, 1], batch[1, 0]])
    seen = inline.reply(p.Read(value, 4))
    assert seen[0, 1] == 7 and seen[1, 0] == -7 and np.count_nonzero(seen != batch) == 2
    assert inline.reply(p.Read(trainer.program.losses[0].id, 8)) != loss
    assert len(inline.reply(p.EditInput(value, np.zeros((0, 2)), np.zeros(0), 5))) == 0
    np.testing.assert_array_equal(inline.reply(p.Read(value, 6)), batch)
    for bad in (p.EditInput(value, np.array([[9, 0]]), np.array([1.0]), 9),
                p.EditInput(value, np.array([[0, 0]]), np.array([np.nan]), 10),
                p.EditInput("dense1.weight@old", np.array([[0, 0]]), np.array([1.0]), 11)):
        inline.say(bad)
        assert inline.of(p.Reply)[-1].error is not None
    # nothing of it is learnt
    after = inline.state()
    assert all(np.array_equal(state[key], after[key]) for key in state)


def test_what_is_asked_about_is_normalized_like_the_data() -> None:
    """A picture as the file holds it, and as 0..1, are the same picture."""
    dataset = load(replace(SourceSpec.sample("digits"), normalize=True))
    raw = (np.arange(128).reshape(2, 1, 8, 8) * 2).astype(np.uint8)
    shares = raw.astype(np.float32) * np.float32(dataset.scale)
    np.testing.assert_allclose(as_seen(dataset, shares), as_seen(dataset, raw), atol=1e-6)
    assert abs(as_seen(dataset, shares) - shares).max() > 0.1
