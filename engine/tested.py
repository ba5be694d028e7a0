"""What a run says without learning: tests of it, predictions."""

from __future__ import annotations

from collections.abc import Sequence

from engine.backends.base import Array
from engine.forward import Forward
from engine.run import Evaluation
from engine.settings import DataSpec
from engine.values import Program, Value


class Tested:
    """The half of a `Trainer` that looks forward only."""

    forward: Forward
    spec: DataSpec
    step: int
    end: int
    """The newest step of the run; `step` is less while an earlier one is shown again."""
    tests: list[Evaluation]

    @property
    def rewound(self) -> bool:
        """Whether an earlier step is shown again."""
        return self.step < self.end

    @property
    def classifies(self) -> bool:
        """Whether the output that answers for the network names classes."""
        return self.forward.classifies

    def evaluate(self) -> Evaluation | None:
        """Loss and accuracy over the whole test set with the present weights; None without a test set."""
        tally = self.forward.tally()
        for part in self.forward.slices():
            tally.add(part)
        if not tally.n:
            return None
        result = self.forward.finish(tally, self.step)
        self.add_evaluation(result)
        return result

    def add_evaluation(self, result: Evaluation) -> None:
        """Keep a point of the test curve (at most 2,000; then every second goes)."""
        before = [t for t in self.tests if t.step < result.step]
        later = [t for t in self.tests if t.step > result.step] if self.rewound else []
        self.tests = [*before, result, *later]
        if len(self.tests) > 2000:
            self.tests = self.tests[::2]

    def predict(self, x: Array, keep: Sequence[str] | None = None) -> dict[str, Array]:
        """Outputs for inputs as the network sees them, (N, C, H, W) or (N, F) float32.

        Returns values by id with the sample first; `keep` names the values wanted (default: the output).
        Raises TrainingError when the inputs have another shape or there are none.
        """
        return self.forward.predict(x, keep)

    def predict_program(self, capacity: int = 1) -> Program:
        """The program `predict` runs; its value ids are those of training."""
        return self.forward.program(capacity)

    def output_value(self, program: Program) -> Value:
        """The value the loss looks at."""
        return self.forward.output_value(program)

    def probabilities(self, outputs: Array) -> Array:
        """(N, F) outputs -> (N, classes) shares: softmax unless drawn, or both shares of a single output."""
        return self.forward.probabilities(outputs)
