"""The lines of a run across programs, data, files and the end of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.project import Project
from engine.project_file import load_project, save_project
from engine.session import protocol as p
from engine.session import slots
from engine.session import views as v
from engine.session.keeper import LINES
from tests.engine.session.conftest import CIRCLE, SGD, Inline, circle_net, layer

OTHER_DATA = replace(CIRCLE, seed=4)


def steps(inline: Inline, count: int) -> None:
    for _ in range(count):
        inline.say(p.Step("batch"))
        inline.pull()


def branched(inline: Inline) -> Inline:
    """Run 1 to step 12; run 2 from step 5 with another rate to step 9."""
    inline.circle()
    steps(inline, 12)
    inline.say(p.GoTo(5), p.Branch(), p.SetTraining(replace(SGD, learning_rate=0.2)))
    steps(inline, 4)
    return inline


def past_of(inline: Inline) -> v.PastData:
    inline.work_until(lambda s: not s.rewinder.seeking)
    inline.say(p.Watch("past", v.Past(), rate=1000.0))
    frame, _ = inline.pull()
    inline.say(p.Watch("past", None))
    assert frame is not None
    data = frame.views["past"]
    assert isinstance(data, v.PastData)
    return data


@pytest.fixture
def second() -> Iterator[Inline]:
    """Another engine: after a file, or after the first one died."""
    made = Inline()
    yield made
    made.session.close()


def resume(inline: Inline, how: str, second: Inline, folder: Path) -> None:
    """Bring the run into another engine by a file, or by what the slots hold."""
    if how == "slots":
        state = inline.session.run_state()
        whole = bytearray(b"".join(bytes(part) for part in slots.pack(state)))
        found: p.RunState = slots.unpack(whole)
        second.say(p.Configure(found.graph, found.training, found.source, 1, resume=found))
        return
    run = inline.reply(p.CheckpointNow(7)).checkpoint
    t = inline.trainer
    path = save_project(folder / "lines.matrizen", Project(t.graph, t.training, CIRCLE, run=run))
    project = load_project(path)
    assert not project.messages and project.source is not None
    second.say(p.Configure(project.graph, project.training, project.source, 1, resume=project.run))


@pytest.mark.parametrize("how", ["file", "slots"])
def test_lines_survive_and_go_on_bit_for_bit(
    inline: Inline, second: Inline, how: str, tmp_path: Path
) -> None:
    branched(inline)
    resume(inline, how, second, tmp_path)
    past, before = past_of(second), past_of(inline)
    assert past.line == 2
    for a, b in zip(past.lines, before.lines, strict=True):
        assert (a.number, a.parent, a.start, a.end, a.whole) == (b.number, b.parent, b.start, b.end, True)
        assert a.training == b.training
        np.testing.assert_array_equal(a.steps, b.steps)
        np.testing.assert_allclose(a.mean, b.mean, rtol=1e-6)  # files keep curves in single precision
    for engine in (inline, second):
        engine.say(p.ChooseLine(1))
        assert not engine.of(p.Fault) and engine.trainer.step == 12
        steps(engine, 3)
    first, again = inline.state(), second.state()
    for key, array in first.items():
        np.testing.assert_array_equal(again[key], array)
    for engine in (inline, second):
        engine.say(p.ChooseLine(2))
        assert (engine.trainer.step, engine.trainer.controls()["lr"]) == (9, pytest.approx(0.2))
        steps(engine, 2)
    assert [(d.number, d.end) for d in past_of(second).lines] == [(1, 15), (2, 11)]
    for key, array in inline.state().items():
        np.testing.assert_array_equal(second.state()[key], array)


def test_beyond_the_room_for_states_curves_are_kept(inline: Inline, second: Inline) -> None:
    branched(inline)
    lines = inline.session.motion.lines(10)
    assert lines is not None and LINES > 10_000_000
    (first,) = lines.others
    assert not first.whole and not first.run.state and first.run.curve is not None
    run = replace(inline.trainer.checkpoint(), lines=lines)
    second.say(p.Configure(inline.trainer.graph, inline.trainer.training, CIRCLE, 1, resume=run))
    line = past_of(second).lines[0]
    assert not line.whole and len(line.mean) == 12
    state = second.state()
    second.say(p.ChooseLine(1))
    assert "only the curve was kept" in str(second.of(p.Fault)[-1].message)
    assert second.trainer.step == 9 and second.session.motion.history.line.id == 2
    for key, array in state.items():
        np.testing.assert_array_equal(second.state()[key], array)


def wider() -> Any:
    return circle_net().replace_node("dense1", layer=layer("dense", units=6))


@pytest.mark.parametrize("how", ["live", "file"])
def test_a_line_of_another_structure(inline: Inline, second: Inline, how: str, tmp_path: Path) -> None:
    """What was drawn then is drawn again, with its weights, and back."""
    inline.circle()
    steps(inline, 8)
    first = inline.state()
    inline.say(p.GoTo(4), p.Configure(wider(), SGD, CIRCLE, 2))
    steps(inline, 3)
    wide = inline.state()
    assert wide["dense1.weight"].shape == (6, 2) and inline.session.motion.history.line.id == 2
    engine = inline
    if how == "file":
        resume(inline, "file", second, tmp_path)
        engine = second
    engine.say(p.ChooseLine(1))
    assert not engine.of(p.Fault) and engine.of(p.Chosen)[-1].graph == circle_net()
    assert engine.of(p.Configured)[-1].program is engine.trainer.program
    for key, array in first.items():
        np.testing.assert_array_equal(engine.state()[key], array)
    steps(engine, 2)
    engine.say(p.ChooseLine(2))
    for key, array in wide.items():
        np.testing.assert_array_equal(engine.state()[key], array)
    steps(engine, 1)
    assert [(d.number, d.end) for d in past_of(engine).lines] == [(1, 10), (2, 8)]


def test_a_line_with_other_data_brings_them_back(inline: Inline, second: Inline, tmp_path: Path) -> None:
    inline.circle()
    steps(inline, 8)
    old = inline.trainer.dataset.sha256
    inline.say(p.GoTo(4), p.Configure(circle_net(), SGD, OTHER_DATA, 2))
    steps(inline, 2)
    run = inline.reply(p.CheckpointNow(7)).checkpoint
    inline.say(p.ChooseLine(1))
    chosen = inline.of(p.Chosen)[-1]
    assert chosen.source == CIRCLE and inline.trainer.dataset.sha256 == old
    assert inline.session.run_state().source == CIRCLE
    before = inline.trainer.program
    inline.say(p.Configure(chosen.graph, chosen.training, chosen.source, 3))
    assert inline.trainer.program is before, "the window says what it was told: nothing is rebuilt"
    t = inline.trainer
    path = save_project(tmp_path / "data.matrizen", Project(t.graph, t.training, OTHER_DATA, run=run))
    project = load_project(path)
    second.say(p.Configure(project.graph, project.training, OTHER_DATA, 1, resume=project.run))
    second.say(p.ChooseLine(1))
    assert "other data" in str(second.of(p.Fault)[-1].message) and second.trainer.step == 6


def test_a_branch_where_history_holds_nothing(inline: Inline) -> None:
    """The step on the screen can always be branched from; one that is gone is refused before."""
    inline.say(p.SetHistory(100))
    inline.circle()
    steps(inline, 6)
    inline.say(p.GoTo(2), p.Branch())
    assert "can no longer be shown" in str(inline.of(p.Fault)[-1].message)
    history = inline.session.motion.history
    assert (inline.trainer.step, history.line.start) == (6, 6)
    steps(inline, 2)
    inline.say(p.ChooseLine(1))
    assert (inline.trainer.step, history.line.id) == (6, 1)
    steps(inline, 1)
    inline.say(p.ChooseLine(9), p.RemoveLine(9), p.RemoveLine(1))
    assert inline.trainer.step == 7 and [line.id for line in history.lines] == [1, 2]
