"""Several optimizers side by side: the same network, the same weights, the same batches, on NumPy.

Each has its own state and starts its moments at zero; batches, dropout and augmentation are those that the
run would see next. Nothing of it touches the run. A race is a job: `steps` pauses behind every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine import random
from engine.backends.base import state_key
from engine.backends.opening import open_backend
from engine.carrying import without_moments
from engine.ops.base import Array
from engine.optimizers import step_controls
from engine.program import record
from engine.run import data_spec
from engine.training import SHUFFLE, Trainer
from engine.values import Role, state_id

OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam")
RATES = {"sgd": 0.1, "momentum": 0.02, "rmsprop": 0.003, "adam": 0.003}
"""Usual learning rates, for those that the person does not train with."""
STEPS = 100


@dataclass(frozen=True)
class Watched:
    """One weight whose path is drawn: key "<node>.<name>" and its cell."""

    key: str
    cell: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Lane:
    """One optimizer so far. `path` (steps + 1, watched): the weights before the first step and after each."""

    optimizer: str
    rate: float
    losses: Array
    path: Array
    diverged: int | None
    """The step whose loss or weights were no longer finite."""


@dataclass(frozen=True, eq=False)
class Race:
    """All lanes so far."""

    start: int
    """Number of the first step."""
    steps: int
    watched: tuple[Watched, ...]
    lanes: tuple[Lane, ...]
    done: int
    total: int


class OptimizerRace:
    """The race, as a job. `rates`: optimizer -> learning rate; what is missing is the run's or usual."""

    def __init__(
        self, trainer: Trainer, watched: Sequence[Watched], steps: int = STEPS,
        rates: Mapping[str, float] | None = None, optimizers: Sequence[str] = OPTIMIZERS,
    ) -> None:  # fmt: skip
        own = trainer.training
        self.rates = {**RATES, own.optimizer: own.learning_rate, **(rates or {})}
        self.start, self.steps_wanted, self.watched = trainer.step, steps, tuple(watched)
        self.done, self.total = 0, steps * len(optimizers)
        self._batches = _Batches(trainer)
        start = without_moments(trainer.store.state())
        self._runners = [_Runner(trainer, name, self.rates[name], start, self.watched) for name in optimizers]

    def result(self) -> Race:
        """A copy of what is known by now."""
        lanes = tuple(r.lane() for r in self._runners)
        return Race(self.start, self.steps_wanted, self.watched, lanes, self.done, self.total)

    def steps(self) -> Iterator[None]:
        """Run it, one step of one optimizer at a time."""
        for k in range(self.steps_wanted):
            batch = self._batches.next()
            for runner in self._runners:
                runner.step(k, *batch)
                self.done += 1
                yield


class _Batches:
    """What the run would see next, from its data and its shuffling."""

    def __init__(self, trainer: Trainer) -> None:
        self._data, self._seed, self._capacity = trainer.dataset, trainer.seed, trainer.capacity
        self._epoch, self._position, self._step = trainer.epoch, trainer.position, trainer.step
        self._order = random.permutation(self._seed, SHUFFLE, self._epoch, self._data.n_train)

    def next(self) -> tuple[Array, Array, int]:
        """Inputs and targets with the sample last, and the number of the step."""
        if self._position >= self._data.n_train:
            self._position, self._epoch = 0, self._epoch + 1
            self._order = random.permutation(self._seed, SHUFFLE, self._epoch, self._data.n_train)
        chosen = self._order[self._position : self._position + self._capacity]
        self._position += len(chosen)
        self._step += 1
        x = self._data.to_float(self._data.x_train[chosen])
        y = self._data.y_train[chosen]
        y = y.astype(np.int32) if self._data.n_classes else np.moveaxis(y.astype(np.float32), 0, -1)
        return np.ascontiguousarray(np.moveaxis(x, 0, -1)), y, self._step - 1


class _Runner:
    """One optimizer on its own store."""

    def __init__(
        self, trainer: Trainer, name: str, rate: float, start: Mapping[str, Array], watched: Sequence[Watched]
    ) -> None:
        training = replace(trainer.training, optimizer=name, learning_rate=rate, accumulate=1)
        spec = replace(data_spec(trainer.dataset), count=0)
        self.program = record(trainer.graph, training, spec, "train", trainer.capacity, trainer.locked)
        backend = open_backend("numpy")
        store = backend.store(self.program.state(), trainer.seed)
        shapes = {state_key(v): v.shape for v in self.program.state()}
        whole = {k: start.get(k, np.zeros(shape)) for k, shape in shapes.items()}
        store.load({k: np.ascontiguousarray(a, np.float32) for k, a in whole.items()})
        self._plan = backend.compile(self.program, store, traced=True)
        hot = {k: v for k, v in trainer.controls().items() if k not in training.controls()}
        known = {**self.program.controls, **hot, **training.controls()}
        self._controls = {k: v for k, v in known.items() if k in self.program.controls}
        for control, value in self._controls.items():
            self._plan.set_control(control, value)
        self._source = next(v for v in self.program.inputs if v.role is Role.INPUT and v.id != "target")
        self.name, self.rate, self._watched = name, rate, watched
        self._losses: list[float] = []
        self._path = [[float(start[w.key][w.cell]) for w in watched]]
        self._diverged: int | None = None

    def lane(self) -> Lane:
        return Lane(self.name, self.rate, np.array(self._losses), np.array(self._path), self._diverged)

    def step(self, k: int, x: Array, y: Array, number: int) -> None:
        """One step on this batch, unless the numbers have run away before."""
        if self._diverged is not None:
            return
        plan = self._plan
        plan.write(self._source.id, x)
        if "target" in self.program.values:
            plan.write("target", y)
        n = x.shape[-1]
        plan.begin({"n": n, "pos": 0, "step": number, **step_controls(self._controls, k + 1)})
        with np.errstate(all="ignore"):
            plan.advance(len(self.program.ops))
        loss = float(plan.read(self.program.losses[0].id))
        news = [plan.read(new.id) for _, new in self.program.commits]
        if not np.isfinite(loss) or not all(np.isfinite(a).all() for a in news):
            self._diverged = number
            return
        plan.commit()
        self._losses.append(loss)
        self._path.append([float(plan.read(self._new(w))[w.cell]) for w in self._watched])

    def _new(self, w: Watched) -> str:
        owner, _, param = w.key.rpartition(".")
        return state_id(owner, param, "new")
