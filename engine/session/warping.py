"""Pictures of the affine lab, warped on the device that was chosen; no network is needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine import affine
from engine.backends.base import Array, Backend
from engine.errors import N_, DataError
from engine.ops.base import REGISTRY, Context
from engine.session import protocol as p

KEPT = 4
"""Pictures held at once."""


class Warping:
    """Answers WarpPicture, ReadWarped, TurnPicture and AugmentPictures by `Reply`."""

    def __init__(self, emit: Callable[[p.Event], None], backend: Callable[[], Backend]) -> None:
        self._emit, self._backend = emit, backend
        self._warper: affine.Warper | None = None
        self._pictures: dict[str, Array] = {}
        self._last: Array | None = None

    def answer(self, command: p.Command) -> None:
        """Raises DataError for what cannot be warped, DeviceError."""
        match command:
            case p.WarpPicture():
                payload: object = self._warp(command)
            case p.ReadWarped():
                payload = self._read(command.row, command.column)
            case p.TurnPicture():
                payload = self._turn(command)
            case p.AugmentPictures():
                payload = self._augment(command)
            case _:
                raise TypeError(f"not a command: {command!r}")
        self._emit(p.Reply(command.id, payload))

    @property
    def warper(self) -> affine.Warper:
        """On the device in use now."""
        backend = self._backend()
        if self._warper is None or self._warper.backend is not backend:
            self._warper = affine.Warper(backend)
        return self._warper

    def _warp(self, c: p.WarpPicture) -> p.Warped:
        if c.picture is not None:
            self._pictures.pop(c.key, None)
            while len(self._pictures) >= KEPT:
                del self._pictures[next(iter(self._pictures))]
            self._pictures[c.key] = c.picture
        if c.key not in self._pictures:
            raise DataError(N_("The engine was started again and needs the picture once more."))
        y = self.warper.warp(self._pictures[c.key], c.matrix, c.border, c.interpolation)
        self._last = y
        return p.Warped(as_bytes(y), self._read(*c.probe) if c.probe is not None else None)

    def _read(self, row: int, column: int) -> Array | None:
        y = self._last
        if y is None or not (0 <= row < y.shape[0] and 0 <= column < y.shape[1]):
            return None
        return np.array(y[row, column])

    def _turn(self, c: p.TurnPicture) -> p.Turned:
        start = np.asarray(c.picture)
        start = start[..., None] if start.ndim == 2 else start
        after = self.warper.turns(start, c.degrees, c.times, c.border, c.interpolation)
        inside = affine.disc(*start.shape[:2])
        return p.Turned(as_bytes(after), affine.psnr(after, start, inside))

    def _augment(self, c: p.AugmentPictures) -> Array:
        """(N, H, W, C) bytes: each picture by a map of its own, as the layer Augment would draw it."""
        n, height, width = c.pictures.shape[:3]
        controls = {"rotation": c.rotation, "scale": c.scale, "shift": c.shift}
        attrs = {"height": height, "width": width, "capacity": n}
        (m,) = REGISTRY["random_affine"].reference((), attrs, Context(n, controls, c.seed, 0, 1))
        out = np.empty(c.pictures.shape, np.uint8)
        for k in range(n):
            matrix = np.vstack([m[:, k].reshape(2, 3), [0, 0, 1]])
            out[k] = as_bytes(self.warper.warp(c.pictures[k], matrix, c.border))
        return out


def as_bytes(picture: Array) -> Array:
    """0..255 rounded for the screen."""
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
