"""What is watched, and the frames made of it: all views of a frame show one step."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.as_matrix import named
from engine.errors import DeviceError
from engine.history import History
from engine.run import Evaluation
from engine.session import plane, reduce, thumbs
from engine.session.formed import formed
from engine.session.past import past
from engine.session.protocol import Frame, Phase, Watch
from engine.session.scores import scores
from engine.session.thumbs import NotYet, Reader
from engine.session.views import (
    Array,
    Batch,
    BatchData,
    Boundary,
    Curves,
    CurvesData,
    Histogram,
    Maps,
    Matrix,
    Missing,
    Past,
    Points,
    Scores,
    Thumbs,
    ThumbsData,
    View,
    ViewData,
)
from engine.training import Trainer

_log = logging.getLogger("matrizen.session")

SHARE = 0.12
"""Part of the time that making frames may take at full speed."""
PACED_SHARE = 0.5
"""The same while steps are paced and there is time to spare."""
SLOWEST = 1.0
"""Seconds between frames at most, whatever they cost."""


@dataclass
class _Watched:
    watch: Watch
    fresh: bool = True
    """Never answered since it was asked for."""
    stale: bool = True
    """The numbers have changed since the last answer."""
    shown: float = -1e9


class Viewer:
    """Keeps what is asked for. A frame holds what is due; the rest comes with a later one."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._extent: tuple[str, plane.Extent] | None = None
        self._cost = 0.0
        self._ended = -1e9

    def watch(self, command: Watch) -> None:
        """Ask for a view, change it, or stop it."""
        before = self._watched.get(command.key)
        if command.request is None:
            self._watched.pop(command.key, None)
        elif before is None or before.watch != command:
            self._watched[command.key] = _Watched(command, shown=before.shown if before else -1e9)

    def refresh(self) -> None:
        """Another program: everything is answered anew, be it by `Missing`."""
        for watched in self._watched.values():
            watched.fresh = watched.stale = True

    def touch(self) -> None:
        """The numbers have changed."""
        for watched in self._watched.values():
            watched.stale |= not isinstance(watched.watch.request, Points)

    @property
    def watching(self) -> bool:
        """Whether anything needs the values of a step."""
        shown = (w.watch.request for w in self._watched.values())
        return any(not isinstance(r, Points | Curves | Past | Scores) for r in shown)

    def news(self) -> bool:
        """Whether a frame would hold anything new."""
        return any(w.stale for w in self._watched.values())

    def needs_values(self) -> bool:
        """Whether the next frame shows values of a step (a boundary or a curve alone does not)."""
        shown = (w.watch.request for w in self._watched.values() if w.stale)
        return any(not isinstance(r, Points | Curves | Boundary | Past | Scores) for r in shown)

    def due(self, now: float, paced: bool) -> bool:
        """While steps run: whether it is time for a frame, by what the last ones cost."""
        if not self._watched:
            return False
        rest = min(SLOWEST, self._cost / (PACED_SHARE if paced else SHARE))
        return now - self._ended >= rest and any(self._is_due(w, now) for w in self._watched.values())

    @staticmethod
    def _is_due(watched: _Watched, now: float) -> bool:
        if not watched.stale:
            return False
        # frames come with the window's clock: a little early is in time
        return watched.fresh or now - watched.shown >= 0.75 / max(watched.watch.rate, 0.1)

    def frame(self, trainer: Trainer, generation: int, step: int, phase: Phase, now: float,
              moving: bool, history: History) -> Frame:
        """Make a frame of the step the traced plan holds. At rest everything new is in it."""
        start = time.thread_time()  # on a busy machine training waits as much as frames do
        read = Reader(trainer, phase == "step")
        views: dict[str, ViewData] = {}
        maps: dict[str, Array] = {}
        for key, watched in self._watched.items():
            if not watched.stale or (moving and not self._is_due(watched, now)):
                continue
            assert watched.watch.request is not None
            data = self._make(watched.watch.request, trainer, read, maps, history)
            views[key] = data if reduce.nbytes(data) <= watched.watch.bytes else Missing("budget")
            watched.fresh, watched.stale, watched.shown = False, False, now
        self._cost = time.thread_time() - start
        self._ended = now + self._cost
        return Frame(generation, step, phase, views, trainer.live_n, trainer.op_index)

    def spent(self, seconds: float) -> None:
        """Count the extra time of a traced step as the frame's."""
        self._cost += max(0.0, seconds)

    # ---- one view -----------------------------------------------------------------------------------

    def _make(self, request: View, trainer: Trainer, read: Reader,
              maps: dict[str, Array], history: History) -> ViewData:
        if isinstance(request, Past):
            return past(request, trainer, history)
        try:
            return self._data(request, trainer, read, maps) or Missing("kind")
        except KeyError:
            return Missing("value")
        except NotYet:
            return Missing("later")
        except DeviceError:
            raise  # the run has to leave the device
        except Exception:  # one view must not stop the training; the others go on
            _log.exception("the view %r failed", request)
            return Missing("failed")

    def _data(self, request: View, trainer: Trainer, read: Reader,
              maps: dict[str, Array]) -> ViewData | None:
        match request:
            case Matrix():
                form = named(read.program, request.value)
                if form is not None:
                    return formed(request, *form, read)
                return reduce.matrix(request, read.program.values[request.value], read(request.value))
            case Maps():
                value = read.program.values[request.value]
                picture = thumbs.picture_of(trainer, value.owner)
                tiles = reduce.as_tiles(value, read(request.value), request.sample, picture)
                return None if tiles is None else reduce.maps(tiles, request.max_size, request.limit)
            case Histogram():
                return reduce.histogram(read(request.value), request.bins)
            case Thumbs():
                if "neurons" in (role for _, role in request.nodes):
                    self._add_maps((u for u, role in request.nodes if role == "neurons"), trainer, maps)
                return ThumbsData(thumbs.make(request, read, maps))
            case Curves():
                return curves(request, trainer)
            case Boundary():
                return plane.boundary(request, trainer, self.extent(trainer))
            case Points():
                return plane.points(request, trainer.dataset, self.extent(trainer))
            case Batch():
                return batch(request, trainer, read)
            case Scores():
                return scores(request, trainer)
            case Past():
                return None  # made of the history

    def _add_maps(self, uids: Iterable[str], trainer: Trainer, maps: dict[str, Array]) -> None:
        missing = [u for u in uids if u not in maps]
        if missing and trainer.dataset.shape == (2,):
            maps.update(plane.neurons(missing, trainer, self.extent(trainer), 32))

    def extent(self, trainer: Trainer) -> plane.Extent:
        """The square around the present data, computed once."""
        if trainer.dataset.shape != (2,):
            return -1.0, 1.0, -1.0, 1.0
        if self._extent is None or self._extent[0] != trainer.dataset.sha256:
            self._extent = (trainer.dataset.sha256, plane.extent_of(trainer.dataset))
        return self._extent[1]


