"""The same network trained with and without augmentation, tested on turned, shifted and scaled pictures.

Both trainings begin with the same weights and see the same batches; only the layer Augment differs. Nothing
of it touches the run. A trial is a job: `steps` pauses often. It tests after epochs 1, 2, 4, 8 ... and the
last, so that one that is stopped has its last test to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.affine import about, center, rotation, scaling, shift
from engine.backends.base import Array, Backend
from engine.data.dataset import Dataset
from engine.errors import N_, Message, TrainingError
from engine.graph import GraphSpec
from engine.layers.augment import Augment
from engine.settings import TrainingSpec
from engine.training import Trainer
from engine.values import Op, Program, Role, Value

TURNS = (-45.0, -30.0, -20.0, -10.0, 10.0, 20.0, 30.0, 45.0)
"""Degrees; positive looks clockwise."""
SHIFTS = (1, 2, 3)
"""Pixels of a picture up to 28 pixels wide; larger ones are shifted by as many times more."""
SIZES = (80.0, 90.0, 110.0, 120.0)
"""Percent."""
WAYS = ((1, 0), (0, 1), (-1, 0), (0, -1))
MOST_TESTED = 2000
LANES = 64
CHUNK_MS = 4.0
SHOWN, SHOWN_SIDE = 3, 48
"""Examples of each outcome, and the largest side they are sent with."""


@dataclass(frozen=True)
class Condition:
    """How the test pictures are changed: "plain", "turn" (degrees), "shift" (pixels) or "size" (percent)."""

    kind: str
    amount: float


@dataclass(frozen=True, eq=False)
class Example:
    """A test picture as a condition left it, bytes (H, W, C); class numbers."""

    picture: Array
    truth: int
    without: int
    with_: int


@dataclass(frozen=True, eq=False)
class Tested:
    """Both networks after `epoch` epochs. `predicted` (2, conditions, n): class numbers, without and with."""

    epoch: int
    predicted: Array
    truth: Array
    examples: tuple[tuple[Example, ...], ...]
    """For each condition."""

    @property
    def accuracies(self) -> Array:
        """(2, conditions), 0..1."""
        return np.asarray((self.predicted == self.truth).mean(axis=2))

    def outcomes(self, condition: int) -> tuple[int, int, int, int]:
        """How many pictures: right only with, only without, in both, in neither."""
        found = outcomes(self.predicted[:, condition], self.truth)
        return tuple(int((found == k).sum()) for k in range(4))  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class Trial:
    """What is known by now. `losses`: mean over the last epoch of each, without and with."""

    layer: Augment
    seed: int
    epochs: int
    epoch: int
    """Epochs that both have behind them."""
    testing: bool
    """Whether that epoch is being tested."""
    done: int
    total: int
    """Work in pictures that pass a network once; one that is trained on counts three times."""
    losses: tuple[float, float]
    diverged: tuple[int | None, int | None]
    """The step before which a training had to rest, since its numbers were no longer finite."""
    conditions: tuple[Condition, ...]
    class_names: tuple[str, ...]
    n_train: int
    n_test: int
    """Test pictures there are; at most MOST_TESTED of them are looked at."""
    tested: Tested | None

    @property
    def classes(self) -> int:
        return len(self.class_names)


def why_not(shape: tuple[int, ...], classes: int, n_test: int) -> Message | None:
    """Why this network cannot be compared; None where it can."""
    if len(shape) != 3:
        return Message(N_("Its inputs are numbers, not pictures: there is nothing to turn or shift."))
    if not classes:
        return Message(N_("It tells no classes apart: there is no accuracy to compare."))
    if not n_test:
        return Message(N_("There are no test pictures; set some aside in Network, Training data."))
    return None


def with_layer(graph: GraphSpec, layer: Augment) -> GraphSpec:
    """The network with these ranges: in the drawn layer Augment, else in a new one behind the input."""
    drawn = next((n.uid for n in graph.nodes if isinstance(n.layer, Augment)), None)
    if drawn is not None:
        return graph.replace_node(drawn, layer=layer)
    source = next(n for n in graph.nodes if n.layer.kind == "input")
    targets = graph.outputs_of(source.uid)
    name = graph.fresh_name("augment")
    uid = graph.fresh_uid(name)
    graph = graph.add(name, layer, uid=uid).link(source.uid, uid)
    for k in targets:
        graph = graph.link(uid, k.target, k.port)
    return graph


def without_layer(graph: GraphSpec) -> GraphSpec:
    """The network with every layer Augment taken out and its neighbors linked."""
    for node in graph.nodes:
        if isinstance(node.layer, Augment):
            before = graph.inputs_of(node.uid)
            after = graph.outputs_of(node.uid)
            graph = graph.remove([node.uid])
            for k in after if before else ():
                graph = graph.link(before[0].source, k.target, k.port, before[0].source_port)
    return graph


class AugmentTrial:
    """The trial, as a job, from the network, settings, data and device of a run that is left alone.

    Raises TrainingError or GraphError when there is nothing to compare, DeviceError.
    """

    def __init__(self, trainer: Trainer, layer: Augment, epochs: int, seed: int) -> None:
        data = trainer.dataset
        reason = why_not(data.shape, data.n_classes * trainer.classifies, data.n_test)
        if reason is not None:
            raise TrainingError(reason.template)
        training = replace(trainer.training, seed=seed)
        graphs = without_layer(trainer.graph), with_layer(trainer.graph, layer)
        self._lanes = [_Lane(g, training, data, trainer.backend, epochs) for g in graphs]
        self._layer, self._seed, self._epochs = layer, seed, epochs
        self._data = data
        self._tests = _Tests(data, layer.border, trainer.backend)
        self._tested: Tested | None = None
        self._epoch = self._seen = 0
        self._testing = False
        _same_start(self._lanes)

    def result(self) -> Trial:
        """A copy of what is known by now."""
        a, b = self._lanes
        tests = sum(_tests_after(epoch, self._epochs) for epoch in range(1, self._epochs + 1))
        whole = tests * 2 * len(self._tests.conditions) * self._tests.count
        done, total = (3 * self._data.n_train * e for e in (a.epochs_done + b.epochs_done, 2 * self._epochs))
        return Trial(
            self._layer, self._seed, self._epochs, self._epoch, self._testing,
            round(done) + self._seen, round(total) + whole, (a.loss, b.loss), (a.diverged, b.diverged),
            self._tests.conditions, self._data.class_names,
            self._data.n_train, self._data.n_test, self._tested,
        )  # fmt: skip

    def steps(self) -> Iterator[None]:
        """Train both, an epoch of each in turn, and test them."""
        for epoch in range(1, self._epochs + 1):
            for lane in self._lanes:
                yield from lane.train(epoch)
            self._epoch = epoch
            if _tests_after(epoch, self._epochs):
                self._testing = True
                yield from self._test(epoch)
                self._testing = False

    def _test(self, epoch: int) -> Iterator[None]:
        tests = self._tests
        predicted = np.zeros((2, len(tests.conditions), tests.count), np.int16)
        kept = []
        for c in range(len(tests.conditions)):
            shown: list[Array] = []
            for start, pictures in tests.pictures(c):
                n = min(LANES, tests.count - start)
                for k, lane in enumerate(self._lanes):
                    predicted[k, c, start : start + n] = lane.classes(pictures)[:n]
                    self._seen += n
                    yield
                shown.append(pictures[:n])
            chosen = choose(predicted[:, c], tests.truth)
            whole = np.concatenate(shown)
            kept.append(tuple(
                Example(tests.as_bytes(whole[i]), int(tests.truth[i]), *map(int, predicted[:, c, i]))
                for i in chosen
            ))  # fmt: skip
        self._tested = Tested(epoch, predicted, tests.truth, tuple(kept))


def _tests_after(epoch: int, epochs: int) -> bool:
    """Whether both are tested after this epoch: 1, 2, 4, 8 ... and the last."""
    return epoch == epochs or epoch & (epoch - 1) == 0


def outcomes(predicted: Array, truth: Array) -> Array:
    """For each picture: 0 right only with augmentation, 1 only without, 2 in both, 3 in neither."""
    without, with_ = predicted == truth
    return np.select([with_ & ~without, without & ~with_, with_ & without], [0, 1, 2], 3)


def choose(predicted: Array, truth: Array) -> list[int]:
    """The first few pictures of each outcome, in the order of the outcomes."""
    found = outcomes(predicted, truth)
    return [int(i) for k in range(4) for i in np.flatnonzero(found == k)[:SHOWN]]


class _Lane:
    """One of the two trainings."""

    def __init__(
        self, graph: GraphSpec, training: TrainingSpec, data: Dataset, backend: Backend, epochs: int
    ) -> None:
        self.trainer = Trainer(graph, training, data, backend)
        self._epochs = epochs
        self.loss = float("nan")
        self.diverged: int | None = None

    @property
    def epochs_done(self) -> float:
        """With fraction; one that ran away has nothing left to do."""
        return self.trainer.progress if self.diverged is None else float(self._epochs)

    def train(self, epoch: int) -> Iterator[None]:
        """To the end of this epoch, unless the numbers have run away before."""
        t = self.trainer
        losses: list[float] = []
        while t.epoch < epoch and self.diverged is None:
            result = t.run(t.steps_per_epoch, CHUNK_MS)
            losses += result.losses.tolist()
            if result.stopped is not None:
                self.diverged = result.stopped.step
            yield
        if losses:
            self.loss = float(np.mean(losses))

    def classes(self, pictures: Array) -> Array:
        """The classes of pictures (N, C, H, W)."""
        found = self.trainer.predict(pictures)
        (output,) = found.values()
        return np.asarray(self.trainer.probabilities(output).argmax(axis=1))


def _same_start(lanes: list[_Lane]) -> None:
    """Raise unless both start with the same weights: the trial would compare something else."""
    a, b = (lane.trainer.store.state() for lane in lanes)
    if a.keys() != b.keys() or not all(np.array_equal(a[k], b[k]) for k in a):
        raise TrainingError(N_("Both networks must begin with the same weights, and do not."))


class _Tests:
    """The test pictures under every condition, warped by the engine's op as the network sees them."""

    def __init__(self, data: Dataset, border: str, backend: Backend) -> None:
        every = max(1, -(-data.n_test // MOST_TESTED))
        self._x = data.test_inputs(slice(None, None, every))
        self.truth = np.asarray(data.y_test[::every], np.int16)
        self.count = len(self._x)
        _, self._h, self._w = data.shape
        self._data = data
        unit = max(1, round(min(self._h, self._w) / 28))
        self.conditions = (
            Condition("plain", 0.0),
            *(Condition("turn", v) for v in TURNS),
            *(Condition("shift", float(v * unit)) for v in SHIFTS),
            *(Condition("size", v) for v in SIZES),
        )
        x = Value("x", ("C", "H", "W", "N"), (*data.shape, LANES), role=Role.INPUT)
        m = Value("m", ("M", "N"), (6, LANES), role=Role.INPUT)
        op = Op("affine_warp", (x, m), (Value("y", x.axes, x.shape),), {"border": border})
        made = Program("predict", LANES, (op,), (x, m), {}, controls={"n": float(LANES)})
        self._plan = backend.compile(made, backend.store((), 0), traced=True)
        low, high = float(self._raw(self._x).min()), float(self._raw(self._x).max())
        self._range = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)

    def matrices(self, condition: Condition) -> Array:
        """(n, 6) of each picture. A shift goes right, down, left and up in turn."""
        amount, middle = condition.amount, center(self._h, self._w)
        if condition.kind == "shift":
            moved = [shift(amount * right, amount * down)[:2].ravel() for right, down in WAYS]
            return np.stack([moved[i % len(WAYS)] for i in range(self.count)])
        grown = amount / 100
        m = rotation(amount) if condition.kind == "turn" else scaling(grown, grown)
        return np.tile(about(m, middle)[:2].ravel(), (self.count, 1))

    def pictures(self, c: int) -> Iterator[tuple[int, Array]]:
        """(first, pictures (LANES, C, H, W)) slice by slice; behind the last come repetitions of it."""
        condition = self.conditions[c]
        matrices = None if condition.kind == "plain" else self.matrices(condition)
        for start in range(0, self.count, LANES):
            at = np.minimum(np.arange(start, start + LANES), self.count - 1)
            x = self._x[at]
            if matrices is not None:
                self._plan.write("x", np.ascontiguousarray(np.moveaxis(x, 0, -1)))
                self._plan.write("m", np.ascontiguousarray(matrices[at].T, np.float32))
                self._plan.run([{"n": float(LANES)}])
                x = np.moveaxis(self._plan.read("y"), -1, 0)
            yield start, x

    def _raw(self, x: Array) -> Array:
        """Before it was normalized."""
        if self._data.mean is None or self._data.std is None:
            return x
        return np.asarray(x * self._data.std + self._data.mean)

    def as_bytes(self, picture: Array) -> Array:
        """(C, H, W) as the network sees it -> bytes (H, W, 1 or 3) for the screen."""
        low, high = self._range
        raw = self._raw(picture)
        step = -(-max(raw.shape[1:]) // SHOWN_SIDE)
        raw = raw[: 3 if len(raw) >= 3 else 1, ::step, ::step]
        scaled = (raw - low) / ((high - low) or 1.0) * 255
        return np.moveaxis(np.clip(np.rint(scaled), 0, 255).astype(np.uint8), 0, -1)


