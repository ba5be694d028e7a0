"""The affine lab's way to the engine: one question at a time, the newest wish next, nothing queues."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from engine import affine
from engine.errors import Message
from engine.session.protocol import Warped

Array = np.ndarray[Any, Any]
SMALL = 320
"""Pixels of the longer side that are warped while something moves, where all of them take too long."""
QUICK = 0.020
"""Seconds within which an exact answer is fast enough for every frame."""
REST_MS = 140
"""After this time without another wish the exact picture is asked for."""


class Asks(Protocol):
    """What is needed of the runner."""

    def warp(self, key: str, picture: Any, matrix: Any, border: str, interpolation: str,
             probe: tuple[int, int] | None, answer: Callable[..., None]) -> None: ...

    def read_warped(self, row: int, column: int, answer: Callable[..., None]) -> None: ...


@dataclass(frozen=True, eq=False)
class Wish:
    """A picture wanted: M in pixels of the whole picture."""

    matrix: Array
    border: str
    interpolation: str
    probe: tuple[int, int] | None = None
    coarse: bool = False
    number: int = 0


@dataclass(frozen=True, eq=False)
class Answered:
    """What came: bytes (H, W, C); `factor` pixels of the picture are one of these."""

    pixels: Array
    probe: Array | None
    factor: int
    wish: Wish
    seconds: float


class Warps(QObject):
    """`warped(Answered)` and `failed(Message)`."""

    warped = Signal(object)
    failed = Signal(object)
    probed = Signal(object)
    """Numbers (C) of the pixel asked for, in the exact picture shown."""

    def __init__(self, runner: Asks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._picture: Array | None = None
        self._small: Array | None = None
        self._factor = 1
        self._serial = self._number = 0
        self._sent: set[str] = set()
        self._busy = False
        self._next: Wish | None = None
        self._last: Wish | None = None
        self._exact_seconds = 0.0
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._exactly)
        self._reading = False
        self._exact = False
        self._cell: tuple[int, int] | None = None

    def set_picture(self, picture: Array) -> None:
        """Another picture (H, W, C)."""
        self._serial += 1
        self._sent.clear()
        self._picture = picture
        self._factor = max(1, math.ceil(max(picture.shape[:2]) / SMALL))
        self._small = shrunk(picture, self._factor)
        self._exact_seconds = 0.0
        self._next = self._last = None

    def forget(self) -> None:
        """The engine was started again and holds no picture; what was asked is lost."""
        self._sent.clear()
        self._busy = self._reading = False
        if self._last is not None:
            self._next = self._last
            self._ask()

    def wish(self, wish: Wish) -> None:
        """The newest wish; one that waits is dropped."""
        self._number += 1
        self._next = self._last = replace(wish, number=self._number)
        self._ask()

    def probe(self, row: int, column: int) -> None:
        """The engine's numbers at a pixel of the exact picture; the newest question only."""
        self._cell = (row, column)
        if not self._reading and not self._busy and self._exact:
            self._read()

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._busy or self._next is not None or self._rest.isActive()

    def _read(self) -> None:
        if self._cell is None:
            return
        cell, self._cell = self._cell, None
        self._reading = True

        def answered(numbers: Array | None, _error: Message | None) -> None:
            self._reading = False
            if numbers is not None:
                self.probed.emit((cell, numbers))
            self._read()

        self._runner.read_warped(*cell, while_alive(self, answered))

    def _ask(self) -> None:
        if self._busy or self._next is None or self._picture is None:
            return
        wish, self._next = self._next, None
        coarse = wish.coarse and self._factor > 1 and self._exact_seconds > QUICK
        picture = self._small if coarse else self._picture
        factor = self._factor if coarse else 1
        if coarse:
            self._rest.start()
        elif wish.number == self._number:
            self._rest.stop()
        key = f"affine{self._serial}{'s' if coarse else ''}"
        given = None if key in self._sent else picture
        serial, began = self._serial, time.perf_counter()
        self._busy = True

        def answered(found: Warped | None, error: Message | None) -> None:
            if serial != self._serial:  # of a picture that is gone
                self._busy = False
                self._ask()
                return
            self._busy = False
            seconds = time.perf_counter() - began
            if found is None:
                self._sent.discard(key)
                if error is not None:
                    self.failed.emit(error)
            else:
                self._sent.add(key)
                self._exact = not coarse
                if not coarse and given is None:
                    self._exact_seconds = seconds
                self.warped.emit(Answered(found.pixels, found.probe, factor, wish, seconds))
            if self._next is not None:
                self._ask()
            elif not coarse:
                self._read()

        matrix = in_small(wish.matrix, factor) if coarse else wish.matrix
        probe = None if coarse else wish.probe
        how = wish.border, wish.interpolation
        self._runner.warp(key, given, matrix, *how, probe, while_alive(self, answered))

    def _exactly(self) -> None:
        if self._last is not None and self._next is None:
            self._next = replace(self._last, coarse=False)
            self._ask()


def while_alive(owner: QObject, answer: Callable[..., None]) -> Callable[..., None]:
    """`answer`, but nothing once its owner is gone: a window is rebuilt while the engine still computes."""

    def given(payload: Any, error: Message | None) -> None:
        if isValid(owner):
            answer(payload, error)

    return given


def shrunk(picture: Array, factor: int) -> Array:
    """(H, W, C) as means of factor x factor pixels; what is left over at the edges goes."""
    if factor <= 1:
        return picture
    h, w = (max(1, n // factor) for n in picture.shape[:2])
    part = picture[: h * factor, : w * factor].astype(np.float32)
    part = part.reshape(h, part.shape[0] // h, w, part.shape[1] // w, -1)
    return np.ascontiguousarray(part.mean(axis=(1, 3)))


def in_small(matrix: Array, factor: int) -> Array:
    """The same map in pixels of the shrunk picture: its pixel i lies at factor i + (factor - 1) / 2."""
    grow = affine.shift((factor - 1) / 2, (factor - 1) / 2) @ affine.scaling(factor, factor)
    return np.asarray(affine.inverse(grow) @ matrix @ grow)
