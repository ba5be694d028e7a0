"""What a frame brings is handed out in turns; what nobody wants any more is handed to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pytestqt.qtbot import QtBot

from engine.session.views import Curves, Matrix, MatrixData, Missing, View, ViewData
from gui.watching import Watcher, Wish


class Engine:
    def __init__(self) -> None:
        self.said: list[tuple[str, View | None]] = []

    def watch(self, key: str, request: View | None, rate: float = 0, bytes: int = 0) -> None:
        self.said.append((key, request))


class Client:
    def __init__(self, **wishes: Wish) -> None:
        self.wishes = dict(wishes)
        self.taken: list[tuple[str, int]] = []

    def wants(self) -> Mapping[str, Wish]:
        return self.wishes

    def take(self, key: str, data: ViewData, step: int) -> None:
        self.taken.append((key, step))


def _numbers() -> Any:
    return MatrixData(np.zeros((1, 1), np.float32), (1, 1), (0, 1), (0, 1), (1, 1), 0.0, 0.0, 0.0)


def _made() -> tuple[Watcher, Client]:
    watcher = Watcher(Engine())
    client = Client(late=Wish(Curves(), turn=2), now=Wish(Matrix("a")), soon=Wish(Matrix("b"), turn=1))
    watcher.add(client)
    watcher.sync()
    return watcher, client


def test_turns_follow_each_other(qtbot: QtBot) -> None:
    watcher, client = _made()
    watcher.deliver(dict.fromkeys(("late", "soon", "now"), _numbers()), 7)
    assert client.taken == [("now", 7)]
    qtbot.waitUntil(lambda: len(client.taken) == 3)
    assert client.taken == [("now", 7), ("soon", 7), ("late", 7)]


def test_only_the_newest_waits_and_another_run_gets_nothing_of_the_old(qtbot: QtBot) -> None:
    watcher, client = _made()
    watcher.deliver({"soon": _numbers(), "late": _numbers()}, 1)
    watcher.deliver({"soon": _numbers(), "now": Missing("value")}, 2)
    qtbot.waitUntil(lambda: len(client.taken) == 2)
    assert client.taken == [("soon", 2), ("late", 1)]
    watcher.deliver({"soon": _numbers()}, 3)
    watcher.drop()
    qtbot.wait(60)
    assert len(client.taken) == 2


def test_what_is_no_longer_wished_for_is_not_handed_out(qtbot: QtBot) -> None:
    watcher, client = _made()
    watcher.deliver({"soon": _numbers(), "late": _numbers()}, 1)
    del client.wishes["soon"]
    watcher.sync()
    qtbot.waitUntil(lambda: client.taken == [("late", 1)])
