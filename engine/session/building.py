"""From a `Configure` to a trainer: data loaded once, a device opened, state carried or resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.backends.base import Array, Backend
from engine.backends.devices import DeviceInfo
from engine.backends.opening import open_backend
from engine.data.cancel import check_cancel
from engine.data.dataset import EXAMPLES, Dataset
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import N_, DataError, GraphError, MatrizenError, Message
from engine.rescue import Rescue, took_over
from engine.session import protocol as p
from engine.training import Trainer

ALWAYS = N_("always available")


class Builder:
    """Holds what outlives a program: the device and the data.

    Every method either succeeds or raises MatrizenError (or MemoryError) with everything as it was.
    """

    def __init__(self, canceled: Callable[[], bool], progress: Callable[[int, int], None]) -> None:
        self._canceled, self._progress = canceled, progress
        self.device = "numpy"
        self.reason = Message(ALWAYS)
        self.rescue = Rescue()
        self.failed: dict[str, Message] = {}
        """Devices that failed while they computed, and how."""
        self.source = SourceSpec.toy("circle")
        self.base = ""
        self._dataset: Dataset | None = None
        self._origins: dict[str, tuple[SourceSpec, str]] = {}
        """Where data came from, by their hash: a line of the run may go on with other data than the last."""
        self._backend: Backend | None = None

    @property
    def device_name(self) -> str:
        return self._backend.device if self._backend is not None else "NumPy"

    def backend(self) -> Backend:
        """The device in use, opened where nothing was computed yet."""
        return self._open(self.device)

    def build(self, c: p.Configure, trainer: Trainer | None) -> Trainer:
        """A new trainer, or `trainer` rebuilt for what was drawn."""
        dataset = self._load(c)
        resume = c.resume
        if trainer is not None and not c.fresh and resume is None:
            if c.device and c.device != self.device:
                trainer = self.move(trainer, c.device)
            trainer.rebuild(c.graph, c.training, dataset)
            self.rescue.keep(trainer)
        else:
            before = self._backend, self.device, self.reason
            backend = self._open(c.device or self.device)
            self.reason = c.why or self.reason
            try:
                trainer = Trainer(c.graph, c.training, dataset, backend)
                if resume is not None:
                    checkpoint = resume.checkpoint if isinstance(resume, p.RunState) else resume
                    trainer.load_checkpoint(checkpoint)
                self.rescue.keep(trainer)
            except (MatrizenError, MemoryError):
                self._back_to(*before)
                raise
            self._close_other(before[0])
        self.source, self.base, self._dataset = c.source, c.base, dataset
        self._origins[dataset.sha256] = c.source, c.base
        return trainer

    def chosen(self, line: int, t: Trainer, generation: int) -> p.Chosen:
        """The run went to another of its lines, perhaps with other data: what the window is told."""
        self.source, self.base = self._origins.get(t.dataset.sha256, (self.source, self.base))
        self._dataset = t.dataset
        return p.Chosen(generation, line, t.graph, t.training, self.source, t.spec)

    def move(self, old: Trainer, device: str) -> Trainer:
        """The same run on another device."""
        before = self._backend, self.device, self.reason
        backend = self._open(device)
        if backend is before[0]:
            return old
        try:
            new = Trainer(old.graph, old.training, old.dataset, backend)
            checkpoint = old.checkpoint()
            new.load_checkpoint(checkpoint)
            self.rescue.keep(new, checkpoint)
        except (MatrizenError, MemoryError):
            self._back_to(*before)
            raise
        self._close_other(before[0])
        return new

    def take_over(self, old: Trainer, problem: Message) -> tuple[Trainer, Message]:
        """The run on NumPy after its device failed, from the last checkpoint; and what to tell."""
        new = self.rescue.on_numpy(old)
        self.failed[self.device] = problem
        reason = Message(N_("the device failed at step {step}: {device}"),
                         {"step": new.step, "device": self.device_name})
        self._backend, self.device, self.reason = new.backend, "numpy", reason
        return new, took_over(problem, new.step)

    def leave_device(self, trainer: Trainer) -> Trainer:
        """The run so far on NumPy: the device cannot take what it becomes. `trainer` is used no more."""
        rescued = self.rescue.on_numpy(trainer, alive=True)
        self._back_to(rescued.backend, "numpy", self.reason)
        return rescued

    def build_on_numpy(self, c: p.Configure, trainer: Trainer | None, wanted: str) -> Trainer:
        """What `build` makes of it on NumPy, since the device called `wanted` could not take it."""
        built = self.build(replace(c, device="numpy"), trainer)
        self.reason = Message(N_("{device} cannot compute this network"), {"device": wanted})
        return built

    def found_best(self, best: DeviceInfo) -> None:
        """All devices were looked at; where only NumPy can compute, it is said why."""
        if best.id == self.device == "numpy" and self.reason.template == ALWAYS:
            self.reason = best.reason

    def choose(self, device: str) -> None:
        """A device before there is a network."""
        before = self._backend
        self._open(device)
        self._close_other(before)

    def _open(self, device: str) -> Backend:
        if self._backend is None or device not in (self.device, ""):
            self._backend = open_backend(device)
            self.device = self._backend.name
            chosen = self.device != "numpy" or device != "numpy"
            self.reason = Message(N_("chosen by you") if chosen else ALWAYS)
        return self._backend

    def _back_to(self, backend: Backend | None, device: str, reason: Message) -> None:
        if self._backend is not backend and self._backend is not None:
            self._backend.close()
        self._backend, self.device, self.reason = backend, device, reason

    def _close_other(self, backend: Backend | None) -> None:
        if backend is not None and backend is not self._backend:
            backend.close()

    def _load(self, c: p.Configure) -> Dataset:
        if self._dataset is not None and (self.source, self.base) == (c.source, c.base):
            return self._dataset
        try:
            return load(c.source, self._progress, self._canceled, Path(c.base) if c.base else None)
        except DataError:
            check_cancel(self._canceled)  # some loaders say it in words of their own
            raise
        except OSError as error:
            raise DataError(N_("{file} cannot be read: {reason}."), file=error.filename or c.source.path,
                            reason=error.strerror or str(error)) from error

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None


def facts(t: Trainer, generation: int) -> p.Configured:
    """What the window is told about a program."""
    d = t.dataset
    data = p.DataFacts(t.spec, d.kind, d.class_names, d.feature_names, d.n_train, d.n_test, d.sha256,
                       d.source_sha256, d.notes, d.skipped, d.vocabulary)
    outputs = {uid: v.id for uid, v in t.program.outputs.items()}
    return p.Configured(generation, t.program, outputs, data, t.training, t.seed)


def set_hot(t: Trainer, command: p.SetTraining) -> None:
    """Hot settings of layers and training, from the next step on. Raises GraphError for what is not hot."""
    graph = t.graph
    for key, value in command.layers.items():
        uid, _, name = key.rpartition(".")
        layer, rules = graph.node(uid).layer, graph.node(uid).rules
        if name in rules.active:
            graph = graph.replace_node(uid, rules=replace(rules, **{name: value}))
            continue
        if not any(name == field and setting.hot for field, (setting, _) in layer.settings().items()):
            raise GraphError(N_("{key} cannot be changed while training."), key=key)
        graph = graph.replace_node(uid, layer=replace(layer, **{name: value}))
    for key, value in command.layers.items():
        t.set_control(key, float(value))
    t.graph = graph
    t.set_training(command.training)


def with_few_examples(dataset: Dataset) -> Dataset:
    """What files need of the data: all that is known of it, and the first examples."""
    few = slice(EXAMPLES)
    return replace(dataset, x_train=dataset.x_train[few], y_train=dataset.y_train[few],
                   x_test=dataset.x_test[few], y_test=dataset.y_test[few])


def as_seen(dataset: Dataset, arrays: Array) -> Array:
    """Inputs as the network sees them: normalized like the data, u8 scaled before."""
    if arrays.dtype == np.uint8:
        return dataset.to_float(arrays)
    return dataset.normalized(np.asarray(arrays, np.float32))
