"""The room of the past: what is kept, thinned, spilled to disk, and said when it does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import history as module
from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.errors import GraphError
from engine.history import History
from engine.spool import Spool
from engine.training import Trainer
from tests.engine.session.conftest import CIRCLE, SGD, dropped_net


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(dropped_net(), SGD, load(CIRCLE), open_backend("numpy"))


def walk(t: Trainer, h: History, steps: int, every: int = 1) -> dict[int, Any]:
    seen = {}
    for _ in range(steps):
        t.traced_step()
        if t.step % every == 0:
            h.keep(t)
        seen[t.step] = t.store.state()
    return seen


def test_what_memory_is_too_short_for_lies_on_disk(
    trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = trainer.point().bytes
    monkeypatch.setattr(module, "available_memory", lambda: 0)
    monkeypatch.setattr(module, "LEAST_MEMORY", 3 * size)
    h = History(10 * size, Spool(tmp_path))
    h.begin()
    h.ready(trainer)
    seen = walk(trainer, h, 30)
    assert h.bytes == 10 * size and h.spilled == 7 * size
    assert len(list(tmp_path.rglob("*.npz"))) == 7
    for step in (int(s) for s in h.steps[1:]):
        point = h.nearest(step)
        assert point is not None and point.step == step
        for key, array in seen[step].items():
            np.testing.assert_array_equal(point.state[key], array)
    gone = sorted(tmp_path.rglob("*.npz"))
    for path in gone:
        path.write_bytes(b"damaged")
    assert h.nearest(int(h.steps[1])) is None, "a damaged file is no point"
    assert h.nearest(trainer.step) is not None
    h.close()
    assert not list(tmp_path.rglob("*.npz"))


def test_a_disk_that_refuses_costs_points_not_the_run(
    trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = trainer.point().bytes
    monkeypatch.setattr(module, "available_memory", lambda: 0)
    monkeypatch.setattr(module, "LEAST_MEMORY", 4 * size)
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    h = History(100 * size, Spool(blocked / "history"))
    h.begin()
    h.ready(trainer)
    walk(trainer, h, 40)
    assert h.spilled == 0 and h.bytes <= 4 * size and h.steps[-1] == 40 and h.steps[0] == 0


def test_what_other_programs_left_is_removed(tmp_path: Path) -> None:
    old = tmp_path / "123-1"
    old.mkdir()
    (old / "lock").touch()
    (old / "1.npz").write_bytes(b"left")
    first = Spool(tmp_path)
    assert first.write({"w": np.ones(3, np.float32)}) is not None
    assert not old.exists()
    second = Spool(tmp_path)
    second.write({"w": np.ones(3, np.float32)})
    assert len(list(tmp_path.iterdir())) == 2, "a living one is let be"
    first.close()
    second.close()
    assert not list(tmp_path.iterdir())


def test_points_edited_by_hand_outlive_thinning_until_there_is_no_room(trainer: Trainer) -> None:
    size = trainer.point().bytes
    h = History(8 * size)
    h.begin()
    h.ready(trainer)
    for step in range(1, 40):
        trainer.traced_step()
        h.keep(trainer, fixed=step in (5, 15))
    assert {0, 5, 15, 39} <= set(h.steps.tolist()) and h.bytes <= 8 * size
    for _ in range(12):
        trainer.traced_step()
        h.keep(trainer, fixed=True)
    assert h.bytes <= 8 * size and h.first is not None and h.first > 0
    assert np.all(np.diff(h.steps) > 0)


def test_too_large_is_said(trainer: Trainer) -> None:
    h = History(100)
    h.begin()
    h.ready(trainer)
    assert h.first is None and h.reason is not None and "too large" in str(h.reason)
    h.set_cap(10**9)
    h.keep(trainer, fixed=True)
    assert h.first == 0


def test_lines_share_their_points_and_are_forgotten_without_them(trainer: Trainer) -> None:
    h = History()
    h.begin()
    h.ready(trainer)
    walk(trainer, h, 10)
    whole = h.bytes
    point = h.nearest(4)
    assert point is not None
    trainer.return_to(point)
    h.fork(trainer)
    assert h.steps.tolist() == [0, 1, 2, 3, 4] and trainer.end == 4
    assert h.bytes == whole + point.bytes, "all is shared but the step they part at"
    h.remove(h.line.id)
    assert len(h.lines) == 2, "not the present one"
    h.remove(1)
    assert len(h.lines) == 1 and h.bytes == 5 * point.bytes
    for _ in range(20):
        trainer.traced_step()
        point = h.nearest(0)
        assert point is not None
        trainer.return_to(point)
        h.fork(trainer)
    assert len(h.lines) == module.MOST_LINES
    h.set_cap(4 * point.bytes)
    whole_lines = [line.id for line in h.lines if line.whole]
    assert whole_lines == [line.id for line in h.lines][-5:], "four that were left, and the present one"
    with pytest.raises(GraphError, match="only the curve was kept"):
        h.choose(h.lines[0], trainer)
