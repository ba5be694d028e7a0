"""What is looked at is watched; what is not costs nothing.

Every client says what it wants to see now (`wants`) and takes what arrives (`take`). `Watcher.sync`
tells the engine the difference; panels call it when selection or visibility changed. Keys are unique
within the window.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import Qt, QTimer

from engine.session.views import Missing, View, ViewData

_log = logging.getLogger("matrizen.watching")


TURN_MS = 12


@dataclass(frozen=True)
class Wish:
    """A view, at most `rate` times a second and `bytes` big.

    What one frame brings is handed out in turns, 0 at once and the others a moment later each: painted all
    together, a large frame would keep the window from answering the hand.
    """

    request: View
    rate: float = 15.0
    bytes: int = 4_000_000
    turn: int = 0


class Client(Protocol):
    """Something on the screen that shows live numbers."""

    def wants(self) -> Mapping[str, Wish]:
        """What it shows at the moment; nothing while it is hidden."""

    def take(self, key: str, data: ViewData, step: int) -> None:
        """New numbers for one of its wishes."""


class Engine(Protocol):
    """The part of the runner that is needed here."""

    def watch(self, key: str, request: View | None, rate: float = ..., bytes: int = ...) -> None:
        """Show something under `key` from now on; None stops."""


class Watcher:
    """Keeps the engine's watch list equal to what the clients want."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._clients: list[Client] = []
        self._watched: dict[str, tuple[Wish, Client]] = {}
        self._waiting: dict[int, dict[str, tuple[ViewData, int]]] = {}
        self._turns = QTimer()
        self._turns.setSingleShot(True)
        self._turns.setTimerType(Qt.TimerType.PreciseTimer)
        self._turns.timeout.connect(self._next_turn)
        self.asleep = False

    def add(self, client: Client) -> None:
        """From now on this client is asked."""
        self._clients.append(client)

    def remove(self, client: Client) -> None:
        """Never ask this client again."""
        self._clients = [each for each in self._clients if each is not client]

    def clear(self) -> None:
        """Forget all clients and stop watching."""
        self._clients = []
        self.drop()
        self.sync()

    def sync(self) -> None:
        """Tell the engine what changed on the screen."""
        wanted: dict[str, tuple[Wish, Client]] = {}
        for client in () if self.asleep else self._clients:
            for key, wish in client.wants().items():
                wanted[key] = (wish, client)
        for key in [key for key in self._watched if key not in wanted]:
            del self._watched[key]
            self._engine.watch(key, None)
        for key, (wish, client) in wanted.items():
            known = self._watched.get(key)
            self._watched[key] = (wish, client)
            if known is None or known[0] != wish:
                self._engine.watch(key, wish.request, wish.rate, wish.bytes)

    def repeat(self) -> None:
        """Say everything again: a new engine or a new program knows nothing."""
        self.drop()
        for key, (wish, _) in self._watched.items():
            self._engine.watch(key, wish.request, wish.rate, wish.bytes)

    def watched(self) -> frozenset[str]:
        """The keys being watched."""
        return frozenset(self._watched)

    def deliver(self, views: Mapping[str, ViewData], step: int) -> None:
        """Hand what a frame brought to those who asked."""
        for key, data in views.items():
            known = self._watched.get(key)
            if known is None or isinstance(data, Missing):
                continue
            if known[0].turn:
                self._waiting.setdefault(known[0].turn, {})[key] = (data, step)
            else:
                self._hand(key, data, step)
        if self._waiting and not self._turns.isActive():
            self._turns.start(TURN_MS)

    def drop(self) -> None:
        """What still waits belongs to another run."""
        self._waiting.clear()
        self._turns.stop()

    def _next_turn(self) -> None:
        for key, (data, step) in self._waiting.pop(min(self._waiting, default=0), {}).items():
            self._hand(key, data, step)
        if self._waiting:
            self._turns.start(TURN_MS)

    def _hand(self, key: str, data: ViewData, step: int) -> None:
        known = self._watched.get(key)
        if known is None:
            return
        try:
            known[1].take(key, data, step)
        except Exception:  # one view that stumbles must not keep the others from their numbers
            _log.exception("showing %s failed", key)
