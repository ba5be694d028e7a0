"""The training loop over a program: chunks of fast steps, traced steps, structural edits, checkpoints.

A `Trainer` is one run: a recorded network on one backend with its data. The fast plan and the traced plan
share one store and one arithmetic, so any mixture of them gives the same weights, bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

import numpy as np

from engine import locks, random
from engine.backends.base import Array, Backend, state_key
from engine.carrying import Attic, without_gathered, without_moments
from engine.curves import Curve
from engine.data.dataset import Dataset
from engine.errors import N_, Message, TrainingError, listed
from engine.graph import GraphSpec
from engine.ops.base import stream_number
from engine.position import PER_STEP, Positioned, same_judge
from engine.prepared import Prepared, prepare
from engine.run import (
    REBUILT,
    Checkpoint,
    ChunkResult,
    Evaluation,
    Lines,
    LiveChange,
    NonFinite,
    Point,
    add_change,
    controls_of,
    data_spec,
    misfit,
)
from engine.settings import TrainingSpec
from engine.walk import Walk
from engine.watch import Watch

__all__ = [
    "SHUFFLE", "Checkpoint", "ChunkResult", "Evaluation", "LiveChange", "NonFinite", "Trainer", "data_spec",
]  # fmt: skip

SHUFFLE = stream_number("shuffle")


class Trainer(Positioned):
    """One run of a network on a backend. Raises GraphError or TrainingError when it cannot start."""

    def __init__(
        self,
        graph: GraphSpec,
        training: TrainingSpec,
        dataset: Dataset,
        backend: Backend,
        *,
        state: Mapping[str, Array] | None = None,
    ) -> None:
        self.backend = backend
        self.curve = Curve()
        self.tests: list[Evaluation] = []
        self.log: list[LiveChange] = []
        self.step = self.epoch = self.position = self.updates = 0
        self.end = 0
        self.applied = 0
        """Entries of the log that the step has behind it; the others come later."""
        self._newest: Point | None = None
        self.figures, self.watch, self._heard = {}, Watch(), {}
        self._attic = Attic()
        self._start = dict(state) if state else None
        self._adopt(prepare(backend, graph, training, dataset, training.seed, state or {}, self._attic))

    # ---- the program --------------------------------------------------------------------------------

    def _adopt(self, new: Prepared) -> None:
        self.graph, self.training, self.dataset = self.recorded = new.graph, new.training, new.dataset
        self.seed, self.spec = new.seed, new.spec
        self.program, self.facts = new.program, new.facts
        self.store, self.fast, self.forward = new.store, new.fast, new.forward
        self.capacity = new.program.capacity
        self._walk = Walk(self.backend, new.program, new.store)
        self._hot: dict[str, float] = {}
        self._shapes = {state_key(v): v.shape for v in new.program.state()}
        self._locked: dict[str, int] | None = None
        self._bound_epoch = -1
        self._step_seconds = 0.0  # another network takes another time

    def _begin_anew(self, seed: int, carried: Mapping[str, Array], attic: Attic) -> None:
        """The same network and data from another start."""
        self._adopt(prepare(self.backend, self.graph, self.training, self.dataset, seed, carried, attic))

    def rebuild(self, graph: GraphSpec, training: TrainingSpec, dataset: Dataset) -> None:
        """A structural edit: a new program; state is carried by key.

        Where a layer grew or shrank, the common block of weights stays. Parameters that disappear are
        remembered, so that undoing the edit brings them back. Data of another content starts a new epoch,
        another optimizer starts its moments at zero. Another seed acts at once before the first step, else
        at the next reset. When it is refused, everything is as it was.
        """
        old, attic = self.store.state(), self._attic
        same_optimizer = training.optimizer == self.training.optimizer
        same_watch = same_judge(training, self.training)
        if not same_optimizer:  # moments of another optimizer, or of before, would be wrong
            old, attic = without_moments(old), attic.without_moments()
        share = training.accumulate / self.training.accumulate
        if share != 1:  # an update begun with another count would never be a mean
            old = without_gathered(old)
        done = self.updates // self.training.accumulate * training.accumulate if share != 1 else self.updates
        new_start = self.step == 0 and training.seed != self.training.seed
        seed = training.seed if new_start else self.seed
        same_data = dataset.sha256 == self.dataset.sha256
        carried = {} if new_start else old
        self._adopt(prepare(self.backend, graph, training, dataset, seed, carried, attic))
        if new_start:
            self._start, self._attic = None, Attic()
        else:
            attic.keep(old, self.program)
            self._attic = attic
        if not same_data:
            self.position = 0
            self.tests.clear()
        if not same_data or not same_watch:
            self.watch = Watch(self.epoch)
        self.updates = done if same_optimizer else 0
        self._log(LiveChange(self.step, REBUILT, "rebuilt"))

    def reset(self) -> None:
        """Back to the same start: weights drawn from the seed (or the given ones), step 0, empty curves.

        What is locked stays as it is.
        """
        same = self.training.seed == self.seed
        start = self._start if same else None
        before = self.store.state() if self.locked else {}
        masks = {k: v for k, v in before.items() if locks.parameters_of([k])}
        self._begin_anew(self.training.seed, {**(start or {}), **masks}, Attic())
        self.store.load(locks.held(before, self.store.state()) if before else {})
        self._attic, self._start = Attic(), start
        self.step = self.epoch = self.position = self.updates = self.end = self.applied = 0
        self.figures, self.watch, self._heard = {}, Watch(), {}
        self.log.clear()
        if self.locked:
            self._log(LiveChange(0, locks.LOCKED, sorted(self.locked)))
        self.curve.clear()
        self.tests.clear()

    # ---- controls -----------------------------------------------------------------------------------

    def controls(self) -> dict[str, float]:
        """Hot controls with their present values."""
        present = {**self.program.controls, **self._hot}
        return {k: v for k, v in present.items() if k in self.program.controls and k not in PER_STEP}

    def set_control(self, name: str, value: float) -> None:
        """A hot setting, from the next step on: lr, momentum, <node>.rate, ... Logged with its step."""
        if name not in self.program.controls or name in PER_STEP:
            return
        self._hot[name] = float(value)
        self._log(LiveChange(self.step, name, float(value)))
        self.fast.set_control(name, float(value))
        self._walk.set_control(name, float(value))

    def set_training(self, training: TrainingSpec) -> None:
        """Apply the hot settings that changed."""
        old = self.training.controls()
        self.training = training
        for name, value in training.controls().items():
            if value != old[name]:
                self.set_control(name, value)

    def write_state(self, arrays: Mapping[str, Array]) -> None:
        """Overwrite parameters at this step boundary (a weight edited by hand)."""
        self.store.load({k: np.ascontiguousarray(v, np.float32) for k, v in arrays.items()})
        self.abandon_step()
        self._log(LiveChange(self.step, "edit", sorted(arrays)))

    def lock(self, masks: Mapping[str, Array]) -> None:
        """From this step boundary on, cells of parameters stay as they are: where a mask is not zero."""
        self._make_lockable(masks)
        self.store.load({locks.lock_key(key): locks.as_mask(mask) for key, mask in masks.items()})
        self.abandon_step()
        self._locked = None
        self._log(LiveChange(self.step, locks.LOCKED, sorted(masks)))

    @property
    def locked(self) -> Mapping[str, int]:
        """How many cells of which parameters are locked."""
        if self._locked is None:
            self._locked = locks.counts(self.store.state()) if locks.parameters_of(self._shapes) else {}
        return self._locked

    def _make_lockable(self, keys: Collection[str]) -> None:
        """A program whose updates read masks of these parameters; without a locked cell the same numbers."""
        present = locks.parameters_of(self._shapes)
        if present.issuperset(keys):
            return
        drawn, hot, state = (self.graph, self.training), self._hot, self.store.state()
        self._adopt(prepare(self.backend, *self.recorded, self.seed, state, self._attic, present.union(keys)))
        (self.graph, self.training), self._hot = drawn, hot
        self._use_controls()

    def _load(self, state: Mapping[str, Array]) -> None:
        """Another state of this network, with its masks."""
        self._make_lockable([key for key in locks.parameters_of(state) if key in self._shapes])
        whole = locks.complete(state, self._shapes)
        self.store.load(whole)
        self._locked = locks.counts(whole)

    def _log(self, change: LiveChange) -> None:
        add_change(self.log, change)
        self.applied = len(self.log)

    # ---- steps --------------------------------------------------------------------------------------

    @property
    def live_n(self) -> int:
        """Examples in the batch the traced plan holds."""
        return self._walk.live_n

    def step_values(self) -> dict[str, float]:
        """Per-step controls (n, pos, step, c1, c2) of the step the traced plan holds."""
        return dict(self._walk.values)

    def _bind_order(self) -> None:
        if self._bound_epoch != self.epoch:
            self.store.bind(
                "data.order", random.permutation(self.seed, SHUFFLE, self.epoch, self.dataset.n_train)
            )
            self._bound_epoch = self.epoch

    def run(self, max_steps: int, budget_ms: float = 20.0) -> ChunkResult:
        """Run fast steps for about `budget_ms`, at most `max_steps` and to the end of the epoch.

        On the first non-finite value the run rests before that step, with the last good state. A step that
        was open is abandoned.
        """
        self.abandon_step()
        self.settle()
        self._bind_order()
        count = max_steps
        if self._step_seconds > 0:
            count = min(count, max(1, int(budget_ms / 1000 / self._step_seconds)))
        elif budget_ms < 1000:
            count = min(count, 4)
        steps = self._controls_from(max(1, count))
        first = self.step
        self.store.save()
        start = time.perf_counter()
        results = self.fast.run(steps)
        seconds = (time.perf_counter() - start) / len(steps)
        self._step_seconds = seconds if self._step_seconds == 0 else 0.7 * self._step_seconds + 0.3 * seconds
        if results.finite and self.store.finite():
            self._record(results.scalars["loss"])
            self._hear(results.scalars["loss"])
            self._note(steps[-1], {name: float(numbers[-1]) for name, numbers in results.scalars.items()})
            self._advance_position(steps)
            return ChunkResult(first, results.scalars["loss"])
        self.store.restore()
        losses: list[float] = []
        for _ in steps:
            trouble = self.traced_step()
            if trouble is not None:
                return ChunkResult(first, np.array(losses), trouble)
            losses.append(self.loss)
        return ChunkResult(first, np.array(losses))

    def _record(self, losses: Array) -> None:
        """Losses of the steps from here on; those of steps that were done before are known."""
        new = losses[max(0, self.end - self.step) :]
        if len(new):
            self.curve.append(max(self.step, self.end), new)

    def traced_step(self) -> NonFinite | None:
        """One whole step on the traced plan; afterwards every value of it can be read.

        Returns the first non-finite value instead of committing, if there is one.
        """
        self.begin_step()
        return self.finish_step()

    def begin_step(self) -> None:
        """Start a step that is walked op by op; nothing is committed before `finish_step`."""
        self.settle()
        self._bind_order()
        (values,) = self._controls_from(1)
        self._walk.begin(values)

    @property
    def op_index(self) -> int | None:
        """Index of the next op of the step being walked, or None between steps."""
        return self._walk.op_index

    def advance(self, until: int) -> None:
        """Execute ops of the open step up to index `until`."""
        self._walk.advance(until)

    def finish_step(self) -> NonFinite | None:
        """Execute what is left of the open step and commit it, unless a value is not finite."""
        trouble = self._walk.finish(self.step)
        if trouble is None:
            self._record(np.array([self.loss]))
            self._hear([self.loss])
            self._note(self._walk.values, self._walk.metrics)
            self._advance_position([self._walk.values])
        return trouble

    def abandon_step(self) -> None:
        """Leave the open step; nothing of it is committed."""
        self._walk.abandon()

    @property
    def loss(self) -> float:
        """Loss of the last traced step."""
        return self._walk.loss

    def write_walked(self, value_id: str, array: Array) -> None:
        """Put other numbers in the place of a value that the step being walked has computed."""
        self._walk.write(value_id, array)

    def read(self, value_id: str) -> Array:
        """A value of the last traced step, live examples only: logical shape (..., n)."""
        return self._walk.read(value_id)

    # ---- checkpoints ----------------------------------------------------------------------------------

    def checkpoint(self, lines: Lines | None = None) -> Checkpoint:
        """Exact state at this step boundary; at the newest one while an earlier step is shown again."""
        m = self.fast.manifest
        at = self._newest if self.rewound and self._newest is not None else self.point()
        return Checkpoint(
            at.state, at.step, at.epoch, at.position, at.updates,
            self.seed, tuple(self.log),
            {"backend": m.backend, "device": m.device, "driver": m.driver, **m.choices},
            self.dataset.sha256, self._start, self.curve.state(), tuple(self.tests), lines,
            at.watch,
        )  # fmt: skip

    def load_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of this network.

        With other data than it was made with, the epoch starts anew. Raises TrainingError, listing every
        array that does not fit, and changes nothing then.
        """
        if wrong := self._misfits(checkpoint.state):
            raise TrainingError(N_("The saved weights do not fit this network: {list}."), list=listed(wrong))
        if checkpoint.seed != self.seed:
            self._begin_anew(checkpoint.seed, {}, self._attic)
        self._load(checkpoint.state)
        self.step, self.epoch = checkpoint.step, checkpoint.epoch
        self.position, self.updates = checkpoint.position, checkpoint.updates
        self.watch = checkpoint.watch
        other_data = checkpoint.data_hash not in ("", self.dataset.sha256)
        if self.position >= self.dataset.n_train or other_data:
            self.position = 0
        if other_data:
            self.watch = Watch(self.epoch)
        self.log = list(checkpoint.log)
        self.end, self.applied = self.step, len(self.log)
        self._start = dict(checkpoint.start) if checkpoint.start is not None else None
        if self.step == 0 and self._start is None:
            self._start = without_moments(checkpoint.state)
        self._hot = controls_of(self.log)
        self._walk.abandon()
        self._bound_epoch = -1
        if checkpoint.curve is not None:
            self.curve.restore(checkpoint.curve)
            self.tests = [] if other_data else list(checkpoint.tests)
        self.curve.truncate(self.step)
        self.tests = [t for t in self.tests if t.step <= self.step]
        self.training = self.training.with_controls(self._hot)
        self._use_controls()

    def _misfits(self, state: Mapping[str, Array]) -> list[Message]:
        shapes = {locks.lock_key(key): shape for key, shape in self._shapes.items()} | self._shapes
        wrong = [key for key in state if key in shapes and state[key].shape != shapes[key]]
        return [misfit(key, shapes[key], state[key].shape) for key in wrong]

    def forget_later(self) -> None:
        """Make the step shown the newest one: what came after it is no longer part of this run."""
        self.log = self.log[: self.applied]
        self.curve.truncate(self.step)
        self.tests = [t for t in self.tests if t.step <= self.step]
        self.end, self._newest = self.step, None
        self._forget_later_losses()

    def _use_controls(self) -> None:
        for name, value in self.controls().items():
            self.fast.set_control(name, value)
            self._walk.set_control(name, value)

    # ---- steps shown again ----------------------------------------------------------------------------

    def point(self) -> Point:
        """This step boundary, to return to."""
        return Point(self.store.state(), self.step, self.epoch, self.position, self.updates, self.applied,
                     watch=self.watch)

    def return_to(self, point: Point) -> None:
        """Stand at an earlier step of this run and program; what came after it stays known."""
        if not self.rewound:
            self._newest = self.point()
        self.abandon_step()
        self._load(point.state)
        self.step, self.epoch = point.step, point.epoch
        self.position, self.updates = point.position, point.updates
        self.watch = point.watch
        self._bound_epoch = -1
        self.set_applied(point.applied)

    def set_applied(self, entries: int) -> None:
        """Hot settings as they were after so many entries of the log."""
        self.applied = entries
        self._hot = controls_of(self.log[:entries])
        self._use_controls()

    @property
    def bytes(self) -> int:
        """Memory of all plans built so far and of the store."""
        store: int = self.store.bytes
        return store + self.fast.bytes + self._walk.bytes + self.forward.bytes
