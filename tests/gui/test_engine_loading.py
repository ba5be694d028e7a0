"""The engine's loading in the loading bar: shown when it lasts, with a way out; a short one is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.data.source import SourceSpec
from engine.session import protocol as p
from engine.session.client import Client
from engine.session.segments import Registry
from gui import loading
from gui.engine_loading import EngineLoading
from gui.loading import Tasks
from gui.panels.loading_bar import LoadingBar
from gui.runner import Runner
from tests.engine.data.picture_bytes import many_pictures
from tests.engine.session.conftest import ADAM, CIRCLE, SGD, circle_net
from tests.engine.session.test_process import picture_net


class Waiting:
    """A runner whose loading is shown, and what was shown of it."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.runner = Runner(client=Client(Registry(folder / "segments")))
        self.tasks = Tasks()
        self.follower = EngineLoading(self.runner, self.tasks)
        self.shown: list[tuple[str, int, int]] = []
        self.faults: list[p.Fault] = []
        self.programs: list[p.Configured] = []
        self.tasks.shown.connect(lambda *what: self.shown.append(what))
        self.runner.fault.connect(self.faults.append)
        self.runner.configured.connect(self.programs.append)
        self.hidden: list[int] = []
        self.tasks.hidden.connect(lambda: self.hidden.append(len(self.shown)))
        self.qtbot = qtbot

    def until(self, what: str, count: int = 1) -> None:
        self.qtbot.waitUntil(lambda: len(getattr(self, what)) >= count, timeout=30_000)


@pytest.fixture
def waiting(qtbot: QtBot, tmp_path: Path) -> Iterator[Waiting]:
    made = Waiting(qtbot, tmp_path)
    yield made
    made.runner.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> SourceSpec:
    return SourceSpec.folder(str(many_pictures(tmp_path_factory.mktemp("pictures"), 2000)))


def test_a_long_load_is_shown_until_its_program_runs(waiting: Waiting, pictures: SourceSpec) -> None:
    waiting.runner.configure(picture_net(), ADAM, pictures)
    waiting.until("shown")
    assert waiting.tasks.busy()
    waiting.until("programs")
    assert not waiting.tasks.busy() and waiting.hidden[-1] == len(waiting.shown)
    done = [count for _, count, _ in waiting.shown]
    assert done == sorted(done) and {total for *_, total in waiting.shown} == {4000}
    assert done[0] > 0  # not shown before it had lasted
    assert {title for title, *_ in waiting.shown} == {"Loading data"}
    assert not waiting.faults


def test_its_button_stops_it_and_the_program_before_stays(waiting: Waiting, pictures: SourceSpec) -> None:
    waiting.runner.configure(circle_net(), SGD, CIRCLE)
    waiting.until("programs")
    bar = LoadingBar(None)  # type: ignore[arg-type]
    waiting.qtbot.addWidget(bar)
    waiting.tasks.shown.connect(bar.show_progress)
    waiting.tasks.hidden.connect(bar.hide)
    bar.canceled.connect(waiting.tasks.cancel)
    waiting.runner.configure(picture_net(), ADAM, pictures)
    waiting.until("shown")
    assert bar.isVisible()
    bar.canceled.emit()
    waiting.until("faults")
    assert waiting.faults[0].kind == "canceled" and not waiting.tasks.busy()
    assert not bar.isVisible()
    assert len(waiting.programs) == 1
    waiting.runner.configure(picture_net(), ADAM, pictures)  # asked for again, it is loaded
    waiting.until("programs", 2)
    assert len(waiting.faults) == 1 and not bar.isVisible()


def test_a_short_load_is_not_shown(waiting: Waiting, tmp_path: Path) -> None:
    told: list[p.Progress] = []
    waiting.runner.progress.connect(told.append)
    few = SourceSpec.folder(str(many_pictures(tmp_path / "few", 50)))
    waiting.runner.configure(picture_net(), ADAM, few)
    waiting.until("programs")
    assert told and not waiting.shown and not waiting.tasks.busy()


def test_an_engine_that_dies_while_it_loads_leaves_no_bar(waiting: Waiting, pictures: SourceSpec) -> None:
    waiting.runner.configure(picture_net(), ADAM, pictures)
    waiting.until("shown")
    waiting.runner.died.emit(None)
    assert not waiting.tasks.busy() and waiting.hidden[-1] == len(waiting.shown)
    waiting.until("programs")
    assert not waiting.tasks.busy()


def test_work_here_and_there_share_the_bar(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "SHOW_AFTER", 0.0)
    tasks = Tasks()
    hidden: list[bool] = []
    shown: list[str] = []
    tasks.hidden.connect(lambda: hidden.append(True))
    tasks.shown.connect(lambda title, *_: shown.append(title))
    asked: list[str] = []
    there = tasks.follow("engine", "there", lambda: asked.append("there"))
    done: list[int] = []
    tasks.run("here", "here", lambda *_: 5, done.append, lambda _message: None)
    qtbot.waitUntil(lambda: done == [5], timeout=5000)
    assert not hidden and tasks.busy()  # the other one is still waited for
    qtbot.wait(2)
    there.tell(1, 3)
    assert shown[-1] == "there"
    tasks.cancel()
    assert asked == ["there"]
    there.end()
    assert hidden == [True] and not tasks.busy()
    there.end()  # a second word of it changes nothing
    assert not tasks.busy()
