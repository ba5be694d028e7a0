"""Work that a lab has asked of the engine: what of it is still wanted, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from engine.errors import Message

R = TypeVar("R")
Ask = Callable[[Callable[[R], None], Callable[[R | None, Message | None], None]], int]
"""(who hears how far it is, who hears its end) -> the number of the job."""


class LabJob(Generic[R]):
    """At most one job at a time. What an older one still answers is dropped."""

    def __init__(
        self,
        cancel: Callable[[int], object],
        hear: Callable[[R], object],
        finish: Callable[[R | None, Message | None], object],
    ) -> None:
        self._cancel, self._hear, self._finish = cancel, hear, finish
        self._number = self._turn = 0

    def __bool__(self) -> bool:
        """Whether it is under way."""
        return bool(self._number)

    def start(self, ask: Ask[R]) -> None:
        """Another job; one under way is no longer heard."""
        self._turn += 1
        turn = self._turn
        self._number = -1
        number = ask(partial(self._heard, turn), partial(self._ended, turn))
        if self._number == -1:  # else it has ended already: there is no engine
            self._number = number

    def stop(self) -> None:
        """End it; its last words are still heard."""
        if self._number > 0:
            self._cancel(self._number)

    def forget(self) -> None:
        """End it, and hear no more of it."""
        self.stop()
        self._number = 0
        self._turn += 1

    def _heard(self, turn: int, result: R) -> None:
        if turn == self._turn:
            self._hear(result)

    def _ended(self, turn: int, result: R | None, error: Message | None) -> None:
        if turn == self._turn:
            self._number = 0
            self._finish(result, error)
