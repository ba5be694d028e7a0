"""Forward passes beside training: tests in slices, and predictions for any inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from engine.backends.base import Backend, Plan
from engine.data.dataset import Dataset
from engine.errors import N_, TrainingError
from engine.graph import GraphSpec, NodeSpec
from engine.layers.output import INPUT
from engine.losses import MASS, PART, encoding, loss_of
from engine.metrics import ClassTally, NumberTally, Report
from engine.outputs import layer_of, main_output, outputs_of, seen_by
from engine.penalties import PENALTY
from engine.program import record
from engine.run import Evaluation, data_spec
from engine.settings import TrainingSpec
from engine.tally import Scorer, Slice, Tally
from engine.values import Program, Role, Value

Array = np.ndarray[Any, Any]
EVALUATION_LANES = 256
KEPT_PLANS = 8


class Forward:
    """Plans of one network in the modes eval and predict, on the store that training uses.

    Random layers are off and running statistics fixed in both, so no hot control acts here.
    """

    def __init__(
        self, graph: GraphSpec, training: TrainingSpec, dataset: Dataset, backend: Backend, store: Any
    ) -> None:
        self.graph, self.training, self.dataset = graph, training, dataset
        self.backend, self.store = backend, store
        self.ends = outputs_of(graph)
        main = main_output(graph)
        assert main is not None
        self.output: NodeSpec = main
        self.report: Report | None = None
        """Of the last test."""
        self._evaluator: Plan | None = None
        self._programs: dict[int, Program] = {}
        self._predictors: dict[tuple[int, bool, tuple[str, ...]], Plan] = {}

    @property
    def bytes(self) -> int:
        """Memory of the plans built so far."""
        plans = [*self._predictors.values(), *([self._evaluator] if self._evaluator else [])]
        return sum(p.bytes for p in plans)

    def slices(self) -> Iterator[Slice]:
        """Yield the test set slice by slice."""
        count = self.dataset.n_test
        if not count:
            return
        if self._evaluator is None:
            spec = data_spec(self.dataset, "test")
            program = record(self.graph, self.training, spec, "eval", min(EVALUATION_LANES, count))
            kept = [program.outputs[end.uid].id for end in self.ends]
            self._evaluator = self.backend.compile(program, self.store, traced=False, keep=kept)
        plan = self._evaluator
        summed = len(plan.program.losses) > 1
        names = [f"{PART}{end.uid}" for end in self.ends] if summed else ["loss"]
        for start in range(0, count, plan.program.capacity):
            n = min(plan.program.capacity, count - start)
            out = {k: float(v[0]) for k, v in plan.run([{"n": n, "pos": start}]).scalars.items()}
            losses = tuple(out[name] for name in names)
            masses = tuple(out.get(f"{MASS}{end.uid}", float(n)) for end in self.ends)
            said = tuple(self._said(end, plan, n) for end in self.ends)
            penalty = out.get(PENALTY, 0.0) if summed else 0.0  # a single loss has it in it
            yield Slice(losses, masses, out.get("hits"), n, start, said, penalty)

    def _said(self, end: NodeSpec, plan: Plan, n: int) -> Array:
        """What an output gave to the slice computed last, the sample first."""
        values = np.moveaxis(plan.read(plan.program.outputs[end.uid].id)[..., :n], -1, 0)
        return self._copied(end, values) if layer_of(end).target == INPUT else values

    def tally(self) -> Tally:
        """For the slices of one test."""
        return Tally([layer_of(end).weight for end in self.ends], [self._scorer(end) for end in self.ends])

    def finish(self, tally: Tally, step: int) -> Evaluation:
        """The test that was added up, made with the weights of `step`; its report is kept."""
        self.report = tally.report(step, self.output)
        return tally.result(step)

    def _scorer(self, end: NodeSpec) -> Scorer:
        data = self.dataset
        if layer_of(end).target == INPUT:
            return end, NumberTally(), data.test_inputs
        if data.is_regression:
            return end, NumberTally(), data.y_test.__getitem__
        cut = encoding(self.graph, end, loss_of(end, self.training)).cut
        return end, ClassTally(data.n_classes, cut), data.y_test.__getitem__

    def program(self, capacity: int = 1) -> Program:
        """The program `predict` runs; its value ids are those of training."""
        if capacity not in self._programs:
            self._programs[capacity] = record(
                self.graph, self.training, data_spec(self.dataset), "predict", capacity
            )
        return self._programs[capacity]

    @property
    def classifies(self) -> bool:
        """Whether the output that answers for the network names classes."""
        return bool(self.dataset.n_classes) and layer_of(self.output).target != INPUT

    def _copied(self, end: NodeSpec, made: Array) -> Array:
        """What an output whose target is the input made of it: of logits their sigmoid."""
        if encoding(self.graph, end, loss_of(end, self.training)).logit:
            return np.asarray(1 / (1 + np.exp(-made)))
        return made

    @property
    def copies(self) -> tuple[NodeSpec, ...]:
        """The outputs whose target is the input."""
        return tuple(end for end in self.ends if layer_of(end).target == INPUT)

    def made(self, program: Program, read: Callable[[str], Array]) -> dict[str, Array]:
        """Of outputs whose target is a picture: (N, 2, C, H, W), what they should make and what they made.

        `read` gives a value by id, the sample first. Of logits their sigmoid is taken.
        """
        shape, found = self.dataset.shape, {}
        for end in self.copies if len(shape) == 3 else ():
            wanted, made = (read(program.outputs[u].id) for u in (seen_by(self.graph, end), end.uid))
            made = self._copied(end, made)
            found[end.uid] = np.stack([a.reshape(-1, *shape) for a in (wanted, made)], 1, dtype=np.float32)
        return found

    def output_value(self, program: Program) -> Value:
        """The value the loss looks at; of several outputs the one that answers for the network."""
        return program.outputs[self.output.uid]

    def predict(self, x: Array, keep: Sequence[str] | None = None) -> dict[str, Array]:
        """See `Trainer.predict`."""
        if tuple(np.shape(x)[1:]) != self.dataset.shape or not len(x):
            raise TrainingError(
                N_("The input is {found}; expected at least one example of {expected}."),
                found=np.shape(x),
                expected=self.dataset.shape,
            )
        capacity = 1 if len(x) == 1 else min(EVALUATION_LANES, -(-len(x) // 16) * 16)
        program = self.program(capacity)
        wanted = tuple(keep) if keep is not None else (self.output_value(program).id,)
        key = (capacity, keep is not None, wanted)
        if key not in self._predictors:
            if len(self._predictors) >= KEPT_PLANS:
                self._predictors.clear()
            self._predictors[key] = self.backend.compile(program, self.store, traced=False, keep=wanted)
        plan = self._predictors[key]
        source = next(v for v in plan.program.inputs if v.role is Role.INPUT)
        parts: dict[str, list[Array]] = {w: [] for w in wanted}
        for start in range(0, len(x), capacity):
            part = np.moveaxis(np.asarray(x[start : start + capacity], np.float32), 0, -1)
            plan.write(source.id, np.ascontiguousarray(part))
            plan.run([{"n": part.shape[-1]}])
            for w in wanted:
                parts[w].append(np.moveaxis(plan.read(w)[..., : part.shape[-1]], -1, 0))
        return {w: np.concatenate(p) for w, p in parts.items()}

    def probabilities(self, outputs: Array) -> Array:
        """(N, F) outputs -> (N, classes) shares: softmax unless drawn, or both shares of a single output."""
        out = np.asarray(outputs, np.float64)
        if out.shape[1] == 1:
            p = encoding(self.graph, self.output, loss_of(self.output, self.training)).share(out[:, 0])
            return np.stack([1 - p, p], 1)
        source = self.graph.node(self.graph.inputs_of(self.output.uid)[0].source)
        if source.layer.kind == "softmax":
            return out
        e = np.exp(out - out.max(1, keepdims=True))
        return np.asarray(e / e.sum(1, keepdims=True))