def curves(request: Curves, trainer: Trainer) -> CurvesData:
    """Loss and tests from a step on; more points than asked for are merged."""
    steps, low, mean, high = trainer.curve.arrays()
    chosen = steps >= request.since
    steps, low, mean, high = (a[chosen] for a in (steps, low, mean, high))
    if len(steps) > request.points > 0:
        starts = np.arange(0, len(steps), -(-len(steps) // request.points))
        counts = np.diff(np.append(starts, len(steps)))
        steps, low = steps[starts], np.minimum.reduceat(low, starts)
        mean, high = np.add.reduceat(mean, starts) / counts, np.maximum.reduceat(high, starts)
    tests = [t for t in trainer.tests if t.step >= request.since]
    every = max(1, -(-len(tests) // max(1, request.points)))
    tests = tests[(len(tests) - 1) % every :: every]  # the newest is always among them
    accuracy = [t.accuracy for t in tests if t.accuracy is not None]
    return CurvesData(
        steps, low, mean, high,
        np.array([t.step for t in tests], np.float64), np.array([t.loss for t in tests], np.float64),
        np.array(accuracy, np.float64), tuple((c.step, c.name, c.value) for c in trainer.log[-200:]),
        *_of_outputs(trainer, tests),
    )  # fmt: skip


def _of_outputs(trainer: Trainer, tests: Sequence[Evaluation]) -> tuple[dict[str, Array], str]:
    """The tests of each output by its name, and whose the accuracy is; nothing where there is one only."""
    ends = trainer.forward.ends
    if len(ends) < 2:
        return {}, ""
    unknown = (np.nan,) * len(ends)
    parts = np.array([t.parts if len(t.parts) == len(ends) else unknown for t in tests], np.float64)
    found = {end.name: parts.reshape(-1, len(ends))[:, i] for i, end in enumerate(ends)}
    return found, trainer.forward.output.name if trainer.classifies else ""


def batch(request: Batch, trainer: Trainer, read: Reader) -> BatchData:
    """Examples of the batch shown. Raises NotYet before the output of the step is computed."""
    n = min(request.limit, trainer.live_n)
    entry = next(n.uid for n in trainer.graph.nodes if n.layer.kind == "input")
    inputs = np.moveaxis(read(read.program.outputs[entry].id)[..., :n], -1, 0)
    output = trainer.output_value(read.program)
    said = np.moveaxis(read(output.id)[..., :n], -1, 0)
    shown = trainer.probabilities(said) if trainer.classifies else said
    position = int(trainer.step_values()["pos"])
    index = read("data.order")[position : position + n]
    made = trainer.forward.made(read.program, lambda id: np.moveaxis(read(id)[..., :n], -1, 0))
    return BatchData(np.ascontiguousarray(inputs), trainer.dataset.y_train[index],
                     np.ascontiguousarray(shown, np.float32), index, made)
