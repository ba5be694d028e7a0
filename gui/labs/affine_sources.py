"""Pictures for the affine lab: a file, a shipped photograph, the training data, a feature map."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.data.pictures import read_picture
from engine.data.samples import PICTURES, sample_picture
from engine.errors import N_, DataError, Message
from engine.layers import Input
from gui.i18n import tr, tr_message
from gui.labs.affine_engine import shrunk, while_alive

if TYPE_CHECKING:
    from gui.workbench import Workbench

LARGEST = 2048
"""Pixels of the longer side; a larger picture is made smaller by a whole factor, and it is said."""
MAPS = 12
"""Feature maps and pictures offered at once."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture (H, W, C), C 1 or 3, as numbers 0..255, with its name and what was done to it."""

    pixels: np.ndarray
    name: str
    note: str = ""


def from_file(path: Path) -> Subject:
    """Read a file. Raises DataError."""
    picture = read_picture(path)
    array = picture.array
    if array.dtype == np.uint16:
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    factor = math.ceil(max(array.shape[:2]) / LARGEST)
    note = ""
    if factor > 1:
        array = np.rint(shrunk(array, factor)).astype(np.uint8)
        note = tr("made smaller, 1 : {factor}").format(factor=factor)
    return Subject(np.ascontiguousarray(array), picture.name, note)


def from_sample(name: str) -> Subject:
    """One of the photographs that are shipped. Raises DataError."""
    return from_file(sample_picture(name))


def samples() -> tuple[str, ...]:
    """Their names."""
    return tuple(PICTURES)


def as_pixels(maps: np.ndarray) -> np.ndarray:
    """(C, H, W) numbers as (H, W, C) 0..255; 0..1 keeps its meaning, anything else is stretched."""
    low, high = float(maps.min()), float(maps.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    scaled = (maps - low) / ((high - low) or 1.0) * 255
    return np.ascontiguousarray(np.moveaxis(scaled, 0, -1), np.float32)


def layers_with_maps(bench: Workbench) -> list[tuple[str, str, int]]:
    """(uid, name, maps) of every layer whose output is a picture; the input first, as it is drawn."""
    configured = bench.configured
    if configured is None:
        return []
    out = []
    for node in bench.document.graph.nodes:
        value = configured.program.values.get(configured.outputs.get(node.uid, ""))
        if value is not None and value.axes == ("C", "H", "W", "N"):
            out.append((node.uid, node.name, value.shape[0]))
    return out


def ask_maps(bench: Workbench, uid: str, done: Callable[[list[Subject]], None],
             failed: Callable[[Message], None], owner: QObject) -> None:
    """What leaves a layer for the batch of the step shown: its maps for one picture, or several inputs."""
    configured = bench.configured
    if configured is None or uid not in configured.outputs or not bench.document.graph.has(uid):
        failed(Message(N_("There is no network that can run yet.")))
        return
    node = bench.document.node(uid)

    def answered(values: Any, error: Message | None) -> None:
        if values is None:
            failed(error or Message(N_("The engine gave no answer.")))
            return
        array = np.nan_to_num(np.asarray(values, np.float32))
        if array.ndim != 4 or 0 in array.shape:
            failed(DataError(N_("{name} gives no pictures."), name=node.name).message)
            return
        channels, count = array.shape[0], array.shape[3]
        found = []
        if isinstance(node.layer, Input) or channels == 3:
            name = tr("{name}, picture {n}") if count > 1 else "{name}"
            kept = array[:3] if channels >= 3 else array[:1]
            for n in range(min(MAPS, count)):
                found.append(Subject(as_pixels(kept[..., n]), name.format(name=node.name, n=n + 1)))
        else:
            for k in range(min(MAPS, channels)):
                name = tr("{name}, map {n}").format(name=node.name, n=k + 1)
                found.append(Subject(as_pixels(array[k : k + 1, :, :, 0]), name))
        done(found)

    bench.runner.read(configured.outputs[uid], while_alive(owner, answered))


class Loader(QObject):
    """Brings pictures to the lab: `loaded(Subject)` or `refused(why)`, one picture at a time."""

    loaded = Signal(object)
    refused = Signal(str)

    def __init__(self, bench: Workbench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._maps: list[Subject] = []
        self._at = 0

    @property
    def count(self) -> int:
        """Pictures that came together: the maps of a layer, or pictures of a batch."""
        return len(self._maps)

    def file(self, path: Path) -> None:
        """Read a picture off the window's thread."""
        self._read(tr("Reading {file}").format(file=path.name), lambda: from_file(path))

    def sample(self, name: str) -> None:
        """A photograph that is shipped."""
        self._read(name, lambda: from_sample(name))

    def _read(self, title: str, make: Callable[[], Subject]) -> None:
        def done(subject: Subject) -> None:
            self._maps = []
            self.loaded.emit(subject)

        self._bench.tasks.run("affine", title, lambda _progress, _canceled: make(), done, self._refuse)

    def layer(self, uid: str) -> None:
        """What leaves a layer for the batch of the step shown."""

        def done(found: list[Subject]) -> None:
            self._maps, self._at = found, 0
            self.loaded.emit(found[0])

        ask_maps(self._bench, uid, done, self._refuse, self)

    def next(self) -> None:
        """The next of the pictures that came together."""
        if self._maps:
            self._at = (self._at + 1) % len(self._maps)
            self.loaded.emit(self._maps[self._at])

    def _refuse(self, message: Message) -> None:
        self.refused.emit(tr_message(message))


def input_of(bench: Workbench) -> str | None:
    """The uid of the input, where it takes pictures."""
    graph = bench.document.graph
    node = next((n for n in graph.nodes if isinstance(n.layer, Input) and len(n.layer.shape) == 3), None)
    return node.uid if node is not None else None
