"""The training loop over a program: chunks of fast steps, traced steps, evaluation, checkpoints.

A `Trainer` is one run: a recorded network on one backend with its data. The fast plan and the traced plan
share one store and one arithmetic, so any mixture of them gives the same weights, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from engine import random
from engine.backends.base import Backend, Plan, state_key
from engine.curves import Curve
from engine.data.dataset import Dataset
from engine.errors import N_, Message, TrainingError
from engine.graph import GraphSpec
from engine.inference import Inference, infer
from engine.initializers import initialize
from engine.ops.base import stream_number
from engine.optimizers import step_controls
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from engine.values import Program, Role, Value

Array = np.ndarray[Any, Any]
SHUFFLE = stream_number("shuffle")
EVALUATION_LANES = 256


@dataclass(frozen=True)
class NonFinite:
    """The first value of a step that is not a finite number."""

    node: str
    op: int
    value: str
    cell: tuple[int, ...]
    step: int

    def message(self, graph: GraphSpec) -> Message:
        name = graph.node(self.node).name if graph.has(self.node) else self.node
        return Message(
            N_(
                "Step {step}: {value} in {layer} is no longer a finite number. The last good weights are "
                "kept; a lower learning rate may help."
            ),
            {"step": self.step + 1, "layer": name, "value": self.value.split(".", 1)[-1]},
        )


@dataclass(frozen=True)
class ChunkResult:
    """What a call of `run` did."""

    first_step: int
    losses: Array
    stopped: NonFinite | None = None


@dataclass(frozen=True)
class Evaluation:
    """Loss over the test set, and accuracy for classes (else None), with the weights of `step`."""

    step: int
    loss: float
    accuracy: float | None


@dataclass(frozen=True)
class LiveChange:
    """A change made while running: from `step` on, `name` is `value`."""

    step: int
    name: str
    value: Any


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything needed to go on bitwise: state arrays by key, position in the data, log of live changes."""

    state: Mapping[str, Array]
    step: int
    epoch: int
    position: int
    updates: int
    """Updates since the optimizer's moments started at zero."""
    seed: int
    log: tuple[LiveChange, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    data_hash: str = ""


def data_spec(dataset: Dataset, part: Literal["train", "test"] = "train") -> DataSpec:
    """What a program must know of a data set. Normalized inputs are resident as float32."""
    raw = dataset.mean is None and dataset.x_train.dtype == np.uint8
    count = dataset.n_train if part == "train" else dataset.n_test
    return DataSpec(
        dataset.shape,
        dataset.n_classes,
        dataset.n_targets,
        count,
        "u8" if raw else "f32",
        dataset.scale if raw else 1.0,
        dataset.shift if raw else 0.0,
        "data" if part == "train" else "test",
    )


class Trainer:
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
        self._attic: dict[tuple[str, tuple[int, ...]], Array] = {}
        self._step_seconds = 0.0
        self._op = -1
        self._pending: dict[str, float] = {}
        self._build(graph, training, dataset, state or {})

    # ---- building -----------------------------------------------------------------------------------

    def _build(
        self, graph: GraphSpec, training: TrainingSpec, dataset: Dataset, carried: Mapping[str, Array]
    ) -> None:
        spec = data_spec(dataset)
        if dataset.n_train == 0:
            raise TrainingError(N_("There are no examples to train on; add some or lower the test share."))
        self.capacity = min(training.batch, dataset.n_train)
        program = record(graph, training, spec, "train", self.capacity)
        self.graph, self.training, self.dataset, self.spec = graph, training, dataset, spec
        self.seed = training.seed
        self.program: Program = program
        self.facts: Inference = infer(graph, training, spec)
        self.store = self.backend.store(program.state(), self.seed)
        self.store.load(self._start_state(carried))
        self._bind("data", dataset.x_train, dataset.y_train)
        if dataset.n_test:
            self._bind("test", dataset.x_test, dataset.y_test)
        self._bound_epoch = -1
        self.fast: Plan = self.backend.compile(program, self.store, traced=False)
        self._traced: Plan | None = None
        self._evaluator: Plan | None = None
        self._predictors: dict[tuple[int, bool, tuple[str, ...]], Plan] = {}

    def _bind(self, source: str, x: Array, y: Array) -> None:
        self.store.bind(f"{source}.x", x if self.spec.dtype == "u8" else self.dataset.to_float(x))
        self.store.bind(f"{source}.y", y.astype(np.int32 if self.spec.classes else np.float32))
        self.store.bind(f"{source}.order", np.arange(len(x), dtype=np.int32))

    def _start_state(self, carried: Mapping[str, Array]) -> dict[str, Array]:
        """Fresh values, overlaid with what is carried: whole where shapes match, else the common block."""
        out: dict[str, Array] = {}
        specs = {f"{uid}.{s.name}": (uid, s) for uid, params in self.facts.params.items() for s in params}
        for v in self.program.state():
            key = state_key(v)
            owner, spec = specs.get(key, ("", None))
            fresh = initialize(spec, self.seed, owner) if spec else np.zeros(v.shape, np.float32)
            old = carried.get(key)
            kept = self._attic.get((key, v.shape))
            if old is not None and old.shape == v.shape:
                fresh = np.asarray(old, np.float32)
            elif kept is not None:
                fresh = kept
            elif old is not None and old.ndim == fresh.ndim:
                common = tuple(slice(0, min(a, b)) for a, b in zip(old.shape, fresh.shape, strict=True))
                fresh[common] = old[common]
            out[key] = np.ascontiguousarray(fresh)
        return out

    @property
    def traced(self) -> Plan:
        """The plan that keeps every value, built when first needed."""
        if self._traced is None:
            self._traced = self.backend.compile(self.program, self.store, traced=True)
            self._apply_controls(self._traced)
        return self._traced

    def _apply_controls(self, plan: Plan) -> None:
        for name, value in self.controls().items():
            plan.set_control(name, value)

    def controls(self) -> dict[str, float]:
        """Hot controls with their present values."""
        present = {**self.program.controls, **self.training.controls()}
        for change in self.log:
            if change.name in present:
                present[change.name] = float(change.value)
        return {
            k: v for k, v in present.items() if k in self.program.controls and k not in ("n", "pos", "step")
        }

    def rebuild(self, graph: GraphSpec, training: TrainingSpec, dataset: Dataset) -> None:
        """A structural edit: a new program; state is carried by key.

        Where a layer grew or shrank, the common block of weights stays. Parameters that disappear are
        remembered, so that undoing the edit brings them back. Data of another content starts a new epoch.
        """
        old = self.store.state()
        before = (self.graph, self.training, self.dataset)
        self._attic.update({(k, v.shape): v for k, v in old.items()})
        same_data = dataset.sha256 == self.dataset.sha256
        same_optimizer = training.optimizer == self.training.optimizer
        seed = self.seed
        try:
            self._build(graph, training if self.step == 0 else replace(training, seed=seed), dataset, old)
        except Exception:
            self._build(*before, old)
            raise
        self.training = training
        if self.step == 0 and training.seed != seed:
            self.reset()
        if not same_data:
            self.position = 0
            self.tests.clear()
        if not same_optimizer:
            self.updates = 0
        self.log.append(LiveChange(self.step, "program", "rebuilt"))

    def reset(self) -> None:
        """Back to the same start: weights drawn from the seed, step 0, empty curves."""
        self.seed = self.training.seed
        self._attic.clear()
        self.step = self.epoch = self.position = self.updates = 0
        self.log.clear()
        self.curve.clear()
        self.tests.clear()
        self._op = -1
        self._build(self.graph, self.training, self.dataset, {})

    # ---- controls -----------------------------------------------------------------------------------

    def set_control(self, name: str, value: float) -> None:
        """A hot setting, from the next step on: lr, momentum, <node>.rate, ... Logged with its step."""
        if name not in self.program.controls:
            return
        self.log.append(LiveChange(self.step, name, float(value)))
        for plan in (self.fast, self._traced):
            if plan is not None:
                plan.set_control(name, float(value))

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
        self.log.append(LiveChange(self.step, "edit", sorted(arrays)))

    # ---- steps --------------------------------------------------------------------------------------

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.dataset.n_train / self.capacity)

    @property
    def progress(self) -> float:
        """Epochs done, with fraction."""
        return self.epoch + self.position / self.dataset.n_train

    @property
    def live_n(self) -> int:
        """Examples in the batch the traced plan holds."""
        return self._live_n

    _live_n = 0

    def step_values(self) -> dict[str, float]:
        """Per-step controls (n, pos, step, c1, c2) of the step the traced plan holds."""
        return dict(self._pending)

    def _bind_order(self) -> None:
        if self._bound_epoch != self.epoch:
            self.store.bind(
                "data.order", random.permutation(self.seed, SHUFFLE, self.epoch, self.dataset.n_train)
            )
            self._bound_epoch = self.epoch

    def _controls_from(self, ahead: int) -> list[dict[str, float]]:
        """Per-step controls of the next `ahead` steps, at most to the end of the epoch."""
        hot = self.controls()
        out: list[dict[str, float]] = []
        position = self.position
        for k in range(ahead):
            n = min(self.capacity, self.dataset.n_train - position)
            if n <= 0:
                break
            out.append(
                {"n": n, "pos": position, "step": self.step + k, **step_controls(hot, self.updates + k + 1)}
            )
            position += n
        return out

    def _advance_position(self, steps: Sequence[Mapping[str, float]]) -> None:
        for s in steps:
            self.position += int(s["n"])
        self.step += len(steps)
        self.updates += len(steps)
        if self.position >= self.dataset.n_train:
            self.position = 0
            self.epoch += 1

    def run(self, max_steps: int, budget_ms: float = 20.0) -> ChunkResult:
        """Run fast steps for about `budget_ms`, at most `max_steps` and to the end of the epoch.

        On the first non-finite value the run rests before that step, with the last good state.
        """
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
            self._advance_position(steps)
            self.curve.append(first, results.scalars["loss"])
            return ChunkResult(first, results.scalars["loss"])
        self.store.restore()
        losses: list[float] = []
        for _ in steps:
            trouble = self.traced_step()
            if trouble is not None:
                return ChunkResult(first, np.array(losses), trouble)
            losses.append(self.loss)
        return ChunkResult(first, np.array(losses))

    def traced_step(self) -> NonFinite | None:
        """One whole step on the traced plan; afterwards every value of it can be read.

        Returns the first non-finite value instead of committing, if there is one.
        """
        self.begin_step()
        return self.finish_step()

    def begin_step(self) -> None:
        """Start a step that is walked op by op; nothing is committed before `finish_step`."""
        self._bind_order()
        (self._pending,) = self._controls_from(1)
        self._live_n = int(self._pending["n"])
        self.traced.begin(self._pending)
        self._op = 0

    @property
    def op_index(self) -> int | None:
        """Index of the next op of the step being walked, or None between steps."""
        return self._op if self._op >= 0 else None

    def advance(self, until: int) -> None:
        """Execute ops of the open step up to index `until`."""
        self.traced.advance(until)
        self._op = max(self._op, until)

    def finish_step(self) -> NonFinite | None:
        """Execute what is left of the open step and commit it, unless a value is not finite."""
        self.advance(len(self.program.ops))
        self._op = -1
        trouble = self.find_non_finite() if not self._step_is_finite() else None
        if trouble is not None:
            return trouble
        self.traced.commit()
        self.curve.append(self.step, np.array([self.loss]))
        self._advance_position([self._pending])
        return None

    def abandon_step(self) -> None:
        """Leave the open step; nothing of it is committed."""
        self._op = -1

    @property
    def loss(self) -> float:
        """Loss of the last traced step."""
        return float(self.traced.read(self.program.losses[0].id))

    def _step_is_finite(self) -> bool:
        values = [self.program.losses[0], *(new for _, new in self.program.commits)]
        return all(np.isfinite(self.traced.read(v.id)).all() for v in values)

    def find_non_finite(self) -> NonFinite | None:
        """The first op, in order, that wrote a non-finite value in the traced step."""
        for i, op in enumerate(self.program.ops):
            for v in op.outs:
                if v.dtype != "f32":
                    continue
                a = self.read(v.id)
                bad = np.argwhere(~np.isfinite(a))
                if len(bad):
                    return NonFinite(op.node, i, v.id, tuple(int(x) for x in bad[0]), self.step)
        return None

    def read(self, value_id: str) -> Array:
        """A value of the last traced step, live examples only: logical shape (..., n)."""
        value = self.program.values[value_id]
        array = self.traced.read(value_id)
        return array[..., : self._live_n] if value.batched else array

    # ---- evaluation and prediction --------------------------------------------------------------------

    def evaluate(self) -> Evaluation | None:
        """Loss and accuracy over the whole test set with the present weights; None without a test set."""
        total = loss = hits = 0.0
        for part_loss, part_hits, n in self.evaluation_slices():
            loss, hits, total = loss + part_loss * n, hits + part_hits, total + n
        if not total:
            return None
        result = Evaluation(self.step, loss / total, hits / total if self.spec.classes else None)
        self.add_evaluation(result)
        return result

    def add_evaluation(self, result: Evaluation) -> None:
        """Keep a point of the test curve (at most 2,000; then every second goes)."""
        self.tests = [t for t in self.tests if t.step < result.step]
        self.tests.append(result)
        if len(self.tests) > 2000:
            self.tests = self.tests[::2]

    def evaluation_slices(self) -> Any:
        """Yield (mean loss, hits, examples) slice by slice over the test set."""
        count = self.dataset.n_test
        if not count:
            return
        if self._evaluator is None:
            spec = data_spec(self.dataset, "test")
            program = record(self.graph, self.training, spec, "eval", min(EVALUATION_LANES, count))
            self._evaluator = self.backend.compile(program, self.store, traced=False)
        plan = self._evaluator
        for start in range(0, count, plan.program.capacity):
            n = min(plan.program.capacity, count - start)
            out = plan.run([{"n": n, "pos": start}]).scalars
            yield float(out["loss"][0]), float(out["hits"][0]) if "hits" in out else 0.0, n

    def predict(self, x: Array, keep: Sequence[str] | None = None) -> dict[str, Array]:
        """Outputs for inputs as the network sees them, (N, C, H, W) or (N, F) float32.

        Returns values by id with the sample first; `keep` names the values wanted (default: the output).
        """
        capacity = 1 if len(x) == 1 else min(EVALUATION_LANES, -(-len(x) // 16) * 16)
        program = self.predict_program(capacity)
        wanted = tuple(keep) if keep is not None else (self.output_value(program).id,)
        key = (capacity, keep is not None, wanted)
        if key not in self._predictors:
            if len(self._predictors) > 8:
                self._predictors.clear()
            self._predictors[key] = self.backend.compile(program, self.store, traced=False, keep=wanted)
        plan = self._predictors[key]
        source = next(v for v in plan.program.inputs if v.role is Role.INPUT)
        parts: dict[str, list[Array]] = {w: [] for w in wanted}
        for start in range(0, len(x), capacity):
            part = np.ascontiguousarray(
                np.moveaxis(np.asarray(x[start : start + capacity], np.float32), 0, -1)
            )
            plan.write(source.id, part)
            plan.run([{"n": part.shape[-1]}])
            for w in wanted:
                parts[w].append(np.moveaxis(plan.read(w)[..., : part.shape[-1]], -1, 0))
        return {w: np.concatenate(p) for w, p in parts.items()}

    def predict_program(self, capacity: int = 1) -> Program:
        """The program `predict` runs; its value ids are those of training."""
        return record(self.graph, self.training, self.spec, "predict", capacity)

    def output_value(self, program: Program) -> Value:
        """The value the loss looks at."""
        output = next(n for n in self.graph.nodes if n.layer.kind == "output")
        return program.outputs[output.uid]

    def probabilities(self, outputs: Array) -> Array:
        """(N, F) outputs -> (N, classes) shares: softmax unless drawn, or both shares of a single output."""
        out = np.asarray(outputs, np.float64)
        if out.shape[1] == 1:
            from engine.losses import encoding

            code = encoding(self.graph, next(n for n in self.graph.nodes if n.layer.kind == "output"))
            p = np.clip((out[:, 0] - code.off) / (code.on - code.off), 0, 1)
            return np.stack([1 - p, p], 1)
        source = self.graph.node(
            self.graph.inputs_of(next(n for n in self.graph.nodes if n.layer.kind == "output").uid)[0].source
        )
        if source.layer.kind == "softmax":
            return out
        e = np.exp(out - out.max(1, keepdims=True))
        return np.asarray(e / e.sum(1, keepdims=True))

    # ---- checkpoints ----------------------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        """Exact state at this step boundary."""
        m = self.fast.manifest
        return Checkpoint(
            self.store.state(),
            self.step,
            self.epoch,
            self.position,
            self.updates,
            self.seed,
            tuple(self.log),
            {"backend": m.backend, "device": m.device, "driver": m.driver, **m.choices},
            self.dataset.sha256,
        )

    def load_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of this network. Raises TrainingError where arrays do not fit."""
        for v in self.program.state():
            array = checkpoint.state.get(state_key(v))
            if array is not None and array.shape != v.shape:
                raise TrainingError(
                    N_("{key} has shape {found}, the network needs {expected}."),
                    key=state_key(v),
                    found=array.shape,
                    expected=v.shape,
                )
        if checkpoint.seed != self.seed:
            self.seed = checkpoint.seed
            self._build(self.graph, replace(self.training, seed=checkpoint.seed), self.dataset, {})
        known = {state_key(v) for v in self.program.state()}
        self.store.load({k: v for k, v in checkpoint.state.items() if k in known})
        self.step, self.epoch = checkpoint.step, checkpoint.epoch
        self.position, self.updates = checkpoint.position, checkpoint.updates
        self.log = list(checkpoint.log)
        self._op, self._bound_epoch = -1, -1
        self.curve.truncate(self.step)
        for plan in (self.fast, self._traced):
            if plan is not None:
                self._apply_controls(plan)

    @property
    def bytes(self) -> int:
        """Memory of all plans built so far and the store's state."""
        plans = [self.fast, self._traced, self._evaluator, *self._predictors.values()]
        state = sum(4 * v.size for v in self.program.state())
        return state + sum(p.bytes for p in plans if p is not None)
