"""Locked weights in the engine's loop: edits, rewinding, dying, files, other networks, the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.project import Project
from engine.project_file import load_project, save_project
from engine.session import protocol as p
from engine.session import views as v
from tests.engine.session.conftest import CIRCLE, SGD, Inline, circle_net

KEY = "dense1.weight"
CELLS = np.array([[0, 0], [2, 1]])
LOCK = p.LockCells(KEY, CELLS, np.ones(2, bool), 7)


def walk(inline: Inline, steps: int) -> dict[int, Any]:
    seen = {inline.trainer.step: inline.state()}
    for _ in range(steps):
        inline.say(p.Step("batch"))
        seen[inline.trainer.step] = inline.state()
    return seen


def at(weights: Any) -> Any:
    return weights[tuple(CELLS.T)]


def rewound(inline: Inline, step: int) -> dict[str, Any]:
    inline.say(p.GoTo(step))
    inline.work_until(lambda s: not s.rewinder.seeking)
    return inline.state()


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array, err_msg=key)


def refused(inline: Inline, command: Any) -> str:
    inline.say(command)
    (reply,) = [r for r in inline.of(p.Reply) if r.id == command.id]
    return str(reply.error)


def test_a_lock_holds_and_is_part_of_the_past(inline: Inline) -> None:
    inline.circle()
    inline.say(p.Watch("lock", v.Matrix(f"{KEY}.lock@old"), rate=1000.0))
    before = walk(inline, 8)
    assert not inline.reply(LOCK).any(), "what was locked before comes back"
    configured = inline.of(p.Configured)[-1]
    assert f"{KEY}.lock@old" in configured.program.values
    locked = inline.state()
    frame, status = inline.pull()
    assert status.locked == {KEY: 2}
    assert frame is not None and frame.views["lock"].values.tolist() == [[1, 0], [0, 0], [0, 1]]
    after = walk(inline, 8)
    for state in after.values():
        np.testing.assert_array_equal(at(state[KEY]), at(locked[KEY]))
        np.testing.assert_array_equal(at(state[f"{KEY}.velocity"]), at(locked[f"{KEY}.velocity"]))
    assert (after[16][KEY][1] != locked[KEY][1]).all()
    inline.say(replace(LOCK, locked=np.zeros(2, bool)))
    free = walk(inline, 4)
    assert (at(free[20][KEY]) != at(locked[KEY])).all()
    names = [(c.step, c.name, c.value) for c in inline.trainer.log]
    assert names == [(8, "lock", [KEY]), (16, "lock", [KEY])]
    for step in (3, 12, 8, 19, 16, 20, 0):  # across both, back and forth
        expected = {**before, **{k: s for k, s in after.items() if k > 8}, **free, 8: locked}[step]
        same(rewound(inline, step), expected)
        assert inline.pull()[1].locked == ({KEY: 2} if 8 <= step < 16 else {})
    assert inline.session.motion.history.first == 0, "the history holds"


def test_lines_with_and_without_a_lock(inline: Inline) -> None:
    inline.circle()
    before = walk(inline, 4)
    inline.say(LOCK)
    after = walk(inline, 4)
    same(rewound(inline, 2), before[2])
    inline.say(p.Branch())
    branched = walk(inline, 6)
    assert not inline.trainer.locked and (at(branched[8][KEY]) != at(branched[2][KEY])).all()
    for line, steps in ((1, after), (2, branched), (1, after), (2, branched)):
        inline.say(p.ChooseLine(line))
        inline.work_until(lambda s: not s.rewinder.seeking)
        assert inline.of(p.Chosen)[-1].line == line
        for step in (8, 7, 5, 3):
            expected = steps.get(step, before.get(step))
            assert expected is not None
            same(rewound(inline, step), expected)
        rewound(inline, 8)
        assert inline.trainer.locked == ({KEY: 2} if line == 1 else {})


def test_what_is_locked_cannot_be_written(inline: Inline) -> None:
    inline.circle()
    old = inline.state()[KEY]
    inline.say(LOCK)
    assert "locked" in refused(inline, p.EditCells(KEY, CELLS, np.array([5.0, 5.0]), 8))
    inline.reply(p.EditCells(KEY, np.array([[0, 0], [1, 0]]), np.array([5.0, 6.0]), 9))
    new = inline.state()[KEY]
    assert (new[0, 0], new[1, 0]) == (old[0, 0], 6.0)
    assert "no value" in refused(inline, p.LockCells("dense1.nothing", CELLS, np.ones(2, bool), 10))
    assert "shape" in refused(inline, p.LockCells(KEY, CELLS + 5, np.ones(2, bool), 11))
    assert "shape" in refused(inline, p.LockCells(KEY, CELLS, np.ones(3, bool), 12))
    assert "no value" in refused(inline, p.LockCells(f"{KEY}.velocity", CELLS, np.ones(2, bool), 13))


def resumed(run: Any) -> Inline:
    other = Inline()
    other.say(p.Configure(circle_net(), SGD, CIRCLE, 1, resume=run))
    return other


def test_a_lock_survives_the_engine_and_the_file(inline: Inline, tmp_path: Path) -> None:
    inline.circle()
    inline.trainer.run(5, 1e6)
    inline.say(LOCK)
    inline.trainer.run(3, 1e6)
    run = inline.reply(p.CheckpointNow(1))
    path = save_project(tmp_path / "a.matrizen", Project(circle_net(), SGD, CIRCLE, run=run.checkpoint))
    opened = load_project(path)
    assert not opened.messages
    inline.trainer.run(9, 1e6)
    for other in (resumed(run), resumed(opened.run)):
        assert other.trainer.locked == {KEY: 2}
        other.trainer.run(9, 1e6)
        same(other.state(), inline.state())
        other.session.close()
    wrong = {**run.checkpoint.state, f"{KEY}.lock": np.ones((2, 2), np.float32)}
    odd = {**run.checkpoint.state, f"{KEY}.lock": np.full((3, 2), np.nan, np.float32)}
    damaged, strange = (resumed(replace(run.checkpoint, state=s)) for s in (wrong, odd))
    assert "lock" in str(damaged.of(p.Fault)[-1].message) and damaged.session.trainer is None
    assert strange.trainer.locked == {KEY: 6} and np.isfinite(strange.state()[f"{KEY}.lock"]).all()


def widened(units: int) -> Any:
    net = circle_net()
    return net.replace_node("dense1", layer=replace(net.node("dense1").layer, units=units))


def configure(inline: Inline, *graphs: Any, training: Any = SGD) -> None:
    for graph in graphs:
        inline.say(p.Configure(graph, training, CIRCLE, inline.session.generation + 1))


def locked_cells(inline: Inline) -> Sequence[Any]:
    return [list(map(int, cell)) for cell in np.argwhere(inline.state()[f"{KEY}.lock"])]


def test_locks_are_carried_into_another_network_and_back_to_the_start(inline: Inline) -> None:
    inline.circle()
    inline.trainer.run(5, 1e6)
    inline.say(LOCK)
    kept = at(inline.state()[KEY])
    configure(inline, widened(5))
    assert locked_cells(inline) == CELLS.tolist()
    configure(inline, widened(2))
    assert inline.trainer.locked == {KEY: 1}
    configure(inline, circle_net(), training=replace(SGD, optimizer="adam"))
    assert locked_cells(inline) == CELLS.tolist(), "undone, they are back"
    inline.trainer.run(5, 1e6)
    inline.say(p.Reset())
    state = inline.state()
    np.testing.assert_array_equal(at(state[KEY]), kept)
    fresh = Inline().circle().state()[KEY]
    np.testing.assert_array_equal(state[KEY][1], fresh[1])
    assert [(c.step, c.name) for c in inline.trainer.log] == [(0, "lock")]
    inline.say(replace(LOCK, locked=np.zeros(2, bool)), p.Reset())
    np.testing.assert_array_equal(inline.state()[KEY], fresh)
    configure(inline, widened(5))
    assert f"{KEY}.lock" not in inline.state(), "who locks nothing pays nothing"
